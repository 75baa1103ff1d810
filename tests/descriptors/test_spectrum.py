"""Signs and scales of the spectral balance, by voices of a known tilt."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.mark.parametrize("tilt", [-20, -10, -5, 5])
@pytest.mark.parametrize("f0_hz", [100, 140, 220])
def test_slope_is_the_tilt(harmonics, measure, f0_hz, tilt):
    _, found = measure(harmonics(f0_hz, level_db=lambda hz: tilt * hz / 1000))
    slope = found["slope_500_1500_mean_db_per_khz"].value
    assert slope == pytest.approx(tilt, rel=0.1, abs=0.5)


def test_alpha_ratio_rises_with_effort(harmonics, measure):
    ratios = [
        measure(harmonics(150, level_db=lambda hz, t=tilt: t * hz / 1000))[1]
        for tilt in (-12, -9, -6, -3)
    ]
    values = [found["alpha_ratio_mean_db"].value for found in ratios]
    assert values == sorted(values)
    assert values[0] < -10


def test_alpha_ratio_is_high_over_low_energy(harmonics, measure):
    level = lambda hz: np.where(hz < 1000, 0, -20)  # noqa: E731
    _, found = measure(harmonics(104, level_db=level))
    low, high = 9, 39  # harmonics of 104 Hz below 1 kHz, and from there to 5 kHz
    truth = -20 + 10 * np.log10(high / low)
    assert found["alpha_ratio_mean_db"].value == pytest.approx(truth, abs=0.6)


def test_unvoiced_frames_do_not_count(harmonics, noise, measure):
    dark = harmonics(150, 1.0, level_db=lambda hz: -12 * hz / 1000)
    alone, mixed = measure(dark)[1], measure(np.concatenate([dark, noise(1.0)]))[1]
    for name in ("alpha_ratio_mean_db", "slope_500_1500_mean_db_per_khz"):
        assert mixed[name].value == pytest.approx(alone[name].value, abs=0.5)
