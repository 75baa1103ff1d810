"""Whom a model heard in training, as far as its card says, and which of its heads did not."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from voxplain.models.embedded import EmbeddedModel, embedded_folder, embedded_models
from voxplain.pipeline import Analyzer, load
from voxplain.training.corpora._naming import named
from voxplain.training.corpora._reading import Utterance

__all__ = ["Heads", "analyzer", "heads"]


@dataclass(frozen=True, slots=True)
class Heads:
    """Of a model: the head that analyses use, and those fitted without some speakers."""

    known: bool = False
    """Whether the card says who was heard."""
    heard: frozenset[str] = frozenset()
    """By the head that analyses use, in training or to choose it."""
    spared: Mapping[str, int] = field(default_factory=dict)
    """Speaker -> the fold whose head never heard them."""

    def known_as(self, utterance: Utterance) -> str:
        """The name under which the card has the speaker; empty for one who was not heard.

        A list may call speakers otherwise than the corpus's reader does: then the name of the file
        tells who they are.
        """
        by_file = named(replace(utterance, speaker="", corpus="")).speaker
        return next((one for one in (utterance.speaker, by_file) if one in self.heard), "")

    def fold(self, utterance: Utterance) -> int | None:
        """The fold whose head is to judge it; None is the head that analyses use."""
        return self.spared.get(self.known_as(utterance))


def heads(model: str) -> Heads:
    """What the card of a model says; nothing is known of one without."""
    folder = _folder(model)
    card = _card(folder)
    spared = {
        speaker: number
        for number, fold in enumerate(card.get("folds", ()))
        for speaker in fold["speakers"]
    }
    if "default" in card:  # a run folder, with a model for each fold
        own = _card(folder / card["default"])["speakers"]
        return Heads(True, frozenset(own["train"]) | frozenset(own["dev"]), spared)
    if "speakers" in card:  # one of these models
        own = card["speakers"]
        return Heads(True, frozenset(own["train"]) | frozenset(own["dev"]))
    if spared:  # an embedded model, which heard everybody
        return Heads(True, frozenset(spared), spared)
    return Heads()


@functools.lru_cache(maxsize=16)
def analyzer(model: str, fold: int | None) -> Analyzer:
    """What analyses use, or the same with the head of a fold; once in each process.

    Raises what ``pipeline.load`` raises.
    """
    if fold is None:
        return load(model)
    folder = _folder(model)
    other = _card(folder)["folds"][fold].get("model")
    if other is not None:
        return load(str(folder / other))
    return Analyzer(EmbeddedModel(folder, fold=fold), load(model).reference)


def _folder(model: str) -> Path:
    return embedded_folder(model) if model in embedded_models() else Path(model)


def _card(folder: Path) -> Mapping[str, Any]:
    """Empty for what has none, such as the id of a checkpoint."""
    place = folder / "card.json"
    card: Mapping[str, Any] = {}
    if place.is_file():
        card = json.loads(place.read_text(encoding="utf-8"))
    return card
