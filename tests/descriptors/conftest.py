"""Signals whose descriptors are known, and the way a caller describes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from voxplain import descriptors
from voxplain.audio.activity import CHUNK
from voxplain.types import Audio, Track

RATE = 16_000
DATA = Path(__file__).parents[3] / "shared/data/speech"


@pytest.fixture
def noise():
    """White noise of unit RMS."""

    def make(seconds, *, seed=0):
        return np.random.default_rng(seed).standard_normal(int(seconds * RATE))

    return make


@pytest.fixture
def harmonics():
    """Harmonics of an F0 in Hz (a number or one per sample) below 7.5 kHz, of unit RMS."""

    def make(f0_hz, seconds=1.5, *, level_db=lambda hz: -6 * np.log2(hz / 100), lowest=1):
        f0_hz = np.atleast_1d(f0_hz).astype(float)
        phase = 2 * np.pi * np.cumsum(np.broadcast_to(f0_hz, int(seconds * RATE))) / RATE
        first = np.exp(1j * phase)
        total, harmonic = np.zeros(len(phase)), first**lowest
        for number in range(lowest, int(7500 / f0_hz.max()) + 1):
            gain = 10 ** (level_db(number * f0_hz) / 20)
            total += (gain * np.exp(1j * number**2) * harmonic).real
            harmonic *= first
        return total / total.std()

    return make


@pytest.fixture
def measure():
    """Tracks and functionals of a waveform in which all, or a given part, counts as speech."""

    def make(waveform, activity=None, *, gain=0.1, start=0.0):
        audio = Audio((gain * waveform).astype(np.float32), RATE, "test")
        if activity is None:
            activity = np.ones(int(np.ceil(len(waveform) / CHUNK)))
        times = start + (np.arange(len(activity)) + 0.5) * CHUNK / RATE
        speech = Track(times, np.asarray(activity, float), "", np.zeros(len(times), bool))
        tracks = descriptors.tracks(audio, start=start)
        return tracks, descriptors.functionals({**tracks, "speech_activity": speech})

    return make


@pytest.fixture(scope="session")
def speech_data():
    """Folder of the real recordings."""
    if not DATA.exists():
        pytest.skip(f"{DATA} is not here")
    return DATA


@pytest.fixture
def recordings(speech_data):
    """Every n-th recording of EMO-DB, as (name, waveform)."""

    def make(*, every):
        for path in sorted((speech_data / "emodb").glob("*.flac"))[::every]:
            yield path.stem, soundfile.read(path, dtype="float32")[0]

    return make
