"""Noise and bandwidth of a recording, and the reliability that follows from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr

from voxplain import descriptors, plugins
from voxplain.audio.read import read
from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.types import Segment, Track

RATE = 16_000
CLEAN = Path(__file__).parents[1] / "data/emodb_03a01Wa.flac"


@pytest.fixture
def speaking(harmonics, noise):
    """Twice a second of voice of unit RMS with a second of nothing between, and what is speech."""
    voice, pause = harmonics(200, 1.024), np.zeros(16_384)
    return np.concatenate([voice, pause, voice]), np.repeat([1.0, 0.0, 1.0], 32)


@pytest.mark.parametrize("snr_db", [5, 20, 40])
def test_noise_is_what_sounds_in_the_pauses(speaking, noise, measure, snr_db):
    voice, activity = speaking
    hiss = 10 ** (-snr_db / 20) * noise(len(voice) / RATE)
    _, found = measure(voice + hiss, activity, gain=0.05)
    with_noise = 10 * np.log10(1 + 10 ** (snr_db / 10))  # the speech holds the noise as well
    assert found["snr_db"].value == pytest.approx(with_noise, abs=1)


def test_a_hum_is_noise_below_1_khz_alone(speaking, measure):
    voice, activity = speaking
    hum = 0.1 * np.sqrt(2) * np.sin(2 * np.pi * 100 * np.arange(len(voice)) / RATE)
    _, found = measure(voice + hum, activity)
    assert found["snr_db"].value == pytest.approx(20, abs=0.5)
    assert found["snr_high_db"].value > 60


def test_digital_silence_in_the_pauses_is_the_best_there_is(speaking, measure):
    _, found = measure(*speaking)
    assert found["snr_db"].value == pytest.approx(90)


def test_without_a_pause_the_noise_is_unknown_and_no_reproach(harmonics, noise, measure):
    _, found = measure(harmonics(150, 1.0) + 0.5 * noise(1.0))
    assert np.isnan(found["snr_db"].value)
    assert found["hnr_mean_db"].reliable


@pytest.mark.parametrize("rate", [6_000, 8_000, 12_000])
def test_the_bandwidth_is_half_of_the_rate_it_was_sampled_at(noise, measure, rate):
    narrow = soxr.resample(soxr.resample(noise(2.0), RATE, rate), rate, RATE)
    _, found = measure(narrow)
    assert found["bandwidth_hz"].value == pytest.approx(rate / 2, abs=400)


def test_a_steep_voice_is_no_narrow_recording(harmonics, measure):
    _, found = measure(harmonics(150, 1.0, level_db=lambda hz: -18 * np.log2(hz / 100)))
    assert found["bandwidth_hz"].value == 8_000


def test_a_word_is_as_reliable_as_its_recording(speaking, noise, measure):
    """It has no pause of its own to hear the noise in."""
    voice, activity = speaking
    tracks, whole = measure(voice + 0.5 * noise(len(voice) / RATE), activity)
    assert not whole["hnr_mean_db"].reliable
    times = (np.arange(len(activity)) + 0.5) * 0.032
    speech = Track(times, activity, "", np.zeros(len(activity), bool))
    word = descriptors.functionals({**tracks, "speech_activity": speech}, within=Segment(0.2, 0.8))
    assert word["snr_db"].value == whole["snr_db"].value
    assert np.isfinite(word["hnr_mean_db"].value)
    assert not word["hnr_mean_db"].reliable
    assert word["f0_mean_st"].reliable


@pytest.mark.parametrize("name", plugins.names("descriptors"))
def test_what_a_card_asks_for_is_within_reason(name):
    for functional in plugins.find("descriptors", name).CARD.functionals.values():
        assert functional.least_snr_db <= 30
        assert functional.least_snr_high_db <= 30
        assert 0 <= functional.least_bandwidth_hz < 8_000


@pytest.fixture(scope="module")
def worsened():
    """A quiet studio recording as it is, at 8 kHz, and in 10 dB of white noise."""
    waveform = read(CLEAN).waveform.astype(np.float64)
    hiss = np.random.default_rng(0).standard_normal(len(waveform))
    level = np.sqrt(np.mean(waveform[np.abs(waveform) > 0.02] ** 2)) * 10 ** (-10 / 20)
    variants = {
        "clean": (waveform, RATE),
        "8 kHz": (soxr.resample(waveform, RATE, 8_000), 8_000),
        "noise": (waveform + level * hiss, RATE),
    }
    return {
        name: Measurement(samples.astype(np.float32), sampling_rate=rate).functionals()
        for name, (samples, rate) in variants.items()
    }


def test_the_flag_follows_what_noise_and_a_telephone_do(worsened):
    sensitive = ("f1_mean_hz", "alpha_ratio_mean_db", "hnr_mean_db", "mfcc_1_mean")
    robust = ("f0_mean_st", "intensity_mean_db")
    narrow = ("f3_mean_hz", "mfcc_1_mean", "mfcc_2_mean")
    for name in (*sensitive, *robust, *narrow):
        assert worsened["clean"][name].reliable, name
    for name in sensitive:
        assert not worsened["noise"][name].reliable, name
        assert np.isfinite(worsened["noise"][name].value), name
    for name in robust:
        clean = worsened["clean"][name].value
        for other in ("noise", "8 kHz"):
            assert worsened[other][name].reliable, name
            assert worsened[other][name].value == pytest.approx(clean, abs=0.6), name
    for name in narrow:
        assert not worsened["8 kHz"][name].reliable, name
    assert worsened["8 kHz"]["f0_sd_st"].reliable
