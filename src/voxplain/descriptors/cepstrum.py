"""Cepstrum: the shape of the spectrum, and so of the vocal tract, in four numbers a frame."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors._family import (
    Card,
    Functional,
    Values,
    scattered,
    statistic,
    voiced_values,
)
from voxplain.descriptors._frames import FAINTEST, MEL_BANDS, Frames
from voxplain.types import Track

__all__ = ["CARD", "functionals", "tracks"]

ORDERS = np.arange(1, 5)
"""Coefficients that eGeMAPS holds; the one of order 0 would be the level."""

CARD = Card(
    tracks={f"mfcc_{order}": "" for order in ORDERS},
    functionals={
        name: card
        for order, mean_snr_db, sd_snr_db in ((1, 25, 30), (2, 0, 21), (3, 18, 25), (4, 15, 23))
        for name, card in {
            f"mfcc_{order}_mean": Functional(
                f"mel cepstrum, coefficient {order}",
                "",
                least_snr_high_db=mean_snr_db,
                least_bandwidth_hz=7000,
            ),
            f"mfcc_{order}_sd": Functional(
                f"variability of mel cepstrum {order}",
                "",
                least_snr_high_db=sd_snr_db,
                least_bandwidth_hz=6000,
            ),
        }.items()
    },
    requires=("f0_hz", "speech_activity"),
    reference="Young et al. 2006 (HTK book), on 26 bands of power as in eGeMAPS",
)

LIFTER = 22  # raises the higher coefficients to a similar size


def tracks(frames: Frames, known: Values) -> Values:
    """Mel-frequency cepstral coefficients 1-4; NaN where unvoiced.

    The first is high where low frequencies prevail; the next ones follow ever finer waves of the
    spectrum.
    """
    voiced = np.isfinite(known["f0_hz"])
    coefficients = np.log(np.maximum(frames.mel_power[voiced], FAINTEST)) @ _waves()
    return {
        f"mfcc_{order}": scattered(coefficients[:, column], voiced)
        for column, order in enumerate(ORDERS)
    }


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Mean and standard deviation over the voiced frames of the speech."""
    found = {}
    for order in ORDERS:
        values = voiced_values(tracks, f"mfcc_{order}")
        found[f"mfcc_{order}_mean"] = statistic(values, np.mean)
        found[f"mfcc_{order}_sd"] = statistic(values, np.std)
    return found


@functools.cache
def _waves() -> NDArray[np.float32]:
    """Liftered cosines (26, 4) across the bands that the coefficients are projections on."""
    bands = np.arange(MEL_BANDS)[:, None] + 0.5
    cosines = np.sqrt(2 / MEL_BANDS) * np.cos(np.pi * ORDERS * bands / MEL_BANDS)
    lifter = 1 + LIFTER / 2 * np.sin(np.pi * ORDERS / LIFTER)
    waves: NDArray[np.float32] = (cosines * lifter).astype(np.float32)
    return waves
