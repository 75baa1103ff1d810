"""Jensen-Shannon divergence: how far predicted shares of listeners lie from those there were."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voxplain.training.metrics import Card, _given
from voxplain.training.metrics.entropy_correlation import entropy

__all__ = ["CARD", "jensen_shannon", "measure"]

CARD = Card(
    title="Jensen-Shannon",
    synonyms=("JSD", "Jensen-Shannon divergence"),
    takes="distributions",
    higher_is_better=False,
    best=0.0,
    citation="Lin 1991, IEEE Transactions on Information Theory 37(1), eq. 3.6",
)


def jensen_shannon(truth: ArrayLike, prediction: ArrayLike) -> NDArray[np.float64]:
    """(n,) Jensen-Shannon divergence of distributions (n, classes), in bits (Lin 1991, eq. 3.6).

    >>> jensen_shannon([[1, 0], [0.5, 0.5]], [[0, 1], [0.5, 0.5]]).tolist()
    [1.0, 0.0]
    """
    true, found = _given.distributions(truth, prediction)
    return entropy((true + found) / 2) - (entropy(true) + entropy(found)) / 2


def measure(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Mean over clips, in bits."""
    return float(np.mean(jensen_shannon(truth, prediction)))
