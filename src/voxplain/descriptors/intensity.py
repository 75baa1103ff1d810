"""Intensity: how strong the voice is, how much that changes, and how abruptly the voice sets in."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from voxplain.descriptors._family import Card, Functional, Values, in_speech, statistic
from voxplain.descriptors._frames import FAINTEST, FRAME_SHIFT, Frames
from voxplain.types import Track

__all__ = ["CARD", "functionals", "tracks"]

CARD = Card(
    tracks={"intensity_db": "dB"},
    functionals={
        "intensity_mean_db": Functional("intensity", "dB"),
        "intensity_sd_db": Functional("intensity variability", "dB", least_snr_db=28),
        "intensity_range_db": Functional("intensity range", "dB", telling=True, least_snr_db=17),
        "voice_onset_db_per_s": Functional(
            "steepness of voice onsets", "dB/s", telling=True, least_snr_db=17
        ),
    },
    requires=("f0_hz", "speech_activity"),
    reference="RMS of 25 ms Hann frames, dB re full scale; energy mean as in Praat; onsets: own "
    "definition after the vocal rise time of Koike 1967",
)

ONSET = 5  # frames without voice before an onset, and frames looked at on both sides: 50 ms
RISE = 4  # frames that a rise is measured over: 40 ms
FLOOR_DB = 30.0  # below the loudest speech; a rise out of silence starts here, however deep it is
LEAST_ONSETS = 2


def tracks(frames: Frames, known: Values) -> Values:
    """Intensity in dB re full scale (a full-scale sine is -3 dB); NaN in digital silence."""
    mean_square = frames.power.sum(axis=-1, dtype=np.float64)
    level = 10 * np.log10(np.maximum(mean_square, FAINTEST)) + frames.level_db
    return {"intensity_db": np.where(mean_square > FAINTEST, level, np.nan)}


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Energy mean, SD and 20th-80th percentile range of the speech; steepness of voice onsets.

    An onset is voice after 50 ms without; its steepness is the steepest rise over 40 ms, at most
    50 ms away. The mean of at least two.
    """
    track = tracks["intensity_db"]
    spoken = in_speech(track.times, tracks["speech_activity"])
    values = track.values[spoken & np.isfinite(track.values)]
    return {
        "intensity_mean_db": statistic(values, _energy_mean),
        "intensity_sd_db": statistic(values, np.std),
        "intensity_range_db": statistic(values, _range),
        "voice_onset_db_per_s": statistic(
            values, lambda speech: _onset(track, spoken, speech.max())
        ),
    }


def _energy_mean(level_db: NDArray[np.float64]) -> float:
    return float(10 * np.log10(np.mean(10 ** (level_db / 10))))


def _range(level_db: NDArray[np.float64]) -> float:
    low, high = np.percentile(level_db, [20, 80])
    return float(high - low)


def _onset(track: Track, spoken: NDArray[np.bool_], loudest: float) -> float:
    """Mean steepness of the voice onsets in the speech, in dB per second."""
    level = np.maximum(np.nan_to_num(track.values, nan=-np.inf), loudest - FLOOR_DB)
    length = 2 * ONSET + 1
    times = sliding_window_view(track.times, length)
    voiced = sliding_window_view(track.voiced, length)
    onset = voiced[:, ONSET] & ~voiced[:, :ONSET].any(axis=-1) & spoken[ONSET:-ONSET]
    onset &= times[:, -1] - times[:, 0] < (length - 0.5) * FRAME_SHIFT  # no gap in between
    around = sliding_window_view(level, length)[onset]
    rises = (around[:, RISE:] - around[:, :-RISE]).max(axis=-1) / (RISE * FRAME_SHIFT)
    return float(rises.mean()) if len(rises) >= LEAST_ONSETS else math.nan
