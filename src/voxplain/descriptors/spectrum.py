"""Spectral balance of the voice: more vocal effort puts more energy into high frequencies."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors._family import (
    Card,
    Functional,
    Values,
    scattered,
    statistic,
    voiced_values,
)
from voxplain.descriptors._frames import FAINTEST, Frames, bin_hz
from voxplain.types import Track

__all__ = ["CARD", "functionals", "tracks"]

CARD = Card(
    tracks={"alpha_ratio_db": "dB", "slope_500_1500_db_per_khz": "dB/kHz"},
    functionals={
        "alpha_ratio_mean_db": Functional("high-frequency energy (alpha)", "dB"),
        "slope_500_1500_mean_db_per_khz": Functional("spectral slope 500-1500 Hz", "dB/kHz"),
    },
    requires=("f0_hz", "speech_activity"),
    reference="Eyben et al. 2016 (GeMAPS), with the signs that openSMILE's eGeMAPSv02 gives them",
)


def tracks(frames: Frames, known: Values) -> Values:
    """Alpha ratio in dB and spectral slope 500-1500 Hz in dB per kHz; NaN where unvoiced.

    The alpha ratio is the energy of 1-5 kHz over that of 50-1000 Hz: usually negative, rising
    with vocal effort. The slope is the linear regression of the log power spectrum on frequency,
    of a spectrum smoothed over 62 Hz: else the valleys between the harmonics, not the tilt, would
    decide (smoothing keeps the slope of an exponential).
    """
    voiced = np.isfinite(known["f0_hz"])
    power = frames.power[voiced]
    return {
        "alpha_ratio_db": scattered(_alpha_ratio(power), voiced),
        "slope_500_1500_db_per_khz": scattered(_slope(power), voiced),
    }


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Means over the voiced frames of the speech."""
    alpha_ratio = voiced_values(tracks, "alpha_ratio_db")
    slope = voiced_values(tracks, "slope_500_1500_db_per_khz")
    return {
        "alpha_ratio_mean_db": statistic(alpha_ratio, np.mean),
        "slope_500_1500_mean_db_per_khz": statistic(slope, np.mean),
    }


def _alpha_ratio(power: NDArray[np.float32]) -> NDArray[np.floating]:
    """Energy of 1-5 kHz over 50-1000 Hz of power spectra (frames, 257), in dB (frames,)."""
    low, high = power[:, _band(50, 1000)].sum(axis=-1), power[:, _band(1000, 5000)].sum(axis=-1)
    ratio: NDArray[np.floating] = _decibel(high) - _decibel(low)
    return ratio


def _slope(power: NDArray[np.float32]) -> NDArray[np.floating]:
    """Least-squares slope of the smoothed dB spectrum, 500 to 1500 Hz, in dB per kHz (frames,)."""
    smooth = power[:, 1:-1] / 2 + (power[:, :-2] + power[:, 2:]) / 4
    band = _band(500, 1500 + 1)  # both ends are bins
    khz = bin_hz()[band] / 1000
    centred = khz - khz.mean()
    weights = (centred / (centred**2).sum()).astype(np.float32)
    slope: NDArray[np.floating] = _decibel(smooth[:, band[1:-1]]) @ weights
    return slope


def _band(low_hz: float, high_hz: float) -> NDArray[np.bool_]:
    """Bins from low_hz up to, but not including, high_hz."""
    return (bin_hz() >= low_hz) & (bin_hz() < high_hz)


def _decibel(power: NDArray[np.floating]) -> NDArray[np.floating]:
    level: NDArray[np.floating] = 10 * np.log10(np.maximum(power, FAINTEST))
    return level
