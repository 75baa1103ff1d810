"""Harmonics: how the levels of the voice's harmonics compare, a trace of how the glottis closes."""

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
from voxplain.descriptors._frames import FAINTEST, SAMPLING_RATE, Frames
from voxplain.types import Track

__all__ = ["CARD", "functionals", "tracks"]

FORMANTS = (1, 2, 3)

CARD = Card(
    tracks={"h1_h2_db": "dB", "h1_a3_db": "dB"}
    | {f"f{number}_relative_energy_db": "dB" for number in FORMANTS},
    functionals={
        "h1_h2_mean_db": Functional("harmonic balance (H1-H2)", "dB", telling=True, least_snr_db=5),
        "h1_h2_sd_db": Functional("variability of H1-H2", "dB", least_snr_db=5),
        "h1_a3_mean_db": Functional("harmonic balance (H1-A3)", "dB", least_snr_high_db=10),
        "h1_a3_sd_db": Functional("variability of H1-A3", "dB", least_snr_high_db=19),
    }
    | {
        f"f{n}_relative_energy_mean_db": Functional(
            f"formant F{n} over first harmonic", "dB", least_snr_high_db=snr_db
        )
        for n, snr_db in zip(FORMANTS, (6, 5, 10), strict=True)
    },
    requires=("f0_hz", "f1_hz", "f2_hz", "f3_hz", "speech_activity"),
    reference="Eyben et al. 2016 (GeMAPS); H1-H2 and H1-A3 of Hanson 1997, without her corrections",
)

WINDOW = 800  # samples: 50 ms; Hann, so that harmonics 40 Hz apart do not meet
FFT = 1024  # bins of 15.6 Hz: a harmonic is five of them wide
NEAR = 0.2  # a harmonic this near to a formant, of its frequency, may stand for it
AROUND = 0.25  # of the F0: where the peak of a harmonic is looked for


def tracks(frames: Frames, known: Values) -> Values:
    """Differences between the levels of harmonics in dB; NaN where unvoiced or without formant.

    H1 and H2 are the harmonics at the F0 and an octave above, Ak the strongest near formant k.
    H1-H2 and H1-A3 are H1 minus the other, the relative energy of a formant is Ak minus H1 (that
    of F3 is the negative of H1-A3: GeMAPS has both). Not corrected for the formants, which lift
    the harmonics near them: compare like vowels. In openSMILE's H1-H2 and H1-A3 the H1 is the
    harmonic above the F0: what it calls H1-H2 is H2 - H3 here.
    """
    voiced = np.isfinite(known["f0_hz"])
    f0_hz = known["f0_hz"][voiced]
    formants = np.stack([known[f"f{n}_hz"][voiced] for n in FORMANTS])
    low, high = _searched(f0_hz, formants)
    level = np.empty(low.shape)
    for rows, power in frames.spectra(_hann(), FFT, voiced):
        for which in range(len(level)):
            level[which, rows] = _peak_level(power, low[which, rows], high[which, rows])
    h1, h2, *_ = level
    relative = np.where(np.isfinite(formants), level[2:] - h1, np.nan)
    return {
        "h1_h2_db": scattered(h1 - h2, voiced),
        "h1_a3_db": scattered(-relative[-1], voiced),
        **{f"f{n}_relative_energy_db": scattered(relative[n - 1], voiced) for n in FORMANTS},
    }


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Means and standard deviations over the voiced frames of the speech, in dB."""
    h1_h2, h1_a3 = (voiced_values(tracks, name) for name in ("h1_h2_db", "h1_a3_db"))
    return {
        "h1_h2_mean_db": statistic(h1_h2, np.mean),
        "h1_h2_sd_db": statistic(h1_h2, np.std),
        "h1_a3_mean_db": statistic(h1_a3, np.mean),
        "h1_a3_sd_db": statistic(h1_a3, np.std),
        **{
            f"f{n}_relative_energy_mean_db": statistic(
                voiced_values(tracks, f"f{n}_relative_energy_db"), np.mean
            )
            for n in FORMANTS
        },
    }


def _searched(
    f0_hz: NDArray[np.float64], formants: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds (5, voiced) in Hz of what is searched for H1, H2, A1, A2 and A3.

    Near a formant (3, voiced) all harmonics within 20 % of it, or else the nearest one.
    """
    formants = np.where(np.isfinite(formants), formants, f0_hz)
    nearest = np.maximum(np.rint(formants / f0_hz), 1)
    first = np.minimum(nearest, np.ceil((1 - NEAR) * formants / f0_hz))
    last = np.maximum(nearest, np.floor((1 + NEAR) * formants / f0_hz))
    one = np.ones_like(f0_hz)
    first, last = np.vstack([one, 2 * one, first]), np.vstack([one, 2 * one, last])
    return (first - AROUND) * f0_hz, (last + AROUND) * f0_hz


def _peak_level(
    power: NDArray[np.floating], low_hz: NDArray[np.float64], high_hz: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Level in dB (rows,) of the highest peak between two frequencies (rows,)."""
    step = SAMPLING_RATE / FFT
    bins = np.arange(power.shape[1], dtype=np.int16)
    first = np.ceil(low_hz / step).astype(np.int16)
    last = np.floor(high_hz / step).astype(np.int16)
    inside = (bins >= first[:, None]) & (bins <= last[:, None])
    top = np.clip((power * inside).argmax(axis=-1), 1, len(bins) - 2)
    peak = np.take_along_axis(power, top[:, None] + np.arange(-1, 2), -1)
    left, middle, right = 10 * np.log10(np.maximum(peak, FAINTEST)).T
    # The summit of the parabola through the three, at most half a bin away.
    bend = np.maximum(2 * middle - left - right, 1e-3)
    shift = np.clip((right - left) / (2 * bend), -0.5, 0.5)
    summit: NDArray[np.float64] = middle + (right - left) * shift / 4
    return summit


@functools.cache
def _hann() -> NDArray[np.float32]:
    """Hann window (800,), scaled so that a peak of the spectrum is the power of its harmonic."""
    window = np.sin(np.pi * (np.arange(WINDOW) + 0.5) / WINDOW) ** 2
    scaled: NDArray[np.float32] = (window * np.sqrt(2) / window.sum()).astype(np.float32)
    return scaled
