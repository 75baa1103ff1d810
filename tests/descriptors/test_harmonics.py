"""Levels of harmonics that are known, near formants that are given."""

from __future__ import annotations

import numpy as np
import pytest

from voxplain.descriptors import harmonics as family
from voxplain.descriptors._frames import Frames
from voxplain.types import Audio

DIFFERENCES = ("h1_h2_db", "h1_a3_db", *(f"f{n}_relative_energy_db" for n in (1, 2, 3)))
NAMES = [name.replace("_db", "_mean_db") for name in DIFFERENCES] + ["h1_h2_sd_db", "h1_a3_sd_db"]


@pytest.fixture
def levels(harmonics):
    """A voice whose harmonics have the given levels in dB, -60 dB where none is given."""

    def make(f0_hz, level_db, seconds=0.6):
        def by_number(hz):
            number = np.rint(hz / f0_hz).astype(int)
            return np.vectorize(lambda n: float(level_db.get(n, -60)))(number[:1])

        return harmonics(f0_hz, seconds, level_db=by_number)

    return make


@pytest.fixture
def compare():
    """Medians of the tracks of a voice with a known F0 and known formants, ends left out."""

    def make(waveform, f0_hz, formants):
        frames = Frames(Audio((0.1 * waveform).astype(np.float32), 16_000, "test"))
        known = {"f0_hz": np.full(len(frames.times), float(f0_hz))}
        known |= {f"f{n}_hz": np.full(len(frames.times), formants[n - 1]) for n in (1, 2, 3)}
        found = family.tracks(frames, known)
        return {name: np.median(values[5:-5]) for name, values in found.items()}

    return make


@pytest.mark.parametrize("f0_hz", [64, 90, 143, 200, 331, 480])
@pytest.mark.parametrize("second_db", [-20, -6, 0, 8])
def test_h1_h2_is_the_first_minus_the_second(levels, measure, f0_hz, second_db):
    tilt = dict.fromkeys(range(3, 20), -40)  # enough for the pitch not to be a tone's
    _, found = measure(levels(f0_hz, {1: 0, 2: second_db, **tilt}))
    assert found["h1_h2_mean_db"].value == pytest.approx(-second_db, abs=0.5)


def test_levels_near_the_formants(levels, compare):
    voice = levels(200, {1: 0, 2: -6, 3: 4, 7: -15, 9: -12, 10: 10, 13: -22, 14: -30})
    # Within 20 %: harmonic 3; 7 to 9; 11 to 15. The strong tenth is near none of them.
    found = compare(voice, 200, [610, 1520, 2600])
    truth = {
        "h1_h2_db": 6,
        "h1_a3_db": 22,
        "f1_relative_energy_db": 4,
        "f2_relative_energy_db": -12,
        "f3_relative_energy_db": -22,
    }
    assert found == pytest.approx(truth, abs=0.1)


@pytest.mark.parametrize(("formant_hz", "nearest"), [(560, 1), (640, 2)])
def test_of_a_high_voice_the_nearest_harmonic_counts(levels, compare, formant_hz, nearest):
    level_db = {1: 0, 2: -9, 3: -20, 4: -14, 6: -18}
    found = compare(levels(400, level_db), 400, [formant_hz, 1600, 2400])
    assert found["f1_relative_energy_db"] == pytest.approx(level_db[nearest], abs=0.1)


def test_an_f0_slightly_off_finds_the_same_peaks(levels, compare):
    voice = levels(150, {1: 0, 2: -3, 4: -6, 10: -10, 17: -20})
    formants = [600, 1500, 2550]
    exact = compare(voice, 150, formants)
    for f0_hz in (149.3, 150.7):
        assert compare(voice, f0_hz, formants) == pytest.approx(exact, abs=0.1)


def test_levels_survive_a_glide(harmonics, measure):
    f0_hz = np.linspace(140, 190, 16_000)
    _, found = measure(harmonics(f0_hz, 1.0, level_db=lambda hz: -4 * np.rint(hz / f0_hz)))
    assert found["h1_h2_mean_db"].value == pytest.approx(4, abs=0.3)
    assert found["h1_h2_sd_db"].value < 0.6


def test_variation_between_two_voices(levels, measure):
    weak = dict.fromkeys(range(3, 20), -25)
    voices = [levels(160, {1: 0, 2: second_db, **weak}) for second_db in (-2, -10)]
    _, found = measure(np.concatenate(voices))
    assert found["h1_h2_mean_db"].value == pytest.approx(6, abs=0.4)
    assert found["h1_h2_sd_db"].value == pytest.approx(4, abs=0.4)


def test_without_a_formant_there_is_nothing_to_compare(levels, compare):
    found = compare(levels(150, {1: 0, 2: -5, 4: -8}), 150, [600, np.nan, np.nan])
    assert found["h1_h2_db"] == pytest.approx(5, abs=0.1)
    assert found["f1_relative_energy_db"] == pytest.approx(-8, abs=0.1)
    for name in ("h1_a3_db", "f2_relative_energy_db", "f3_relative_energy_db"):
        assert np.isnan(found[name])


def test_a_formant_at_an_end_of_the_spectrum_finds_a_harmonic(compare):
    """Below the first one, and where the nearest would lie beyond 8 kHz."""
    time = np.arange(9_600) / 16_000
    tones = np.cos(2 * np.pi * 548 * time) + 0.1 * np.cos(2 * np.pi * 14 * 548 * time)
    found = compare(tones, 548, [60, 1500, 7950])
    assert found["f1_relative_energy_db"] == pytest.approx(0, abs=0.1)
    assert found["f3_relative_energy_db"] == pytest.approx(-20, abs=0.1)


def test_unvoiced_frames_do_not_count(harmonics, noise, measure):
    voice = harmonics(150, 0.8)
    alone, (tracks, mixed) = measure(voice)[1], measure(np.concatenate([voice, noise(0.8)]))
    for name in DIFFERENCES:
        assert (np.isfinite(tracks[name].values) == tracks[name].voiced).all()
    assert mixed["h1_h2_mean_db"].value == pytest.approx(alone["h1_h2_mean_db"].value, abs=0.3)
    assert mixed["h1_a3_mean_db"].value == pytest.approx(alone["h1_a3_mean_db"].value, abs=1)


def test_a_gain_changes_nothing(harmonics, measure):
    voice = harmonics(150, 0.8)
    loud, soft = measure(voice, gain=0.2)[1], measure(voice, gain=0.0003)[1]
    for name in NAMES:
        assert soft[name].value == pytest.approx(loud[name].value, abs=1e-3)


def test_a_shift_moves_the_tracks(harmonics, measure):
    voice = harmonics(150, 0.8)
    early, late = measure(voice)[0], measure(np.concatenate([np.zeros(3200), voice]))[0]
    for name in DIFFERENCES:
        assert late[name].values[25:95] == pytest.approx(early[name].values[5:75], abs=0.01)


def test_nothing_voiced_can_not_be_measured(harmonics, noise, measure):
    for waveform in (np.zeros(32_000), noise(2.0), noise(0.05), harmonics(150)[:800]):
        _, found = measure(waveform)
        assert all(np.isnan(found[name].value) for name in NAMES)
