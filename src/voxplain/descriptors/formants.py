"""Formants: the resonances of the vocal tract, by linear prediction."""

from __future__ import annotations

import functools
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
from voxplain.descriptors._frames import SAMPLING_RATE, Frames
from voxplain.types import Track

__all__ = ["CARD", "functionals", "tracks"]

NUMBERS = (1, 2, 3)  # the formants that are reported

CARD = Card(
    tracks={f"f{number}_hz": "Hz" for number in NUMBERS}
    | {f"f{number}_bandwidth_hz": "Hz" for number in NUMBERS},
    functionals={
        f"f{n}_{statistic}": Functional(
            title.format(n), "Hz", least_snr_high_db=snrs_db[n - 1], least_bandwidth_hz=width_hz
        )
        for n, width_hz in ((1, 4200), (2, 4700), (3, 5200))
        for statistic, title, snrs_db in (
            ("mean_hz", "formant F{}", (25, 23, 25)),
            ("sd_hz", "variability of formant F{}", (13, 13, 15)),
            ("bandwidth_mean_hz", "bandwidth of formant F{}", (30, 23, 22)),
        )
    },
    requires=("f0_hz", "speech_activity"),
    reference="Makhoul 1975, selective linear prediction; settings as in Praat's To Formant (burg)",
)

ORDER = 10  # two poles for each of five formants below settings.formant_max_hz
PREEMPHASIS_HZ = 50.0  # from here on 6 dB per octave, against the fall of the voice source
MARGIN_HZ = 50.0  # a pole this near to 0 Hz or to the maximum is the tilt rather than a formant
WINDOW = 800  # samples: 50 ms; its Gaussian is as short as other windows of 25 ms
FFT = 1024  # more than the window and the longest lag, so that no lag wraps around
WHITE_NOISE = 1e-9  # of the energy (-90 dB): keeps the prediction solvable where a band is empty


def tracks(frames: Frames, known: Values) -> Values:
    """Frequency and bandwidth in Hz of F1 to F3; NaN where unvoiced or where there are fewer."""
    voiced = np.isfinite(known["f0_hz"])
    max_hz = frames.settings.formant_max_hz
    nothing = np.empty((2, 0, len(NUMBERS)))
    found = [
        _resonances(_prediction(power.astype(np.float64) @ _cosines(max_hz)), max_hz)
        for _, power in frames.spectra(_gaussian(), FFT, voiced)
    ]
    frequency, bandwidth = np.concatenate([nothing, *found], axis=1).swapaxes(1, 2)
    return {
        **{f"f{n}_hz": scattered(frequency[n - 1], voiced) for n in NUMBERS},
        **{f"f{n}_bandwidth_hz": scattered(bandwidth[n - 1], voiced) for n in NUMBERS},
    }


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Means and standard deviations over the voiced frames of the speech, in Hz."""
    found = {}
    for n in NUMBERS:
        frequency = voiced_values(tracks, f"f{n}_hz")
        bandwidth = voiced_values(tracks, f"f{n}_bandwidth_hz")
        found[f"f{n}_mean_hz"] = statistic(frequency, np.mean)
        found[f"f{n}_sd_hz"] = statistic(frequency, np.std)
        found[f"f{n}_bandwidth_mean_hz"] = statistic(bandwidth, np.mean)
    return found


def _prediction(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Prediction polynomials (rows, 11) of autocorrelations, 1 first (Levinson and Durbin)."""
    polynomial = np.zeros_like(correlation)
    polynomial[:, 0] = 1
    error = (1 + WHITE_NOISE) * correlation[:, 0]
    for order in range(1, correlation.shape[1]):
        ahead = np.einsum("fk,fk->f", polynomial[:, :order], correlation[:, order:0:-1])
        reflection = -ahead / error
        polynomial[:, 1 : order + 1] += reflection[:, None] * polynomial[:, order - 1 :: -1]
        error *= 1 - reflection**2
    return polynomial


def _resonances(polynomial: NDArray[np.float64], max_hz: float) -> NDArray[np.float64]:
    """Frequencies and bandwidths (2, rows, 3) of the lowest poles; NaN where there are fewer.

    The poles are the eigenvalues of the companion matrix. One of radius r and angle phi resonates
    at phi / pi * max_hz with a bandwidth of -2 ln(r) / pi * max_hz.
    """
    companion = np.zeros((len(polynomial), ORDER, ORDER))
    companion[:, 0] = -polynomial[:, 1:]
    companion[:, range(1, ORDER), range(ORDER - 1)] = 1
    poles = np.linalg.eigvals(companion)
    frequency = np.angle(poles) * (max_hz / np.pi)
    formant = (frequency >= MARGIN_HZ) & (frequency <= max_hz - MARGIN_HZ)
    lowest = np.argsort(np.where(formant, frequency, np.inf), axis=-1)[:, : len(NUMBERS)]
    formant, frequency, poles = (
        np.take_along_axis(values, lowest, -1) for values in (formant, frequency, poles)
    )
    bandwidth = np.log(np.abs(poles)) * (-2 * max_hz / np.pi)
    return np.where(formant, [frequency, bandwidth], np.nan)


@functools.cache
def _gaussian() -> NDArray[np.float32]:
    """Gaussian window (800,) that fades to 0 at its ends (Boersma 1993, postscript)."""
    time = (2 * np.arange(WINDOW) + 1) / WINDOW - 1
    window: NDArray[np.float32] = (np.exp(-12 * time**2) - np.exp(-12)).astype(np.float32)
    return window


@functools.cache
def _cosines(max_hz: float) -> NDArray[np.float64]:
    """Matrix (513, 11) from a power spectrum to the autocorrelation that is predicted.

    It is that of the pre-emphasised sound at a rate of 2 max_hz, but without resampling: so the
    band ends sharply and takes no pole to model its edge. With a window that fades out, the
    autocorrelation method finds what Burg's does.
    """
    step = SAMPLING_RATE / FFT
    hz = np.arange(FFT // 2 + 1) * step
    inside = np.clip((max_hz - hz) / step + 0.5, 0, 1)  # what part of a bin lies below max_hz
    inside[0] = 0.5  # and above 0 Hz
    angle = np.pi * hz / max_hz
    emphasis = np.abs(1 - np.exp(-np.pi * PREEMPHASIS_HZ / max_hz - 1j * angle)) ** 2
    matrix: NDArray[np.float64] = (inside * emphasis)[:, None] * np.cos(
        np.outer(angle, np.arange(ORDER + 1))
    )
    return matrix
