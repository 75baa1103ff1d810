"""Harmonics-to-noise ratio of harmonics in noise of a known level."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.mark.parametrize("snr_db", [0, 5, 10, 15, 20, 25])
@pytest.mark.parametrize("f0_hz", [100, 170, 260, 410])
def test_hnr_is_the_signal_to_noise_ratio(harmonics, noise, measure, f0_hz, snr_db):
    mixed = harmonics(f0_hz, 2.0) + 10 ** (-snr_db / 20) * noise(2.0, seed=f0_hz)
    _, found = measure(mixed)
    assert found["hnr_mean_db"].reliable
    assert found["hnr_mean_db"].value == pytest.approx(snr_db, abs=1.5)


def test_unvoiced_frames_have_no_hnr(harmonics, noise, measure):
    tracks, found = measure(np.concatenate([harmonics(150, 1.0), noise(1.0)]))
    hnr = tracks["hnr_db"]
    assert np.isnan(hnr.values[~hnr.voiced]).all()
    assert np.isfinite(hnr.values[hnr.voiced]).all()
    assert found["hnr_mean_db"].value > 20
