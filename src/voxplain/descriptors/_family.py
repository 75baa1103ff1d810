"""What every family of descriptors states about itself, and the frames that a mean may use."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.windows import SPEECH_THRESHOLD
from voxplain.types import Quantity, Track

__all__ = ["ENOUGH", "Card", "in_speech", "quantity", "voice_quantity", "voiced_values"]

ENOUGH = 10
"""Frames (100 ms); a statistic of no more than that is not reliable."""

Statistic = Callable[[NDArray[np.float64]], Any]


@dataclass(frozen=True, slots=True)
class Card:
    """A family of descriptors in brief."""

    tracks: Mapping[str, str]
    """Name -> unit."""
    functionals: Mapping[str, str]
    """Name -> what it is called in a sentence."""
    requires: tuple[str, ...]
    """Tracks of other families, and ``speech_activity``, which the caller brings."""
    reference: str
    """Where the definitions come from."""


def in_speech(times: NDArray[np.float64], activity: Track) -> NDArray[np.bool_]:
    """Which of the times (n,) lie in speech, by the nearest decision of the detector."""
    if not len(activity.times):
        return np.zeros(len(times), bool)
    borders = (activity.times[1:] + activity.times[:-1]) / 2
    return activity.values[np.searchsorted(borders, times)] >= SPEECH_THRESHOLD


def quantity(values: NDArray[np.float64], statistic: Statistic, *, unit: str) -> Quantity:
    """A statistic of measured values (n,), or NaN where there are too few of them."""
    if len(values) <= ENOUGH:
        return Quantity(math.nan, unit, reliable=False)
    return Quantity(float(statistic(values)), unit, reliable=True)


def voice_quantity(
    tracks: Mapping[str, Track], name: str, statistic: Statistic, *, unit: str
) -> Quantity:
    """A statistic of a track over the voiced frames of the speech."""
    return quantity(voiced_values(tracks, name), statistic, unit=unit)


def voiced_values(tracks: Mapping[str, Track], name: str) -> NDArray[np.float64]:
    """Values (n,) of a track in the voiced frames of the speech."""
    track = tracks[name]
    spoken = in_speech(track.times, tracks["speech_activity"])
    return track.values[track.voiced & spoken & np.isfinite(track.values)]
