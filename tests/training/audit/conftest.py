"""Recordings to audit: real ones, and what may have become of them."""

import numpy as np
import pytest
import soundfile
import soxr

from voxplain.audio.read import read

RATE = 16_000


@pytest.fixture(scope="session")
def spoken(clips):
    """Name -> waveform of the five recordings."""
    return {path.stem: read(path).waveform for path in clips}


@pytest.fixture
def put(tmp_path):
    """Writes a waveform to a file and gives its path."""

    def write(name, waveform, rate=RATE, **options):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, waveform, rate, **options)
        return path

    return write


def other_rate(waveform, rate):
    return soxr.resample(waveform, RATE, rate).astype(np.float32)
