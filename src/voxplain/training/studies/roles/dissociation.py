"""Whether one part of an account tells what was intended, and the other what was evoked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.training.statistics import Interval
from voxplain.training.studies.outcomes import interval, samples

__all__ = [
    "CATEGORIES",
    "RATINGS",
    "Metric",
    "Told",
    "Weights",
    "accuracy",
    "clustered",
    "concordance",
    "correlation",
    "interaction",
    "macro_f1",
    "of_all_seeds",
    "permutation_test",
    "scattered",
]

CATEGORIES = ("intended", "evoked")
RATINGS = ("valence", "arousal")
_SWAPS = 2000

Weights = NDArray[np.floating]
"""(draws, n) how often each account counts."""
Told = Mapping[str, NDArray[Any]]
"""Task -> what a view tells of it, (seeds, n); of the truth (n,)."""


def macro_f1(truth: NDArray[Any], told: NDArray[Any], weights: Weights) -> NDArray[np.float64]:
    """(draws,) mean F1 of the labels that are in the truth.

    >>> macro_f1(np.array(["a", "a", "b"]), np.array(["a", "b", "b"]), np.ones((1, 3))).round(3)
    array([0.667])
    """
    labels = np.unique(truth)
    true, found = np.equal.outer(truth, labels), np.equal.outer(told, labels)
    own = weights @ true
    total = own + weights @ found
    f1 = np.divide(2 * (weights @ (true & found)), total, out=np.zeros(total.shape), where=own > 0)
    return f1.sum(1) / (own > 0).sum(1)


def accuracy(truth: NDArray[Any], told: NDArray[Any], weights: Weights) -> NDArray[np.float64]:
    """(draws,) share that is told right."""
    return weights @ (truth == told) / weights.sum(1)


def concordance(truth: NDArray[Any], told: NDArray[Any], weights: Weights) -> NDArray[np.float64]:
    """(draws,) Lin's concordance correlation coefficient, as ``metrics.ccc``."""
    gap, true, found, shared = _moments(truth, told, weights)
    return _ratio(2 * shared, true + found + gap**2)


def correlation(truth: NDArray[Any], told: NDArray[Any], weights: Weights) -> NDArray[np.float64]:
    """(draws,) Pearson's correlation; NaN where one of both is constant."""
    _, true, found, shared = _moments(truth, told, weights)
    return _ratio(shared, np.sqrt(true * found))


Metric = Callable[[NDArray[Any], NDArray[Any], Weights], NDArray[np.float64]]


def of_all_seeds(
    metric: Metric, truth: NDArray[Any], told: NDArray[Any], weights: Weights
) -> NDArray[np.float64]:
    """(draws,) mean over the seeds of a metric of what is told (seeds, n)."""
    return np.mean([metric(truth, one, weights) for one in told], axis=0)


def clustered(
    figure: Callable[[Weights], NDArray[np.float64]],
    speakers: Sequence[str] | NDArray[np.str_],
    *,
    level: float = 0.95,
) -> Interval:
    """A figure with its interval, by drawing speakers (n,) 2,000 times."""
    names, owner = np.unique(speakers, return_inverse=True)
    drawn = np.concatenate([np.ones((1, len(names)), np.int64), samples(len(names))])
    whole, *others = figure(drawn[:, owner].astype(float))
    return interval(whole, others, level, n=len(owner), speakers=len(names))


def scattered(
    values: Sequence[float] | NDArray[np.float64], speakers: Sequence[str] | NDArray[np.str_]
) -> Interval:
    """The mean of some values and where 95 % of them lie, of accounts by these speakers (n,)."""
    return interval(
        float(np.mean(values)), list(values), 0.95, n=len(speakers), speakers=len(set(speakers))
    )


def interaction(truth: Told, first: Told, second: Told, weights: Weights) -> NDArray[np.float64]:
    """(draws,) by how much the first view tells what was intended better than the second does,
    minus by how much it tells what was evoked better; in macro-F1.
    """
    gaps = [
        of_all_seeds(macro_f1, truth[task], first[task], weights)
        - of_all_seeds(macro_f1, truth[task], second[task], weights)
        for task in CATEGORIES
    ]
    return gaps[0] - gaps[1]


def permutation_test(truth: Told, first: Told, second: Told) -> float:
    """Two-sided p of the interaction.

    How often it is as far from 0 if the two views of an account change places at random, for both
    tasks at once.
    """
    n = len(truth["intended"])
    swapped = np.random.default_rng(0).random((_SWAPS, n)) < 0.5
    # Every account is there twice, as it is and swapped; one of them counts.
    weights = np.hstack([~swapped, swapped]).astype(float)
    twice = {task: np.concatenate([truth[task]] * 2) for task in CATEGORIES}
    one = {task: np.concatenate([first[task], second[task]], axis=1) for task in CATEGORIES}
    other = {task: np.concatenate([second[task], first[task]], axis=1) for task in CATEGORIES}
    found = interaction(truth, first, second, np.ones((1, n)))
    drawn = interaction(twice, one, other, weights)
    reached = np.abs(drawn) >= np.abs(found) - 1e-12
    return float((1 + reached.sum()) / (1 + _SWAPS))


def _moments(
    truth: NDArray[Any], told: NDArray[Any], weights: Weights
) -> tuple[NDArray[np.float64], ...]:
    """(draws,) difference of the means, both variances, covariance."""
    share = weights / weights.sum(1, keepdims=True)
    (x, mean_x), (y, mean_y) = ((one, share @ one) for one in (truth, told))
    variances = (np.maximum(share @ x**2 - mean_x**2, 0), np.maximum(share @ y**2 - mean_y**2, 0))
    return mean_x - mean_y, *variances, share @ (x * y) - mean_x * mean_y


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(above, below, out=np.full(len(below), np.nan), where=below > 1e-9)
