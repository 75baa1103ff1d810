"""RMSE: how far predicted values lie from the true ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from voxplain.training.metrics import Card, _given

__all__ = ["CARD", "measure", "root_mean_square_error"]

CARD = Card(
    title="RMSE",
    synonyms=("root mean square error",),
    takes="values",
    higher_is_better=False,
    best=0.0,
    citation="Willmott & Matsuura 2005, Climate Research 30(1), eq. 3",
)


def root_mean_square_error(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Root of the mean squared difference, in the unit of the values.

    >>> root_mean_square_error([0, 0], [3, 3])
    3.0
    """
    true, found = _given.numbers(truth, prediction)
    return float(np.sqrt(np.mean(np.square(true - found))))


measure = root_mean_square_error
