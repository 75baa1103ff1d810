"""Voices whose noise, periods and amplitudes are perturbed by a known amount."""

from __future__ import annotations

import numpy as np
import pytest

from voxplain.descriptors import voice_quality
from voxplain.descriptors._frames import Frames, Settings
from voxplain.types import Audio

RATE = 16_000
PERTURBATIONS = ("jitter_percent", "shimmer_percent", "shimmer_db")


def pulses(times, amplitudes=1.0, *, seconds=1.5):
    """Pulses without offset, shorter than a fifth of a period, at times in seconds."""
    at = np.arange(int(seconds * RATE)) / RATE
    waveform = np.zeros(len(at))
    for time, amplitude in np.broadcast(times, amplitudes):
        near = slice(*np.searchsorted(at, [time - 0.003, time + 0.003]))
        square = ((at[near] - time) / 0.0003) ** 2
        waveform[near] += amplitude * (1 - square) * np.exp(-square / 2)
    return waveform


def alternating(middle, change, count):
    """middle * (1 + change), middle * (1 - change), and so on."""
    return middle * (1 + change * (-1.0) ** np.arange(count))


def given_f0(waveform, f0_hz, settings=None):
    """Tracks of a waveform that is said to be voiced throughout, without the ends."""
    frames = Frames(Audio(waveform.astype(np.float32), RATE, "test"), settings or Settings())
    tracks = voice_quality.tracks(frames, {"f0_hz": np.full(len(frames.times), float(f0_hz))})
    return {name: values[6:-12] for name, values in tracks.items()}


@pytest.mark.parametrize("snr_db", [0, 5, 10, 15, 20, 25])
@pytest.mark.parametrize("f0_hz", [100, 170, 260, 410])
def test_hnr_is_the_signal_to_noise_ratio(harmonics, noise, measure, f0_hz, snr_db):
    mixed = harmonics(f0_hz, 2.0) + 10 ** (-snr_db / 20) * noise(2.0, seed=f0_hz)
    _, found = measure(mixed)
    assert found["hnr_mean_db"].reliable
    assert found["hnr_mean_db"].value == pytest.approx(snr_db, abs=1.0)


def test_hnr_spreads_by_what_it_changes(harmonics, noise, measure):
    level = np.where(np.arange(4 * RATE) < 2 * RATE, -18, -6)  # dB
    _, found = measure(harmonics(140, 4.0) + 10 ** (level / 20) * noise(4.0))
    assert found["hnr_mean_db"].value == pytest.approx(12, abs=0.5)
    assert found["hnr_sd_db"].value == pytest.approx(6, abs=0.5)


def test_quiet_frames_have_no_hnr(harmonics):
    voice = harmonics(150) * np.where(np.arange(24_000) < 12_000, 1, 0.05)
    tracks = given_f0(voice, 150)
    assert np.isfinite(tracks["hnr_db"][:60]).all()
    assert np.isnan(tracks["hnr_db"][-60:]).all()
    assert np.isfinite(tracks["shimmer_db"][-60:]).all()


@pytest.mark.parametrize("percent", [0.5, 2, 6, 20])
@pytest.mark.parametrize("f0_hz", [85, 130, 222.2, 310])
def test_jitter_is_the_change_from_period_to_period(f0_hz, percent):
    periods = alternating(1 / f0_hz, percent / 200, int(1.4 * f0_hz))
    tracks = given_f0(pulses(0.01 + np.cumsum(periods)), f0_hz)
    assert tracks["jitter_percent"] == pytest.approx(percent, rel=0.03, abs=0.02)
    assert tracks["shimmer_percent"] == pytest.approx(0, abs=1.5)


@pytest.mark.parametrize("percent", [5, 20, 40])
@pytest.mark.parametrize("f0_hz", [85, 130, 222.2, 310])
def test_shimmer_is_the_change_from_pulse_to_pulse(f0_hz, percent):
    times = 0.01 + np.arange(int(1.4 * f0_hz)) / f0_hz
    tracks = given_f0(pulses(times, alternating(1, percent / 200, len(times))), f0_hz)
    decibel = 20 * np.log10((200 + percent) / (200 - percent))
    assert tracks["shimmer_percent"].mean() == pytest.approx(percent, rel=0.03)
    assert tracks["shimmer_percent"] == pytest.approx(percent, abs=0.8)
    assert tracks["shimmer_db"].mean() == pytest.approx(decibel, rel=0.03)
    assert tracks["jitter_percent"] == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("f0_hz", [110, 215])
def test_random_jitter_and_shimmer(measure, f0_hz):
    """Neighbours that vary by 1 and 8 percent on their own differ by 2/sqrt(pi) times that."""
    random, count = np.random.default_rng(f0_hz), int(3.9 * f0_hz)
    times = 0.01 + np.cumsum((1 + 0.01 * random.standard_normal(count)) / f0_hz)
    amplitudes = 1 + 0.08 * random.standard_normal(count)
    _, found = measure(pulses(times, amplitudes, seconds=4.0))
    assert found["jitter_mean_percent"].value == pytest.approx(2 / np.sqrt(np.pi), rel=0.15)
    assert found["shimmer_mean_percent"].value == pytest.approx(16 / np.sqrt(np.pi), rel=0.15)
    assert found["shimmer_mean_db"].value == pytest.approx(8.69 * 0.16 / np.sqrt(np.pi), rel=0.15)


@pytest.mark.parametrize("f0_hz", [75, 103.3, 147.7, 221.3, 333.3, 480.1])
def test_a_steady_voice_has_neither_jitter_nor_shimmer(harmonics, measure, f0_hz):
    _, found = measure(harmonics(f0_hz))
    assert found["jitter_mean_percent"].value == pytest.approx(0, abs=0.03)
    assert found["shimmer_mean_percent"].value == pytest.approx(0, abs=0.6)
    assert found["shimmer_mean_db"].value == pytest.approx(0, abs=0.06)


def test_a_glide_adds_to_jitter_what_it_changes_a_period(harmonics, measure):
    """F0 that rises by 100 Hz in 1.5 s changes each period T by 100/1.5 * T * T of itself."""
    _, found = measure(harmonics(np.linspace(100, 200, 24_000)))
    percent = 100 * (100 / 1.5) / (100 * 200)  # the mean of 1 / f^2 from 100 to 200 Hz
    assert found["jitter_mean_percent"].value == pytest.approx(percent, abs=0.06)


def test_missed_pulses_do_not_count():
    times = 0.01 + np.arange(180) / 130
    loud_and_soft = given_f0(pulses(times, alternating(1, 0.3, 180)), 130)  # 1.9 to 1
    assert np.isnan(loud_and_soft["shimmer_percent"]).all()
    assert np.isnan(loud_and_soft["shimmer_db"]).all()
    long_and_short = given_f0(pulses(0.01 + np.cumsum(alternating(1 / 130, 0.15, 180))), 130)
    assert np.isnan(long_and_short["jitter_percent"]).all()  # 1.35 to 1


def test_what_repeats_nothing_has_no_cycles(noise):
    tracks = given_f0(noise(1.5), 110)
    for name in PERTURBATIONS:
        assert np.isnan(tracks[name]).all()


def test_silence_has_no_cycles():
    tracks = given_f0(np.zeros(24_000), 110)
    for name in ("hnr_db", *PERTURBATIONS):
        assert np.isnan(tracks[name]).all()


def test_unvoiced_frames_have_no_value(harmonics, noise, measure):
    tracks, found = measure(np.concatenate([harmonics(150, 1.0), noise(1.0)]))
    alone = measure(harmonics(150, 1.0))[1]
    for name in ("hnr_db", *PERTURBATIONS):
        assert np.isnan(tracks[name].values[~tracks[name].voiced]).all()
    hnr = tracks["hnr_db"]
    assert np.isfinite(hnr.values[hnr.voiced]).all()
    assert found["hnr_mean_db"].value > 20
    for name in ("jitter_mean_percent", "shimmer_mean_percent"):
        assert found[name].value == pytest.approx(alone[name].value, abs=0.6)


def test_cycles_that_the_recording_cuts_do_not_count(harmonics, measure):
    """A frame needs 2.5 periods on both sides of its centre, here 25 ms."""
    tracks, _ = measure(harmonics(100))
    for name in PERTURBATIONS:
        measured = np.isfinite(tracks[name].values)
        assert measured.tolist() == [False] * 2 + [True] * 146 + [False] * 2


@pytest.mark.parametrize("gain", [0.1, 1e-3])
def test_a_gain_changes_nothing(harmonics, noise, measure, gain):
    mixed = harmonics(170) + 0.1 * noise(1.5)
    loud, soft = measure(mixed, gain=0.1)[0], measure(mixed, gain=0.1 * gain)[0]
    for name in ("hnr_db", *PERTURBATIONS):
        assert soft[name].values == pytest.approx(loud[name].values, abs=0.01, nan_ok=True)


def test_a_shift_moves_the_tracks(harmonics, noise, measure):
    mixed = harmonics(170) + 0.1 * noise(1.5)
    early, late = measure(mixed)[0], measure(np.concatenate([np.zeros(3200), mixed]))[0]
    for name in ("hnr_db", *PERTURBATIONS):
        moved = late[name].values[25:165]
        assert moved == pytest.approx(early[name].values[5:145], abs=0.01, nan_ok=True)


@pytest.mark.parametrize(("f0_min_hz", "f0_max_hz", "f0_hz"), [(40, 300, 45), (200, 1200, 1000)])
def test_the_range_of_f0_may_be_any(harmonics, noise, f0_min_hz, f0_max_hz, f0_hz):
    mixed = harmonics(f0_hz) + 0.1 * noise(1.5)
    tracks = given_f0(mixed, f0_hz, Settings(f0_min_hz, f0_max_hz))
    assert tracks["hnr_db"].mean() == pytest.approx(20, abs=1.5)
    assert np.nanmean(tracks["jitter_percent"]) < 3
    assert np.nanmean(tracks["shimmer_percent"]) < 20


@pytest.mark.parametrize("samples", [1, 159, 320, 800])
def test_a_short_recording_is_no_error(harmonics, samples):
    tracks = given_f0(harmonics(100)[:samples], 100)
    assert set(tracks) == {"hnr_db", *PERTURBATIONS}
