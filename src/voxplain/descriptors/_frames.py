"""One recording cut into frames every 10 ms, with the transforms that several families read.

Everything is computed when it is first asked for and kept. The sound is scaled to a peak of 1 on
entry, so that a gain can change nothing but ``Frames.level_db``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from voxplain.errors import ConfigError
from voxplain.types import Audio

__all__ = [
    "DEFAULTS",
    "FAINTEST",
    "FRAME_SHIFT",
    "SAMPLING_RATE",
    "Frames",
    "Settings",
    "bin_hz",
    "mel_hz",
    "sinc",
]

SAMPLING_RATE = 16_000
HOP = 160  # samples: 10 ms
FRAME_SHIFT = HOP / SAMPLING_RATE

FAINTEST = 1e-12
"""Mean square re the peak of the recording (-120 dB); below is the rounding of float32."""

SPECTRUM_WINDOW = 400  # samples: 25 ms, shorter than most syllables
SPECTRUM_FFT = 512  # next power of two: bins of 31.25 Hz
MEL_BANDS = 26  # as in HTK and eGeMAPS
MEL_LOW_HZ, MEL_HIGH_HZ = 20.0, 8000.0
PERIODS = 3  # of the lowest F0, in a frame whose periodicity is measured: 50 ms for 60 Hz
REACH = 24  # samples on both sides that an interpolated lag is made of
# Points of the transform per sample of such a frame, before the next power of two. Less than the
# 4/3 that keep every lag from wrapping around: where frames would meet themselves, their windows
# have faded to 1e-4.
ROOM = 5 / 4
_BLOCK = 512  # frames transformed at a time: 1.6 MB


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the pitch and the formants are looked for.

    Raises ConfigError for a range that is empty or out of reach.
    """

    f0_min_hz: float = 60.0
    f0_max_hz: float = 600.0
    formant_max_hz: float = 5500.0
    """Five formants are looked for below it; about 5000 Hz for a long vocal tract."""

    def __post_init__(self) -> None:
        if not 40 <= self.f0_min_hz < self.f0_max_hz <= 1200:
            raise ConfigError(
                f"F0 can't be searched from {self.f0_min_hz:g} to {self.f0_max_hz:g} Hz; "
                "give a minimum of at least 40 Hz below a maximum of at most 1200 Hz"
            )
        if not 3000 <= self.formant_max_hz <= 8000:
            raise ConfigError(
                f"formants can't be searched up to {self.formant_max_hz:g} Hz; "
                "give 3000 to 8000 Hz (5000 for most men, 5500 for most women)"
            )


DEFAULTS = Settings()


class Frames:
    """Frames of a 16 kHz mono recording; frame ``i`` is centred on ``(i + 1/2) * 10 ms``."""

    def __init__(self, audio: Audio, settings: Settings = DEFAULTS) -> None:
        assert audio.sampling_rate == SAMPLING_RATE, "descriptors are defined at 16 kHz"
        self.settings = settings
        centred = audio.waveform - np.float32(audio.waveform.mean(dtype=np.float64))
        peak = float(np.abs(centred).max(initial=0.0))
        self.waveform = centred / np.float32(peak) if peak else centred
        """(samples,) without offset, scaled to a peak of 1."""
        self._count = len(centred) // HOP
        self.level_db = float(20 * np.log10(peak)) if peak else 0.0
        """Peak of the recording, dB re full scale."""
        self.times = (np.arange(self._count, dtype=np.float64) + 0.5) * FRAME_SHIFT
        """(frames,) centres in seconds."""

    @functools.cached_property
    def power(self) -> NDArray[np.float32]:
        """Power spectra (frames, 257) of 25 ms Hann frames; a row sums to the mean square."""
        window = _hann(SPECTRUM_WINDOW)
        # Parseval; a bin between 0 Hz and Nyquist stands for two of the full transform.
        scale = np.full(SPECTRUM_FFT // 2 + 1, 2 / (SPECTRUM_FFT * (window**2).sum()), np.float32)
        scale[[0, -1]] /= 2
        power = np.empty((self._count, len(scale)), np.float32)
        for rows, squared in self.spectra(window, SPECTRUM_FFT):
            power[rows] = scale * squared
        return power

    @functools.cached_property
    def mel_power(self) -> NDArray[np.float32]:
        """Energy (frames, 26) of the power spectra in triangular bands, equally spaced in mel."""
        return self.power @ _mel_triangles()

    @property
    def autocorrelation(self) -> NDArray[np.float32]:
        """Normalised autocorrelation (frames, lags) of Hann frames of three longest periods.

        From lag 0 to a little beyond the longest period; by default 50 ms and 292 lags. Divided by
        its value at lag 0 and by the autocorrelation of the window (Boersma 1993, eq. 9), so that a
        periodic sound reaches 1 at each multiple of its period.
        """
        return self._correlations[0][:, REACH:]

    @property
    def relative_amplitude(self) -> NDArray[np.float32]:
        """RMS (frames,) of the same frames over that of the loudest; zeros in silence."""
        energy = self._correlations[1]
        loudest = energy.max(initial=0.0)
        return np.sqrt(energy / loudest) if loudest > 0 else energy

    def around(self, rows: NDArray[np.intp], lags: NDArray[np.intp]) -> NDArray[np.float32]:
        """Autocorrelation (..., 49) at the lags that surround an integer lag of each row."""
        return sliding_window_view(self._correlations[0], 2 * REACH + 1, axis=-1)[rows, lags]

    @functools.cached_property
    def _correlations(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Normalised autocorrelation (frames, lags) from lag -24 on, and energy (frames,)."""
        longest = SAMPLING_RATE / self.settings.f0_min_hz  # period, in samples
        window = _hann(max(HOP, 2 * round(PERIODS * longest / 2)))
        points = 1 << (round(ROOM * len(window)) - 1).bit_length()
        cosines = _cosines(points, math.ceil(longest) + REACH)
        of_window = _squared(np.fft.rfft(window, points)) @ cosines
        of_window /= of_window[REACH]
        correlation = np.empty((self._count, len(of_window)), np.float32)
        energy = np.empty(self._count, np.float32)
        for rows, squared in self.spectra(window, points):
            lags = squared @ cosines
            energy[rows] = lags[:, REACH]
            floor = np.maximum(lags[:, [REACH]], FAINTEST)  # silence correlates with nothing
            correlation[rows] = lags / (floor * of_window)
        return correlation, energy

    def spectra(
        self,
        window: NDArray[np.float32],
        points: int,
        where: NDArray[np.bool_] | None = None,
    ) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Squared transforms (up to 512, points / 2 + 1) of windowed frames, block by block.

        Of all frames, or those ``where`` (frames,) is true; the slice says which of them. Each
        frame loses its own mean first, for drift is no voice.
        """
        margin = (len(window) - HOP) // 2
        padded = np.pad(self.waveform, (margin, margin + HOP))
        frames = sliding_window_view(padded, len(window))[::HOP][: self._count]
        chosen = np.arange(self._count) if where is None else np.flatnonzero(where)
        for start in range(0, len(chosen), _BLOCK):
            rows = slice(start, start + _BLOCK)
            block = frames[chosen[rows]]
            windowed = (block - block.mean(axis=-1, keepdims=True)) * window
            yield rows, _squared(np.fft.rfft(windowed, points, axis=-1))


@functools.cache
def bin_hz() -> NDArray[np.float64]:
    """Centre frequencies (257,) of the bins of ``Frames.power``."""
    return np.arange(SPECTRUM_FFT // 2 + 1, dtype=np.float64) * SAMPLING_RATE / SPECTRUM_FFT


@functools.cache
def mel_hz() -> NDArray[np.float64]:
    """Centre frequencies (26,) of the bands of ``Frames.mel_power``."""
    return _mel_corners()[1:-1]


def sinc(fractions: NDArray[np.float64]) -> NDArray[np.float32]:
    """Weights (49, fractions) of the lags around an integer lag for fractions of a sample.

    ``Frames.around(...) @ sinc(fractions)`` is the autocorrelation between its samples (Boersma
    1993, eq. 22: a sinc under a raised cosine).
    """
    distance = np.arange(-REACH, REACH + 1)[:, None] - fractions
    taper = 0.5 + 0.5 * np.cos(np.pi * distance / (REACH + 1))
    return (np.sinc(distance) * taper).astype(np.float32)


@functools.cache
def _hann(length: int) -> NDArray[np.float32]:
    """Hann window (length,), symmetric, without zeros at its ends."""
    return (np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2).astype(np.float32)


@functools.lru_cache(maxsize=4)
def _cosines(points: int, longest_lag: int) -> NDArray[np.float32]:
    """Matrix from a power spectrum (points / 2 + 1) to the autocorrelation from lag -24 on.

    An inverse transform of the lags that are needed; faster than one of all of them.
    """
    bins = np.arange(points // 2 + 1)[:, None]
    matrix = 2 * np.cos(2 * np.pi * bins * np.arange(-REACH, longest_lag + 1) / points)
    matrix[[0, -1]] /= 2  # as in Frames.power
    return (matrix / points).astype(np.float32)


@functools.cache
def _mel_triangles() -> NDArray[np.float32]:
    """Weights (257, 26) of the bins in each band: 1 at its centre, 0 at those of its neighbours."""
    bins, corners = _mel(bin_hz())[:, None], _mel(_mel_corners())
    low, centre, high = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return np.maximum(np.minimum(rising, falling), 0).astype(np.float32)


def _mel_corners() -> NDArray[np.float64]:
    """Frequencies (28,) in Hz where the mel bands begin, peak and end, from 20 to 8000 Hz."""
    low, high = _mel(np.array([MEL_LOW_HZ, MEL_HIGH_HZ]))
    corners: NDArray[np.float64] = 700 * np.expm1(np.linspace(low, high, MEL_BANDS + 2) / 1127)
    return corners


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mel of frequencies as in HTK (Young et al. 2006)."""
    return 1127 * np.log1p(hz / 700)


def _squared(spectrum: NDArray[np.complexfloating]) -> NDArray[np.float32]:
    power: NDArray[np.float32] = spectrum.real**2 + spectrum.imag**2
    return power
