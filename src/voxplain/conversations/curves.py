"""The course of a quantity over the turns of a voice, as sure as its turns are and no surer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voxplain.conversations.results import Curve
from voxplain.models.judgement import DIMENSIONS
from voxplain.types import Emotion

__all__ = ["SHARED", "Z", "readings", "smoothed", "spread"]

Z = 1.645
"""Standard deviations from the middle of a normal distribution to the end of its 90 %."""
SHARED = 0.5
"""Correlation of the errors of two turns of one voice that sounds the same in both.

In CREMA-D, by heads that never heard the speakers, 0.04 to 0.16 for the dimensions and 0.33 to 0.62
for the labels (``benchmarks/conversation.py errors``); another microphone or language errs alike in
all turns of a recording, so that for the dimensions it can only be more.
"""


def readings(emotions: list[Emotion]) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Name -> values and standard deviations (turns,) of what was judged.

    That of a dimension is half of its 90 % interval over 1.645; that of a label with probability p
    is the one of a coin that falls so, the square root of p (1 - p).
    """
    found = {}
    if emotions[0].dimensions:
        for name in DIMENSIONS:
            points = [getattr(emotion.dimensions, name) for emotion in emotions]
            halves = np.array([(one.high - one.low) / 2 for one in points])
            found[name] = np.array([one.value for one in points]), halves / Z
    for label in emotions[0].categories:
        chances = np.array([emotion.categories[label] for emotion in emotions])
        found[label] = chances, np.sqrt(chances * (1 - chances))
    return found


def smoothed(
    times: NDArray[np.float64],
    seconds: NDArray[np.float64],
    values: NDArray[np.float64],
    deviations: NDArray[np.float64],
    *,
    reach: float,
    parts: NDArray[np.int64],
) -> Curve:
    """The course through turns (n,) with their middles, lengths, values and standard deviations.

    At the middle of each turn the mean of all turns within ``reach`` seconds (Nadaraya 1964, Watson
    1964). A turn counts by its length, as in the mean of a recording, and by its distance, with
    the kernel of Epanechnikov (1969). Turns do not count by the width of their intervals: these
    end at 0 and 1, so that extreme values would seem precise. Turns in another of the ``parts``
    (n,) that turning points make of the voice do not count either.
    """
    found = np.empty((3, len(times)))
    for number, time in enumerate(times):
        near = slice(*np.searchsorted(times, [time - reach, time + reach], side="right"))
        weights = seconds[near] * (1 - ((times[near] - time) / reach) ** 2)
        weights *= parts[near] == parts[number]
        weights /= weights.sum()
        value = weights @ values[near]
        half = Z * spread(weights, deviations[near])
        found[:, number] = value, value - half, value + half
    value, low, high = np.clip(found, 0, 1)
    return Curve(times, value, low, high)


def spread(weights: NDArray[np.float64], deviations: NDArray[np.float64]) -> float:
    """Standard deviation of a weighted mean whose errors correlate by ``SHARED``.

    What the errors share stays, however many turns there are; the rest averages out.
    """
    own = weights**2 @ deviations**2
    return float(np.sqrt(SHARED * (weights @ deviations) ** 2 + (1 - SHARED) * own))
