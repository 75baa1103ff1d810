"""Which layer knows what: emotion, speaker, sex, sentence and descriptors, by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.training.statistics import Interval
from voxplain.training.studies.charts import dots
from voxplain.training.studies.probing import probes
from voxplain.training.studies.probing.material import (
    Clips,
    Findings,
    Given,
    Material,
    check,
    drawn,
    log_mels,
    measured,
    pooled,
    unlearned,
)
from voxplain.training.studies.tables import Table

__all__ = ["LayersRecipe", "Trait", "by_layer", "differences", "readings", "study", "traits"]

LEARNED, UNLEARNED, NULL = "learned weights", "shuffled weights", "shuffled labels"


@dataclass(frozen=True, slots=True)
class LayersRecipe:
    """What a recipe of the kind ``probing_layers`` may say."""

    material: Material
    descriptors: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Trait:
    """What is to be told of every clip."""

    truth: NDArray[Any]
    """(n,) labels, or numbers."""
    folds: NDArray[np.int64]
    groups: NDArray[Any]
    """(n,) within which the null version shuffles the truth."""
    accuracy: bool = False
    """Whether every clip counts the same, instead of every label."""

    @property
    def number(self) -> bool:
        """Whether it is a number, not a label."""
        return bool(self.truth.dtype.kind == "f")

    @property
    def chance(self) -> float:
        """Of a probe that knows nothing."""
        return 0.0 if self.number else 1 / len(np.unique(self.truth))


def study(recipe: LayersRecipe, given: Given) -> Findings:
    """A table and a chart for each corpus. Raises ConfigError, WeightsMissing, CorpusNotFound."""
    check(given, descriptors=recipe.descriptors)
    without = unlearned(given.encoder, given.out / "shuffled", seed=recipe.material.seed)
    tables, charts = {}, {}
    for corpus, clips in drawn(recipe.material, given.roots).items():
        states, blank = pooled(clips, given), pooled(clips, given, encoder=without)
        known = traits(clips, measured(clips, given, names=recipe.descriptors), recipe.descriptors)
        found = by_layer(known, clips["speaker"], states, blank, log_mels(clips, given))
        tables[corpus] = found
        tables[f"{corpus}: emotion, differences"] = differences(
            known["emotion"], clips["speaker"], states, blank, log_mels(clips, given)
        )
        charts[f"layers_{corpus}.svg"] = _chart(corpus, found, known)
    return Findings(tables, charts)


def traits(clips: Clips, values: NDArray[np.float64], names: Sequence[str]) -> dict[str, Trait]:
    """What is told of clips and of their descriptors ``values`` (n, names).

    Speakers are told in sentences that were not learned from, all else in other speakers. What has
    one label alone, or only one outside of some fold, is not told.
    """
    speakers, everybody = clips["speaker"], np.zeros(len(clips.folds))
    _, sentence = np.unique(clips["sentence"], return_inverse=True)
    labels = {
        "emotion": Trait(clips["emotion"], clips.folds, speakers),
        "sentence": Trait(clips["sentence"], clips.folds, speakers),
        "sex": Trait(clips["sex"], clips.folds, everybody),
        "speaker": Trait(speakers, sentence % len(set(clips.folds)), everybody, accuracy=True),
    }
    told = {name: one for name, one in labels.items() if _can_be_learned(one)}
    columns = zip(names, values.T, strict=True)
    return told | {name: Trait(column, clips.folds, everybody) for name, column in columns}


def _can_be_learned(trait: Trait) -> bool:
    sides = (trait.truth[trait.folds != fold] for fold in np.unique(trait.folds))
    return all(len(np.unique(side)) > 1 for side in sides)


def by_layer(
    known: Mapping[str, Trait],
    speakers: NDArray[np.str_],
    states: NDArray[Any],
    blank: NDArray[Any],
    bands: NDArray[Any],
) -> Table:
    """UAR, or R2, of each trait by layers of states (layers, n, width), and by its controls.

    ``blank`` are states of an encoder that has learned nothing, ``bands`` (n, bands) log-mel.
    """
    null = {name: _of_other_clips(trait) for name, trait in known.items()}
    views = {f"layer {place}, {LEARNED}": (one, known) for place, one in enumerate(states)}
    views |= {f"layer {place}, {UNLEARNED}": (one, known) for place, one in enumerate(blank)}
    views |= {f"layer {place}, {NULL}": (one, null) for place, one in enumerate(states)}
    views["log-mel"] = (bands, known)
    return {view: readings(features, told, speakers) for view, (features, told) in views.items()}


def readings(
    features: NDArray[Any], known: Mapping[str, Trait], speakers: NDArray[np.str_]
) -> dict[str, Interval]:
    """How well features (n, width) tell each trait: UAR, accuracy, or R2 of numbers."""
    found = {}
    for name, trait in known.items():
        if not trait.number:
            kinds = np.full(len(speakers), "") if trait.accuracy else trait.truth
            found[name] = probes.recall(_right(features, trait), kinds, speakers)
    numbers = {name: trait for name, trait in known.items() if trait.number}
    if numbers:  # of the same folds: told at once
        truth = np.column_stack([trait.truth for trait in numbers.values()])
        told = probes.numbers(features, truth, next(iter(numbers.values())).folds)
        for place, name in enumerate(numbers):
            found[name] = probes.r2(truth[:, place], told[:, place], speakers)
    return found


def differences(
    emotion: Trait,
    speakers: NDArray[np.str_],
    states: NDArray[Any],
    blank: NDArray[Any],
    bands: NDArray[Any],
) -> Table:
    """By how much each layer tells the emotion better than its controls, and than the last one."""
    of_bands, of_last = _right(bands, emotion), _right(states[-1], emotion)
    found = {}
    for place, (own, without) in enumerate(zip(states, blank, strict=True)):
        right = _right(own, emotion)
        controls = {UNLEARNED: _right(without, emotion), "log-mel": of_bands, "last": of_last}
        found[f"layer {place}"] = {
            f"above {name}": probes.recall(right, emotion.truth, speakers, above=control)
            for name, control in controls.items()
        }
    return found


def _right(features: NDArray[Any], trait: Trait) -> NDArray[np.bool_]:
    right: NDArray[np.bool_] = probes.labels(features, trait.truth, trait.folds) == trait.truth
    return right


def _of_other_clips(trait: Trait) -> Trait:
    return replace(trait, truth=probes.shuffled(trait.truth, trait.groups, seed=0))


def _chart(corpus: str, found: Table, known: Mapping[str, Trait]) -> str:
    """All traits on one scale: 0 is chance, 1 is all."""
    layers = [view.removesuffix(f", {LEARNED}") for view in found if view.endswith(LEARNED)]
    rows = {
        f"{name}, {layer}": [
            _above(found[f"{layer}, {version}"][name], trait.chance)
            for version in (LEARNED, UNLEARNED, NULL)
        ]
        for name, trait in known.items()
        for layer in layers
    }
    return dots(
        rows,
        title=f"{corpus}: what each layer tells (0 is chance, 1 is all; of numbers: R2)",
        series=(LEARNED, UNLEARNED, NULL),
        span=(-0.2, 1.0),
        chance=0.0,
    )


def _above(one: Interval, chance: float) -> Interval:
    value, low, high = ((x - chance) / (1 - chance) for x in (one.value, one.low, one.high))
    return replace(one, value=value, low=low, high=high)
