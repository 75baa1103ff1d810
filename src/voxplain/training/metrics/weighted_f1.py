"""WF1: F1 of each label, and their mean weighted by the clips of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from voxplain.training.metrics import Card, _given
from voxplain.training.metrics.macro_f1 import f1_of_each

__all__ = ["CARD", "measure", "weighted_f1"]

CARD = Card(
    title="WF1",
    synonyms=("weighted F1", "weighted average F-score"),
    takes="labels",
    higher_is_better=True,
    best=1.0,
    citation="Poria et al. 2019, ACL (MELD), where it is the figure that is reported",
)


def weighted_f1(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Mean F1 over the labels, each by its share of the truth, as in scikit-learn.

    >>> round(weighted_f1(["a", "a", "a", "b"], ["a", "a", "a", "a"]), 4)
    0.6429
    """
    counts = _given.confusion(truth, prediction)
    return float(np.average(f1_of_each(counts), weights=counts.sum(1)))


measure = weighted_f1
