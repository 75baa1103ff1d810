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
    tracks={
        "alpha_ratio_db": "dB",
        "hammarberg_db": "dB",
        "slope_0_500_db_per_khz": "dB/kHz",
        "slope_500_1500_db_per_khz": "dB/kHz",
        "centroid_hz": "Hz",
        "flux": "",
    },
    functionals={
        "alpha_ratio_mean_db": Functional(
            "high-frequency energy (alpha)", "dB", telling=True, least_snr_high_db=15
        ),
        "alpha_ratio_sd_db": Functional(
            "variability of high-frequency energy (alpha)", "dB", least_snr_high_db=26
        ),
        "hammarberg_mean_db": Functional("Hammarberg index", "dB", least_snr_high_db=13),
        "hammarberg_sd_db": Functional(
            "variability of the Hammarberg index", "dB", least_snr_high_db=25
        ),
        "slope_0_500_mean_db_per_khz": Functional(
            "spectral slope 0-500 Hz", "dB/kHz", least_snr_db=6
        ),
        "slope_0_500_sd_db_per_khz": Functional(
            "variability of the spectral slope 0-500 Hz", "dB/kHz", least_snr_db=20
        ),
        "slope_500_1500_mean_db_per_khz": Functional(
            "spectral slope 500-1500 Hz", "dB/kHz", telling=True, least_snr_high_db=10
        ),
        "slope_500_1500_sd_db_per_khz": Functional(
            "variability of the spectral slope 500-1500 Hz", "dB/kHz", least_snr_high_db=25
        ),
        "centroid_mean_hz": Functional("spectral centroid", "Hz", least_snr_db=16),
        "centroid_sd_hz": Functional("variability of the spectral centroid", "Hz", least_snr_db=14),
        "flux_mean": Functional("spectral change (flux)", ""),
        "flux_sd": Functional("variability of the spectral change (flux)", "", least_snr_db=18),
    },
    requires=("f0_hz", "speech_activity"),
    # The slopes of openSMILE differ: the centre that it fits them around lies above that of the
    # band, so they fall by 0.8 (0-500 Hz) and 0.5 dB/kHz (500-1500 Hz) for every dB of gain.
    reference="Eyben et al. 2016 (GeMAPS); the alpha ratio with the sign that openSMILE gives it",
)


def tracks(frames: Frames, known: Values) -> Values:
    """Shape of the power spectrum and how fast it changes; NaN where unvoiced.

    - ``alpha_ratio_db``: the energy of 1-5 kHz over that of 50-1000 Hz; usually negative, rising
      with vocal effort.
    - ``hammarberg_db``: the strongest peak of 0-2 kHz over that of 2-5 kHz; falling with effort.
    - ``slope_0_500_db_per_khz``, ``slope_500_1500_db_per_khz``: the linear regression of the log
      power spectrum on frequency. The first sees the gap below the F0, too, and rises with it.
    - ``centroid_hz``: the mean frequency, weighted by power.
    - ``flux``: what changes from frame to frame, from 0 (nothing) to 1 (everything).
    """
    voiced = np.isfinite(known["f0_hz"])
    power = frames.power[voiced]
    values = {
        "alpha_ratio_db": _decibel(power[:, _band(1000, 5000)].sum(axis=-1))
        - _decibel(power[:, _band(50, 1000)].sum(axis=-1)),
        "hammarberg_db": _decibel(power[:, _band(0, 2000)].max(axis=-1))
        - _decibel(power[:, _band(2000, 5000)].max(axis=-1)),
        "slope_0_500_db_per_khz": _slope(power, 0, 500),
        "slope_500_1500_db_per_khz": _slope(power, 500, 1500),
        "centroid_hz": power @ bin_hz() / np.maximum(power.sum(axis=-1), FAINTEST),
        "flux": _flux(frames.power)[voiced],
    }
    return {name: scattered(found, voiced) for name, found in values.items()}


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Mean and standard deviation over the voiced frames of the speech."""
    found = {}
    for name, unit in (
        ("alpha_ratio", "_db"),
        ("hammarberg", "_db"),
        ("slope_0_500", "_db_per_khz"),
        ("slope_500_1500", "_db_per_khz"),
        ("centroid", "_hz"),
        ("flux", ""),
    ):
        values = voiced_values(tracks, name + unit)
        found[f"{name}_mean{unit}"] = statistic(values, np.mean)
        found[f"{name}_sd{unit}"] = statistic(values, np.std)
    return found


def _slope(power: NDArray[np.float32], low_hz: float, high_hz: float) -> NDArray[np.floating]:
    """Least-squares slope of the dB spectrum between two frequencies, in dB per kHz (frames,).

    Of a spectrum smoothed over 62 Hz: else the valleys between the harmonics, not the tilt, would
    decide (smoothing keeps the slope of an exponential). At 0 Hz the spectrum is mirrored.
    """
    band = _band(low_hz, high_hz + 1)  # both ends are bins
    mirrored = np.concatenate([power[:, 1:2], power[:, : band.stop + 1]], axis=-1)
    smooth = mirrored[:, 1:-1] / 2 + (mirrored[:, :-2] + mirrored[:, 2:]) / 4
    khz = bin_hz()[band] / 1000
    centred = khz - khz.mean()
    weights = (centred / (centred**2).sum()).astype(np.float32)
    slope: NDArray[np.floating] = _decibel(smooth[:, band]) @ weights
    return slope


def _flux(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Spectral flux below 5 kHz (frames,): 0 between equal frames, 1 between disjoint ones.

    The distance of the amplitude spectra of a frame and the one before it over the norm of both
    together; NaN in the first frame and in silence.
    """
    amplitude = np.sqrt(power[:, _band(0, 5000)])
    change = ((amplitude[1:] - amplitude[:-1]) ** 2).sum(axis=-1)
    energy = (amplitude**2).sum(axis=-1)
    both = energy[1:] + energy[:-1]
    flux = np.full(len(power), np.nan, np.float32)
    heard = both > FAINTEST
    flux[1:][heard] = np.sqrt(change[heard] / both[heard])
    return flux


def _band(low_hz: float, high_hz: float) -> slice:
    """Bins from low_hz up to, but not including, high_hz."""
    return slice(*np.searchsorted(bin_hz(), [low_hz, high_hz]))


def _decibel(power: NDArray[np.floating]) -> NDArray[np.floating]:
    level: NDArray[np.floating] = 10 * np.log10(np.maximum(power, FAINTEST))
    return level
