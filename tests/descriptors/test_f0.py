"""F0 of signals whose F0 is known, and of real voices against openSMILE."""

from __future__ import annotations

import numpy as np
import pytest

F0_HZ = [80, 97.3, 133, 181.7, 220, 261, 333.3, 450]


def inner(track):
    """Values without the frames whose window reaches over an end of the signal."""
    return track.values[4:-4]


@pytest.mark.parametrize("f0_hz", F0_HZ)
def test_harmonic_complex(harmonics, measure, f0_hz):
    tracks, found = measure(harmonics(f0_hz))
    assert inner(tracks["f0_hz"]) == pytest.approx(f0_hz, rel=0.005)
    assert found["f0_mean_hz"].value == pytest.approx(f0_hz, rel=0.005)
    assert found["f0_mean_st"].value == pytest.approx(12 * np.log2(f0_hz / 27.5), abs=0.1)
    assert found["f0_sd_st"].value < 0.1
    assert all(quantity.reliable for name, quantity in found.items() if name.startswith("f0"))


@pytest.mark.parametrize("f0_hz", F0_HZ)
def test_tone(measure, f0_hz):
    time = np.arange(16_000) / 16_000
    tracks, _ = measure(np.sin(2 * np.pi * f0_hz * time))
    assert inner(tracks["f0_hz"]) == pytest.approx(f0_hz, rel=0.005)


@pytest.mark.parametrize("period", [40, 71, 145, 200])
def test_pulse_train(measure, period):
    pulses = np.zeros(16_000)
    pulses[::period] = 1
    tracks, _ = measure(pulses)
    assert inner(tracks["f0_hz"]) == pytest.approx(16_000 / period, rel=0.005)


@pytest.mark.parametrize("f0_hz", [110, 200, 310])
def test_missing_fundamental(harmonics, measure, f0_hz):
    tracks, _ = measure(harmonics(f0_hz, lowest=3))
    assert inner(tracks["f0_hz"]) == pytest.approx(f0_hz, rel=0.005)


@pytest.mark.parametrize(("low", "high"), [(100, 200), (300, 150), (180, 420)])
def test_glide(harmonics, measure, low, high):
    f0_hz = np.geomspace(low, high, 32_000)
    tracks, found = measure(harmonics(f0_hz, 2.0))
    track = tracks["f0_hz"]
    truth = np.interp(track.times, np.arange(32_000) / 16_000, f0_hz)
    assert inner(track) == pytest.approx(truth[4:-4], rel=0.01)
    octaves = abs(np.log2(high / low))
    assert found["f0_range_st"].value == pytest.approx(0.6 * 12 * octaves, rel=0.03)
    assert found["f0_sd_st"].value == pytest.approx(12 * octaves / np.sqrt(12), rel=0.03)
    assert found["f0_mean_st"].value == pytest.approx(
        12 * np.log2(np.sqrt(low * high) / 27.5), abs=0.1
    )


@pytest.mark.parametrize("f0_hz", [95, 170, 300])
def test_noise_does_not_move_the_octave(harmonics, noise, measure, f0_hz):
    tracks, _ = measure(harmonics(f0_hz) + 10 ** (-5 / 20) * noise(1.5))
    assert inner(tracks["f0_hz"]) == pytest.approx(f0_hz, rel=0.02)


def test_voiced_share_counts_the_speech_alone(harmonics, noise, measure):
    half = np.concatenate([harmonics(150, 1.024), 0.3 * noise(1.024), np.zeros(16_384)])
    _, found = measure(half, np.repeat([1.0, 1.0, 0.0], 32))
    assert found["voiced_share"].value == pytest.approx(0.5, abs=0.03)


def test_voice_outside_the_speech_does_not_count(harmonics, measure):
    both = np.concatenate([harmonics(150, 1.024), harmonics(350, 1.024)])
    _, found = measure(both, np.repeat([1.0, 0.0], 32))
    assert found["f0_mean_hz"].value == pytest.approx(150, rel=0.005)


def test_a_faint_ringing_far_from_the_voice_is_no_voice(harmonics, measure):
    time = np.arange(8_000) / 16_000
    tracks, _ = measure(np.concatenate([harmonics(120, 1.0), 0.1 * np.sin(2 * np.pi * 530 * time)]))
    assert not tracks["f0_hz"].voiced[106:].any()


def test_a_loud_leap_beyond_an_octave_is_kept(harmonics, measure):
    tracks, _ = measure(np.concatenate([harmonics(150, 1.0), harmonics(400, 0.5)]))
    assert tracks["f0_hz"].values[104:-4] == pytest.approx(400, rel=0.005)


@pytest.mark.filterwarnings("default")
def test_opensmile_hears_the_same_pitch(recordings, measure):
    opensmile = pytest.importorskip("opensmile")
    smile = opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=opensmile.FeatureLevel.Functionals,
    )
    ours, theirs = [], []
    for _, waveform in recordings(every=30):
        ours.append(measure(waveform, gain=1)[1]["f0_mean_st"].value)
        summary = smile.process_signal(waveform, 16_000).iloc[0]
        theirs.append(summary["F0semitoneFrom27.5Hz_sma3nz_amean"])
    assert np.corrcoef(ours, theirs)[0, 1] > 0.98
    assert np.median(np.abs(np.subtract(ours, theirs))) < 0.5
