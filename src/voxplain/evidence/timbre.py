"""What a voice is made of, changed without touching when it sounds: its tilt, and its breath."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from voxplain.audio.activity import SAMPLING_RATE
from voxplain.descriptors._frames import FAINTEST, FRAME_SHIFT, Frames, bin_hz
from voxplain.evidence.psola import Trains
from voxplain.types import Audio

__all__ = ["breathy", "tilted"]

PIVOT_HZ = 1000.0  # where the alpha ratio has its border
LOW_HZ, HIGH_HZ = 50.0, 5000.0  # and where it ends; below, the tilt does not go on
STEPS = 6  # towards the slope; each leaves a tenth of the error or less

WINDOW, HOP, POINTS = 400, 100, 512  # samples: 25 ms four times over, and the transform
ONSET = 80  # samples (5 ms) that breath takes to set in


def tilted(
    waveform: NDArray[np.float32], voiced: NDArray[np.float64], *, tilt_db: float
) -> NDArray[np.float32]:
    """16 kHz sound whose alpha ratio is ``tilt_db`` higher, on average over its voiced frames.

    These are centred on ``voiced`` (frames,) in seconds. All of the sound goes through one filter,
    a straight line in dB per octave, and the voice stays as strong as it was.
    """
    frames = Frames(Audio(waveform, SAMPLING_RATE, ""))
    rows = (voiced / FRAME_SHIFT).astype(np.intp)
    power = frames.power[rows[rows < len(frames.times)]]
    octaves = _octaves(bin_hz())
    high = (bin_hz() >= PIVOT_HZ) & (bin_hz() < HIGH_HZ)
    low = (bin_hz() >= LOW_HZ) & (bin_hz() < PIVOT_HZ)

    def alpha_db(slope: float) -> float:
        weights = 10 ** (slope * octaves / 10)
        parts = (np.maximum(power @ (weights * band), FAINTEST) for band in (high, low))
        above, below = parts
        return float(np.mean(10 * np.log10(above / below)))

    slope, before = tilt_db / 2, alpha_db(0.0)
    for _ in range(STEPS):
        slope *= tilt_db / (alpha_db(slope) - before)
    same = np.sqrt(power.sum() / (power @ 10 ** (slope * octaves / 10)).sum())
    points = len(waveform) + WINDOW  # what a filter moves across the end meets silence
    hz = np.fft.rfftfreq(points, 1 / SAMPLING_RATE)
    spectrum = np.fft.rfft(waveform, points) * same * 10 ** (slope * _octaves(hz) / 20)
    return np.fft.irfft(spectrum, points)[: len(waveform)].astype(np.float32)


def breathy(waveform: NDArray[np.float32], trains: Trains, *, share: float) -> NDArray[np.float32]:
    """16 kHz sound with a ``share`` of the power of its voice replaced by noise of its spectrum.

    A periodicity of r becomes (1 - share) r, and with it the harmonics-to-noise ratio falls.
    """
    voice = np.zeros(len(waveform))
    for train in trains:
        voice[slice(*np.rint(train[[0, -1]] * SAMPLING_RATE).astype(int))] = share
    mixed = np.convolve(voice, np.hanning(2 * ONSET + 1) / ONSET, mode="same")
    f0_hz = 1 / np.median(np.concatenate([np.diff(train) for train in trains]))
    noise = _noise_like(waveform, f0_hz=float(f0_hz))
    return (np.sqrt(1 - mixed) * waveform + np.sqrt(mixed) * noise).astype(np.float32)


def _noise_like(waveform: NDArray[np.float32], *, f0_hz: float) -> NDArray[np.float64]:
    """Noise (samples,) with the short-time spectrum of a voice, but for its harmonics.

    White noise through the power spectrum of each frame, averaged over the distance between two
    harmonics. The same waveform always meets the same noise.
    """
    window = np.sin(np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)  # twice is Hann, adding up to 2
    padded = np.pad(waveform, WINDOW)
    white = np.random.default_rng(0).standard_normal(len(padded))
    width = max(1, round(f0_hz * POINTS / SAMPLING_RATE))
    noise = np.zeros(len(padded))
    frames, noises = (sliding_window_view(x, WINDOW)[::HOP] for x in (padded, white))
    power = np.abs(np.fft.rfft(frames * window**2, POINTS)) ** 2 / (window**4).sum()
    until = np.cumsum(
        np.pad(power, ((0, 0), (width // 2 + 1, width - width // 2 - 1)), "reflect"), -1
    )
    envelope = np.sqrt((until[:, width:] - until[:, :-width]) / width)
    pieces = np.fft.irfft(envelope * np.fft.rfft(noises * window, POINTS), POINTS)[:, :WINDOW]
    for row, piece in enumerate(pieces * window / 2):
        noise[row * HOP : row * HOP + WINDOW] += piece
    return noise[WINDOW : WINDOW + len(waveform)]


def _octaves(hz: NDArray[np.floating]) -> NDArray[np.float64]:
    """Octaves above 1 kHz; what lies below 50 Hz counts as 50 Hz."""
    octaves: NDArray[np.float64] = np.log2(np.maximum(hz, LOW_HZ) / PIVOT_HZ)
    return octaves
