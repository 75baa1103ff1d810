"""Voice quality: how much of the voice is harmonic rather than noise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from voxplain.descriptors._family import (
    Card,
    Functional,
    Values,
    scattered,
    statistic,
    voiced_values,
)
from voxplain.descriptors._frames import SAMPLING_RATE, Frames, sinc
from voxplain.types import Track

__all__ = ["CARD", "functionals", "tracks"]

CARD = Card(
    tracks={"hnr_db": "dB"},
    functionals={"hnr_mean_db": Functional("harmonics over noise (HNR)", "dB")},
    requires=("f0_hz", "speech_activity"),
    reference="Boersma 1993, eq. 4: 10 log10(r / (1 - r)) at the period",
)

LEAST, MOST = 1e-3, 1 - 1e-4  # periodicity: -30 to 40 dB, what 50 ms in float32 can tell


def tracks(frames: Frames, known: Values) -> Values:
    """Harmonics-to-noise ratio in dB from the autocorrelation at the F0; NaN where unvoiced."""
    voiced = np.isfinite(known["f0_hz"])
    rows = np.flatnonzero(voiced)
    period = SAMPLING_RATE / known["f0_hz"][rows]
    nearest = np.rint(period).astype(np.intp)
    weights = sinc(period - nearest)
    periodicity = np.einsum("vl,lv->v", frames.around(rows, nearest), weights)
    # A peak lifted beyond 1 by the division by the window is reflected, as in Praat.
    periodicity = np.clip(np.minimum(periodicity, 1 / np.maximum(periodicity, 1)), LEAST, MOST)
    return {"hnr_db": scattered(10 * np.log10(periodicity / (1 - periodicity)), voiced)}


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Mean over the voiced frames of the speech, in dB."""
    return {"hnr_mean_db": statistic(voiced_values(tracks, "hnr_db"), np.mean)}
