"""Levels in words: how far a descriptor lies from what is usual, for people or for a speaker."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors import family, inventory
from voxplain.errors import UnknownName
from voxplain.types import Descriptors, Level, Quantity, Track

__all__ = ["GROUPS", "Norm", "Reference", "describe"]

GROUPS = ("adults", "child", "female", "male")
"""Whose norms there are (assets/norms)."""

TURN = 3.0  # seconds; so much speech of a speaker counts as one observation
CONFIDENCE = 8.0  # turns after which a speaker's own mean weighs as much as the norm
# Cut where 10, 25, 75 and 90 % of a normal distribution lie below.
_CUTS = ((-1.282, "very low"), (-0.674, "low"), (0.674, "medium"), (1.282, "high"))
_PROMINENT, _OF_A_FAMILY = 5, 2

Heard = tuple[float, Mapping[str, Quantity]]
"""Seconds of speech and what was measured in them."""


@dataclass(frozen=True, slots=True)
class Norm:
    """What is usual of one descriptor."""

    mean: float
    between_sd: float
    """Standard deviation of the speakers' means."""
    within_sd: float
    """Standard deviation of the utterances around their speaker's mean."""

    @property
    def sd(self) -> float:
        """Standard deviation over all utterances of all speakers."""
        return math.hypot(self.between_sd, self.within_sd)


@dataclass(frozen=True, slots=True)
class Reference:
    """What is usual: for a group of people, or for a speaker."""

    name: str
    norms: Mapping[str, Norm]

    @classmethod
    def of_group(cls, group: str) -> Reference:
        """The norms of a group of people. Raises UnknownName."""
        return _group(group)

    def of_speaker(self, heard: Sequence[Heard], *, name: str) -> Reference:
        """What is usual for a speaker of this group, by what was heard of them.

        A speaker's mean and spread count as much as the speech they come from, 3 s a turn, against
        8 turns of the norm: m = (n m_speaker + 8 m_group) / (n + 8). What is still unknown of the
        speaker's mean stays in the spread, so that nothing heard leaves the norm as it is.
        """
        norms = {}
        for key, norm in self.norms.items():
            turns, values = _observed(heard, key)
            n = turns.sum()
            norms[key] = norm
            if n:
                own = turns @ values / n
                spread = turns @ (values - own) ** 2 / n if len(values) > 1 else norm.within_sd**2
                norms[key] = Norm(*map(float, _shrunk(norm, n, own, spread)))
        return Reference(name, norms)

    def relative_levels(self, heard: Sequence[Heard]) -> list[dict[str, Level]]:
        """The levels of each part of a speaker's speech against its other parts."""
        if len(heard) < 2:
            return [self.levels(functionals) for _, functionals in heard]
        name = f"the rest of the recording, else {self.name}"
        found: list[dict[str, Level]] = [{} for _ in heard]
        for key in self.norms:
            for part, z in enumerate(self.relative_z(key, *_observed(heard, key, keep=True))):
                if math.isfinite(z):
                    found[part][key] = _level(key, float(z), name)
        return found

    def relative_z(
        self, name: str, turns: NDArray[np.float64], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """z (parts,) of each value against the others; NaN values count for nothing."""
        norm, weights = self.norms[name], np.where(np.isfinite(values), turns, 0)
        values = np.where(weights > 0, values, np.nan)
        known = np.where(weights > 0, values, norm.mean) - norm.mean  # centred: squares stay small
        others = weights.sum() - weights
        lonely = others < 1e-9
        n = np.where(lonely, 1, others)
        own = (weights @ known - weights * known) / n
        spread = np.maximum((weights @ known**2 - weights * known**2) / n - own**2, 0)
        several = np.count_nonzero(weights) - (weights > 0) > 1
        mean, between, within = _shrunk(
            norm,
            np.where(lonely, 0, others),
            own + norm.mean,
            np.where(several, spread, norm.within_sd**2),
        )
        z: NDArray[np.float64] = (values - mean) / np.hypot(between, within)
        return z

    def levels(self, functionals: Mapping[str, Quantity]) -> dict[str, Level]:
        """The level of each reliable functional that there is a norm for."""
        return {
            key: _level(key, (functionals[key].value - norm.mean) / norm.sd, self.name)
            for key, norm in self.norms.items()
            if key in functionals and functionals[key].reliable
        }


def describe(
    functionals: Mapping[str, Quantity], levels: Mapping[str, Level], tracks: Mapping[str, Track]
) -> Descriptors:
    """Descriptors with the five most unusual of their telling levels picked out."""
    prominent: list[str] = []
    telling = [name for name in levels if inventory()[name].telling]
    for name in sorted(telling, key=lambda name: -abs(levels[name].z)):
        alike = [other for other in prominent if family(other) == family(name)]
        if len(alike) < _OF_A_FAMILY:  # one voice, said five times over, is no description
            prominent.append(name)
    return Descriptors(functionals, levels, tracks, tuple(prominent[:_PROMINENT]))


def _level(name: str, z: float, reference: str) -> Level:
    word = next((word for cut, word in _CUTS if z < cut), "very high")
    return Level(word, z, reference, inventory()[name].title)


def _observed(
    heard: Sequence[Heard], name: str, *, keep: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turns and values of a descriptor where it is reliable; with ``keep``, NaN elsewhere."""
    said = np.array(
        [
            (seconds / TURN, functionals[name].value if functionals[name].reliable else math.nan)
            for seconds, functionals in heard
        ]
    ).reshape(-1, 2)
    turns, values = said[keep | np.isfinite(said[:, 1])].T
    return turns, values


def _shrunk(norm: Norm, turns: Any, mean: Any, spread: Any) -> tuple[Any, Any, Any]:
    """Mean, between_sd and within_sd of a speaker, between what was heard and the norm."""
    trust = turns / (turns + CONFIDENCE)
    return (
        trust * mean + (1 - trust) * norm.mean,
        norm.between_sd * np.sqrt(1 - trust),
        np.sqrt(trust * spread + (1 - trust) * norm.within_sd**2),
    )


@functools.cache
def _group(name: str) -> Reference:
    if name not in GROUPS:
        raise UnknownName("reference group", name, GROUPS)
    path = files("voxplain") / f"assets/norms/{name}.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    norms = {
        key: Norm(one["mean"], one["between_sd"], one["within_sd"])
        for key, one in found["descriptors"].items()
    }
    return Reference(found["reference"], norms)
