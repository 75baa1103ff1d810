"""Intensity: how strong the voice is and how much that changes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors._family import Card, Functional, Values, in_speech, statistic
from voxplain.descriptors._frames import FAINTEST, Frames
from voxplain.types import Track

__all__ = ["CARD", "functionals", "tracks"]

CARD = Card(
    tracks={"intensity_db": "dB"},
    functionals={
        "intensity_mean_db": Functional("intensity", "dB"),
        "intensity_sd_db": Functional("intensity variability", "dB"),
    },
    requires=("speech_activity",),
    reference="RMS of 25 ms Hann frames, dB re full scale; energy mean as in Praat",
)


def tracks(frames: Frames, known: Values) -> Values:
    """Intensity in dB re full scale (a full-scale sine is -3 dB); NaN in digital silence."""
    mean_square = frames.power.sum(axis=-1, dtype=np.float64)
    level = 10 * np.log10(np.maximum(mean_square, FAINTEST)) + frames.level_db
    return {"intensity_db": np.where(mean_square > FAINTEST, level, np.nan)}


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Energy mean and SD over the frames of speech, voiced or not."""
    track = tracks["intensity_db"]
    spoken = in_speech(track.times, tracks["speech_activity"])
    values = track.values[spoken & np.isfinite(track.values)]
    return {
        "intensity_mean_db": statistic(values, _energy_mean),
        "intensity_sd_db": statistic(values, np.std),
    }


def _energy_mean(level_db: NDArray[np.float64]) -> float:
    return float(10 * np.log10(np.mean(10 ** (level_db / 10))))
