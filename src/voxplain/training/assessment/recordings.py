"""What is judged: the recordings of a corpus, as a command line names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from voxplain.audio import read
from voxplain.errors import ConfigError, CorpusNotFound, UnknownName, VoxplainError
from voxplain.plugins import find, names
from voxplain.training.corpora._manifest import manifest
from voxplain.training.corpora._reading import Card, Utterance

__all__ = ["Recordings", "duration", "names_corpus", "recordings"]


@dataclass(frozen=True, slots=True)
class Recordings:
    """A corpus, or a part of it."""

    name: str
    """As the command line gives it, with the split if it asks for one."""
    utterances: tuple[Utterance, ...]
    card: Card | None = None
    """None for a list that somebody made."""
    people: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Speaker -> what else the corpus tells of them."""

    @property
    def unnamed(self) -> int:
        """How many utterances have a label that the canonical set has no name for."""
        return sum(not one.emotion for one in self.utterances)


def names_corpus(argument: str) -> bool:
    """Whether an argument names a corpus (CORPUS=PLACE) rather than a model."""
    return "=" in argument


def recordings(argument: str) -> Recordings:
    """What ``CORPUS=PLACE`` names, or with ``#SPLIT`` a part of it.

    PLACE is the folder of a corpus that there is a reader for, or any list that the generic readers
    know (a table, an audformat database, Kaldi ...), whose utterances then go by the name CORPUS.

    Raises ConfigError (not that form, no splits), UnknownName (no such split), CorpusNotFound, and
    what the readers raise.
    """
    name, equals, rest = argument.partition("=")
    place, hashed, split = rest.partition("#")
    if not (name and equals and place) or (hashed and not split):
        raise ConfigError(f"a corpus is CORPUS=DIR or CORPUS=DIR#SPLIT, not {argument!r}")
    path = Path(place)
    if not path.exists():
        raise CorpusNotFound(f"{argument}: there is no {path}; give the place of the corpus")
    if name in names("corpora"):
        reader = find("corpora", name)
        found, card = reader.read(path), reader.CARD
        tell = getattr(reader, "demographics", None)
        people = tell(path) if tell else {}
    else:
        found, card, people = _listed(name, path), None, {}
    if split:
        splits = sorted({one.split for one in found} - {""})
        if split not in splits:
            if not splits:
                raise ConfigError(f"{argument}: the corpus has no splits; leave out #{split}")
            raise UnknownName(f"split of {name}", split, splits)
        found = [one for one in found if one.split == split]
    if not found:
        raise CorpusNotFound(f"{argument}: not one recording in {path}")
    return Recordings(name + hashed + split, tuple(found), card, people)


def _listed(name: str, path: Path) -> list[Utterance]:
    """Of any list that there is a reader for, under a name of its own."""
    try:
        return [replace(one, corpus=name) for one in manifest(path)]
    except VoxplainError as error:
        if path.is_file():
            raise
        unknown = UnknownName("corpus", name, names("corpora"))
        raise CorpusNotFound(f"{unknown} {path} is no other list either: {error}") from error


def duration(utterance: Utterance) -> float:
    """Seconds, as the table or the header of the file says. Raises AudioError."""
    if utterance.end is not None:
        return utterance.end - utterance.start
    promised = read.promised_duration(utterance.path)
    whole = promised if promised is not None else read.read(utterance.path).duration
    return whole - utterance.start
