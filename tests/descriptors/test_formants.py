"""Formants of vowels whose resonances are known."""

from __future__ import annotations

import numpy as np
import pytest

from voxplain import descriptors
from voxplain.descriptors import formants
from voxplain.descriptors._frames import Frames
from voxplain.types import Audio

NAMES = [f"f{n}_{what}" for n in (1, 2, 3) for what in ("mean_hz", "sd_hz", "bandwidth_mean_hz")]
# Frequencies of the formants F1 to F5 in Hz.
VOWELS = {
    "a": (730, 1090, 2440, 3500, 4500),
    "e": (530, 1840, 2480, 3500, 4500),
    "i": (300, 2290, 3010, 3600, 4500),
    "u": (300, 870, 2240, 3500, 4500),
    "neutral": (500, 1500, 2500, 3500, 4500),
}
BANDWIDTHS = (80, 100, 140, 200, 250)


@pytest.fixture
def vowel(harmonics):
    """A voice that falls by 6 dB per octave, through five resonances in a row."""

    def make(frequencies, f0_hz, *, bandwidths=BANDWIDTHS, max_hz=5500, seconds=0.8):
        def level_db(hz):
            turn = np.exp(-1j * np.pi * np.minimum(hz, max_hz) / max_hz)
            level = -20 * np.log10(hz / 100)
            for frequency, bandwidth in zip(frequencies, bandwidths, strict=True):
                pole = np.exp(np.pi * (-bandwidth / 2 + 1j * frequency) / max_hz)
                gain = np.abs((1 - pole * turn) * (1 - pole.conj() * turn))
                level = level - 20 * np.log10(gain)  # formants may move where F0 does not
            return level

        return harmonics(f0_hz, seconds, level_db=level_db)

    return make


@pytest.mark.parametrize("f0_hz", [90, 130, 180, 240])
@pytest.mark.parametrize("name", VOWELS)
def test_formants_of_a_vowel(vowel, measure, name, f0_hz):
    tracks, _ = measure(vowel(VOWELS[name], f0_hz))
    # Harmonics far apart show a resonance only where they are, so they draw it to themselves.
    for n in (1, 2, 3):
        found = tracks[f"f{n}_hz"].values[3:-3]  # where the voice starts at once, it clicks
        assert found == pytest.approx(VOWELS[name][n - 1], abs=10 + f0_hz / 6)


@pytest.mark.parametrize("factor", [0.7, 1, 1.5, 2.2])
def test_bandwidths_of_a_vowel(vowel, measure, factor):
    truth = factor * np.array(BANDWIDTHS)
    _, found = measure(vowel(VOWELS["neutral"], 90, bandwidths=truth))
    for n in (1, 2, 3):
        assert found[f"f{n}_bandwidth_mean_hz"].value == pytest.approx(truth[n - 1], rel=0.3)


@pytest.mark.parametrize("max_hz", [4000.0, 5000.0, 5512.5, 6500.0])
def test_the_maximum_scales_with_the_vocal_tract(vowel, max_hz):
    """A tract as many times shorter has its formants as many times higher."""
    scale = max_hz / 5500
    truth = [scale * hz for hz in VOWELS["e"]]
    waveform = vowel(truth, 110, bandwidths=scale * np.array(BANDWIDTHS), max_hz=max_hz)
    audio = Audio((0.1 * waveform).astype(np.float32), 16_000, "test")
    tracks = descriptors.tracks(audio, settings=descriptors.Settings(formant_max_hz=max_hz))
    for n in (1, 2, 3):
        found = np.nanmedian(tracks[f"f{n}_hz"].values)
        assert found == pytest.approx(truth[n - 1], abs=10 + 110 / 6)


def test_what_lies_above_the_maximum_does_not_count(vowel, measure):
    voice = vowel(VOWELS["e"], 120)
    whistle = np.cos(2 * np.pi * 7920 * np.arange(len(voice)) / 16_000)
    without, mixed = measure(voice)[0], measure(voice + 0.3 * whistle)[0]
    for n in (1, 2, 3):
        found, truth = (tracks[f"f{n}_hz"].values[3:-3] for tracks in (mixed, without))
        assert found == pytest.approx(truth, abs=1)


def test_tracks_follow_a_glide(vowel, measure):
    first = np.linspace(350, 750, 12_800)
    tracks, _ = measure(vowel((first, *VOWELS["neutral"][1:]), 120))
    found = tracks["f1_hz"].values[5:-5]
    assert found == pytest.approx(np.interp(tracks["f1_hz"].times[5:-5], [0, 0.8], [350, 750]), 0.1)


def test_variation_between_two_vowels(vowel, measure):
    low, high = ((first, *VOWELS["neutral"][1:]) for first in (400, 700))
    _, found = measure(np.concatenate([vowel(low, 100), vowel(high, 100)]))
    assert found["f1_mean_hz"].value == pytest.approx(550, abs=20)
    assert found["f1_sd_hz"].value == pytest.approx(150, abs=20)
    assert found["f2_sd_hz"].value < 30


def test_unvoiced_frames_do_not_count(vowel, noise, measure):
    voice = vowel(VOWELS["a"], 120)
    alone, (tracks, mixed) = measure(voice)[1], measure(np.concatenate([voice, noise(0.8)]))
    for n in (1, 2, 3):
        for name in (f"f{n}_hz", f"f{n}_bandwidth_hz"):
            assert (np.isfinite(tracks[name].values) == tracks[name].voiced).all()
        name = f"f{n}_mean_hz"
        assert mixed[name].value == pytest.approx(alone[name].value, abs=20)


def test_a_gain_changes_nothing(vowel, measure):
    voice = vowel(VOWELS["i"], 150)
    loud, soft = measure(voice, gain=0.2)[1], measure(voice, gain=0.0003)[1]
    for name in NAMES:
        assert soft[name].value == pytest.approx(loud[name].value, abs=0.01)


def test_a_shift_moves_the_tracks(vowel, measure):
    voice = vowel(VOWELS["i"], 150)
    early, late = measure(voice)[0], measure(np.concatenate([np.zeros(3200), voice]))[0]
    for n in (1, 2, 3):
        moved = late[f"f{n}_hz"].values[25:95]
        assert moved == pytest.approx(early[f"f{n}_hz"].values[5:75], rel=1e-3)


def test_an_empty_band_is_bearable(harmonics, measure):
    """Nothing above 3.4 kHz, not even noise."""
    level = lambda hz: np.where(hz < 3400, -9 * np.log2(hz / 100), -300)  # noqa: E731
    _, found = measure(harmonics(130, level_db=level))
    assert all(np.isfinite(found[name].value) for name in NAMES)


@pytest.mark.parametrize("hz", [200, 1000, 3000])
def test_a_tone_has_no_negative_bandwidth(hz):
    tone = np.cos(2 * np.pi * hz * np.arange(16_000) / 16_000)
    frames = Frames(Audio(tone.astype(np.float32), 16_000, "test"))
    found = formants.tracks(frames, {"f0_hz": np.full(100, 150.0)})
    for n in (1, 2, 3):
        assert np.nanmin(found[f"f{n}_bandwidth_hz"]) > 0


def test_nothing_voiced_can_not_be_measured(vowel, noise, measure):
    for waveform in (np.zeros(32_000), noise(2.0), noise(0.05), vowel(VOWELS["a"], 120)[:800]):
        _, found = measure(waveform)
        assert all(np.isnan(found[name].value) for name in NAMES)


def test_only_poles_between_the_margins_are_formants():
    pairs = [(20, 50), (700, 80), (1200, 90), (5480, 60)]  # Hz, bandwidth in Hz
    poles = [np.exp(np.pi * (-width / 2 + 1j * hz) / 5500) for hz, width in pairs]
    roots = [*poles, *np.conj(poles), 0.5, -0.5]
    found = formants._resonances(np.poly(roots).real[None], 5500.0)
    np.testing.assert_allclose(found[0, 0], [700, 1200, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found[1, 0], [80, 90, np.nan], rtol=1e-6)
