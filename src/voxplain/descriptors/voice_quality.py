"""Voice quality: how much of the voice is harmonic, and how regular its cycles are."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
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
from voxplain.descriptors._pulses import ROOM, Cycles, cycles, peak
from voxplain.types import Track

__all__ = ["CARD", "functionals", "tracks"]

CARD = Card(
    tracks={
        "hnr_db": "dB",
        "jitter_percent": "%",
        "shimmer_percent": "%",
        "shimmer_db": "dB",
    },
    functionals={
        "hnr_mean_db": Functional(
            "harmonics over noise (HNR)", "dB", telling=True, least_snr_db=19
        ),
        "hnr_sd_db": Functional("spread of harmonics over noise (HNR)", "dB", least_snr_db=23),
        "jitter_mean_percent": Functional(
            "unevenness of periods (jitter)", "%", telling=True, least_snr_db=9
        ),
        "shimmer_mean_percent": Functional(
            "unevenness of pulses (shimmer)", "%", telling=True, least_snr_db=14
        ),
        "shimmer_mean_db": Functional(
            "unevenness of the amplitudes (shimmer) in dB", "dB", least_snr_db=14
        ),
    },
    requires=("f0_hz", "speech_activity"),
    reference=(
        "HNR: Boersma 1993, eq. 4, 10 log10(r / (1 - r)), r being the cross-correlation of a "
        "longest period, as in Praat's 'To Harmonicity (cc)'; jitter and shimmer: Praat manual, "
        "'Voice 2. Jitter' and 'Voice 3. Shimmer' (local), of the pulses next to each frame"
    ),
)

LEAST, MOST = 1e-3, 1 - 1e-4  # periodicity: -30 to 40 dB, what one period in float32 can tell
QUIET = 0.1  # of the loudest frame (-20 dB, as in Praat); below, much of the noise is the room's
LEAST_ALIKE = 0.5  # correlation of neighbouring cycles; below, they repeat nothing
PERIOD_FACTOR, AMPLITUDE_FACTOR = 1.3, 1.6  # between neighbours, as in Praat; above, one is missed

SEARCH = 2  # samples on both sides of the F0's period: F0 is that of a longer stretch
REACH = 10  # samples on both sides that a correlation between samples is made of
_FRACTIONS = np.arange(-4 * SEARCH, 4 * SEARCH + 1) / 4
_BLOCK = 512  # frames measured at a time, as in Frames


def tracks(frames: Frames, known: Values) -> Values:
    """HNR in dB, local jitter in percent, local shimmer in percent and dB; NaN where unvoiced.

    HNR is NaN in quiet frames, too; jitter and shimmer, where the cycles around the frame are not
    alike or the recording ends.
    """
    voiced = np.isfinite(known["f0_hz"])
    period = SAMPLING_RATE / known["f0_hz"][voiced]
    centres = np.rint(SAMPLING_RATE * frames.times[voiced]).astype(np.intp)
    length = len(frames.waveform)
    longest = round(SAMPLING_RATE / frames.settings.f0_min_hz)
    apart = np.ceil((longest + period) / 2).astype(np.intp)
    inner = np.clip(centres, apart, length - apart)  # HNR at the ends is that of the nearest place
    margin = math.ceil(ROOM * longest) + REACH
    padded = np.pad(frames.waveform, margin)
    values = np.empty((len(CARD.tracks), len(centres)))
    for start in range(0, len(centres), _BLOCK):
        rows = slice(start, start + _BLOCK)
        periodicity = _periodicity(padded, margin + inner[rows], period[rows], longest)
        values[0, rows] = _hnr(periodicity)
        values[1:, rows] = _perturbations(cycles(padded, margin + centres[rows], period[rows]))
    values[0, frames.relative_amplitude[voiced] < QUIET] = np.nan
    values[1:, np.minimum(centres, length - centres) < ROOM * period] = np.nan
    return {name: scattered(row, voiced) for name, row in zip(CARD.tracks, values, strict=True)}


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Means over the voiced frames of the speech, and the standard deviation of the HNR."""
    hnr = voiced_values(tracks, "hnr_db")
    return {
        "hnr_mean_db": statistic(hnr, np.mean),
        "hnr_sd_db": statistic(hnr, np.std),
        "jitter_mean_percent": statistic(voiced_values(tracks, "jitter_percent"), np.mean),
        "shimmer_mean_percent": statistic(voiced_values(tracks, "shimmer_percent"), np.mean),
        "shimmer_mean_db": statistic(voiced_values(tracks, "shimmer_db"), np.mean),
    }


def _periodicity(
    waveform: NDArray[np.float32],
    centres: NDArray[np.intp],
    period: NDArray[np.float64],
    window: int,
) -> NDArray[np.float64]:
    """Correlation (rows,) of two windows one period apart, half a period around each centre.

    Of the periods near the given ones (rows,), in samples, the best: by a sinc under a raised
    cosine to 1/4 sample, then a parabola.
    """
    nearest = np.rint(period).astype(np.intp)
    start = centres - (window + nearest) // 2
    room = SEARCH + REACH
    here = sliding_window_view(waveform, window)[start]
    later = sliding_window_view(waveform, window + 2 * room)[start + nearest - room]
    offset = here.mean(axis=-1, keepdims=True)  # repeats at any lag
    here, later = here - offset, later - offset
    products = np.einsum("rlw,rw->rl", sliding_window_view(later, window, axis=-1), here)
    until = np.pad(np.cumsum(later.astype(np.float64) ** 2, axis=-1), ((0, 0), (1, 0)))
    energy = (until[:, window:] - until[:, :-window]) * (here**2).sum(axis=-1, keepdims=True)
    curve = products / np.sqrt(np.maximum(energy, FAINTEST**2))
    return peak(curve @ _sincs())[1]


@functools.cache
def _sincs() -> NDArray[np.float64]:
    """Weights (25 lags, 17 fractions) of the lags around an integer one."""
    distance = np.arange(-SEARCH - REACH, SEARCH + REACH + 1)[:, None] - _FRACTIONS
    taper = np.where(
        np.abs(distance) <= REACH, 0.5 + 0.5 * np.cos(np.pi * distance / (REACH + 1)), 0
    )
    return np.sinc(distance) * taper


def _hnr(periodicity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Harmonics-to-noise ratio (rows,) in dB."""
    # The interpolation can lift a peak beyond 1; as in Praat, it is reflected.
    periodicity = np.clip(np.minimum(periodicity, 1 / np.maximum(periodicity, 1)), LEAST, MOST)
    return 10 * np.log10(periodicity / (1 - periodicity))


def _perturbations(around: Cycles) -> NDArray[np.float64]:
    """Jitter in percent, shimmer in percent and in dB (3, rows); NaN where cycles are not alike."""
    jitter = _changes(around.periods, PERIOD_FACTOR)
    shimmer = _changes(around.amplitudes, AMPLITUDE_FACTOR)
    # Of a change d of the mean of two amplitudes, their ratio is (2 + d) / (2 - d).
    shimmer_db = 20 * np.log10((2 + shimmer) / (2 - shimmer))
    found = np.stack([values.mean(axis=-1) for values in (100 * jitter, 100 * shimmer, shimmer_db)])
    return np.where((around.likeness >= LEAST_ALIKE).all(axis=-1), found, np.nan)


def _changes(values: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Changes (rows, n - 1) from value to value (rows, n), relative to the mean of the two.

    NaN where one is more than ``factor`` times the other.
    """
    before, after = values[:, :-1], values[:, 1:]
    change = np.abs(after - before) / np.maximum((before + after) / 2, FAINTEST)
    close = np.maximum(before, after) <= factor * np.minimum(before, after)
    return np.where(close, change, np.nan)
