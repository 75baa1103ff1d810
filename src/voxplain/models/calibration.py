"""What makes numbers mean what they say: temperature, a line, conformal sets and intervals.

All of it is fitted on held-out speakers and stored in the card of a model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "COVERAGE",
    "Calibration",
    "fit_line",
    "fit_mass",
    "fit_temperature",
    "fit_widening",
    "label_sets",
    "log_odds",
    "softmax",
]

COVERAGE = 0.9
"""Share of unseen recordings whose set, or interval, should hold the truth."""

_LATER = ("rated", "slope", "offset")

_ANY = 1e-9  # a mass that whatever is most probable reaches by itself


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a card says beside its weights."""

    labels: tuple[str, ...]
    """Of the portrayed emotions, in the order of the logits."""
    votes: tuple[str, ...]
    """Of the listeners' votes, in the order of the logits."""
    sounds: tuple[str, ...]
    """What is heard beside one voice, which is the first."""
    temperature: float = 1.0
    known_temperature: float = 1.0
    """Of readings in which the speaker's own states are trusted alone: those may be surer."""
    mass: float = COVERAGE
    """Probability that a set of labels must reach."""
    slope: tuple[float, ...] = (1.0, 1.0, 1.0)
    """Of the line that valence, arousal and dominance are moved to."""
    offset: tuple[float, ...] = (0.0, 0.0, 0.0)
    """Of that line."""
    widening: tuple[float, ...] = (0.0, 0.0, 0.0)
    """Of the intervals of valence, arousal and dominance, to each side."""
    least_voice: float = 0.5
    """Probability of one voice below which nothing is said."""
    most_strange: float = math.inf
    """Distance from the speech that was learned from above which nothing is said."""
    rated: bool = False
    """Whether the dimensions were learned from ratings of recordings; else they are a proxy."""

    @classmethod
    def unfitted(cls, labels: tuple[str, ...], *, temperature: float | None = None) -> Calibration:
        """Of a model of which nobody says more: it claims no more than it knows.

        A set of labels is the most probable one, unless a temperature makes the probabilities those
        of right answers; an interval of a dimension is all of [0, 1].
        """
        known = 1.0 if temperature is None else temperature
        return cls(
            labels,
            votes=(),
            sounds=(),
            temperature=known,
            known_temperature=known,
            mass=_ANY if temperature is None else COVERAGE,
            widening=(2.0, 2.0, 2.0),  # farther than any value lies
            rated=True,
        )

    @classmethod
    def of_card(cls, card: Mapping[str, Any]) -> Calibration:
        """Raises KeyError for a card that lacks something."""
        # The cards of embedded models say nothing of ratings: theirs are proxies. Those of
        # experiments may be older than the line.
        names = (item.name for item in fields(cls) if item.name in card or item.name not in _LATER)
        told = ((name, card[name]) for name in names)
        plain: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in told}
        return cls(**plain)

    def temperature_at(self, trust: float) -> float:
        """Between that of a stranger (0) and that of a speaker who is known (1)."""
        return self.temperature + trust * (self.known_temperature - self.temperature)


def softmax(logits: ArrayLike, *, temperature: float = 1.0) -> NDArray[np.float64]:
    """Probabilities (..., classes) of logits (..., classes).

    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(-1, keepdims=True, initial=-np.inf))
    probabilities: NDArray[np.float64] = powers / powers.sum(-1, keepdims=True)
    return probabilities


def log_odds(logits: ArrayLike) -> NDArray[np.float64]:
    """(..., classes): log of the odds of each class against all others together.

    >>> log_odds([0.0, 0.0, 0.0]).round(3).tolist()  # 1 : 2
    [-0.693, -0.693, -0.693]
    """
    rows = np.asarray(logits, np.float64)
    others = np.where(np.eye(rows.shape[-1], dtype=bool), -np.inf, rows[..., None, :])
    most = others.max(-1, keepdims=True)
    found: NDArray[np.float64] = rows - np.log(np.exp(others - most).sum(-1)) - most[..., 0]
    return found


def fit_temperature(truth: ArrayLike, logits: ArrayLike) -> float:
    """The temperature in [0.05, 20] with the lowest negative log-likelihood (Guo et al. 2017).

    ``truth`` (n,) class indices, ``logits`` (n, classes), of held-out data. Bisection on the
    derivative with respect to the inverse temperature, in which the likelihood is concave.
    """
    rows = np.asarray(logits, np.float64)
    own = rows[np.arange(len(rows)), np.asarray(truth)]
    low, high = 1 / 20, 1 / 0.05
    for _ in range(60):
        middle = (low + high) / 2
        expected = (softmax(rows, temperature=1 / middle) * rows).sum(1)
        low, high = (middle, high) if np.mean(own - expected) > 0 else (low, middle)
    return 2 / (low + high)


def fit_line(truth: ArrayLike, values: ArrayLike) -> tuple[float, float]:
    """Slope and offset of the line by which values (n,) come nearest to the truth (n,).

    Least squares. What was learned with dropout and mixup may be off by a factor where it hears
    recordings whole and as they are.
    """
    known, found = np.asarray(truth, np.float64), np.asarray(values, np.float64)
    moved = found - found.mean()
    slope = float(moved @ known / (moved @ moved)) if moved.any() else 1.0
    return slope, float(known.mean() - slope * found.mean())


def label_sets(probabilities: ArrayLike, *, mass: ArrayLike) -> NDArray[np.bool_]:
    """(..., classes): the fewest classes, from the most probable down, that reach the mass.

    >>> label_sets([0.6, 0.3, 0.1], mass=0.8).tolist()
    [True, True, False]
    """
    found: NDArray[np.bool_] = _above(np.asarray(probabilities, np.float64)) < np.asarray(mass)
    return found


def fit_mass(truth: ArrayLike, probabilities: ArrayLike, *, coverage: float = COVERAGE) -> float:
    """The mass with which ``label_sets`` hold the truth of unseen data with that probability.

    Split conformal prediction with cumulated probabilities (Romano, Sesia & Candès 2020), without
    their randomisation. ``truth`` (n,) class indices, ``probabilities`` (n, classes).
    """
    above = _above(np.asarray(probabilities, np.float64))
    scores = above[np.arange(len(above)), np.asarray(truth)]
    return float(np.nextafter(_quantile(scores, coverage), np.inf))


def fit_widening(
    truth: ArrayLike, low: ArrayLike, high: ArrayLike, *, coverage: float = COVERAGE
) -> float:
    """What (n,) intervals must grow by, to each side, to hold unseen values with that probability.

    Conformalised quantile regression (Romano, Patterson & Candès 2019, eq. 6); it may be negative.
    """
    values = np.asarray(truth, np.float64)
    return _quantile(np.maximum(np.asarray(low) - values, values - np.asarray(high)), coverage)


def _above(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of all that is more probable than each class."""
    order = np.argsort(-probabilities, axis=-1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, -1)
    above = np.empty_like(ranked)
    np.put_along_axis(above, order, ranked.cumsum(-1) - ranked, -1)
    return above


def _quantile(scores: NDArray[np.float64], coverage: float) -> float:
    """The smallest score with at least that share of n + 1 at or below it."""
    rank = math.ceil(coverage * (len(scores) + 1))
    return float(np.sort(scores)[min(rank, len(scores)) - 1])
