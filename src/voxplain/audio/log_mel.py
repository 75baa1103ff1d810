"""The log-mel spectrogram that Whisper encoders read (Radford et al. 2022), in numpy.

Values equal those of Whisper's own front end, except that a recording keeps its length: nothing
is padded to 30 s.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["BANDS", "FRAME_SHIFT", "HOP", "SAMPLING_RATE", "band_edges", "log_mel"]

SAMPLING_RATE = 16_000
HOP = 160  # samples: 10 ms
WINDOW = 400  # samples: 25 ms
BANDS = 80
FRAME_SHIFT = HOP / SAMPLING_RATE


def log_mel(waveform: NDArray[np.float32], *, bands: int = BANDS) -> NDArray[np.float32]:
    """Log-mel spectrogram (bands, frames), frames = samples // 160, of a 16 kHz mono waveform."""
    padded = np.pad(waveform, WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    # Whisper drops the frame that is centred on the end of the recording.
    spectrum = np.fft.rfft(frames[: len(waveform) // HOP] * _window(), axis=-1)
    power = spectrum.real**2 + spectrum.imag**2
    mel = np.log10(np.maximum(power @ _filters(bands), 1e-10))
    # A floor 80 dB below the loudest point, then roughly [-1, 1].
    scaled: NDArray[np.float32] = (np.maximum(mel, mel.max() - 8) + 4) / 4
    return np.ascontiguousarray(scaled.T)


def band_edges() -> tuple[float, ...]:
    """Hz (81,): where each of the 80 bands hands over to the next, between their peaks."""
    peaks = _corners(BANDS)[1:-1]
    return (0.0, *((peaks[1:] + peaks[:-1]) / 2).tolist(), SAMPLING_RATE / 2)


@functools.cache
def _window() -> NDArray[np.float32]:
    """Periodic Hann window (400,)."""
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)


@functools.cache
def _filters(bands: int) -> NDArray[np.float32]:
    """Triangular filters (201, bands) on Slaney's mel scale, each of unit area, 0-8 kHz."""
    hz = _corners(bands)
    bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLING_RATE)[:, None]
    low, centre, high = hz[:-2], hz[1:-1], hz[2:]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    triangles = np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)
    return triangles.astype(np.float32)


def _corners(bands: int) -> NDArray[np.float64]:
    """Hz (bands + 2,): a triangle rises from one, peaks at the next and ends at the one after."""
    return _slaney_hz(np.linspace(0, _slaney_mel(SAMPLING_RATE / 2), bands + 2))


# Slaney's scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above.
_LINEAR = 200 / 3  # Hz per mel
_BREAK = 1000 / _LINEAR  # mel at 1 kHz
_LOG_STEP = math.log(6.4) / 27  # 27 mel from 1 kHz to 6.4 kHz


def _slaney_mel(hz: float) -> float:
    return _BREAK + math.log(hz / 1000) / _LOG_STEP


def _slaney_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithmic = 1000 * np.exp(_LOG_STEP * (np.maximum(mel, _BREAK) - _BREAK))
    return np.where(mel < _BREAK, mel * _LINEAR, logarithmic)
