"""Fundamental frequency: how high the voice is and how much it moves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from voxplain.descriptors._family import (
    ENOUGH,
    Card,
    Functional,
    Values,
    in_speech,
    statistic,
)
from voxplain.descriptors._frames import FRAME_SHIFT, Frames
from voxplain.descriptors._pitch import Path, pitch_path
from voxplain.types import Track

__all__ = ["CARD", "functionals", "tracks"]

CARD = Card(
    tracks={"f0_hz": "Hz"},
    functionals={
        "f0_mean_hz": Functional("pitch", "Hz"),
        "f0_mean_st": Functional("pitch", "st", telling=True),
        "f0_sd_st": Functional("pitch variability", "st", telling=True, least_snr_db=5),
        "f0_range_st": Functional("pitch range", "st", least_snr_db=5),
        "f0_slope_st_per_s": Functional("pitch slope", "st/s", least_snr_db=5),
        "f0_final_slope_st_per_s": Functional("final pitch slope", "st/s", least_snr_db=8),
        "f0_rise_st_per_s": Functional("steepness of pitch rises", "st/s", least_snr_db=8),
        "f0_fall_st_per_s": Functional("steepness of pitch falls", "st/s", least_snr_db=8),
        "voiced_share": Functional("share of voiced sound", "", telling=True, least_snr_db=13),
    },
    requires=("speech_activity",),
    reference="Boersma 1993 (autocorrelation, best path); Eyben et al. 2016 (GeMAPS functionals)",
)

SEMITONE_ZERO_HZ = 27.5  # A0, the reference of GeMAPS

# What the path calls voiced, but is no voice. Measured on the phones that EMO-DB has marked by
# hand: above the register lie fricatives and formants that ring between the pulses of a creak,
# below it the creak itself, within it whatever is periodic at all.
SHORTEST_VOICE = 3  # frames: 30 ms
CLEAR = 0.75  # periodicity of a frame that may say where the voice lies,
LOUD = 0.2  # and its amplitude, of the loudest frame (-14 dB)
REGISTER_OCTAVES = 1.0  # from the median of those frames; a run farther out is noise:
CRY = 0.4  # above, if fainter than this, of the loudest frame (-8 dB),
CRY_CLARITY = 0.9  # or less periodic, of what the clearest tenth of the voice reaches;
CREAK = 0.1  # below, if fainter than this (-20 dB): hum
JUMP_OCTAVES = 0.5  # between neighbours; the two don't belong together

CONTOUR = np.arange(-2, 3)  # frames that a slope is drawn through: 50 ms
# Frames of the contour that count as its end: 0.3 s, the longer window of Gravano & Hirschberg
# (2011), for of 0.2 s too little is voiced.
FINAL = 30
PHRASE_GAP = 0.5  # seconds without voice; F0 is reset after that


def tracks(frames: Frames, known: Values) -> Values:
    """F0 in Hz; NaN in unvoiced frames."""
    path = pitch_path(frames)
    voiced = _without_noise(path, frames.relative_amplitude)
    return {"f0_hz": np.where(voiced, path.f0_hz, np.nan)}


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Mean, spread and slopes of F0, and the voiced share of the speech.

    Semitones are re 27.5 Hz; means and spreads of semitones are taken in semitones, the range is
    the 20th to 80th percentile. The slope is that of regression lines through all voiced frames,
    parallel ones for phrases (0.5 s without voice lie between two). The other slopes are those of
    the contour, frame by frame: the median of the last 0.3 s (below 0 where the voice falls), the
    mean where it rises, and the mean where it falls, without its sign.
    """
    track = tracks["f0_hz"]
    spoken = in_speech(track.times, tracks["speech_activity"])
    voiced = np.flatnonzero(track.voiced & spoken)
    times, f0_hz = track.times[voiced], track.values[voiced]
    semitones = 12 * np.log2(f0_hz / SEMITONE_ZERO_HZ)
    moments, slopes = _slopes(times, semitones)
    final = slopes[moments.max(initial=0.0) - moments < (FINAL - 0.5) * FRAME_SHIFT]
    return {
        "f0_mean_hz": statistic(f0_hz, np.mean),
        "f0_mean_st": statistic(semitones, np.mean),
        "f0_sd_st": statistic(semitones, np.std),
        "f0_range_st": statistic(semitones, _range),
        "f0_slope_st_per_s": statistic(semitones, lambda y: _slope(times, y)),
        "f0_final_slope_st_per_s": statistic(final, np.median),
        "f0_rise_st_per_s": statistic(slopes[slopes > 0], np.mean),
        "f0_fall_st_per_s": statistic(-slopes[slopes < 0], np.mean),
        "voiced_share": statistic(f0_hz, lambda voice: len(voice) / np.count_nonzero(spoken)),
    }


def _slope(times: NDArray[np.float64], semitones: NDArray[np.float64]) -> float:
    """Common slope of the regression lines through each phrase, per second."""
    phrase = np.cumsum(np.diff(times, prepend=times[:1]) > PHRASE_GAP)
    lengths = np.bincount(phrase)
    centred = times - (np.bincount(phrase, times) / lengths)[phrase]
    return float(centred @ semitones / (centred @ centred))


def _slopes(
    times: NDArray[np.float64], semitones: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times and slopes (st/s) of the contour: regression lines through five frames in a row.

    None where a frame in between is unvoiced or F0 jumps.
    """
    if len(times) < len(CONTOUR):
        return np.zeros(0), np.zeros(0)
    joined = np.diff(times) < 1.5 * FRAME_SHIFT
    joined &= np.abs(np.diff(semitones)) < 12 * JUMP_OCTAVES
    whole = sliding_window_view(joined, len(CONTOUR) - 1).all(axis=-1)
    contour = sliding_window_view(semitones, len(CONTOUR))[whole]
    slopes = contour @ CONTOUR / (CONTOUR @ CONTOUR * FRAME_SHIFT)
    return times[len(CONTOUR) // 2 : -(len(CONTOUR) // 2)][whole], slopes


def _range(semitones: NDArray[np.float64]) -> float:
    low, high = np.percentile(semitones, [20, 80])
    return float(high - low)


def _without_noise(path: Path, amplitude: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Voiced frames (frames,) of the path, without the runs that are too short or no voice."""
    voiced = np.isfinite(path.f0_hz)
    if not voiced.any():
        return voiced
    octaves = np.log2(np.where(voiced, path.f0_hz, 1))
    starts, ends = _runs(voiced, octaves)
    strength, clarity = _peaks(amplitude, starts, ends), _peaks(path.periodicity, starts, ends)
    clearest = np.quantile(path.periodicity[voiced], 0.9)
    heights = np.array([np.median(octaves[s:e]) for s, e in zip(starts, ends, strict=True)])
    sure = voiced & (amplitude > LOUD) & (np.nan_to_num(path.periodicity) > CLEAR)
    register = np.median(octaves[sure]) if np.count_nonzero(sure) > ENOUGH else heights
    above = heights - register > REGISTER_OCTAVES
    below = register - heights > REGISTER_OCTAVES
    noise = ends - starts < SHORTEST_VOICE
    noise |= above & ((strength < CRY) | (clarity < CRY_CLARITY * clearest))
    noise |= below & (strength < CREAK)
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
