"""What every family of descriptors states about itself, and the frames that a mean may use."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.windows import SPEECH_THRESHOLD
from voxplain.types import Track

__all__ = [
    "ENOUGH",
    "Card",
    "Functional",
    "Values",
    "in_speech",
    "scattered",
    "statistic",
    "voiced_values",
]

ENOUGH = 10
"""Frames (100 ms); a statistic of no more than that is not reliable."""


Values = Mapping[str, NDArray[np.float64]]
"""Track -> values (frames,), NaN where there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Functional:
    """One number that sums up a recording."""

    title: str
    """What it is called in a sentence."""
    unit: str
    telling: bool = False
    """Whether a summary in words may name it."""
    least_snr_db: float = -math.inf
    """Signal-to-noise ratio of the recording below which the number is not reliable: it would be
    off by half the standard deviation between recordings (benchmarks/robustness.py)."""
    least_snr_high_db: float = -math.inf
    """The same at 1-5 kHz."""
    least_bandwidth_hz: float = 0.0
    """Bandwidth of the recording below which the number is not reliable."""


@dataclass(frozen=True, slots=True)
class Card:
    """A family of descriptors in brief."""

    tracks: Mapping[str, str]
    """Name -> unit."""
    functionals: Mapping[str, Functional]
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


def statistic(values: NDArray[np.float64], summary: Callable[[NDArray[np.float64]], Any]) -> float:
    """A summary of measured values (n,), or NaN where there are too few of them."""
    return float(summary(values)) if len(values) > ENOUGH else math.nan


def voiced_values(tracks: Mapping[str, Track], name: str) -> NDArray[np.float64]:
    """Values (n,) of a track in the voiced frames of the speech."""
    track = tracks[name]
    spoken = in_speech(track.times, tracks["speech_activity"])
    return track.values[track.voiced & spoken & np.isfinite(track.values)]


def scattered(values: NDArray[np.floating], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Values (n,) put where ``where`` (frames,) is true, NaN elsewhere."""
    track = np.full(len(where), np.nan)
    track[where] = values
    return track
