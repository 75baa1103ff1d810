"""Sound with a part of its spectrogram changed: only that part, and by what was asked for."""

import numpy as np
import pytest

from voxplain.audio.log_mel import band_edges, log_mel
from voxplain.audio.read import read
from voxplain.explainers._fills import filled
from voxplain.models.resynthesis import changed

RATE = 16_000


@pytest.fixture(scope="module")
def waveform(angry):
    return read(angry).waveform


@pytest.mark.parametrize("more", [0, 1, 159])
def test_without_a_change_it_is_the_same_sound(waveform, more):
    sound = waveform[: RATE + more]
    np.testing.assert_allclose(changed(sound, 0 * log_mel(sound)), sound, atol=1e-7)


def test_a_quarter_is_10_db(waveform):
    louder = changed(waveform, np.full_like(log_mel(waveform), 0.25))
    np.testing.assert_allclose(louder, waveform * 10**0.5, atol=1e-6)


def test_a_tone_loses_what_its_band_loses_and_another_nothing():
    times = np.arange(RATE) / RATE
    low, high = (np.sin(2 * np.pi * hz * times).astype(np.float32) for hz in (500, 3000))
    edges = np.array(band_edges())
    difference = np.zeros((80, 100), np.float32)
    difference[(edges[1:] > 2000) & (edges[:-1] < 4500)] = -0.5  # 20 dB
    inside = slice(RATE // 10, -RATE // 10)
    found = changed(low + high, difference)[inside]
    np.testing.assert_allclose(found, (low + high / 10)[inside], atol=0.01)


def test_what_lies_beside_the_changed_time_stays(waveform):
    difference = 0 * log_mel(waveform)
    difference[:, 100:140] = -1
    sound = changed(waveform, difference)
    # A frame reaches 200 samples to either side of its middle.
    same = np.r_[0 : 100 * 160 - 200, 139 * 160 + 200 : len(waveform)]
    np.testing.assert_allclose(sound[same], waveform[same], atol=1e-7)
    inside = slice(102 * 160, 138 * 160)
    assert np.square(sound[inside]).mean() < 1.1e-4 * np.square(waveform[inside]).mean()  # 40 dB


@pytest.mark.parametrize(
    ("fill", "error"), [("silence", 0.02), ("mean", 0.08), ("local_mean", 0.08)]
)
def test_its_spectrogram_is_the_one_that_was_asked_for(waveform, fill, error):
    original = log_mel(waveform)
    removed = np.zeros(original.shape[1], bool)
    removed[100:140] = True
    wanted = filled(original, removed, baseline=fill)
    found = log_mel(changed(waveform, wanted - original))
    inside = slice(102, 138)  # windows overlap the change at its ends
    assert np.abs(found - wanted)[:, inside].mean() < error
    assert np.abs(original - wanted)[:, inside].mean() > 3 * error
