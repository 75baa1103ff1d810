"""Turning points: from where on a voice sounds otherwise, if anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator

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
    at alone. What is given must also change by more than the 90 % interval that the deviations
    leave (``spread``).
    """
    seconds = np.array([turn.duration for turn in turns])
    random = np.random.default_rng(0)
    splits = sorted(_splits(values, seconds, 0, random))
    edges = [0, *(place for place, _ in splits), len(values)]
    found = []
    for number, (place, p) in enumerate(splits, start=1):
        sides = slice(edges[number - 1], place), slice(place, edges[number + 1])
        weights = [seconds[side] / seconds[side].sum() for side in sides]
        before, after = (float(w @ values[side]) for w, side in zip(weights, sides, strict=True))
        half = Z * math.hypot(
            *(spread(w, deviations[side]) for w, side in zip(weights, sides, strict=True))
        )
        change = after - before
        if abs(change) > half:
            found.append(
                TurningPoint(
                    dimension,
                    last=turns[place - 1].end,
                    first=turns[place].start,
                    before=before,
                    after=after,
                    change=Estimate(change, change - half, change + half),
                    p=p,
                )
            )
    return found


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
    reached = 1  # the order that there is counts as one
    for _ in range(_PERMUTATIONS):
        order = random.permutation(len(values))
        reached += int(_cusum(values[order], seconds[order]).max() >= statistic.max())
    p = reached / (_PERMUTATIONS + 1)
    if p > FALSE_ALARMS / len(DIMENSIONS):
        return
    yield offset + place, p
    yield from _splits(values[:place], seconds[:place], offset, random)
    yield from _splits(values[place:], seconds[place:], offset + place, random)


def _cusum(values: NDArray[np.float64], seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each split that leaves enough turns on both sides: how far the means lie apart.

    In units in which that is equally variable wherever the split lies.
    """
    total, time = seconds.sum(), seconds.cumsum()[:-1]
    sums = (seconds * (values - seconds @ values / total)).cumsum()[:-1]
    found: NDArray[np.float64] = np.abs(sums) / np.sqrt(time * (total - time) / total)
    return found[_FEWEST - 1 : len(values) - _FEWEST]
