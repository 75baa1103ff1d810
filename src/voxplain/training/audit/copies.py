"""Which recordings are the same: sample by sample, or after a gain, a codec, a trim.

Two steps. A fingerprint that a shift in time and a gain leave as it is, so that candidates are
found by one matrix product; then their waveforms, which must agree at some shift. Other takes of
the same sentence by the same speaker have similar fingerprints, but not the same waveform. How
often this errs is measured in docs/audit.md.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.log_mel import FRAME_SHIFT, SAMPLING_RATE, log_mel
from voxplain.training.corpora._reading import Utterance, sound

__all__ = ["ALIKE", "NOTHING", "SAME", "agreement", "alike", "fingerprint", "near_copies"]

ALIKE = 0.82
"""Cosine of two fingerprints from which on their waveforms are held against each other."""
SAME = 0.7
"""Correlation of two waveforms from which on they are the same recording."""

_LOWEST, _HIGHEST = 5, 57  # of Whisper's 80 bands: 0.2 to 3.2 kHz, which a telephone passes too
_BANDS = 13
_RANGE = 1.0  # 40 dB below the loudest point, in the units of log_mel
_FRAMES = 2048  # the first 20 s are looked at
_SLOWEST = 0.2  # Hz of the modulation that is looked at ...
_RATES, _BINS = 40, 8  # ... in 40 steps of 0.4 Hz
NOTHING = np.zeros(_BANDS * _RATES, np.float32)
"""The fingerprint of what has none; like no other."""


def fingerprint(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Modulation spectrum (520,) of a 16 kHz waveform, without mean and of unit length.

    How strongly the level of each of 13 bands, as far as it is within 40 dB of the loudest point,
    moves at 40 rates from 0.2 to 16 Hz. Each rate weighs by its square root, for the spectrum
    of speech falls. Magnitudes know no shift in time; levels re the loudest point know no gain.
    """
    level = log_mel(waveform)[_LOWEST:_HIGHEST, :_FRAMES]
    above = np.maximum(level - (level.max() - _RANGE), 0)
    bands = above.reshape(_BANDS, -1, above.shape[1]).mean(1)
    first = round(_SLOWEST * _FRAMES * FRAME_SHIFT)
    bins = np.arange(first, first + _RATES * _BINS)
    spectrum = np.abs(np.fft.rfft(bands, _FRAMES)[:, bins]) * np.sqrt(bins)
    found = spectrum.reshape(_BANDS, _RATES, _BINS).mean(-1).ravel()
    found -= found.mean()
    length = np.linalg.norm(found)
    return (found / length).astype(np.float32) if length > 0 else NOTHING


def alike(
    fingerprints: NDArray[np.float32], *, at_least: float = ALIKE
) -> Iterator[tuple[int, int]]:
    """Pairs (i < j) of rows (n, 520) whose cosine reaches a threshold."""
    for start in range(0, len(fingerprints), _BLOCK):
        cosines = fingerprints[start : start + _BLOCK] @ fingerprints[start:].T
        rows, columns = np.nonzero(cosines >= at_least)
        later = columns > rows
        yield from zip(
            (start + rows[later]).tolist(), (start + columns[later]).tolist(), strict=True
        )


_BLOCK = 1024  # rows at a time, against all that follow


def agreement(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Greatest correlation of two 16 kHz waveforms over all shifts, from 200 to 3400 Hz, in [0, 1].

    Whatever their polarity. Both are normalised by all of their own energy.
    """
    points = 1 << (len(one) + len(other) - 1).bit_length()
    hz = np.fft.rfftfreq(points, 1 / SAMPLING_RATE)
    outside = (hz < _BAND_HZ[0]) | (hz > _BAND_HZ[1])
    spectra = [np.fft.rfft(waveform, points) for waveform in (one, other)]
    for spectrum in spectra:
        spectrum[outside] = 0
    energies = [np.square(np.fft.irfft(spectrum, points)).sum() for spectrum in spectra]
    product = np.fft.irfft(spectra[0] * np.conj(spectra[1]), points)
    return float(np.abs(product).max() / max(np.sqrt(energies[0] * energies[1]), 1e-20))


_BAND_HZ = (200.0, 3400.0)


def near_copies(
    utterances: Sequence[Utterance], fingerprints: NDArray[np.float32]
) -> Iterator[tuple[int, int]]:
    """Pairs (i < j) of utterances that are the same recording; candidates are decoded anew."""

    @functools.lru_cache(maxsize=512)
    def waveform(index: int) -> NDArray[np.float32]:
        return sound(utterances[index]).waveform

    for one, other in alike(fingerprints):
        if agreement(waveform(one), waveform(other)) >= SAME:
            yield one, other
