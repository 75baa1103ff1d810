"""Acoustic cues in an encoder's states, and which of them carry the decision on the emotion.

A family of cues is taken out of the states by LEACE (Belrose et al. 2023, "LEACE: Perfect linear
concept erasure in closed form", NeurIPS, theorem 4.3): the least change after which no linear model
can find it. What that costs is held against random read-outs, as many, taken out the same way.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.preprocessing import StandardScaler

from voxplain.errors import ConfigError
from voxplain.training.baselines import probe
from voxplain.training.statistics import Interval
from voxplain.training.studies.charts import dots
from voxplain.training.studies.probing import probes
from voxplain.training.studies.probing.material import (
    Findings,
    Given,
    Material,
    check,
    drawn,
    measured,
    pooled,
)
from voxplain.training.studies.tables import Table

__all__ = ["CuesRecipe", "Erasing", "carried", "predicted", "study"]

NOTHING, ALL, EMOTION = "nothing", "all families", "the emotion itself"
WAYS = ("as decided", "anew")


@dataclass(frozen=True, slots=True)
class CuesRecipe:
    """What a recipe of the kind ``probing_cues`` may say."""

    material: Material
    layer: int
    families: Mapping[str, tuple[str, ...]]
    """Name -> descriptors, as many in each."""
    draws: int
    """Of random read-outs."""


def study(recipe: CuesRecipe, given: Given) -> Findings:
    """Tables for each corpus, and a chart. Raises ConfigError, UnknownName, WeightsMissing."""
    names = [name for family in recipe.families.values() for name in family]
    if len({len(family) for family in recipe.families.values()}) != 1:
        raise ConfigError("the families of a recipe must have as many descriptors each")
    check(given, layers=[recipe.layer], descriptors=names)
    tables: dict[str, Table] = {}
    rows: dict[str, list[Interval]] = {}
    for corpus, clips in drawn(recipe.material, given.roots).items():
        states, speakers = pooled(clips, given), clips["speaker"]
        values = measured(clips, given, names=names)
        tables[f"{corpus}: R2"] = predicted(states, values, clips.folds, speakers, names=names)
        own = probes.centred(values, speakers)
        families = {
            family: own[:, [names.index(name) for name in members]]
            for family, members in recipe.families.items()
        }
        cost = carried(
            states[recipe.layer],
            clips["emotion"],
            clips.folds,
            speakers,
            families=families,
            draws=recipe.draws,
            seed=recipe.material.seed,
        )
        tables[f"{corpus}: erased"] = cost
        rows |= {
            f"{corpus}: {name}": [row[f"above random, {way}"] for way in WAYS]
            for name, row in cost.items()
            if name in families or name == ALL
        }
    chart = dots(
        rows,
        title="UAR lost by erasing cues, beyond that of random read-outs",
        series=WAYS,
        span=(-0.1, 0.4),
        chance=0.0,
    )
    return Findings(tables, {"acoustic_cues.svg": chart})


def predicted(
    states: NDArray[Any],
    values: NDArray[np.float64],
    folds: NDArray[np.int64],
    speakers: NDArray[np.str_],
    *,
    names: Sequence[str],
) -> Table:
    """R2 of each descriptor (n, names) by layer: over all clips, within speakers, and shuffled.

    The null version is that of the last layer.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    others = probes.shuffled(values, np.zeros(len(values)), seed=0)
    views = {f"layer {place}": (one, values) for place, one in enumerate(states)}
    views["shuffled"] = (states[-1], others)
    for view, (features, truth) in views.items():
        told = probes.numbers(features, truth, folds)
        own, apart = probes.centred(truth, speakers), told.copy()
        apart[np.isnan(truth)] = np.nan
        apart = probes.centred(apart, speakers)
        for place, name in enumerate(names):
            found[name][view] = probes.r2(truth[:, place], told[:, place], speakers)
            found[name][f"{view}, within"] = probes.r2(own[:, place], apart[:, place], speakers)
    return found


def carried(
    states: NDArray[Any],
    emotions: NDArray[np.str_],
    folds: NDArray[np.int64],
    speakers: NDArray[np.str_],
    *,
    families: Mapping[str, NDArray[np.float64]],
    draws: int,
    seed: int,
) -> Table:
    """UAR of the emotion without each family, what that costs, and how much more than at random.

    ``families``: name -> descriptors (n, k) less the speaker's mean, NaN where unknown; ``draws``
    is how often k random read-outs are erased in their place. "As decided" is a probe that learned
    from whole states, "anew" one that learned from erased ones.
    """
    concepts = {name: np.nan_to_num(own / np.nanstd(own, 0)) for name, own in families.items()}
    concepts[ALL] = np.hstack(list(concepts.values()))
    random = {name: f"{own.shape[1]} random read-outs" for name, own in concepts.items()}
    counts = {random[name]: own.shape[1] for name, own in concepts.items()}
    concepts[EMOTION] = np.equal.outer(emotions, np.unique(emotions)).astype(float)
    right = {name: np.zeros((len(emotions), len(WAYS))) for name in (NOTHING, *concepts, *counts)}
    generator = np.random.default_rng(seed)
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        erasing = Erasing(states[train], emotions[train])
        judged = functools.partial(erasing.right, states[test], emotions[test])
        right[NOTHING][test] = judged(None)
        for name, own in concepts.items():
            right[name][test] = judged(own[train])
        for name, count in counts.items():
            drawn = [judged(erasing.readouts(count, generator)) for _ in range(draws)]
            right[name][test] = np.mean(drawn, 0)
    found: dict[str, dict[str, Any]] = {}
    for name, own in right.items():
        found[name] = {}
        for column, way in enumerate(WAYS):
            recall = functools.partial(probes.recall, kinds=emotions, speakers=speakers)
            found[name][f"UAR, {way}"] = recall(own[:, column])
            found[name][f"lost, {way}"] = recall(right[NOTHING][:, column], above=own[:, column])
            if name in random:
                control = right[random[name]][:, column]
                found[name][f"above random, {way}"] = recall(control, above=own[:, column])
    return found


class Erasing:
    """Takes concepts out of states (n, width), as these are distributed in some clips."""

    def __init__(self, states: NDArray[Any], emotions: NDArray[np.str_]) -> None:
        self._scale = StandardScaler().fit(states)
        self.states = self._scaled(states)
        """(n, width) in standard deviations."""
        self._emotions = emotions
        self._whole = probe().fit(self.states, emotions)
        covariance = LedoitWolf(assume_centered=True).fit(self.states).covariance_
        values, axes = np.linalg.eigh(covariance)
        roots = np.sqrt(np.maximum(values, 1e-9 * values[-1]))
        self._colour, self._whiten = (axes * roots) @ axes.T, (axes / roots) @ axes.T

    def _scaled(self, states: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(self._scale.transform(states), np.float64)

    def readouts(self, count: int, generator: np.random.Generator) -> NDArray[np.float64]:
        """(n, count) random linear functions of the states."""
        return self.states @ generator.standard_normal((self.states.shape[1], count))

    def projection(self, concepts: NDArray[np.float64]) -> NDArray[np.float64]:
        """(width, width): the part of the states that goes with concepts (n, k) of the clips.

        States less ``states @ projection`` have no covariance with the concepts.
        """
        shared = self.states.T @ (concepts - concepts.mean(0)) / len(concepts)
        basis, sizes, _ = np.linalg.svd(self._whiten @ shared, full_matrices=False)
        kept = basis[:, sizes > 1e-9 * sizes[0]]
        found: NDArray[np.float64] = self._whiten @ kept @ (self._colour @ kept).T
        return found

    def right(
        self,
        states: NDArray[Any],
        emotions: NDArray[np.str_],
        concepts: NDArray[np.float64] | None,
    ) -> NDArray[np.bool_]:
        """(tested, 2): of which other clips the emotion is told without some concepts.

        By the probe of whole states, and by one that learns from erased ones.
        """
        rest, anew = self._scaled(states), self._whole
        if concepts is not None:
            projection = self.projection(concepts)
            rest = rest - rest @ projection
            anew = probe().fit(self.states - self.states @ projection, self._emotions)
        told = np.column_stack([self._whole.predict(rest), anew.predict(rest)])
        found: NDArray[np.bool_] = told == emotions[:, None]
        return found
