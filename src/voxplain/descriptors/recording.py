"""The recording itself: how noisy and how narrow it is, and so what can be measured in it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors._family import Card, Functional, Values, in_speech, statistic
from voxplain.descriptors._frames import FAINTEST, Frames, bin_hz
from voxplain.types import Track

__all__ = ["CARD", "functionals", "tracks"]

CARD = Card(
    tracks={"bandwidth_hz": "Hz"},
    functionals={
        "snr_db": Functional("signal-to-noise ratio of the recording", "dB"),
        "bandwidth_hz": Functional("bandwidth of the recording", "Hz"),
    },
    requires=("intensity_db", "speech_activity"),
    reference="own definition: energy of the speech over that of the quieter half of the pauses",
)

CLIFF_DB = 30.0  # what a low-pass takes away at least; speech itself falls more gently
SHELF_HZ = 600.0  # below the cliff, as wide as the cliff is looked at
EDGE_HZ = 200.0  # half as wide as the cliff may be
GREATEST_SNR_DB = 90.0  # of 16 bits


def tracks(frames: Frames, known: Values) -> Values:
    """Bandwidth of the stretch in Hz: up to where its mean spectrum falls off a cliff."""
    power = frames.power.mean(axis=0) if len(frames.times) else np.zeros(len(bin_hz()))
    return {"bandwidth_hz": np.full(len(frames.times), _bandwidth(power))}


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """SNR in dB by the quieter half of the pauses (NaN without any), and the least bandwidth."""
    track = tracks["intensity_db"]
    spoken = in_speech(track.times, tracks["speech_activity"])
    power = np.nan_to_num(10 ** (track.values / 10))  # digital silence has none
    speech, pauses = power[spoken], power[~spoken]
    snr_db = math.nan
    if speech.any():
        noise = statistic(pauses, lambda quiet: np.mean(quiet[quiet <= np.median(quiet)]))
        floor = np.mean(speech) * 10 ** (-GREATEST_SNR_DB / 10)
        snr_db = float(10 * np.log10(np.mean(speech) / np.maximum(noise, floor)))
    return {"snr_db": snr_db, "bandwidth_hz": statistic(tracks["bandwidth_hz"].values, np.min)}


def _bandwidth(power: NDArray[np.floating]) -> float:
    """The cliff of a mean power spectrum (257,), or the Nyquist frequency without one."""
    if power.max() <= FAINTEST:
        return math.nan
    hz, level = bin_hz(), 10 * np.log10(np.maximum(power, FAINTEST))
    above = np.maximum.accumulate(level[::-1])[::-1]  # the loudest from here on
    width, edge = round(SHELF_HZ / hz[1]), round(EDGE_HZ / hz[1])
    for row in range(width + edge, len(hz) - edge):
        if level[row - edge - width : row - edge].mean() - above[row + edge] > CLIFF_DB:
            return float(hz[row])
    return float(hz[-1])
