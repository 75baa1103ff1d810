"""Loudness by its laws: how it grows with the level, what the ear hears best, and its peaks."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from voxplain.audio.activity import CHUNK
from voxplain.descriptors import loudness
from voxplain.descriptors._frames import mel_hz

RATE = 16_000
SCALES = ("loudness_mean", "loudness_sd", "loudness_range")


@pytest.fixture
def swelling(noise):
    """Noise whose amplitude swells so many times a second, from nothing and back."""

    def make(rate_hz, seconds=3.0):
        t = np.arange(int(seconds * RATE)) / RATE
        return noise(seconds) * (1 - np.cos(2 * np.pi * rate_hz * t)) / 2

    return make


@pytest.mark.parametrize("level_db", [10, -20])
def test_loudness_grows_with_the_power_of_a_third(swelling, measure, level_db):
    sound = swelling(2)
    before, after = measure(sound)[1], measure(sound, gain=0.1 * 10 ** (level_db / 20))[1]
    for name in SCALES:
        assert after[name].value == pytest.approx(
            before[name].value * 10 ** (0.033 * level_db), rel=1e-3
        )
    assert after["loudness_peak_rate"].value == before["loudness_peak_rate"].value


def test_loudness_of_hiss_by_hand(noise, measure):
    # White noise of -40 dB spreads its power evenly over 8 kHz.
    _, found = measure(noise(2.0), gain=0.01)
    edges = 700 * np.expm1(np.linspace(31.748, 2840.02, 28) / 1127)
    share = (edges[2:] - edges[:-2]) / 2 / 8000
    w2 = (2 * np.pi * edges[1:-1]) ** 2
    ear = (w2 + 56.8e6) * w2**2 / (w2 + 6.3e6) ** 2 / (w2 + 0.38e9) * 9.58e26 / (w2**3 + 9.58e26)
    truth = 2.086 * ((1e-4 * share * ear) ** 0.33).sum()
    assert found["loudness_mean"].value == pytest.approx(truth, rel=0.03)


def test_ear_is_keenest_around_4_khz_and_dull_below():
    level = {}
    for band, hz in enumerate(mel_hz()):
        power = np.zeros((1, 26), np.float32)
        power[0, band] = 0.1
        frames = SimpleNamespace(mel_power=power, power=power, level_db=0.0)
        level[hz] = 10 / 0.33 * np.log10(loudness.tracks(frames, {})["loudness"][0])
    nearest = lambda hz: level[min(level, key=lambda here: abs(here - hz))]  # noqa: E731
    assert 3000 < max(level, key=level.__getitem__) < 4500
    # The curve of 40 phon: 100 Hz must be some 22 dB stronger to be as loud as 1 kHz.
    assert 15 < nearest(1000) - nearest(100) < 30
    assert 1 < nearest(3500) - nearest(1000) < 10


def test_range_and_sd_of_two_levels(noise, measure):
    sound = noise(4.0) * np.repeat([0.1, 1.0], 2 * RATE)  # 20 dB apart
    quiet, loud = (measure(half)[1]["loudness_mean"].value for half in np.split(sound, 2))
    _, found = measure(sound)
    assert loud / quiet == pytest.approx(10**0.66, rel=0.02)
    assert found["loudness_range"].value == pytest.approx(loud - quiet, rel=0.06)
    assert found["loudness_sd"].value == pytest.approx((loud - quiet) / 2, rel=0.03)


@pytest.mark.parametrize("rate_hz", [2, 4, 7])
def test_peaks_are_counted(swelling, measure, rate_hz):
    assert measure(swelling(rate_hz))[1]["loudness_peak_rate"].value == pytest.approx(rate_hz)


def test_ripple_is_no_peak(swelling, measure):
    t = np.arange(3 * RATE) / RATE
    ripple = 1 + 0.03 * np.sin(2 * np.pi * 25 * t)
    assert measure(swelling(2) * ripple)[1]["loudness_peak_rate"].value == pytest.approx(2)


def test_one_shout_does_not_hide_the_peaks(swelling, measure):
    sound = swelling(4, 20.0)
    sound[8 * RATE : 8 * RATE + 1600] *= 30
    assert measure(sound)[1]["loudness_peak_rate"].value == pytest.approx(4, rel=0.05)


def test_pauses_do_not_count(swelling, measure):
    speech = swelling(4, 2.048)
    chunks = len(speech) // CHUNK
    _, alone = measure(speech)
    _, paused = measure(
        np.concatenate([speech, 1e-3 * swelling(9, 2.048)]),
        activity=np.repeat([1.0, 0.0], chunks),
    )
    for name in loudness.CARD.functionals:
        assert paused[name].value == pytest.approx(alone[name].value, rel=0.03)


def test_unvoiced_speech_counts(noise, measure):
    _, found = measure(noise(1.0))
    assert all(np.isfinite(found[name].value) for name in loudness.CARD.functionals)


def test_a_shift_in_time_moves_the_track(swelling, measure):
    sound = swelling(3)
    early, late = measure(sound)[0], measure(np.concatenate([np.zeros(1600), sound]))[0]
    np.testing.assert_allclose(
        late["loudness"].values[12:], early["loudness"].values[2:], rtol=1e-3, atol=1e-3
    )


def test_nothing_to_measure_is_nan(noise, measure):
    for waveform in (np.zeros(RATE), noise(0.05), np.zeros(100)):
        _, found = measure(waveform)
        assert all(np.isnan(found[name].value) for name in loudness.CARD.functionals)
    assert np.isnan(measure(np.zeros(RATE))[0]["loudness"].values).all()
