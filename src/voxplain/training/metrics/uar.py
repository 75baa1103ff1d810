"""UAR: the share that was found of each label, and the mean of these."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from voxplain.training.metrics import Card, _given

__all__ = ["CARD", "measure", "unweighted_average_recall"]

CARD = Card(
    title="UAR",
    synonyms=("UA", "unweighted accuracy", "balanced accuracy", "macro recall"),
    takes="labels",
    higher_is_better=True,
    best=1.0,
    citation="Schuller et al. 2009, Interspeech (the INTERSPEECH 2009 Emotion Challenge)",
)


def unweighted_average_recall(truth: ArrayLike, prediction: ArrayLike) -> float:
    """UAR: mean over the labels in the truth of the share of each that was found.

    A label that is only predicted takes no part but as the error that it is, as in scikit-learn's
    ``balanced_accuracy_score``; its ``recall_score`` and audmetric count it as a recall of 0.

    >>> unweighted_average_recall(["a", "a", "a", "b"], ["a", "a", "a", "a"])
    0.5
    """
    true, found, known = _given.classes(truth, prediction)
    clips = np.bincount(true, minlength=known)
    hits = np.bincount(true[true == found], minlength=known)
    return float(np.mean(hits[clips > 0] / clips[clips > 0]))


measure = unweighted_average_recall
