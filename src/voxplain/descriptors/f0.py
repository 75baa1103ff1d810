"""Fundamental frequency: how high the voice is and how much it moves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors._family import (
    ENOUGH,
    Card,
    Functional,
    Values,
    in_speech,
    statistic,
    voiced_values,
)
from voxplain.descriptors._frames import Frames
from voxplain.descriptors._pitch import Path, pitch_path
from voxplain.types import Track

__all__ = ["CARD", "functionals", "tracks"]

CARD = Card(
    tracks={"f0_hz": "Hz"},
    functionals={
        "f0_mean_hz": Functional("pitch", "Hz"),
        "f0_mean_st": Functional("pitch", "st"),
        "f0_sd_st": Functional("pitch variability", "st"),
        "f0_range_st": Functional("pitch range", "st"),
        "voiced_share": Functional("share of voiced sound", ""),
    },
    requires=("speech_activity",),
    reference="Boersma 1993 (autocorrelation, best path); Eyben et al. 2016 (GeMAPS functionals)",
)

SEMITONE_ZERO_HZ = 27.5  # A0, the reference of GeMAPS

# What the path calls voiced, but is no voice: hum, fricatives, ringing rooms.
SHORTEST_VOICE = 3  # frames: 30 ms
CLEAREST_SHARE = 0.8  # of the periodicity that the clearest tenth of the voice reaches
CLEAR = 0.75  # periodicity of a frame that may say where the voice lies,
LOUD = 0.2  # and its amplitude, of the loudest frame (-14 dB)
REGISTER_OCTAVES = 1.0  # from the median of those frames; farther out,
FAR_AND_QUIET = 0.4  # of the loudest frame (-8 dB), is taken for noise
JUMP_OCTAVES = 0.5  # between neighbours; the two don't belong together


def tracks(frames: Frames, known: Values) -> Values:
    """F0 in Hz; NaN in unvoiced frames."""
    path = pitch_path(frames)
    voiced = _without_noise(path, frames.relative_amplitude)
    return {"f0_hz": np.where(voiced, path.f0_hz, np.nan)}


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Mean, SD and the 20th-80th percentile range of F0, and the voiced share of the speech.

    Semitones are re 27.5 Hz; means and spreads of semitones are taken in semitones.
    """
    f0_hz = voiced_values(tracks, "f0_hz")
    semitones = 12 * np.log2(f0_hz / SEMITONE_ZERO_HZ)
    times = tracks["f0_hz"].times
    spoken = np.count_nonzero(in_speech(times, tracks["speech_activity"]))
    return {
        "f0_mean_hz": statistic(f0_hz, np.mean),
        "f0_mean_st": statistic(semitones, np.mean),
        "f0_sd_st": statistic(semitones, np.std),
        "f0_range_st": statistic(semitones, _range),
        "voiced_share": statistic(f0_hz, lambda voiced: len(voiced) / spoken),
    }


def _range(semitones: NDArray[np.float64]) -> float:
    low, high = np.percentile(semitones, [20, 80])
    return float(high - low)


def _without_noise(path: Path, amplitude: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Voiced frames (frames,) of the path, without the runs that are too short, unclear or far."""
    voiced = np.isfinite(path.f0_hz)
    if not voiced.any():
        return voiced
    octaves = np.log2(np.where(voiced, path.f0_hz, 1))
    starts, ends = _runs(voiced, octaves)
    clearest = np.quantile(path.periodicity[voiced], 0.9)
    unclear = _peaks(path.periodicity, starts, ends) < CLEAREST_SHARE * clearest
    quiet = _peaks(amplitude, starts, ends) < FAR_AND_QUIET
    heights = np.array([np.median(octaves[s:e]) for s, e in zip(starts, ends, strict=True)])
    sure = voiced & (amplitude > LOUD) & (np.nan_to_num(path.periodicity) > CLEAR)
    register = np.median(octaves[sure]) if np.count_nonzero(sure) > ENOUGH else heights
    noise = (ends - starts < SHORTEST_VOICE) | unclear
    noise |= (np.abs(heights - register) > REGISTER_OCTAVES) & quiet
    for start, end in zip(starts[noise], ends[noise], strict=True):
        voiced[start:end] = False
    return voiced


def _runs(
    voiced: NDArray[np.bool_], octaves: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and one-past-last frames of the voiced runs, split where F0 jumps."""
    changes = (voiced[1:] != voiced[:-1]) | (np.abs(np.diff(octaves)) > JUMP_OCTAVES)
    borders = np.concatenate([[0], np.flatnonzero(changes) + 1, [len(voiced)]])
    is_run = voiced[borders[:-1]]
    return borders[:-1][is_run], borders[1:][is_run]


def _peaks(
    values: NDArray[np.floating], starts: NDArray[np.intp], ends: NDArray[np.intp]
) -> NDArray[np.float64]:
    return np.array([values[s:e].max() for s, e in zip(starts, ends, strict=True)])
