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
