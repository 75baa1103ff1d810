"""Mel cepstrum by hand: cosines across the bands, and tones whose band is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from voxplain.descriptors import cepstrum
from voxplain.descriptors._frames import Frames, mel_hz
from voxplain.types import Audio

RATE = 16_000


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [3.0, -0.5])
def test_a_cosine_across_the_bands_is_one_coefficient(order, size):
    wave = size * np.cos(np.pi * order * (np.arange(26) + 0.5) / 26)
    frames = SimpleNamespace(mel_power=np.exp(wave - 7)[None].astype(np.float32))
    found = cepstrum.tracks(frames, {"f0_hz": np.array([120.0])})
    # sqrt(2 / 26) times the sum of cos^2, which is 13, lifted by 1 + 11 sin(order pi / 22).
    truth = size * np.sqrt(13) * (1 + 11 * np.sin(order * np.pi / 22))
    for name, values in found.items():
        assert values[0] == pytest.approx(truth if name == f"mfcc_{order}" else 0, abs=1e-3)


@pytest.mark.parametrize("band", [5, 12, 20])
def test_a_tone_falls_into_its_band(band):
    hz = mel_hz()[band]
    tone = np.sin(2 * np.pi * hz * np.arange(RATE) / RATE).astype(np.float32)
    power = Frames(Audio(tone, RATE, "test")).mel_power[10:-10]
    assert (power.argmax(axis=-1) == band).all()
    # Neighbouring triangles add up to 1, so the bands share the mean square of the tone.
    np.testing.assert_allclose(power.sum(axis=-1), 0.5, rtol=0.01)


def test_bands_are_equally_spaced_in_mel():
    # 1000 Hz are 1000 mel; 20 and 8000 Hz are 31.75 and 2840.02, and 27 steps lie between them.
    mel = 2595 * np.log10(1 + mel_hz() / 700)
    np.testing.assert_allclose(mel, 31.75 + (2840.02 - 31.75) / 27 * np.arange(1, 27), atol=0.1)


def test_first_coefficient_falls_with_brightness(harmonics, measure):
    values = [
        measure(harmonics(150, level_db=lambda hz, t=tilt: t * hz / 1000))[1]["mfcc_1_mean"].value
        for tilt in (-12, -6, 0, 6)
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] > 10
    assert values[-1] < 0


def test_sd_is_that_of_the_voiced_frames(harmonics, noise, measure):
    dark, bright = (
        harmonics(200, 1.0, level_db=lambda hz, t=tilt: t * hz / 1000) for tilt in (-12, -2)
    )
    means = [measure(voice)[1]["mfcc_1_mean"].value for voice in (dark, bright)]
    _, found = measure(np.concatenate([dark, noise(0.5), bright]))
    assert found["mfcc_1_mean"].value == pytest.approx(np.mean(means), rel=0.03)
    assert found["mfcc_1_sd"].value == pytest.approx(np.ptp(means) / 2, rel=0.05)


def test_a_gain_changes_nothing(harmonics, measure):
    voice = harmonics(130)
    loud, quiet = measure(voice, gain=0.1)[1], measure(voice, gain=0.001)[1]
    for name in cepstrum.CARD.functionals:
        assert quiet[name].value == pytest.approx(loud[name].value, rel=1e-3, abs=1e-3), name


def test_a_shift_in_time_moves_the_tracks(harmonics, measure):
    voice = np.concatenate([np.zeros(RATE // 2), harmonics(np.linspace(100, 250, RATE), 1.0)])
    early, late = measure(voice)[0], measure(np.concatenate([np.zeros(1600), voice]))[0]
    for name in cepstrum.CARD.tracks:
        np.testing.assert_allclose(late[name].values[10:], early[name].values, atol=0.01)


def test_nothing_to_measure_is_nan(noise, measure):
    for waveform in (np.zeros(RATE), noise(1.0), noise(0.05), np.zeros(100)):
        tracks, found = measure(waveform)
        assert all(np.isnan(found[name].value) for name in cepstrum.CARD.functionals)
        assert all(np.isnan(tracks[name].values).all() for name in cepstrum.CARD.tracks)
