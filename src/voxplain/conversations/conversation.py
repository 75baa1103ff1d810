"""From a recording and who speaks in it to how each voice sounds over time, in one pass."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain import __version__
from voxplain.audio import read
from voxplain.audio.activity import SAMPLING_RATE
from voxplain.conversations.curves import readings, smoothed
from voxplain.conversations.diarisers import load_diariser
from voxplain.conversations.results import Conversation, Overlap, Turn, Voice
from voxplain.conversations.speakers import read_speakers, taken_apart
from voxplain.conversations.turning import DIMENSIONS, turning_points
from voxplain.errors import ConfigError
from voxplain.models.calibration import Calibration
from voxplain.models.judgement import abstain, whole
from voxplain.pipeline import DEFAULT_MODEL, Analyzer, load
from voxplain.types import Audio, Segment

__all__ = ["REACH", "conversation"]

REACH = 30.0
"""Seconds within which other turns of a voice count for its course."""
_BEYOND = 1.0  # s that a file of speakers may reach beyond its recording without a word


def conversation(
    source: Any,
    sampling_rate: int | None = None,
    *,
    speakers: str | os.PathLike[str] | None = None,
    tier: str | None = None,
    diariser: str | None = None,
    diariser_model: str | os.PathLike[str] | None = None,
    model: str = DEFAULT_MODEL,
    reach: float = REACH,
    progress: Callable[[float], None] = lambda seconds: None,
) -> Conversation:
    """How each voice of a recording sounds over time, and where that changes.

    ``source`` is a path, ``"-"`` (standard input) or an array with its ``sampling_rate`` in Hz.
    Who speaks when stands in the file ``speakers`` (RTTM, CSV, or a TextGrid and its ``tier``), or
    a ``diariser`` finds it out with the weights in the folder ``diariser_model``; else all that is
    said is one voice without a name. Where several speak at once nobody is judged. Each turn is
    judged as ``voxplain.analyze`` judges the same cut. The course of a voice is smoothed over the
    turns within ``reach`` seconds. ``progress`` is called with the seconds that each turn ends at.

    Raises AudioError or TooShort, ConfigError or UnknownName for speakers that can't be of the
    recording, MissingExtra or WeightsMissing for a diariser, and what ``voxplain.load`` raises.
    """
    if not reach > 0:
        raise ConfigError(f"a reach of {reach:g} s; give seconds above 0")
    if speakers is not None and diariser is not None:
        raise ConfigError("a file of speakers and a diariser both say who speaks; give one")
    if tier is not None and speakers is None:
        raise ConfigError(f"the tier {tier!r} is of no file; give the TextGrid as the speakers")
    name = read.source_name(source)
    blocks = read.blocks(source, sampling_rate=sampling_rate)
    marked, overlaps = [Segment(0.0, math.inf)], list[Overlap]()
    warnings: list[str] = []
    told: str | None = None
    if speakers is not None:
        given, warnings = read_speakers(Path(speakers), source=name, tier=tier)
        marked, overlaps = taken_apart(given)
        told = Path(speakers).name
        if isinstance(source, str | os.PathLike) and (length := read.promised_duration(source)):
            _within(length, [*marked, *overlaps], name=name, told=told)  # before hours of work
    elif diariser is not None:
        diarise = load_diariser(diariser, diariser_model)
        audio = Audio(np.concatenate(list(blocks)), SAMPLING_RATE, name)
        blocks = iter([audio.waveform])
        told = diariser
        if found := diarise(audio):
            marked, overlaps = taken_apart(found)
        else:
            warnings = [f"{diariser} heard nobody, so that all that is said is one voice"]
    analyzer = load(model)
    tape = _Tape(blocks)
    turns: list[Turn] = []
    for turn in _turns(tape, marked, analyzer, source=name):
        turns.append(turn)
        progress(turn.end)
    for _ in tape.until(sys.maxsize):
        pass
    warnings = [*warnings, *_within(tape.seconds, [*marked, *overlaps], name=name, told=told)]
    voices = _voices(turns, analyzer.model.calibration, reach)
    return Conversation(
        source=name,
        duration=tape.seconds,
        speakers=told,
        voices=tuple(voices),
        turns=tuple(turns),
        overlaps=tuple(replace(one, end=min(one.end, tape.seconds)) for one in overlaps),
        warnings=(*warnings, *analyzer.model.notes),
        provenance={
            "voxplain": __version__,
            "model": analyzer.model.name,
            "model_sha256": analyzer.model.sha256,
            "config": {"reach": reach, "speakers": told, "tier": tier},
        },
    )


class _Tape:
    """A stream of blocks that is played on and on, and never back."""

    def __init__(self, blocks: Iterable[NDArray[np.float32]]) -> None:
        self._blocks = iter(blocks)
        self._held = np.zeros(0, np.float32)
        self.place = 0
        """Samples played."""

    @property
    def seconds(self) -> float:
        """Played so far."""
        return self.place / SAMPLING_RATE

    def until(self, sample: int) -> Iterator[NDArray[np.float32]]:
        """What comes before a sample, as far as there is anything."""
        while self.place < sample:
            if not len(self._held):
                block = next(self._blocks, None)
                if block is None:
                    return
                self._held = block
            piece = self._held[: sample - self.place]
            self._held = self._held[len(piece) :]
            self.place += len(piece)
            yield piece


def _turns(
    tape: _Tape, marked: Sequence[Segment], analyzer: Analyzer, *, source: str
) -> Iterator[Turn]:
    """Each stretch of speech in what is marked; what holds none is one that is not judged."""
    labels = analyzer.model.calibration.labels
    for one in marked:
        first, last = (_sample(second) for second in (one.start, one.end))
        for _ in tape.until(first):
            pass
        start = tape.seconds
        for segment, emotion in analyzer.hear(tape.until(last), source=source):
            if segment.duration < read.MINIMUM_DURATION:
                short = f"lasts {segment.duration:.2f} s; {read.MINIMUM_DURATION} s are the least"
                emotion = abstain(short, label_set=labels)
            if segment.duration:
                yield Turn(start + segment.start, start + segment.end, one.speaker, emotion)


def _sample(second: float) -> int:
    return round(second * SAMPLING_RATE) if second < math.inf else sys.maxsize


def _within(
    duration: float, marked: Sequence[Segment | Overlap], *, name: str, told: str | None
) -> list[str]:
    """A doubt where the last turn goes on after the recording.

    Raises ConfigError for a turn that begins there.
    """
    late = next((one for one in marked if one.start >= duration), None)
    if late:
        raise ConfigError(
            f"{told} has a turn at {late.start:.2f} s, but {name} lasts {duration:.2f} s; give "
            "the speakers of this recording"
        )
    last = max(one.end for one in marked)
    if not duration + _BEYOND < last < math.inf:
        return []
    return [f"{told} goes on until {last:.2f} s, the recording lasts {duration:.2f} s"]


def _voices(turns: Sequence[Turn], calibration: Calibration, reach: float) -> Iterator[Voice]:
    for name in dict.fromkeys(turn.speaker for turn in turns):
        own = [turn for turn in turns if turn.speaker == name]
        judged = [turn for turn in own if turn.judged]
        emotions = [turn.emotion for turn in own]
        emotion = whole(emotions, [turn.duration for turn in own], calibration)
        seconds = np.array([turn.duration for turn in judged])
        times = np.array([(turn.start + turn.end) / 2 for turn in judged])
        places = [Segment(turn.start, turn.end) for turn in judged]
        found = readings([turn.emotion for turn in judged]) if judged else {}
        points = [
            point
            for dimension in DIMENSIONS
            if dimension in found
            for point in turning_points(places, *found[dimension], dimension=dimension)
        ]
        points.sort(key=lambda point: point.first)
        parts = np.searchsorted([point.first for point in points], times)
        curves = {
            quantity: smoothed(times, seconds, *read_off, reach=reach, parts=parts)
            for quantity, read_off in found.items()
        }
        yield Voice(name, float(seconds.sum()), emotion, curves, tuple(points))
