"""Metrics as pure functions of (truth, prediction), and their intervals clustered by speaker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Interval",
    "accuracy",
    "area_under_risk_coverage",
    "concordance",
    "entropy",
    "expected_calibration_error",
    "jensen_shannon",
    "speaker_interval",
    "unweighted_average_recall",
]


def accuracy(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Share of correct predictions, called WA in this field.

    >>> accuracy(["a", "a", "a", "b"], ["a", "a", "a", "a"])
    0.75
    """
    return float(np.mean(np.asarray(truth) == np.asarray(prediction)))


def unweighted_average_recall(truth: ArrayLike, prediction: ArrayLike) -> float:
    """UAR: mean over the classes in the truth of the share of each that was found.

    >>> unweighted_average_recall(["a", "a", "a", "b"], ["a", "a", "a", "a"])
    0.5
    """
    true, found = np.asarray(truth), np.asarray(prediction)
    return float(np.mean([np.mean(found[true == label] == label) for label in np.unique(true)]))


def expected_calibration_error(
    truth: ArrayLike, probabilities: ArrayLike, *, bins: int = 15
) -> float:
    """ECE of the top label over equal-width bins of confidence (Guo et al. 2017, eq. 3).

    ``truth`` (n,) class indices, ``probabilities`` (n, classes).

    >>> expected_calibration_error([0, 1], [[0.8, 0.2], [0.8, 0.2]])
    0.3
    """
    rows = np.asarray(probabilities, float)
    confidence, hit = rows.max(1), rows.argmax(1) == np.asarray(truth)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(float(np.sum(confidence[place == b] - hit[place == b]))) for b in np.unique(place)]
    return round(sum(gaps) / len(rows), 12)


def area_under_risk_coverage(truth: ArrayLike, probabilities: ArrayLike) -> float:
    """AURC: mean share of errors among the surest k of n, over all k (Geifman & El-Yaniv 2017).

    ``truth`` (n,) class indices, ``probabilities`` (n, classes).

    >>> area_under_risk_coverage([0, 0], [[0.9, 0.1], [0.4, 0.6]])
    0.25
    """
    rows = np.asarray(probabilities, float)
    order = np.argsort(-rows.max(1), kind="stable")
    wrong = (rows.argmax(1) != np.asarray(truth))[order]
    return float(np.mean(np.cumsum(wrong) / np.arange(1, len(wrong) + 1)))


def concordance(truth: ArrayLike, prediction: ArrayLike) -> float:
    """CCC: Lin's concordance correlation coefficient (1989).

    >>> round(concordance([0, 1, 2], [1, 2, 3]), 3)
    0.571
    """
    true, found = np.asarray(truth, float), np.asarray(prediction, float)
    shared = np.mean((true - true.mean()) * (found - found.mean()))
    return float(2 * shared / (true.var() + found.var() + (true.mean() - found.mean()) ** 2))


def jensen_shannon(truth: ArrayLike, prediction: ArrayLike) -> NDArray[np.float64]:
    """(n,) Jensen-Shannon divergence of distributions (n, classes), in bits (Lin 1991, eq. 3.6).

    >>> jensen_shannon([[1, 0], [0.5, 0.5]], [[0, 1], [0.5, 0.5]]).tolist()
    [1.0, 0.0]
    """
    true, found = np.asarray(truth, float), np.asarray(prediction, float)
    return entropy((true + found) / 2) - (entropy(true) + entropy(found)) / 2


def entropy(distributions: ArrayLike) -> NDArray[np.float64]:
    """(n,) Shannon entropy of distributions (n, classes), in bits.

    >>> entropy([[0.5, 0.5], [1, 0]]).tolist()
    [1.0, 0.0]
    """
    rows = np.asarray(distributions, float)
    bits: NDArray[np.float64] = (rows * np.log2(1 / np.where(rows > 0, rows, 1))).sum(-1)
    return bits


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % confidence interval and what it stands on."""

    value: float
    low: float
    high: float
    n: int
    speakers: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def speaker_interval(
    metric: Callable[[NDArray[Any], NDArray[Any]], float],
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    speakers: Sequence[str] | NDArray[np.str_],
    draws: int = 1000,
    seed: int = 0,
) -> Interval:
    """95 % bootstrap interval that resamples speakers, not clips: clips of one speaker depend."""
    true, found = np.asarray(truth), np.asarray(prediction)
    names, owner = np.unique(np.asarray(speakers), return_inverse=True)
    rows = [np.flatnonzero(owner == index) for index in range(len(names))]
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        drawn = np.concatenate([rows[i] for i in generator.integers(len(names), size=len(names))])
        values.append(metric(true[drawn], found[drawn]))
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(metric(true, found), float(low), float(high), len(true), len(names))
