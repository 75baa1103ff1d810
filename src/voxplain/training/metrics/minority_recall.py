"""Minority-emotion recall: are emotions found that some listeners heard, but not the most?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from voxplain.training.metrics import Card, _given

__all__ = ["CARD", "measure", "minority_recall"]

CARD = Card(
    title="minority recall",
    synonyms=("minority-emotion recall",),
    takes="distributions",
    higher_is_better=True,
    best=1.0,
    citation="threshold of 1 / labels: Chou et al. 2024, IEEE Transactions on Affective Computing "
    "(all-inclusive rule)",
)


def minority_recall(truth: ArrayLike, prediction: ArrayLike) -> float:
    """Of the emotions that some but not the most listeners chose, the share that is predicted.

    An emotion of a clip counts as heard, and as predicted, with a share above 1 / labels, which is
    what guessing gives (the threshold is that of Chou et al. 2024, the measure is ours). It is a
    minority's if another has a larger share of the votes. All such pairs of clip and emotion weigh
    the same. NaN where there are none.

    Here the second emotion of the first clip is found, that of the second clip is not:

    >>> votes = [[0.6, 0.4, 0], [0.6, 0, 0.4], [1, 0, 0]]
    >>> minority_recall(votes, [[0.5, 0.5, 0], [0.5, 0.5, 0], [0.5, 0.5, 0]])
    0.5
    """
    true, found = _given.distributions(truth, prediction)
    guess = 1 / true.shape[1]
    minority = (true > guess) & (true < true.max(1, keepdims=True))
    return float(np.mean(found[minority] > guess)) if minority.any() else float("nan")


measure = minority_recall
