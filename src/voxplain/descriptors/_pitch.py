"""The pitch path of Boersma (1993): candidates per frame, then the cheapest way through them.

P. Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise
ratio of a sampled sound", Proc. Institute of Phonetic Sciences 17, 97-110; costs as in Praat.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors._frames import SAMPLING_RATE, Frames, sinc

__all__ = ["Path", "pitch_path"]

CANDIDATES = 8  # per frame, beside "unvoiced"

VOICING_THRESHOLD = 0.45  # periodicity below which a frame is rather unvoiced
SILENCE_THRESHOLD = 0.03  # of the loudest frame (-30 dB)
OCTAVE_COST = 0.01  # per octave: of equals, the highest wins
OCTAVE_JUMP_COST = 0.35  # per octave between neighbours
VOICING_CHANGE_COST = 0.14

_STEP = 1 / 8  # of a sample, before the parabola
_FRACTIONS = np.arange(-5.0, 6.0) * _STEP  # a peak lies within half a sample of its largest sample


class Path(NamedTuple):
    """What the path chose in each frame; NaN where that is "unvoiced"."""

    f0_hz: NDArray[np.float64]
    """(frames,)"""
    periodicity: NDArray[np.float64]
    """(frames,) normalised autocorrelation at the period, at most 1."""


def pitch_path(frames: Frames) -> Path:
    """The F0 of every frame by the best path (Boersma 1993, eqs. 23-27)."""
    lags, periodicity = _candidates(frames)
    choice = _best_path(*_costs(frames, lags, periodicity))
    voiced, rows = choice > 0, np.arange(len(choice))
    chosen = np.maximum(choice - 1, 0)
    return Path(
        np.where(voiced, SAMPLING_RATE / lags[rows, chosen], np.nan),
        np.where(voiced, periodicity[rows, chosen], np.nan),
    )


def _candidates(frames: Frames) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Periods in samples and their periodicity, both (frames, 8 or less); -inf where none is."""
    correlation = frames.autocorrelation
    shortest = math.ceil(SAMPLING_RATE / frames.settings.f0_max_hz)  # 27 samples by default
    longest = max(shortest, math.floor(SAMPLING_RATE / frames.settings.f0_min_hz))  # 266
    here = correlation[:, shortest : longest + 1]
    before = correlation[:, shortest - 1 : longest]
    after = correlation[:, shortest + 1 : longest + 2]
    peaks = (here > before) & (here >= after) & (here > VOICING_THRESHOLD / 2)
    # Peaks at short lags first: they are the narrow ones that sampling cuts lowest.
    bonus = -OCTAVE_COST * np.log2(np.arange(shortest, longest + 1))
    strength = np.where(peaks, here + bonus.astype(np.float32), -np.inf)
    count = min(CANDIDATES, longest + 1 - shortest)
    best = np.argpartition(strength, -count, axis=-1)[:, -count:]
    lags, periodicity = _refined(frames, best + shortest)
    return lags, np.where(np.take_along_axis(peaks, best, -1), periodicity, -np.inf)


def _refined(
    frames: Frames, lags: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place and height of the peaks between the samples: sinc to 1/8 sample, then a parabola."""
    rows = np.arange(len(lags))[:, None]
    curve = np.matmul(frames.around(rows, lags), sinc(_FRACTIONS)).astype(np.float64)
    top = np.clip(curve.argmax(-1), 1, len(_FRACTIONS) - 2)
    left, middle, right = np.moveaxis(
        np.take_along_axis(curve, top[..., None] + np.arange(-1, 2), -1), -1, 0
    )
    bend = np.minimum(left - 2 * middle + right, -1e-12)
    shift = np.clip((left - right) / (2 * bend), -1, 1)
    height = middle - (left - right) * shift / 4
    # The division by the window can lift a peak beyond 1; as in Praat, it is reflected.
    height = np.where(height > 1, 1 / np.maximum(height, 1), height)
    return lags + _FRACTIONS[top] + shift * _STEP, height


def _costs(
    frames: Frames, lags: NDArray[np.float64], periodicity: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Local strengths (frames, 9), "unvoiced" first, and transition costs (frames - 1, 9, 9)."""
    quiet = frames.relative_amplitude * (1 + VOICING_THRESHOLD) / SILENCE_THRESHOLD
    unvoiced = VOICING_THRESHOLD + np.maximum(0, 2 - quiet)
    strength = periodicity - OCTAVE_COST * np.log2(lags * frames.settings.f0_min_hz / SAMPLING_RATE)
    octaves = np.log2(lags)
    jumps = OCTAVE_JUMP_COST * np.abs(octaves[:-1, :, None] - octaves[1:, None, :])
    transitions = np.zeros((len(jumps), lags.shape[1] + 1, lags.shape[1] + 1))
    transitions[:, 1:, 1:] = jumps
    transitions[:, 0, 1:] = transitions[:, 1:, 0] = VOICING_CHANGE_COST
    return np.concatenate([unvoiced[:, None], strength], axis=-1), transitions


def _best_path(strength: NDArray[np.float64], transitions: NDArray[np.float64]) -> NDArray[np.intp]:
    """The state (frames,) of each frame on the path of the largest total (Viterbi)."""
    states = np.arange(strength.shape[1])
    came_from = np.zeros(strength.shape, np.intp)
    total = strength[:1].sum(axis=0)
    for frame, costs in enumerate(transitions, start=1):
        ways = total[:, None] - costs
        came_from[frame] = ways.argmax(axis=0)
        total = ways[came_from[frame], states] + strength[frame]
    path = np.full(len(strength), total.argmax())
    for frame in range(len(path) - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path
