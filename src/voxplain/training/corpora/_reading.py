"""What every corpus reader shares: the utterance, the card and the walk over a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from voxplain.audio.read import SUFFIXES
from voxplain.errors import CorpusNotFound

__all__ = ["Card", "Ratings", "Utterance", "matching_files"]


@dataclass(frozen=True, slots=True)
class Card:
    """Facts about a corpus."""

    title: str
    language: str
    licence: str
    citation: str
    shippable: bool
    """Whether a model trained on it may be shipped."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """What listeners who had only the voice took it for."""

    votes: Mapping[str, int]
    """Label -> how many chose it."""
    intensity: Mapping[str, float]
    """Label -> how strong they found it, on average, from 0 to 100."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One labelled recording."""

    path: Path
    corpus: str
    speaker: str
    """Unique over all corpora."""
    sex: str
    """"female" or "male", as the corpus says."""
    emotion: str
    """A label of ``voxplain.labels.CANONICAL``."""
    sentence: str
    ratings: Ratings | None = None
    """None where nobody was asked."""


def matching_files(root: Path, pattern: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    """Recordings below a folder whose name without suffix matches, in the order of their paths.

    One that lies there twice (as wav and as mp3, in a copied folder) is given once.

    Raises CorpusNotFound if there is none.
    """
    found: dict[str, tuple[Path, re.Match[str]]] = {}
    for path in sorted(root.rglob("*")):
        match = pattern.fullmatch(path.stem)
        if match and path.suffix.lower() in SUFFIXES and path.is_file():
            found.setdefault(path.stem, (path, match))
    if not found:
        raise CorpusNotFound(
            f"{root} holds no file named like {pattern.pattern!r}; give the corpus's own folder"
        )
    yield from found.values()
