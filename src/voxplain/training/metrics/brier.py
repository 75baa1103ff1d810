"""Brier score: how far the probabilities lie from what was true."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from voxplain.training.metrics import Card, _given

__all__ = ["CARD", "brier", "measure"]

CARD = Card(
    title="Brier",
    synonyms=("Brier score", "quadratic score"),
    takes="probabilities",
    higher_is_better=False,
    best=0.0,
    citation="Brier 1950, Monthly Weather Review 78(1), eq. 2",
)


def brier(truth: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean over clips of the squared distance to the true label, over all labels: 0 to 2.

    Brier's own definition (eq. 2), twice that of two labels that some libraries halve. A truth of
    -1 counts as a further label that was given a probability of 0.

    >>> brier([0, 1], [[1, 0], [0.5, 0.5]])
    0.25
    """
    true, rows = _given.probabilities(truth, probabilities)
    told = np.where(true >= 0, rows[np.arange(len(rows)), true], 0)
    return float(np.mean(np.square(rows).sum(1) - 2 * told + 1))


measure = brier
