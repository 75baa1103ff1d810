"""CCC: how closely predicted values agree with the true ones, place and scale included."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from voxplain.training.metrics import Card, _given

__all__ = ["CARD", "concordance", "measure"]

CARD = Card(
    title="CCC",
    synonyms=("concordance correlation coefficient",),
    takes="values",
    higher_is_better=True,
    best=1.0,
    citation="Lin 1989, Biometrics 45(1)",
)


def concordance(truth: ArrayLike, prediction: ArrayLike) -> float:
    """CCC: Lin's concordance correlation coefficient (1989); NaN where all values are one.

    >>> round(concordance([0, 1, 2], [1, 2, 3]), 3)
    0.571
    """
    true, found = _given.numbers(truth, prediction)
    if np.ptp(np.concatenate([true, found])) == 0:
        return float("nan")
    shared = np.mean((true - true.mean()) * (found - found.mean()))
    return float(2 * shared / (true.var() + found.var() + (true.mean() - found.mean()) ** 2))


measure = concordance
