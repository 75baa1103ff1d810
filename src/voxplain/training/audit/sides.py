"""What is audited: the sides of a split, each a list of utterances, and what is known of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from voxplain import labels
from voxplain.audio.read import find_files
from voxplain.errors import ConfigError, UnknownName
from voxplain.plugins import find, names
from voxplain.training.corpora._manifest import manifest
from voxplain.training.corpora._naming import named
from voxplain.training.corpora._reading import Utterance

__all__ = ["Side", "read_sides"]


@dataclass(frozen=True)
class Side:
    """One side of a split."""

    name: str
    utterances: tuple[Utterance, ...]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Of each utterance: the canonical label, or else the corpus's own; empty without one."""
        return tuple(one.emotion or one.label for one in self.utterances)

    @cached_property
    def by_column(self) -> tuple[str, ...]:
        """Speaker of each utterance, as the list says."""
        return tuple(one.speaker for one in self.utterances)

    @cached_property
    def by_file(self) -> tuple[str, ...]:
        """Speaker of each utterance, as the naming rule of a known corpus says."""
        return tuple(named(replace(one, speaker="")).speaker for one in self.utterances)

    def by_pattern(self, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """Speaker of each utterance, the group of a pattern that is searched in its path."""
        found = (pattern.search(one.path.as_posix()) for one in self.utterances)
        return tuple(match[1] or "" if match else "" for match in found)

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Of each utterance, as its list or its file's name says."""
        return tuple(named(one).sentence for one in self.utterances)


def read_sides(arguments: Sequence[str], *, audio: Path | None = None) -> list[Side]:
    """The sides that some words name.

    Each is a list of recordings, a folder of them, or ``CORPUS=DIR``; ``#SPLIT`` after it takes one
    of its splits. A single one that tells its splits is taken apart by them. A list may name
    recordings that are not there: what can be checked without them is.

    Raises ConfigError for a split without utterances, and what the readers raise.
    """
    short = [Path(argument.partition("=")[0]).stem for argument in arguments]
    found = [
        replace(_side(argument, audio), name=name if short.count(name) == 1 else argument)
        for argument, name in zip(arguments, short, strict=True)
    ]
    if len(found) == 1:
        told = {one.split for one in found[0].utterances} - {""}
        splits = sorted(told, key=lambda split: (split != "train", split))
        return [_split(found[0], split) for split in splits] or found
    return found


def _side(argument: str, audio: Path | None) -> Side:
    place, mark, split = argument.rpartition("#")
    if mark and not Path(argument).exists():
        return _split(_side(place, audio), split)
    corpus, equals, folder = argument.partition("=")
    if equals and corpus in names("corpora"):
        return Side(argument, tuple(find("corpora", corpus).read(Path(folder))))
    return Side(argument, tuple(_listed(Path(argument), audio)))


def _split(side: Side, split: str) -> Side:
    chosen = tuple(one for one in side.utterances if one.split == split)
    if not chosen:
        known = ", ".join(sorted({one.split for one in side.utterances} - {""})) or "none"
        raise ConfigError(f"{side.name} has nothing in the split {split!r}; there are {known}")
    return Side(split, chosen)


_LISTS = ("db.yaml", "wav.scp", "*.arrow", "*.parquet", "metadata.csv", "metadata.jsonl")


def _listed(path: Path, audio: Path | None) -> list[Utterance]:
    if not path.is_dir() or any(next(path.rglob(name), None) for name in _LISTS):
        return manifest(path, audio=audio, partial=True)
    return [_bare(file) for file in find_files(path)]


def _bare(file: Path) -> Utterance:
    """A recording that no list tells about: what its name tells, or as a label its folder's."""
    plain = Utterance(path=file, corpus="", speaker="", sex="", emotion="", sentence="")
    known = named(plain)
    if known is not plain:
        return replace(known, speaker="")
    try:
        return replace(plain, emotion=labels.canonical(file.parent.name), label=file.parent.name)
    except UnknownName:
        return plain
