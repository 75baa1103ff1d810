"""Macro-F1: F1 of each label, and the mean of these."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voxplain.training.metrics import Card, _given

__all__ = ["CARD", "f1_of_each", "macro_f1", "measure"]

CARD = Card(
    title="macro-F1",
    synonyms=("F1", "unweighted F1", "unweighted average F-score"),
    takes="labels",
    higher_is_better=True,
    best=1.0,
    citation="van Rijsbergen 1979, Information Retrieval, ch. 7; mean over labels: Opitz & Burst "
    "2019, arXiv 1911.03347, eq. 1",
)


def macro_f1(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Mean F1 over the labels that are true or predicted of any clip, as in scikit-learn.

    A label that is only predicted has an F1 of 0; one that is neither takes no part.

    >>> round(macro_f1(["a", "a", "a", "b"], ["a", "a", "a", "a"]), 4)
    0.4286
    """
    return float(np.mean(f1_of_each(_given.confusion(truth, prediction))))


def f1_of_each(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """(labels,) F1 from counts with the truth in rows, of labels that occur in either."""
    both: NDArray[np.int64] = confusion.sum(0) + confusion.sum(1)
    found: NDArray[np.float64] = 2 * np.diagonal(confusion) / both
    return found


measure = macro_f1
