"""Intensity in dB re full scale."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.mark.parametrize("amplitude", [1.0, 0.1, 0.003])
def test_a_sine_lies_3_db_below_its_peak(measure, amplitude):
    sine = np.sin(2 * np.pi * 200 * np.arange(16_000) / 16_000)
    tracks, found = measure(sine, gain=amplitude)
    truth = 20 * np.log10(amplitude) - 10 * np.log10(2)
    assert tracks["intensity_db"].values[2:-2] == pytest.approx(truth, abs=0.05)
    assert found["intensity_mean_db"].value == pytest.approx(truth, abs=0.1)


def test_the_mean_is_one_of_energies_and_the_sd_one_of_decibels(harmonics, measure):
    steps = np.concatenate([harmonics(200, 1.024), 0.1 * harmonics(200, 1.024)])
    _, found = measure(steps, gain=0.1)
    assert found["intensity_mean_db"].value == pytest.approx(
        -20 + 10 * np.log10((1 + 0.01) / 2), abs=0.1
    )
    assert found["intensity_sd_db"].value == pytest.approx(10, abs=0.2)


def test_pauses_do_not_count(harmonics, noise, measure):
    speech, pause = harmonics(200, 1.024), 0.001 * noise(1.024)
    _, found = measure(np.concatenate([speech, pause]), np.repeat([1.0, 0.0], 32), gain=0.1)
    assert found["intensity_mean_db"].value == pytest.approx(-20, abs=0.2)
    assert found["intensity_sd_db"].value < 2


def test_digital_silence_has_no_level(harmonics, measure):
    tracks, found = measure(np.concatenate([harmonics(200, 1.0), np.zeros(16_000)]))
    assert np.isnan(tracks["intensity_db"].values[103:]).all()
    assert found["intensity_mean_db"].reliable


def test_range_lies_between_the_quintiles(harmonics, measure):
    level_db = np.linspace(-30, 0, 32_768)
    _, found = measure(harmonics(200, 2.048) * 10 ** (level_db / 20))
    assert found["intensity_range_db"].value == pytest.approx(0.6 * 30, rel=0.03)


def onsets(harmonics, dynamics_db, *, number=3):
    """A voice that sets in with the given dynamics (samples,), each time after 0.2 s of silence."""
    amplitude = np.concatenate([10 ** (dynamics_db / 20), np.ones(4_800)])
    voice = harmonics(200, len(amplitude) / 16_000) * amplitude
    return np.concatenate([np.zeros(3_200), voice] * number + [np.zeros(3_200)])


@pytest.mark.parametrize("db_per_s", [100, 200, 400])
def test_steepness_of_an_onset(harmonics, measure, db_per_s):
    ramp = np.linspace(-30, 0, int(30 / db_per_s * 16_000))
    # Below -30 dB there is a voice too, for frames know it before it is loud.
    sound = onsets(harmonics, ramp)
    _, found = measure(sound)
    assert found["voice_onset_db_per_s"].value == pytest.approx(db_per_s, rel=0.2)


def test_hard_onsets_are_steeper_than_soft_ones(harmonics, measure):
    steepness = [
        measure(onsets(harmonics, np.linspace(-30, 0, length)))[1]["voice_onset_db_per_s"].value
        for length in (160, 800, 1_600, 4_800)
    ]
    assert steepness == sorted(steepness, reverse=True)
    assert steepness[0] <= 30 / 0.04


def test_an_onset_needs_voice_after_none(harmonics, noise, measure):
    steady = harmonics(200, 1.0)
    assert not measure(steady)[1]["voice_onset_db_per_s"].reliable
    bursts = np.concatenate([0.01 * noise(0.3), noise(0.3)] * 4)
    assert not measure(bursts)[1]["voice_onset_db_per_s"].reliable
    dip = np.concatenate([steady, 0.5 * steady] * 3)  # louder again, but never without voice
    assert not measure(dip)[1]["voice_onset_db_per_s"].reliable


def test_a_gain_does_not_change_onsets_or_range(harmonics, measure):
    sound = onsets(harmonics, np.linspace(-30, 0, 1_600))
    loud, soft = (measure(sound, gain=gain)[1] for gain in (0.1, 0.001))
    for name in ("voice_onset_db_per_s", "intensity_range_db"):
        assert soft[name].value == pytest.approx(loud[name].value, rel=0.001)
