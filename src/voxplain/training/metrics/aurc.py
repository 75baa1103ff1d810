"""AURC: how many errors are left if only the surest clips are judged, over all shares of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from voxplain.training.metrics import Card, _given

__all__ = ["CARD", "area_under_risk_coverage", "measure"]

CARD = Card(
    title="AURC",
    synonyms=("area under the risk-coverage curve",),
    takes="probabilities",
    higher_is_better=False,
    best=0.0,
    citation="Geifman & El-Yaniv 2017, NeurIPS; Geifman et al. 2019, ICLR, eq. 1",
)


def area_under_risk_coverage(truth: ArrayLike, probabilities: ArrayLike) -> float:
    """AURC: mean share of errors among the surest k of n, over all k (Geifman & El-Yaniv 2017).

    ``truth`` (n,) class indices, ``probabilities`` (n, classes). A truth of -1 is never found.
    Clips that are equally sure count as if each had the mean error of them all, so that the order
    of the clips does not matter.

    >>> area_under_risk_coverage([0, 0], [[0.9, 0.1], [0.4, 0.6]])
    0.25
    """
    true, rows = _given.probabilities(truth, probabilities)
    _, group, sizes = np.unique(-rows.max(1), return_inverse=True, return_counts=True)
    wrong = np.repeat(np.bincount(group, rows.argmax(1) != true) / sizes, sizes)
    return float(np.mean(np.cumsum(wrong) / np.arange(1, len(wrong) + 1)))


measure = area_under_risk_coverage
