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
    tracks={"high_band_db": "dB", "bandwidth_hz": "Hz"},
    functionals={
        "snr_db": Functional("signal-to-noise ratio of the recording", "dB"),
        "snr_high_db": Functional("signal-to-noise ratio at 1-5 kHz", "dB"),
        "bandwidth_hz": Functional("bandwidth of the recording", "Hz"),
    },
    requires=("intensity_db", "speech_activity"),
    reference="own definition: power of the speech over that of the quietest quarter of the rest",
)

HIGH_BAND_HZ = (1000, 5000)  # that of the alpha ratio: hiss drowns it long before the voice itself
GREATEST_SNR_DB = 90.0  # of 16 bits

CLIFF_DB = 30.0  # what a low-pass takes away at least; speech itself falls more gently
SHELF_HZ = 600.0  # below the cliff, as wide as the cliff is looked at
EDGE_HZ = 200.0  # half as wide as the cliff may be


def tracks(frames: Frames, known: Values) -> Values:
    """Level at 1-5 kHz (dB, NaN in silence) and the bandwidth of the stretch (Hz).

    The bandwidth reaches to where the mean spectrum falls off a cliff.
    """
    low, high = np.searchsorted(bin_hz(), HIGH_BAND_HZ)
    power = frames.power[:, low:high].sum(axis=-1, dtype=np.float64)
    level = 10 * np.log10(np.maximum(power, FAINTEST)) + frames.level_db
    mean = frames.power.mean(axis=0) if len(power) else np.zeros(len(bin_hz()))
    return {
        "high_band_db": np.where(power > FAINTEST, level, np.nan),
        "bandwidth_hz": np.full(len(power), _bandwidth(mean)),
    }


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Signal-to-noise ratios, NaN where there is no pause to hear the noise in; least bandwidth."""
    return {
        "snr_db": _snr(tracks["intensity_db"], tracks["speech_activity"]),
        "snr_high_db": _snr(tracks["high_band_db"], tracks["speech_activity"]),
        "bandwidth_hz": statistic(tracks["bandwidth_hz"].values, np.min),
    }


def _snr(level_db: Track, activity: Track) -> float:
    """Mean power of the speech over that of the quietest quarter of the other frames, in dB."""
    spoken = in_speech(level_db.times, activity)
    power = np.nan_to_num(10 ** (level_db.values / 10))  # digital silence has none
    noise = statistic(power[~spoken], lambda quiet: quiet[quiet <= np.quantile(quiet, 0.25)].mean())
    if not power[spoken].any():
        return math.nan
    speech = float(power[spoken].mean())
    return 10 * math.log10(speech / max(noise, speech * 10 ** (-GREATEST_SNR_DB / 10)))


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
