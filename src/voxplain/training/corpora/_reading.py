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
    """Empty where nobody knows."""
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
