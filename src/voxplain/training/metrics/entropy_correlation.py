"""Correlation of entropies: is the prediction in doubt where the listeners were?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voxplain.training.metrics import Card, _given
from voxplain.training.metrics.pearson import correlation

__all__ = ["CARD", "entropy", "entropy_correlation", "measure"]

CARD = Card(
    title="r of entropies",
    synonyms=("entropy correlation",),
    takes="distributions",
    higher_is_better=True,
    best=1.0,
    citation="Steidl et al. 2005, ICASSP (entropy of labellers and of a classifier)",
)


def entropy(distributions: ArrayLike) -> NDArray[np.float64]:
    """(n,) Shannon entropy of distributions (n, classes), in bits.

    >>> entropy([[0.5, 0.5], [1, 0]]).tolist()
    [1.0, 0.0]
    """
    rows = np.asarray(distributions, float)
    bits: NDArray[np.float64] = (rows * np.log2(1 / np.where(rows > 0, rows, 1))).sum(-1)
    return bits


def entropy_correlation(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Pearson's r between the entropy of the votes and that of the prediction, clip by clip.

    NaN where one of the two never changes.

    >>> votes = [[1, 0], [0.5, 0.5], [0.8, 0.2]]
    >>> round(entropy_correlation(votes, votes), 12)
    1.0
    """
    true, found = _given.distributions(truth, prediction)
    return correlation(entropy(true), entropy(found))


measure = entropy_correlation
