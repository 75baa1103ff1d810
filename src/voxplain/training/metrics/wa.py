"""WA: the share of clips whose label was found."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from voxplain.training.metrics import Card, _given

__all__ = ["CARD", "accuracy", "measure"]

CARD = Card(
    title="WA",
    synonyms=("accuracy", "weighted accuracy", "weighted average recall"),
    takes="labels",
    higher_is_better=True,
    best=1.0,
    citation="Schuller et al. 2009, Interspeech (the INTERSPEECH 2009 Emotion Challenge)",
)


def accuracy(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Share of correct predictions, called WA in this field: each label weighs by its clips.

    >>> accuracy(["a", "a", "a", "b"], ["a", "a", "a", "a"])
    0.75
    """
    true, found, _ = _given.classes(truth, prediction)
    return float(np.mean(true == found))


measure = accuracy
