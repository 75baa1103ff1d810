"""F0 of signals whose F0 is known, and of real voices against openSMILE."""

from __future__ import annotations

import numpy as np
import pytest

from voxplain.descriptors import Settings, f0
from voxplain.descriptors._frames import DEFAULTS, Frames
from voxplain.types import Audio

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
    assert all(found[name].reliable for name in ("f0_mean_hz", "f0_range_st", "f0_slope_st_per_s"))


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


@pytest.mark.parametrize("st_per_s", [-12, -3, 2, 9])
def test_slopes_of_a_glide(harmonics, measure, st_per_s):
    glide = 200 * 2 ** (st_per_s * np.arange(24_000) / 16_000 / 12)
    _, found = measure(harmonics(glide))
    assert found["f0_slope_st_per_s"].value == pytest.approx(st_per_s, rel=0.03)
    assert found["f0_final_slope_st_per_s"].value == pytest.approx(st_per_s, rel=0.03)
    one_way, other_way = ("f0_rise_st_per_s", "f0_fall_st_per_s")[:: int(np.sign(st_per_s))]
    assert found[one_way].value == pytest.approx(abs(st_per_s), rel=0.05)
    assert not found[other_way].reliable


def test_f0_is_reset_between_phrases(harmonics, measure):
    falling = harmonics(200 * 2 ** (-6 * np.arange(16_000) / 16_000 / 12), 1.0)
    _, found = measure(np.concatenate([falling, np.zeros(11_200)] * 3))
    assert found["f0_slope_st_per_s"].value == pytest.approx(-6, rel=0.05)


@pytest.mark.parametrize("st_per_s", [-40, -15, 15, 40])
def test_final_slope_is_that_of_the_end(harmonics, measure, st_per_s):
    contour = np.concatenate([np.zeros(16_000), st_per_s * np.arange(5_600) / 16_000])  # 0.35 s
    _, found = measure(harmonics(180 * 2 ** (contour / 12), len(contour) / 16_000))
    assert found["f0_final_slope_st_per_s"].value == pytest.approx(st_per_s, rel=0.05)
    assert abs(found["f0_slope_st_per_s"].value) < abs(st_per_s) / 2


def test_silence_and_noise_after_the_voice_do_not_move_its_end(harmonics, noise, measure):
    rise = harmonics(150 * 2 ** (np.arange(16_000) / 16_000), 1.0)
    _, found = measure(np.concatenate([rise, 0.3 * noise(0.3), np.zeros(4_800)]))
    assert found["f0_final_slope_st_per_s"].value == pytest.approx(12, rel=0.1)


def test_rises_and_falls_of_a_triangle(harmonics, measure):
    up, down = np.linspace(0, 6, 6_400), np.linspace(6, 0, 19_200)  # 15 st/s, then -5 st/s
    contour = np.concatenate([up, down] * 3)
    _, found = measure(harmonics(150 * 2 ** (contour / 12), len(contour) / 16_000))
    assert found["f0_rise_st_per_s"].value == pytest.approx(15, rel=0.1)  # the corners are round
    assert found["f0_fall_st_per_s"].value == pytest.approx(5, rel=0.1)


def test_a_leap_is_neither_rise_nor_fall(harmonics, measure):
    steps = np.concatenate([harmonics(f0_hz, 0.5) for f0_hz in (100, 200, 100)])
    _, found = measure(steps)
    assert not found["f0_rise_st_per_s"].value > 1
    assert not found["f0_fall_st_per_s"].value > 1


def f0_track(waveform, **settings):
    audio = Audio(waveform.astype(np.float32), 16_000, "test")
    return f0.tracks(Frames(audio, Settings(**settings)), {})["f0_hz"][6:-6]


@pytest.mark.parametrize(
    ("f0_hz", "settings"), [(45, {"f0_min_hz": 40}), (900, {"f0_max_hz": 1100})]
)
def test_the_range_can_be_widened(harmonics, f0_hz, settings):
    voice = harmonics(f0_hz)
    assert f0_track(voice, **settings) == pytest.approx(f0_hz, rel=0.005)
    assert not np.any(np.abs(f0_track(voice) / f0_hz - 1) < 0.1)


def test_a_ceiling_keeps_a_doubled_f0_out(harmonics):
    voice = harmonics(150) + 12 * harmonics(300)  # every other harmonic is faint
    assert f0_track(voice) == pytest.approx(300, rel=0.005)
    assert f0_track(voice, f0_max_hz=250) == pytest.approx(150, rel=0.005)


def test_a_floor_keeps_a_halved_f0_out(harmonics):
    voice = harmonics(220) + 2 * harmonics(110)
    assert f0_track(voice) == pytest.approx(110, rel=0.005)
    above = f0_track(voice, f0_min_hz=180)
    assert not np.any(above < 180)


@pytest.mark.parametrize("ends", [(40, 1200), (599, 600), (500, 600)])
def test_any_range_can_be_searched(harmonics, noise, ends):
    low, high = ends
    for sound in (harmonics(550, 0.3), noise(0.3), np.zeros(800), np.zeros(100)):
        found = f0_track(sound, f0_min_hz=low, f0_max_hz=high)
        assert np.all(np.isnan(found) | (found > 0.95 * low) & (found < 1.05 * high))


def test_the_default_frames_are_50_ms(harmonics):
    assert Settings() == DEFAULTS
    assert f0_track(harmonics(61)) == pytest.approx(61, rel=0.005)
    assert not np.any(np.abs(f0_track(harmonics(55)) / 55 - 1) < 0.05)


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


def test_a_faint_creak_below_the_voice_is_kept(harmonics, measure):
    creak = np.zeros(6_400)
    creak[::230] = 2.5  # 70 Hz, 17 semitones below
    tracks, _ = measure(np.concatenate([harmonics(185, 1.0), creak]))
    assert tracks["f0_hz"].values[106:-4] == pytest.approx(16_000 / 230, rel=0.01)


def test_a_formant_that_rings_between_the_pulses_of_a_creak_is_no_voice(harmonics, measure):
    since_pulse = np.arange(6_400) % 500 / 16_000  # 32 pulses a second, too few for an F0
    ringing = np.sin(2 * np.pi * 570 * since_pulse) * np.exp(-np.pi * 80 * since_pulse)
    tracks, _ = measure(np.concatenate([harmonics(120, 1.0), 5 * ringing]))
    assert not np.any(tracks["f0_hz"].values[106:] > 240)


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
