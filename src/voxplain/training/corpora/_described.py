"""Corpora whose files say all in their names: each is a description in ``described/``.

A description is data (``Description`` has its keys). Its pattern is held against the end of a
recording's path below the corpus's folder, without the suffix, with ``/`` between folders and
without regard to case. Named groups say what they are: ``speaker``, ``label`` and, where the
names tell, ``sex``, ``sentence`` and ``strength``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Literal, TypeVar

from voxplain.config import load_recipe
from voxplain.errors import ConfigError, UnknownName
from voxplain.labels import KNOWN
from voxplain.training.corpora._reading import Card, Utterance, matching_files, meaning

__all__ = ["Description", "plugin"]

T = TypeVar("T")
_NEEDED = {"speaker", "label"}
_MORE = {"sex", "sentence", "strength"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Description(Card):
    """A corpus as a YAML file tells it; the case of the mappings' keys doesn't matter."""

    pattern: str
    labels: Mapping[str, str]
    """As the corpus writes it -> a label of ``voxplain.labels.KNOWN``, or empty for none."""
    sexes: Mapping[str, Literal["female", "male"]] = field(default_factory=dict)
    """The group ``sex``, or else a speaker -> female or male."""
    strengths: Mapping[str, str] = field(default_factory=dict)
    """The group ``strength`` -> in words."""
    sentences: Mapping[str, str] = field(default_factory=dict)
    """The group ``sentence`` -> what is said."""


def plugin(path: Path) -> ModuleType:
    """What a description makes: a module with ``CARD`` and ``read(root)``, named like the file.

    Raises ConfigError, naming the file, for a description that can't be followed.
    """
    description: Description = load_recipe(path, {"corpus": Description})
    try:
        groups = re.compile(description.pattern).groupindex.keys()
    except re.error as error:
        raise ConfigError(f"{path}: the pattern is no regular expression: {error}") from error
    if not _NEEDED <= groups <= _NEEDED | _MORE:
        raise ConfigError(
            f"{path}: the pattern names {', '.join(groups) or 'nothing'}; it must name speaker and "
            "label, and may name sex, sentence and strength"
        )
    for label in filter(None, description.labels.values()):
        if label not in KNOWN:
            raise ConfigError(f"{path}: labels: {UnknownName('label', label, KNOWN)}")
    module = ModuleType(path.stem, description.title)
    vars(module).update(CARD=description, read=functools.partial(_read, path.stem, description))
    return module


def _read(corpus: str, description: Description, root: Path) -> list[Utterance]:
    """Every clip. Raises CorpusNotFound."""
    labels, sexes = _lower(description.labels), _lower(description.sexes)
    strengths, sentences = _lower(description.strengths), _lower(description.sentences)
    found = []
    for path, match in matching_files(root, re.compile(description.pattern, re.IGNORECASE)):
        said = {group: value.lower() for group, value in match.groupdict("").items()}
        sentence = said.get("sentence", "")
        found.append(
            Utterance(
                path=path,
                corpus=corpus,
                speaker=f"{corpus}_{said['speaker']}",
                sex=sexes.get(said.get("sex", said["speaker"]), ""),
                emotion=meaning(said["label"], labels, path=path),
                sentence=sentence,
                label=match["label"],
                text=sentences.get(sentence, ""),
                strength=strengths.get(said.get("strength", ""), ""),
            )
        )
    return found


def _lower(names: Mapping[str, T]) -> dict[str, T]:
    return {name.lower(): value for name, value in names.items()}
