"""ECE: how far the confidence in the top label lies from how often it is right."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from voxplain.training.metrics import Card, _given

__all__ = ["CARD", "expected_calibration_error", "measure"]

CARD = Card(
    title="ECE",
    synonyms=("expected calibration error",),
    takes="probabilities",
    higher_is_better=False,
    best=0.0,
    citation="Guo et al. 2017, ICML, eq. 3",
)


def expected_calibration_error(
    truth: ArrayLike, probabilities: ArrayLike, *, bins: int = 15
) -> float:
    """ECE of the top label over equal-width bins of confidence (Guo et al. 2017, eq. 3).

    ``truth`` (n,) class indices, ``probabilities`` (n, classes). A truth of -1 is never found.

    >>> expected_calibration_error([0, 1], [[0.8, 0.2], [0.8, 0.2]])
    0.3
    """
    true, rows = _given.probabilities(truth, probabilities)
    confidence, hit = rows.max(1), rows.argmax(1) == true
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(float(np.sum(confidence[place == b] - hit[place == b]))) for b in np.unique(place)]
    return round(sum(gaps) / len(rows), 12)


measure = expected_calibration_error
