"""Loudness: how strong the speech is to the ear, which hears some frequencies better than others.

It is no sone: nobody knows how far the microphone was, or how loud the recording is played.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors._family import Card, Functional, Values, in_speech, statistic
from voxplain.descriptors._frames import FAINTEST, FRAME_SHIFT, Frames, mel_hz
from voxplain.types import Track

__all__ = ["CARD", "functionals", "tracks"]

CARD = Card(
    tracks={"loudness": ""},
    functionals={
        "loudness_mean": Functional("loudness", "", least_snr_db=21, least_bandwidth_hz=7000),
        "loudness_sd": Functional("loudness variability", "", least_snr_db=16),
        "loudness_range": Functional("loudness range", "", least_snr_db=17),
        "loudness_peak_rate": Functional("loudness peaks", "1/s", least_snr_db=9),
    },
    requires=("speech_activity",),
    reference="Hermansky 1990 (equal loudness, power law), summed as in Eyben et al. 2016",
)

EXPONENT = 0.33  # of power: 10 dB make it 2.1 times as loud
SCALE = 2.086  # puts it on the scale of openSMILE's eGeMAPS
SMOOTHING = np.ones(3) / 3  # frames, as in eGeMAPS
PEAK_SHARE = 0.1  # of the span of the loudness, by which a peak rises and falls at least
EXTREMES = (1, 99)  # percentiles that span it, as one shout must not hide all other peaks


def tracks(frames: Frames, known: Values) -> Values:
    """Loudness at the level of the recording, on the scale of eGeMAPS; NaN in digital silence.

    The energy in 26 mel bands, weighted by the sensitivity of the ear, compressed and summed.
    """
    specific = (frames.mel_power * _sensitivity()) ** EXPONENT
    loudness = SCALE * specific.sum(axis=-1, dtype=np.float64)
    loudness *= 10 ** (EXPONENT * frames.level_db / 10)
    heard = frames.power.sum(axis=-1) > FAINTEST
    return {"loudness": np.where(heard, loudness, np.nan)}


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Mean, SD, 20th to 80th percentile and peaks per second of speech, voiced or not."""
    track = tracks["loudness"]
    spoken = in_speech(track.times, tracks["speech_activity"])
    values = track.values[spoken & np.isfinite(track.values)]
    return {
        "loudness_mean": statistic(values, np.mean),
        "loudness_sd": statistic(values, np.std),
        "loudness_range": statistic(values, lambda v: np.ptp(np.percentile(v, (20, 80)))),
        "loudness_peak_rate": statistic(values, _peak_rate),
    }


def _peak_rate(loudness: NDArray[np.float64]) -> float:
    """Peaks per second of a loudness (frames,) that stand out on both sides."""
    smooth = np.convolve(loudness, SMOOTHING, mode="valid")
    least = PEAK_SHARE * np.ptp(np.percentile(smooth, EXTREMES))
    peaks, low, high, rising = 0, smooth[0], smooth[0], False
    for here in smooth.tolist():
        low, high = min(low, here), max(high, here)
        if rising and here < high - least:
            peaks, low, rising = peaks + 1, here, False
        elif not rising and here > low + least:
            high, rising = here, True
    return peaks / (len(loudness) * FRAME_SHIFT)


@functools.cache
def _sensitivity() -> NDArray[np.float32]:
    """Weights (26,) of the power in the mel bands, from the equal loudness at 40 phon.

    Hermansky 1990, with its term for what lies above 5 kHz.
    """
    squared = (2 * np.pi * mel_hz()) ** 2  # rad/s
    weights = (squared + 56.8e6) * squared**2 / ((squared + 6.3e6) ** 2 * (squared + 0.38e9))
    return (weights / (squared**3 / 9.58e26 + 1)).astype(np.float32)
