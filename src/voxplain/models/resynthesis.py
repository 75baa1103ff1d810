"""Sound whose log-mel spectrogram has been changed, cell by cell.

Explainers take parts of a log-mel spectrogram away; a model that hears a waveform needs a sound in
which they are missing. A spectrogram has no phases, so a sound made from it alone differs from the
recording everywhere, and what a model then loses can't be told from what was taken. Here the change
alone is applied, as a gain on the recording's own short-time spectrum, and the sound put together
again by weighted overlap-add (Griffin & Lim 1984, eq. 6). Where nothing changes the recording
comes back to rounding, so that what a model loses is due to the cells that were changed.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.log_mel import BANDS, HOP, SAMPLING_RATE, WINDOW, band_edges

__all__ = ["changed"]


def changed(waveform: NDArray[np.float32], difference: NDArray[np.floating]) -> NDArray[np.float32]:
    """The waveform (samples,), 16 kHz, with its log-mel spectrogram changed by so much.

    ``difference`` (80, samples // 160) is in the unit of ``audio.log_mel``: 0.25 is 10 dB.
    """
    # One frame more than log_mel has, lest the last samples lie under no window.
    frames = len(waveform) // HOP + 1
    gains = 10 ** (2 * np.pad(difference, ((0, 0), (0, 1)), mode="edge").T @ _bins_of_bands())
    padded = np.pad(waveform, WINDOW // 2, mode="reflect")
    window = np.hanning(WINDOW + 1)[:-1]
    places = HOP * np.arange(frames)[:, None] + np.arange(WINDOW)
    spectra = np.fft.rfft(padded[places] * window) * gains
    pieces = np.fft.irfft(spectra, WINDOW) * window
    weights = np.broadcast_to(window**2, places.shape)
    sound, weight = (np.bincount(places.ravel(), one.ravel()) for one in (pieces, weights))
    kept = slice(WINDOW // 2, WINDOW // 2 + len(waveform))
    found: NDArray[np.float32] = (sound[kept] / weight[kept]).astype(np.float32)
    return found


@functools.cache
def _bins_of_bands() -> NDArray[np.float64]:
    """(80, 201): how much of a band each bin takes; linear between the middles of bands."""
    edges = np.array(band_edges())
    middles = (edges[1:] + edges[:-1]) / 2
    bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLING_RATE)
    return np.stack([np.interp(bins, middles, one) for one in np.eye(BANDS)])
