"""Turning points: from where on a voice sounds otherwise, if anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from voxplain.conversations.curves import Z, spread
from voxplain.conversations.results import TurningPoint
from voxplain.types import Estimate, Segment

__all__ = ["DIMENSIONS", "FALSE_ALARMS", "turning_points"]

FALSE_ALARMS = 0.05
"""Share of voices without any change in which one is found, at most."""
DIMENSIONS = ("valence", "arousal")
"""In which one is looked for."""
_FEWEST = 3  # turns on each side
_PERMUTATIONS = 999


def turning_points(
    turns: list[Segment],
    values: NDArray[np.float64],
    deviations: NDArray[np.float64],
    *,
    dimension: str,
) -> list[TurningPoint]:
    """Where the mean of the values (turns,) changes, in order of time.

    Binary segmentation (Vostrikova 1981): the split with the largest weighted CUSUM statistic
    counts if chance, which permutations of the turns show (Antoch & Hušková 2001), makes one as
    large no more often than ``FALSE_ALARMS``, shared among the dimensions; then each side is looked
    at alone. Of these, changes within the 90 % interval that the deviations leave (``spread``) are
    dropped, the least sure first.
    """
    seconds = np.array([turn.duration for turn in turns])
    found = dict(sorted(_splits(values, seconds, 0, np.random.default_rng(0))))
    while found:
        edges = [0, *found, len(values)]
        levels = [
            _level(values[start:end], deviations[start:end], seconds[start:end])
            for start, end in pairwise(edges)
        ]
        points = [
            _point(dimension, turns, place, *sides, p)
            for (place, p), sides in zip(found.items(), pairwise(levels), strict=True)
        ]
        weakest = min(points, key=_surety)
        if _surety(weakest) > 1:
            return points
        # What it kept apart is one level, which may change what its neighbours are worth.
        del found[edges[1 + points.index(weakest)]]
    return []


def _level(
    values: NDArray[np.float64], deviations: NDArray[np.float64], seconds: NDArray[np.float64]
) -> tuple[float, float]:
    """The mean of turns, weighted by their length, and its standard deviation."""
    weights = seconds / seconds.sum()
    return float(weights @ values), spread(weights, deviations)


def _point(
    dimension: str,
    turns: list[Segment],
    place: int,
    old: tuple[float, float],
    new: tuple[float, float],
    p: float,
) -> TurningPoint:
    (before, before_deviation), (after, after_deviation) = old, new
    change, half = after - before, Z * math.hypot(before_deviation, after_deviation)
    interval = Estimate(change, change - half, change + half)
    last, first = turns[place - 1].end, turns[place].start
    return TurningPoint(dimension, last, first, before, after, interval, p)


def _surety(point: TurningPoint) -> float:
    """The change in halves of its interval."""
    half = (point.change.high - point.change.low) / 2
    return abs(point.change.value) / half if half else math.inf


def _splits(
    values: NDArray[np.float64],
    seconds: NDArray[np.float64],
    offset: int,
    random: np.random.Generator,
) -> Iterator[tuple[int, float]]:
    """The first turn of each new level, and how probable such a change is by chance."""
    if len(values) < 2 * _FEWEST:
        return
    statistic = _cusum(values, seconds)
    place = _FEWEST + int(np.argmax(statistic))
    orders = random.permuted(np.tile(np.arange(len(values)), (_PERMUTATIONS, 1)), axis=1)
    chance = _cusum(values[orders], seconds[orders]).max(1)
    # The order that there is counts as one.
    p = (1 + int(np.count_nonzero(chance >= statistic.max()))) / (_PERMUTATIONS + 1)
    if p > FALSE_ALARMS / len(DIMENSIONS):
        return
    yield offset + place, p
    yield from _splits(values[:place], seconds[:place], offset, random)
    yield from _splits(values[place:], seconds[place:], offset + place, random)


def _cusum(values: NDArray[np.float64], seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each split (..., turns) that leaves enough turns on both sides: how far means lie apart.

    In units in which that is equally variable wherever the split lies.
    """
    total, time = seconds.sum(-1, keepdims=True), seconds.cumsum(-1)[..., :-1]
    mean = (seconds * values).sum(-1, keepdims=True) / total
    sums = (seconds * (values - mean)).cumsum(-1)[..., :-1]
    found: NDArray[np.float64] = np.abs(sums) / np.sqrt(time * (total - time) / total)
    return found[..., _FEWEST - 1 : values.shape[-1] - _FEWEST]
