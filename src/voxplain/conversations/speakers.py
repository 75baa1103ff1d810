"""Who speaks when: read from a file, and taken apart into one voice and several at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from voxplain.audio.intervals import read_rttm, read_table, read_textgrid
from voxplain.conversations.results import Overlap
from voxplain.errors import ConfigError, UnknownName
from voxplain.types import Segment

__all__ = ["SUFFIXES", "read_speakers", "taken_apart"]

SUFFIXES = (".rttm", ".csv", ".TextGrid")


def read_speakers(
    path: Path, *, source: str, tier: str | None = None
) -> tuple[list[Segment], list[str]]:
    """Who speaks when in the recording ``source``, and the doubt if the file names another one.

    RTTM, a CSV with the columns start, end and speaker, or a TextGrid, of which an interval
    ``tier`` (by default the first) has the speakers for labels. Of a file about several recordings
    the turns of the one with that name are taken.

    Raises ConfigError, with the line where there is one, and UnknownName for a suffix, a column, a
    tier, or a recording that is not among those of the file.
    """
    if path.suffix not in SUFFIXES:
        raise UnknownName("kind of speaker file", path.suffix, SUFFIXES)
    if tier is not None and path.suffix != ".TextGrid":
        raise ConfigError(f"a tier is of a TextGrid, and {path} is none; leave it out")
    doubts: list[str] = []
    if path.suffix == ".TextGrid":
        turns = [
            dataclasses.replace(one, speaker=one.label, label=None)
            for one in read_textgrid(path, tier=tier)
        ]
    elif path.suffix == ".csv":
        table = read_table(path, speaker_column="speaker", recording=Path(source))
        turns, doubts = _of_recording({file.stem: own for file, own in table.items()}, source, path)
    else:
        turns, doubts = _of_recording(read_rttm(path), source, path)
    if not turns:
        raise ConfigError(f"{path} has no turn; give one line or interval for each")
    unnamed = next((one for one in turns if not (one.speaker or "").strip()), None)
    if unnamed:
        raise ConfigError(
            f"{path}: nobody is named from {unnamed.start:g} to {unnamed.end:g} s; name the speaker"
        )
    return turns, doubts


def _of_recording(
    named: Mapping[str, list[Segment]], source: str, path: Path
) -> tuple[list[Segment], list[str]]:
    """The turns of the file with the name of the recording, or of the only one there is."""
    own = Path(source).stem
    if own in named or not named:
        return named.get(own, []), []
    if len(named) > 1:
        raise UnknownName(f"recording in {path}", own, named)
    (other, turns), *_ = named.items()
    return turns, [f"{path.name} says that its turns are of {other}, not of {own}"]


def taken_apart(turns: Sequence[Segment]) -> tuple[list[Segment], list[Overlap]]:
    """Where one voice speaks alone, and where several speak at once, each in order of time.

    Turns of one voice that touch or overlap are one.
    """
    edges = sorted({edge for turn in turns for edge in (turn.start, turn.end)})
    coming = sorted(turns, key=lambda turn: turn.start, reverse=True)
    speaking: list[Segment] = []
    pieces: list[tuple[float, float, tuple[str, ...]]] = []
    for start, end in pairwise(edges):
        while coming and coming[-1].start <= start:
            speaking.append(coming.pop())
        speaking = [turn for turn in speaking if turn.end > start]
        names = tuple(sorted({str(turn.speaker) for turn in speaking}))
        if pieces and pieces[-1][1:] == (start, names):
            pieces[-1] = (pieces[-1][0], end, names)
        elif names:
            pieces.append((start, end, names))
    alone = [Segment(start, end, names[0]) for start, end, names in pieces if len(names) == 1]
    return alone, [Overlap(*piece) for piece in pieces if len(piece[2]) > 1]
