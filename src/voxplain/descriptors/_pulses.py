"""Neighbouring cycles of the voice: how long and how strong each of them is.

After "Sound & Pitch: To PointProcess (cc)" of the Praat manual: from an extremum of the waveform,
one step to either side, by the lag at which one period of the waveform repeats itself best. Steps
are taken from all extrema at once, in waveforms resampled to the same number of points per period.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from voxplain.descriptors._frames import FAINTEST

__all__ = ["ROOM", "Cycles", "cycles", "peak"]

PERIOD = 96  # points; of a voice of 100 Hz, what lies below 4.8 kHz
SHORTEST, LONGEST = 0.8, 1.25  # periods between which a cycle is looked for
PULSE = 0.2  # periods on both sides of a pulse that its amplitude is made of, as in Praat

ROOM = 2.5
"""Periods on both sides of a point that its cycles may reach: 1/2 + LONGEST + 1/2, and some."""

_HALF = PERIOD // 2
_LAGS = np.arange(int(SHORTEST * PERIOD) - 1, int(LONGEST * PERIOD) + 2)  # and one beyond each end
_STEPS = np.array([[-1], [1]]) * _LAGS  # to the left and to the right
_REACH = _LAGS[-1] + _HALF  # points on both sides of the middle pulse
_FFT = 4 * PERIOD  # more than 2 * _REACH, so that no lag wraps around


class Cycles(NamedTuple):
    """The cycles before and after the pulse that is nearest to a point."""

    periods: NDArray[np.float64]
    """(points, 2) durations, relative to the expected period."""
    likeness: NDArray[np.float64]
    """(points, 2) correlation of the period around the middle pulse with that around the other."""
    amplitudes: NDArray[np.float64]
    """(points, 3) RMS around the pulse before, in the middle, and after."""


def cycles(
    waveform: NDArray[np.float32], centres: NDArray[np.intp], period: NDArray[np.float64]
) -> Cycles:
    """The cycles around samples (points,) of a waveform whose period is about (points,) samples.

    The waveform must go on for 2.5 periods on both sides.
    """
    pulses = _extrema(waveform, centres, period)
    around = _resampled(waveform, pulses, period)
    periods, likeness = _repetitions(around)
    places = PERIOD * np.insert(periods * [-1, 1], 1, 0, axis=-1)
    return Cycles(periods, likeness, _amplitudes(around, places))


def peak(curve: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place and height of the top of a curve (..., points), by a parabola through three of them."""
    top = 1 + curve[..., 1:-1].argmax(axis=-1)
    left, middle, right = np.moveaxis(
        np.take_along_axis(curve, top[..., None] + np.arange(-1, 2), -1), -1, 0
    )
    bend = np.minimum(left - 2 * middle + right, -1e-9)
    shift = np.clip((left - right) / (2 * bend), -0.5, 0.5)
    return top + shift, middle - (left - right) * shift / 4


def _extrema(
    waveform: NDArray[np.float32], centres: NDArray[np.intp], period: NDArray[np.float64]
) -> NDArray[np.intp]:
    """The sample (rows,) of the largest magnitude within half a period of each centre."""
    reach = int(period.max() / 2)
    offsets = np.arange(-reach, reach + 1)
    near = np.abs(offsets) <= period[:, None] / 2
    magnitude = np.abs(sliding_window_view(waveform, len(offsets))[centres - reach])
    pulses: NDArray[np.intp] = centres - reach + np.where(near, magnitude, -1).argmax(axis=-1)
    return pulses


def _resampled(
    waveform: NDArray[np.float32], pulses: NDArray[np.intp], period: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The waveform (rows, 2 * reach + 1) around each pulse, 96 points per period."""
    places = pulses[:, None] + period[:, None] * (np.arange(-_REACH, _REACH + 1) / PERIOD)
    left = places.astype(np.intp)
    here = waveform[left]
    return here + (places - left).astype(np.float32) * (waveform[left + 1] - here)


def _repetitions(
    around: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Periods and likeness, both (rows, 2), of the best repetitions of the middle period."""
    middle = np.zeros_like(around)
    one = slice(_REACH - _HALF, _REACH + _HALF + 1)
    middle[:, one] = around[:, one]
    spectra = np.fft.rfft(around, _FFT) * np.fft.rfft(middle, _FFT).conj()
    products = np.fft.irfft(spectra, _FFT)[:, _STEPS % _FFT]
    until = np.pad(np.cumsum(around.astype(np.float64) ** 2, axis=-1), ((0, 0), (1, 0)))
    energy = until[:, _HALF + _HALF + 1 :] - until[:, : -_HALF - _HALF - 1]  # of one period each
    scale = energy[:, _REACH - _HALF + _STEPS] * energy[:, _REACH - _HALF, None, None]
    curve = products / np.sqrt(np.maximum(scale, FAINTEST**2))
    top, likeness = peak(curve)
    return (_LAGS[0] + top) / PERIOD, likeness


def _amplitudes(around: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """RMS (rows, 3) under a Hann window of 0.4 periods at places (rows, 3) from the middle."""
    width = PULSE * PERIOD
    reach = int(width) + 1
    nearest = np.rint(places).astype(np.intp)
    distance = (nearest - places)[..., None] + np.arange(-reach, reach + 1)
    weights = np.where(np.abs(distance) < width, 0.5 + 0.5 * np.cos(np.pi * distance / width), 0)
    rows = np.arange(len(around))[:, None]
    pulses = sliding_window_view(around, 2 * reach + 1, axis=-1)[rows, _REACH + nearest - reach]
    rms: NDArray[np.float64] = np.sqrt((weights * pulses**2).sum(-1) / weights.sum(-1))
    return rms
