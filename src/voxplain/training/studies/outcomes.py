"""From explained clips to figures: agreement with the experts, and whether it tells errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from voxplain.evidence.references import expectations
from voxplain.training.statistics import Interval

__all__ = [
    "Expected",
    "clustered_auroc",
    "clustered_mean",
    "detected",
    "interval",
    "plausibility",
    "samples",
    "sign_test",
]


class Expected:
    """What the experts expect of some cues in the labels of some clips."""

    def __init__(self, labels: Sequence[str], cues: Sequence[str]) -> None:
        found = [[expectations(label).get(cue) for cue in cues] for label in labels]
        signs = [[np.sign(one.expected) if one else np.nan for one in row] for row in found]
        self.signs: NDArray[np.float64] = np.nan_to_num(np.array(signs, np.float64))
        """(n, cues) 1 rise, -1 fall, 0 no direction."""
        self.weights: NDArray[np.float64] = np.array(
            [[one.agreement if one else 0.0 for one in row] for row in found]
        ) * np.abs(self.signs)
        """(n, cues) how much the literature agrees; 0 without a direction."""


def plausibility(
    z: NDArray[np.float64],
    signs: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    dead_band: float = 0.0,
) -> NDArray[np.float64]:
    """(...,) the weighted share of cues (..., cues) that go the way the experts expect.

    Cues within the dead band, or that can't be measured, don't count; NaN where none does.
    """
    counts = np.where(np.abs(np.nan_to_num(z)) > dead_band, weights, 0.0)
    total = counts.sum(-1)
    agreed = (counts * (np.nan_to_num(z) * signs > 0)).sum(-1)
    return np.divide(agreed, total, out=np.full(total.shape, np.nan), where=total > 0)


def clustered_mean(
    values: NDArray[np.float64],
    kinds: NDArray[np.str_],
    speakers: NDArray[np.str_],
    *,
    minus: NDArray[np.float64] | None = None,
    level: float = 0.95,
) -> Interval:
    """Mean over the kinds of the means of values (n,), NaN where there is none; of no kind NaN.

    With ``minus``, less the same of other values; kinds that lack either of them don't count.
    """
    known = np.isfinite(values) if minus is None else np.isfinite(values) | np.isfinite(minus)
    names, owner = np.unique(speakers[known], return_inverse=True)
    kind = np.unique(kinds[known], return_inverse=True)[1]
    weights = np.concatenate([np.ones((1, len(names))), samples(len(names))])

    def means(parts: NDArray[np.float64]) -> NDArray[np.float64]:
        """(1 + draws, kinds)"""
        shape = (len(names), kind.max(initial=-1) + 1)
        sums, counts = np.zeros(shape), np.zeros(shape)
        own = np.isfinite(parts[known])
        np.add.at(sums, (owner[own], kind[own]), parts[known][own])
        np.add.at(counts, (owner[own], kind[own]), 1)
        total = weights @ counts
        return np.divide(weights @ sums, total, out=np.full(total.shape, np.nan), where=total > 0)

    found = means(values) if minus is None else means(values) - means(minus)
    counts = np.isfinite(found).sum(1)
    over = np.nansum(found, 1)
    whole, *drawn = np.divide(over, counts, out=np.full(len(over), np.nan), where=counts > 0)
    return interval(whole, drawn, level, n=int(known.sum()), speakers=len(names))


def clustered_auroc(
    scores: NDArray[np.float64],
    wrong: NDArray[np.bool_],
    speakers: NDArray[np.str_],
    *,
    minus: NDArray[np.float64] | None = None,
    level: float = 0.95,
) -> Interval:
    """Chance that a wrong row (n,) scores higher than a right one, NaN scores left out.

    With ``minus``, less the same of other scores.
    """
    known = np.isfinite(scores)
    names, owner = np.unique(speakers[known], return_inverse=True)
    flags = wrong[known]
    members = np.equal.outer(np.arange(len(names)), owner).astype(float)
    weights = np.concatenate([np.ones((1, len(names))), samples(len(names))])
    pairs = (weights @ members[:, flags].sum(1)) * (weights @ members[:, ~flags].sum(1))

    def chances(scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """(1 + draws,)"""
        one, other = scores[known][flags][:, None], scores[known][~flags][None]
        higher = (one > other) + 0.5 * (one == other)
        between = members[:, flags] @ higher @ members[:, ~flags].T  # of two speakers
        won = ((weights @ between) * weights).sum(1)
        return np.divide(won, pairs, out=np.full(len(won), np.nan), where=pairs > 0)

    whole, *drawn = chances(scores) if minus is None else chances(scores) - chances(minus)
    return interval(whole, drawn, level, n=int(known.sum()), speakers=len(names))


_DRAWS = 2000


def samples(speakers: int) -> NDArray[np.int64]:
    """(draws, speakers) how often each is in the sample: speakers are drawn, not clips."""
    if not speakers:
        return np.zeros((0, 0), np.int64)
    return np.random.default_rng(0).multinomial(speakers, [1 / speakers] * speakers, _DRAWS)


def interval(
    whole: float, drawn: Sequence[float], level: float, *, n: int, speakers: int
) -> Interval:
    """Of a figure and what the draws gave for it, where these are finite."""
    known = [value for value in drawn if np.isfinite(value)]
    low, high = np.quantile(known or [np.nan], [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(whole), float(low), float(high), n, speakers)


def sign_test(values: NDArray[np.float64], speakers: NDArray[np.str_]) -> float:
    """Two-sided p of as many speakers above 0 as there are; one vote each, that of their mean."""
    known = np.isfinite(values)
    means = [values[known & (speakers == name)].mean() for name in np.unique(speakers[known])]
    signs = np.sign(np.round(means, 9))  # rounding errors are ties
    above, below = int((signs > 0).sum()), int((signs < 0).sum())
    return float(binomtest(above, above + below).pvalue) if above + below else np.nan


def detected(
    features: NDArray[np.float64], wrong: NDArray[np.bool_], speakers: NDArray[np.str_]
) -> NDArray[np.float64]:
    """(n,) log-odds of an error from features (n, features), fitted on the other speakers."""
    model = make_pipeline(StandardScaler(), LogisticRegression())
    found: NDArray[np.float64] = cross_val_predict(
        model, features, wrong, groups=speakers, cv=LeaveOneGroupOut(), method="decision_function"
    )
    return found
