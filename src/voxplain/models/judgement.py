"""From readings to what may be said: probabilities, dimensions, and a verdict that can abstain."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.models.calibration import Calibration, label_sets, softmax
from voxplain.types import Dimension, Dimensions, Emotion, Verdict

__all__ = [
    "DIMENSIONS",
    "MOST_LABELS",
    "Readings",
    "abstain",
    "coordinates",
    "judge",
    "line_of",
    "on_line",
    "verdict",
    "whole",
]

DIMENSIONS = ("valence", "arousal", "dominance")

MOST_LABELS = 3
"""Of a verdict; where more are likely there is not enough evidence."""


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What a model reads off a stretch of speech, not yet calibrated."""

    categories: NDArray[np.float32]
    """(labels,) logits"""
    perceived: NDArray[np.float32]
    """(votes,) logits"""
    dimensions: NDArray[np.float32]
    """(3, 3): low, value and high of valence, arousal and dominance; (0, 3) where it has none"""
    sound: NDArray[np.float32]
    """(sounds,) logits; the first is one voice"""
    trust: NDArray[np.float64]
    """() how far the speaker was known, from 0 to 1"""
    strangeness: NDArray[np.float64]
    """() how far it lies from the speech that was learned from; of that speech 1 on average"""

    @classmethod
    def stacked(cls, readings: Sequence[Readings]) -> Readings:
        """Those of many stretches, along a new first axis."""
        return cls(*(np.stack([getattr(one, part) for one in readings]) for part in cls.__slots__))

    def some(self, rows: NDArray[np.int64]) -> Readings:
        """Of stacked ones those of some rows."""
        return Readings(*(getattr(self, part)[rows] for part in self.__slots__))


def judge(readings: Readings, calibration: Calibration) -> Emotion:
    """What a stretch of speech sounds like; it abstains where it hears something else.

    Of a model without votes, dimensions or labels these stay out of the Emotion.
    """
    heard = softmax(readings.sound)
    if heard.size and heard[0] < calibration.least_voice:
        other = calibration.sounds[1 + int(np.argmax(heard[1:]))]
        return abstain(f"it sounds like {other}", label_set=calibration.labels)
    if readings.strangeness > calibration.most_strange:
        return abstain("it is unlike the speech it was learned from", label_set=calibration.labels)
    temperature = calibration.temperature_at(float(readings.trust))
    categories = softmax(readings.categories, temperature=temperature)
    perceived = softmax(readings.perceived)
    found = readings.dimensions
    dimensions = on_line(found, line_of(calibration)) if found.size else found
    return _emotion(categories, perceived, dimensions, calibration)


def whole(
    emotions: Sequence[Emotion], seconds: Sequence[float], calibration: Calibration
) -> Emotion:
    """The mean of stretches, weighted by their length; those that have nothing to say don't count.

    If none has, it abstains for the reason of the longest.
    """
    judged = zip(emotions, seconds, strict=True)
    told = [(one, length) for one, length in judged if one.categories or one.dimensions]
    if not told:
        return emotions[int(np.argmax(seconds))]
    weights = np.array([length for _, length in told])
    weights /= weights.sum()

    def mean(values: Sequence[Any]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.tensordot(weights, np.array(values), 1)
        return found

    return _emotion(
        mean([list(one.categories.values()) for one, _ in told]),
        mean([list(one.perceived.values()) for one, _ in told]),
        mean([_points(one) for one, _ in told]),
        calibration,
    )


def abstain(reason: str, *, label_set: tuple[str, ...]) -> Emotion:
    """The Emotion of a recording in which there is nothing to judge."""
    return Emotion({}, {}, None, label_set, Verdict((), reason))


def line_of(calibration: Calibration) -> NDArray[np.float64]:
    """Slope, offset and widening (3, 3) of the three dimensions."""
    return np.array([calibration.slope, calibration.offset, calibration.widening])


def on_line(dimensions: NDArray[np.floating], line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Low, value and high (..., 3, 3) of the three dimensions, moved to a line (..., 3, 3) as
    ``line_of`` gives it, and widened, within [0, 1].
    """
    slope, offset, widening = np.moveaxis(line, -2, 0)[..., None]
    moved = np.clip(offset + slope * dimensions + widening * (-1, 0, 1), 0, 1)
    low, value, high = np.moveaxis(moved, -1, 0)
    return np.stack([np.minimum(low, value), value, np.maximum(high, value)], -1)


def coordinates() -> Mapping[str, Mapping[str, float]]:
    """Label -> valence, arousal and dominance in [-1, 1]."""
    found: Mapping[str, Mapping[str, float]] = _proxy()["coordinates"]
    return found


def _emotion(
    categories: NDArray[np.float64],
    perceived: NDArray[np.float64],
    dimensions: NDArray[np.floating],
    calibration: Calibration,
) -> Emotion:
    return Emotion(
        dict(zip(calibration.labels, categories.tolist(), strict=True)),
        dict(zip(calibration.votes, perceived.tolist(), strict=True)),
        _dimensions(dimensions, calibration) if dimensions.size else None,
        calibration.labels,
        verdict(categories, calibration),
    )


def _dimensions(found: NDArray[np.floating], calibration: Calibration) -> Dimensions:
    points = [Dimension(value, low, high) for low, value, high in found.tolist()]
    named = dict(zip(DIMENSIONS, points, strict=True))
    return Dimensions(**named, proxy="" if calibration.rated else _proxy()["proxy"])


def verdict(categories: NDArray[np.float64], calibration: Calibration) -> Verdict:
    """The labels that hold the truth in nine of ten recordings, of probabilities (labels,)."""
    if not calibration.labels:
        return Verdict((), "the model gives no categories")
    likely = label_sets(categories, mass=calibration.mass)
    ranked = [calibration.labels[index] for index in np.argsort(-categories) if likely[index]]
    if len(ranked) > MOST_LABELS:
        return Verdict((), f"{len(ranked)} emotions are about equally likely")
    return Verdict(tuple(ranked))


def _points(emotion: Emotion) -> list[list[float]]:
    found = [getattr(emotion.dimensions, name) for name in DIMENSIONS if emotion.dimensions]
    return [[one.low, one.value, one.high] for one in found]


@functools.cache
def _proxy() -> Any:
    import yaml

    path = files("voxplain") / "assets/dimensions/russell_mehrabian_1977.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))
