"""The front end is Whisper's: held against transformers' and against a slow textbook one."""

import math

import numpy as np
import pytest

from voxplain.audio.log_mel import BANDS, band_edges, log_mel

RATE = 16_000


def voice(samples, seed=0):
    """A vowel-like sound in noise."""
    times = np.arange(samples) / RATE
    harmonics = sum(np.sin(2 * np.pi * 120 * k * times) / k for k in range(1, 30))
    noise = np.random.default_rng(seed).normal(0, 0.01, samples)
    return (0.1 * harmonics + noise).astype(np.float32)


def textbook(waveform):
    """Frame by frame and band by band, from the definitions."""

    def hz(mel):  # Slaney: 3 mel every 200 Hz up to 1 kHz, then 27 mel for a factor of 6.4
        return 200 * mel / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)

    highest = 15 + 27 * math.log(8) / math.log(6.4)  # 8 kHz
    corners = [hz(highest * i / (BANDS + 1)) for i in range(BANDS + 2)]
    hann = [0.5 - 0.5 * math.cos(2 * math.pi * n / 400) for n in range(400)]
    mirrored = [*waveform[200:0:-1], *waveform, *waveform[-2:-202:-1]]
    phases = np.exp(-2j * np.pi * np.outer(np.arange(201), np.arange(400)) / 400)
    columns = []
    for frame in range(len(waveform) // 160):
        piece = np.array(mirrored[frame * 160 : frame * 160 + 400], float) * hann
        power = np.abs(phases @ piece) ** 2
        bands = []
        for low, centre, high in zip(corners, corners[1:], corners[2:], strict=False):
            energy = 0.0
            for k, p in enumerate(power):
                f = 40 * k  # Hz
                if low < f <= centre:
                    energy += p * (f - low) / (centre - low) * 2 / (high - low)
                elif centre < f < high:
                    energy += p * (high - f) / (high - centre) * 2 / (high - low)
            bands.append(math.log10(max(energy, 1e-10)))
        columns.append(bands)
    mel = np.array(columns).T
    return (np.maximum(mel, mel.max() - 8) + 4) / 4


def test_textbook():
    waveform = voice(1_999)
    np.testing.assert_allclose(log_mel(waveform), textbook(waveform), atol=1e-4)


def test_transformers():
    extractor = pytest.importorskip("transformers").WhisperFeatureExtractor()
    waveform = np.pad(voice(5 * RATE), (0, 25 * RATE))
    theirs = extractor(waveform, sampling_rate=RATE, return_tensors="np").input_features[0]
    assert np.abs(log_mel(waveform) - theirs).max() < 1e-4


@pytest.mark.parametrize(("samples", "frames"), [(1600, 10), (1759, 10), (1760, 11), (16_000, 100)])
def test_a_recording_keeps_its_length(samples, frames):
    spectrogram = log_mel(voice(samples))
    assert spectrogram.shape == (BANDS, frames) == (80, frames)
    assert spectrogram.dtype == np.float32
    assert spectrogram.flags.c_contiguous


def test_silence_is_finite():
    np.testing.assert_allclose(log_mel(np.zeros(1600, np.float32)), (-10 + 4) / 4, atol=1e-6)


def test_ten_times_the_amplitude_is_half_a_unit_more():
    waveform = voice(4000)
    np.testing.assert_allclose(log_mel(10 * waveform), log_mel(waveform) + 0.5, atol=1e-4)


def test_nothing_lies_more_than_80_db_below_the_loudest_point():
    waveform = np.concatenate([voice(4000), np.zeros(4000, np.float32)])
    spectrogram = log_mel(waveform)
    assert spectrogram.min() == pytest.approx(spectrogram.max() - 8 / 4, abs=1e-6)


def test_a_recording_is_left_as_it_is():
    waveform = voice(1600)
    log_mel(waveform)
    np.testing.assert_array_equal(waveform, voice(1600))


@pytest.mark.parametrize("hz", [220, 1000, 1800, 2500, 4000])
def test_a_tone_is_loudest_in_the_band_that_its_edges_name(hz):
    tone = np.sin(2 * np.pi * hz * np.arange(RATE) / RATE).astype(np.float32)
    loudest = int(log_mel(tone).mean(1).argmax())
    edges = band_edges()
    assert len(edges) == BANDS + 1
    assert edges[loudest] <= hz <= edges[loudest + 1]
