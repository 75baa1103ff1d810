"""What linear probes tell of clips by speakers they never met, and how sure that is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from voxplain.models.calibration import log_odds
from voxplain.training.baselines import probe
from voxplain.training.statistics import Interval, speaker_interval
from voxplain.training.studies.outcomes import clustered_mean

__all__ = [
    "centred",
    "labels",
    "numbers",
    "odds",
    "r2",
    "rank_correlation",
    "recall",
    "shuffled",
]

Values = NDArray[np.float64]
_STRENGTHS = np.logspace(0, 5, 6)


def labels(features: NDArray[Any], truth: NDArray[Any], folds: NDArray[np.int64]) -> NDArray[Any]:
    """(n,) label of each row, by a probe that learned from the other folds."""
    told: NDArray[Any] = cross_val_predict(probe(), features, truth, cv=PredefinedSplit(folds))
    return told


def odds(features: NDArray[Any], truth: NDArray[Any], folds: NDArray[np.int64]) -> Values:
    """(n, labels) log-odds of each label, in their order, by a probe of the other folds."""
    chances = cross_val_predict(
        probe(), features, truth, cv=PredefinedSplit(folds), method="predict_log_proba"
    )
    return log_odds(chances)


def numbers(features: NDArray[Any], truth: Values, folds: NDArray[np.int64]) -> Values:
    """(n, targets) by ridge regression on the other folds, which also choose how strong it is.

    An unknown number (NaN) is taken for the mean of those that are learned from.
    """
    told = np.empty_like(truth)
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        learned = np.where(np.isnan(truth[train]), np.nanmean(truth[train], 0), truth[train])
        ridge = make_pipeline(StandardScaler(), RidgeCV(_STRENGTHS, alpha_per_target=True))
        ridge.fit(features[train], learned)
        told[test] = ridge.predict(features[test]).reshape(truth[test].shape)
    return told


def recall(
    right: NDArray[Any],
    kinds: NDArray[Any],
    speakers: NDArray[np.str_],
    *,
    above: NDArray[Any] | None = None,
) -> Interval:
    """Mean over the kinds of how often (n,) was right: UAR, where the kinds are the true labels.

    With ``above``, less the same of another probe, clip by clip.
    """
    values = np.asarray(right, float) - (0.0 if above is None else np.asarray(above, float))
    return clustered_mean(values, kinds, speakers)


def r2(truth: Values, told: Values, speakers: NDArray[np.str_]) -> Interval:
    """Share of the variance of the known numbers (n,) that is told: 1 - error / variance."""
    known = np.isfinite(truth)

    def share(true: Values, found: Values) -> float:
        spread = float(np.sum((true - true.mean()) ** 2))
        return 1 - float(np.sum((true - found) ** 2)) / spread if spread else np.nan

    return speaker_interval(share, truth[known], told[known], speakers=speakers[known])


def centred(values: Values, groups: NDArray[Any]) -> Values:
    """Values (n, ...) less the mean of their group; unknown ones stay unknown."""
    found = np.array(values, float)
    for group in np.unique(groups):
        own = groups == group
        if np.isfinite(found[own]).any():
            found[own] -= np.nanmean(found[own], 0)
    return found


def rank_correlation(given: Values, values: Values) -> float:
    """Spearman's rho of values (n,) with the first column of ``given`` (n, columns).

    The ranks of the other columns are taken off both by least squares (partial correlation).
    """
    first, *others = (rankdata(column) for column in given.T)
    aside = np.column_stack([np.ones(len(values)), *others])
    pair = np.column_stack([first, rankdata(values)])
    one, other = (pair - aside @ np.linalg.lstsq(aside, pair)[0]).T
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / size if size > 1e-9 * len(values) else 0.0


def shuffled(values: NDArray[Any], groups: NDArray[Any], *, seed: int) -> NDArray[Any]:
    """Values (n, ...) in random order within each group: the null version."""
    generator, order = np.random.default_rng(seed), np.arange(len(values))
    for group in np.unique(groups):
        own = np.flatnonzero(groups == group)
        order[own] = generator.permutation(own)
    return values[order]
