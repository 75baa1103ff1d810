"""Intensity: how strong the voice is and how much that changes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors._family import Card, in_speech, quantity
from voxplain.descriptors._frames import FAINTEST, Frames
from voxplain.types import Quantity, Track

__all__ = ["CARD", "functionals", "tracks"]

CARD = Card(
    tracks={"intensity_db": "dB"},
    functionals={"intensity_mean_db": "intensity", "intensity_sd_db": "intensity variability"},
    requires=("f0_hz", "speech_activity"),
    reference="RMS of 25 ms Hann frames, dB re full scale; energy mean as in Praat",
)


def tracks(frames: Frames, known: Mapping[str, Track]) -> dict[str, Track]:
    """Intensity in dB re full scale (a full-scale sine is -3 dB); NaN in digital silence."""
    mean_square = frames.power.sum(axis=-1, dtype=np.float64)
    level = 10 * np.log10(np.maximum(mean_square, FAINTEST)) + frames.level_db
    values = np.where(mean_square > FAINTEST, level, np.nan)
    return {"intensity_db": Track(frames.times, values, "dB", known["f0_hz"].voiced)}


def functionals(tracks: Mapping[str, Track]) -> dict[str, Quantity]:
    """Energy mean and SD over the frames of speech, voiced or not."""
    track = tracks["intensity_db"]
    spoken = in_speech(track.times, tracks["speech_activity"])
    values = track.values[spoken & np.isfinite(track.values)]
    return {
        "intensity_mean_db": quantity(values, _energy_mean, unit="dB"),
        "intensity_sd_db": quantity(values, np.std, unit="dB"),
    }


def _energy_mean(level_db: NDArray[np.float64]) -> float:
    return float(10 * np.log10(np.mean(10 ** (level_db / 10))))
