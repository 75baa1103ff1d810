"""Pearson's r: whether predicted values rise and fall with the true ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from voxplain.training.metrics import Card, _given

__all__ = ["CARD", "correlation", "measure"]

CARD = Card(
    title="Pearson's r",
    synonyms=("PCC", "correlation"),
    takes="values",
    higher_is_better=True,
    best=1.0,
    citation="Pearson 1895, Proceedings of the Royal Society of London 58",
)


def correlation(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Pearson's r; NaN where one of the two never changes.

    >>> round(correlation([0, 1, 2], [1, 2, 4]), 3)
    0.982
    """
    true, found = _given.numbers(truth, prediction)
    if np.ptp(true) == 0 or np.ptp(found) == 0:
        return float("nan")
    return float(np.corrcoef(true, found)[0, 1])


measure = correlation
