"""Temperature scaling (Guo et al. 2017): one number that makes probabilities mean what they say."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["fit_temperature", "softmax"]


def softmax(logits: ArrayLike, *, temperature: float = 1.0) -> NDArray[np.float64]:
    """Probabilities (..., classes) of logits (..., classes).

    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(-1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(-1, keepdims=True)
    return probabilities


def fit_temperature(truth: ArrayLike, logits: ArrayLike) -> float:
    """The temperature in [0.05, 20] with the lowest negative log-likelihood on held-out data.

    ``truth`` (n,) class indices, ``logits`` (n, classes). Bisection on the derivative with respect
    to the inverse temperature, in which the likelihood is concave.
    """
    rows = np.asarray(logits, np.float64)
    own = rows[np.arange(len(rows)), np.asarray(truth)]
    low, high = 1 / 20, 1 / 0.05
    for _ in range(60):
        middle = (low + high) / 2
        expected = (softmax(rows, temperature=1 / middle) * rows).sum(1)
        low, high = (middle, high) if np.mean(own - expected) > 0 else (low, middle)
    return 2 / (low + high)
