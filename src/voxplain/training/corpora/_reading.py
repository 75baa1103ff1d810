"""What every corpus reader shares: the utterance, the card and the walk over a folder."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.audio.read import MINIMUM_DURATION, SUFFIXES, blocks, source_name
from voxplain.errors import AudioError, CorpusNotFound, UnknownName
from voxplain.types import Audio

__all__ = [
    "Card",
    "Ratings",
    "Utterance",
    "half_copied",
    "lying",
    "matching_files",
    "meaning",
    "rows",
    "sound",
]


@dataclass(frozen=True, slots=True)
class Card:
    """Facts about a corpus."""

    title: str
    language: str
    """ISO 639-1, several with commas between."""
    licence: str
    citation: str
    shippable: bool
    """Whether a model trained on it may be shipped."""
    source: str = ""
    """What documents its folders and names, where that was looked up."""
    uncertain: str = ""
    """What could not be checked against the corpus itself."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """What listeners took it for; those of CREMA-D had the voice alone."""

    votes: Mapping[str, int]
    """Label -> how many chose it."""
    intensity: Mapping[str, float]
    """Label -> how strong they found it, on average, 0 to 100; empty if nobody was asked."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One labelled recording."""

    path: Path
    corpus: str
    speaker: str
    """Unique over all corpora; empty where nobody knows."""
    sex: str
    """"female" or "male", as the corpus says; empty where it doesn't."""
    emotion: str
    """A label of ``voxplain.labels.KNOWN``; empty where the corpus's own has no place there."""
    sentence: str
    """Which of the corpus's sentences, or else the words; empty where nobody knows."""
    ratings: Ratings | None = None
    """None where nobody was asked."""
    label: str = ""
    """As the corpus writes it."""
    text: str = ""
    """What is said."""
    start: float = 0.0
    """Seconds in the file."""
    end: float | None = None
    """Seconds in the file; None is its end."""
    split: str = ""
    """Where the corpus's own partition puts it: train, dev, test, test2 ..."""
    session: str = ""
    """What was recorded together: a session, a dialogue."""
    turn: int = 0
    """Which of the session's."""
    dimensions: Mapping[str, float] | None = None
    """Mean ratings of valence, arousal and dominance, as far as there are, in [0, 1]."""
    strength: str = ""
    """How strongly it was to be portrayed, as the corpus says: low, normal, strong ..."""
    language: str = ""
    """ISO 639-1; empty is that of the corpus."""
    emphasis: tuple[int, ...] = ()
    """Words of ``text``, split at white space and counted from 0, that are meant to stand out."""
    described: Mapping[str, int] = field(default_factory=dict)
    """Attribute of ``models.description`` -> -1, 0 or 1, as far as the corpus tells."""


def matching_files(root: Path, pattern: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    """Recordings whose name matches, or whose folders and name do, in the order of their paths.

    The pattern is held against the end of the path below ``root``, without its suffix and with
    ``/`` between the folders; the shortest end that matches counts. What lies there twice (as wav
    and as mp3, in a copied folder) is given once; the ``._`` files of macOS are none.

    Raises CorpusNotFound if there is none.
    """
    found: dict[str, tuple[Path, re.Match[str]]] = {}
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("._"):
            match = _end(path.relative_to(root).with_suffix("").parts, pattern)
            if match and path.is_file():
                found.setdefault(match[0], (path, match))
    if not found:
        raise CorpusNotFound(
            f"{root} holds no file named like {pattern.pattern!r}; give the corpus's own folder"
        )
    yield from found.values()


def _end(parts: tuple[str, ...], pattern: re.Pattern[str]) -> re.Match[str] | None:
    ends = ("/".join(parts[start:]) for start in reversed(range(len(parts))))
    return next(filter(None, map(pattern.fullmatch, ends)), None)


def meaning(label: str, known: Mapping[str, str], *, path: Path) -> str:
    """What a label that the corpus wrote stands for.

    Raises CorpusNotFound, naming the file, for one that the corpus should not have.
    """
    if label not in known:
        raise CorpusNotFound(f"{path}: {UnknownName('label', label, known)}")
    return known[label]


def half_copied(root: Path, missing: Collection[str], *, total: int, what: str) -> None:
    """Raises CorpusNotFound if anything is missing, with how many and one example."""
    if missing:
        raise CorpusNotFound(
            f"{root} is a half-copied corpus: {len(missing)} of {total} {what}, such as "
            f"{min(missing)}; copy it again"
        )


def rows(table: Path | None, *columns: str) -> Iterator[dict[str, str]]:
    """Of a CSV table; none where there is no table.

    Raises CorpusNotFound for a table without one of the columns.
    """
    if table:
        with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            read = csv.DictReader(file)
            there = read.fieldnames or ()
            for column in columns:
                if column not in there:
                    raise CorpusNotFound(
                        f"{table} has no column {column}, only {', '.join(there) or 'none'}; "
                        "give the corpus's own folder"
                    )
            yield from read


def lying(root: Path, name: str) -> Path | None:
    """The first file of a name (or a glob) below a folder."""
    return min(root.rglob(name), default=None)


def sound(utterance: Utterance) -> Audio:
    """What is heard of an utterance: mono 16 kHz, from its start to its end in the file.

    Nothing after the end is decoded. Raises what ``audio.read`` does, and AudioError if less than
    0.1 s lies between start and end, or if the file is over more than 0.1 s before the end.
    """
    start = round(utterance.start * SAMPLING_RATE)
    end = None if utterance.end is None else round(utterance.end * SAMPLING_RATE)
    heard, samples = [], 0
    for block in blocks(utterance.path):
        heard.append(block)
        samples += len(block)
        if end is not None and samples >= end:
            break
    waveform = np.concatenate(heard)[start:end]
    least = round(MINIMUM_DURATION * SAMPLING_RATE)
    if len(waveform) < max(least, (end or 0) - start - least):  # ends are often rounded up
        raise AudioError(
            f"{utterance.path} has {len(waveform) / SAMPLING_RATE:.2f} s of sound between "
            f"{utterance.start} s and {utterance.end or samples / SAMPLING_RATE} s; correct the "
            "times, or copy the file again if it was cut short"
        )
    return Audio(waveform, SAMPLING_RATE, source_name(utterance.path))
