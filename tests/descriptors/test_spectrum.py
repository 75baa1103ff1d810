"""Signs and scales of the spectral shape, by voices and tones of a known spectrum."""

from __future__ import annotations

import numpy as np
import pytest

from voxplain.descriptors import spectrum

RATE = 16_000


@pytest.fixture
def tones():
    """Two tones of 500 and 3000 Hz, the second by so many dB stronger."""

    def make(second_db, seconds=1.0):
        t = np.arange(int(seconds * RATE)) / RATE
        second = 10 ** (second_db / 20) * np.sin(2 * np.pi * 3000 * t)
        return np.sin(2 * np.pi * 500 * t) + second

    return make


@pytest.mark.parametrize("tilt", [-20, -10, -5, 5])
@pytest.mark.parametrize("f0_hz", [100, 140, 220])
def test_slope_is_the_tilt(harmonics, measure, f0_hz, tilt):
    _, found = measure(harmonics(f0_hz, level_db=lambda hz: tilt * hz / 1000))
    slope = found["slope_500_1500_mean_db_per_khz"].value
    assert slope == pytest.approx(tilt, rel=0.1, abs=0.5)


@pytest.mark.parametrize(("tilt", "steeper"), [(-10, -30), (10, -10), (20, 10)])
def test_low_slope_differs_as_the_tilts(harmonics, measure, tilt, steeper):
    # By itself, it shows the gap below the F0, too.
    first, second = (
        measure(harmonics(70, level_db=lambda hz, t=t: t * np.minimum(hz, 700) / 1000))[1][
            "slope_0_500_mean_db_per_khz"
        ].value
        for t in (tilt, steeper)
    )
    assert first - second == pytest.approx(tilt - steeper, rel=0.15)


def test_low_slope_ignores_what_is_above_500_hz(harmonics, measure):
    plain, bright = (
        measure(harmonics(100, level_db=lambda hz, g=gain: g * (hz > 620)))[1] for gain in (0, 6)
    )
    name = "slope_0_500_mean_db_per_khz"
    assert bright[name].value == pytest.approx(plain[name].value, abs=1)


def test_alpha_ratio_rises_with_effort(harmonics, measure):
    ratios = [
        measure(harmonics(150, level_db=lambda hz, t=tilt: t * hz / 1000))[1]
        for tilt in (-12, -9, -6, -3, 3)
    ]
    values = [found["alpha_ratio_mean_db"].value for found in ratios]
    assert values == sorted(values)
    assert values[0] < -10 < 0 < values[-1]


@pytest.mark.parametrize("high_db", [-20, 10])
def test_alpha_ratio_is_high_over_low_energy(harmonics, measure, high_db):
    # 9 harmonics of 104 Hz lie below 1 kHz, 39 from there to 5 kHz; what is above does not count.
    level = lambda hz: np.where(hz < 1000, 0, high_db) + 30 * (hz > 5100)  # noqa: E731
    _, found = measure(harmonics(104, level_db=level))
    truth = high_db + 10 * np.log10(39 / 9)
    assert found["alpha_ratio_mean_db"].value == pytest.approx(truth, abs=0.6)


@pytest.mark.parametrize("second_db", [-35, -20, 5])
def test_hammarberg_index_is_the_difference_of_the_peaks(tones, measure, second_db):
    _, found = measure(tones(second_db))
    assert found["hammarberg_mean_db"].value == pytest.approx(-second_db, abs=0.1)
    assert found["hammarberg_sd_db"].value < 0.2


@pytest.mark.parametrize("second_db", [-60, -10, 0])
def test_centroid_is_the_mean_frequency_of_the_power(tones, measure, second_db):
    weight = 10 ** (second_db / 10)
    truth = (500 + 3000 * weight) / (1 + weight)
    _, found = measure(tones(second_db))
    assert found["centroid_mean_hz"].value == pytest.approx(truth, rel=0.01)


def test_sd_is_that_of_the_voiced_frames(tones, measure):
    _, found = measure(np.concatenate([tones(-10), tones(-20)]))
    assert found["hammarberg_mean_db"].value == pytest.approx(15, abs=0.2)
    assert found["hammarberg_sd_db"].value == pytest.approx(5, abs=0.2)


def test_flux_of_a_steady_voice_is_zero(harmonics, measure):
    _, found = measure(harmonics(200))  # two periods in a frame shift
    assert found["flux_mean"].value < 0.01


@pytest.mark.parametrize("growth_db", [-1, 0.5, 1])
def test_flux_of_a_voice_that_grows(tones, measure, growth_db):
    # Each frame is the one before, by growth_db louder: (g - 1) / sqrt(g^2 + 1).
    seconds = 0.5
    swell = 10 ** (growth_db / 20 * np.arange(int(seconds * RATE)) / 160)
    tracks, _ = measure(tones(-10, seconds) * swell)
    gain = 10 ** (growth_db / 20)
    flux = tracks["flux"].values[3:-3]
    truth = abs(gain - 1) / np.hypot(gain, 1)
    np.testing.assert_allclose(flux[np.isfinite(flux)], truth, rtol=0.02)
    assert np.isfinite(flux).sum() > 20


def test_flux_is_high_where_the_sound_switches(tones, harmonics, measure):
    high = harmonics(500, 0.5, lowest=4, level_db=lambda hz: 0 * hz)
    low = tones(-200, 0.5)
    tracks, _ = measure(np.concatenate([low, high]))
    flux = tracks["flux"]
    assert np.isnan(flux.values[0])
    top = np.nanargmax(flux.values)
    assert flux.times[top] == pytest.approx(0.5, abs=0.02)
    assert 0.5 < flux.values[top] <= 1
    away = np.abs(flux.times - 0.5) > 0.05
    assert np.nanmax(flux.values[away][3:-3]) < 0.05


def test_unvoiced_frames_do_not_count(harmonics, noise, measure):
    dark = harmonics(150, 1.0, level_db=lambda hz: -12 * hz / 1000)
    alone, mixed = measure(dark)[1], measure(np.concatenate([dark, noise(1.0)]))[1]
    for name in ("alpha_ratio_mean_db", "slope_500_1500_mean_db_per_khz", "hammarberg_mean_db"):
        assert mixed[name].value == pytest.approx(alone[name].value, abs=0.5)


def test_a_gain_changes_nothing(harmonics, measure):
    voice = harmonics(130)
    loud, quiet = measure(voice, gain=0.1)[1], measure(voice, gain=0.001)[1]
    for name in spectrum.CARD.functionals:
        assert quiet[name].value == pytest.approx(loud[name].value, rel=1e-3, abs=1e-4), name


def test_a_shift_in_time_moves_the_tracks(harmonics, measure):
    voice = np.concatenate([np.zeros(RATE // 2), harmonics(np.linspace(100, 250, RATE), 1.0)])
    early, late = measure(voice)[0], measure(np.concatenate([np.zeros(1600), voice]))[0]
    for name in spectrum.CARD.tracks:
        np.testing.assert_allclose(
            late[name].values[10:], early[name].values, rtol=1e-3, atol=1e-3, err_msg=name
        )


def test_nothing_to_measure_is_nan(noise, measure):
    for waveform in (np.zeros(RATE), noise(1.0), noise(0.05), np.zeros(100)):
        tracks, found = measure(waveform)
        assert all(np.isnan(found[name].value) for name in spectrum.CARD.functionals)
        assert all(np.isnan(tracks[name].values).all() for name in spectrum.CARD.tracks)
