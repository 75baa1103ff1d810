"""From probabilities to what may be said: dimensions, and a verdict that can abstain."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np

from voxplain.types import Dimension, Dimensions, Emotion, Verdict

__all__ = ["abstain", "judge"]

_SURE = 0.6
"""Probability that the labels of a verdict hold together."""
_MOST_LABELS = 3


def judge(categories: Mapping[str, float]) -> Emotion:
    """Emotion from calibrated probabilities (label -> probability, summing to 1).

    The verdict is the smallest set of labels that holds 60 % of the probability; if that takes more
    than three labels there is not enough evidence.
    """
    ranked = sorted(categories, key=lambda label: -categories[label])
    reached = np.cumsum([categories[label] for label in ranked]) >= _SURE
    needed = int(np.argmax(reached)) + 1
    if needed > _MOST_LABELS:
        verdict = Verdict((), f"{needed} emotions are about equally likely")
    else:
        verdict = Verdict(tuple(ranked[:needed]))
    return Emotion(dict(categories), _dimensions(categories), tuple(categories), verdict)


def abstain(reason: str, *, label_set: tuple[str, ...]) -> Emotion:
    """The Emotion of a recording in which there is nothing to judge."""
    return Emotion({}, None, label_set, Verdict((), reason))


def _dimensions(categories: Mapping[str, float]) -> Dimensions | None:
    """None if a label was never rated."""
    proxy = _proxy()
    if not categories.keys() <= proxy["coordinates"].keys():
        return None
    weights = np.array(list(categories.values()))
    found = {}
    for name in ("valence", "arousal", "dominance"):
        rated = np.array([proxy["coordinates"][label][name] for label in categories])
        points = (rated + 1) / 2
        order = np.argsort(points)
        mass = np.cumsum(weights[order])
        # The interval between the 5 % and the 95 % point of the categories' own distribution.
        low, high = (
            points[order][min(int(np.searchsorted(mass, q)), len(points) - 1)] for q in (0.05, 0.95)
        )
        value = float(weights @ points)
        # Of a distribution with a far tail the mean lies outside that interval.
        found[name] = Dimension(value, min(float(low), value), max(float(high), value))
    return Dimensions(**found, proxy=proxy["proxy"])


@functools.cache
def _proxy() -> Any:
    import yaml

    path = files("voxplain") / "assets/dimensions/russell_mehrabian_1977.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))
