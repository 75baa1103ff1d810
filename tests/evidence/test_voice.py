"""What can be asked of a voice, what it allows, and what other instruments hear of it then."""

import json
from importlib.resources import files

import numpy as np
import pytest

from voxplain.audio.read import read
from voxplain.errors import AudioError, ConfigError
from voxplain.evidence.timbre import breathy
from voxplain.evidence.voice import AXES, Edit, Voice
from voxplain.types import Audio

RATE = 16_000


@pytest.fixture(scope="module")
def voice(angry):
    return Voice(read(angry))


@pytest.fixture(scope="module")
def sad(clips):
    return Voice(read(next(clip for clip in clips if "sad" in clip.name)))


@pytest.fixture(scope="module")
def whisper(clips):
    """A recording in which all of the voice has become noise."""
    audio = read(next(clip for clip in clips if "neu" in clip.name))
    everywhere = [np.arange(0, audio.duration, 0.004)]
    return Audio(breathy(audio.waveform, everywhere, share=1.0), RATE, "whisper.wav")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"tempo": 3.0}, r"tempo can't be 3; give 0.5 to 2 \(1 changes nothing\)"),
        ({"f0_range": -0.5}, r"f0_range can't be -0.5; give 0 to 4 \(1 changes nothing\)"),
        ({"f0_shift_st": 30.0}, r"f0_shift_st can't be 30; give -24 to 24 st \(0 changes"),
        ({"tilt_db": -20.0}, r"tilt_db can't be -20; give -12 to 12 dB"),
        ({"gain_db": 50.0}, r"gain_db can't be 50; give -40 to 40 dB"),
        ({"breathiness": 1.2}, r"breathiness can't be 1.2; give 0 to 1 \(0 changes nothing\)"),
        ({"tempo": float("nan")}, r"tempo can't be nan; give 0.5 to 2"),
    ],
)
def test_what_no_voice_allows(asked, message):
    with pytest.raises(ConfigError, match=message):
        Edit(**asked)


def test_what_is_asked():
    assert Edit().asked == {}
    assert Edit(tempo=1.2, gain_db=0.0, f0_shift_st=-2.0).asked == {
        "f0_shift_st": -2.0,
        "tempo": 1.2,
    }


def test_usual_steps_are_those_of_the_norms():
    path = files("voxplain") / "assets/norms/adults.json"
    norms = json.loads(path.read_text(encoding="utf-8"))["descriptors"]
    f0, spread, rate, alpha, hnr = (
        norms[name]
        for name in (
            "f0_mean_st",
            "f0_sd_st",
            "articulation_rate",
            "alpha_ratio_mean_db",
            "hnr_mean_db",
        )
    )
    assert AXES["f0_shift_st"].step == pytest.approx(f0["within_sd"], rel=0.02)
    assert AXES["tilt_db"].step == pytest.approx(alpha["within_sd"], rel=0.02)
    for name, norm in (("f0_range", spread), ("tempo", rate)):
        assert AXES[name].step == pytest.approx(1 + norm["within_sd"] / norm["mean"], rel=0.02)
    usual, lower = (
        1 / (1 + 10 ** (-x / 10)) for x in (hnr["mean"], hnr["mean"] - hnr["within_sd"])
    )
    assert AXES["breathiness"].step == pytest.approx(1 - lower / usual, abs=0.01)
    assert AXES["tempo"].at(2) == 1.44
    assert AXES["tempo"].at(-1) == 0.83
    assert AXES["gain_db"].at(-0.5) == -3


@pytest.mark.parametrize(
    "edit", [Edit(f0_shift_st=3.0), Edit(f0_shift_st=-4.0), Edit(f0_shift_st=2.0, tempo=0.8)]
)
def test_praat_hears_the_pitch_that_was_asked_for(sad, edit):
    parselmouth = pytest.importorskip("parselmouth")

    def median_st(sound):
        pitch = parselmouth.Sound(sound.waveform.astype(float), RATE).to_pitch_ac(0.01, 60.0)
        hz = pitch.selected_array["frequency"]
        return 12 * np.log2(np.median(hz[hz > 0]))

    found = median_st(sad.edited(edit)) - median_st(sad.audio)
    assert found == pytest.approx(edit.f0_shift_st, abs=0.25)


def test_tempo_and_gain_are_those_asked_for(voice):
    faster = voice.edited(Edit(tempo=1.25))
    assert faster.duration == pytest.approx(voice.audio.duration / 1.25, abs=1e-4)
    louder = voice.edited(Edit(gain_db=20.0))
    assert louder.waveform == pytest.approx(10 * voice.audio.waveform)
    assert np.abs(louder.waveform).max() > 1  # nothing is cut off


def test_a_sound_says_that_it_is_synthetic(voice):
    assert voice.edited(Edit(tempo=1.1)).source == f"synthetic, from {voice.audio.source}"


def test_nothing_asked_nothing_changed(voice):
    assert np.array_equal(voice.edited(Edit()).waveform, voice.audio.waveform)


@pytest.mark.parametrize("edit", [Edit(gain_db=6.0), Edit(tilt_db=-3.0), Edit(breathiness=0.3)])
def test_what_lays_no_pulses_is_controlled_by_the_recording(voice, edit):
    assert voice.there_and_back(edit) is voice.audio


@pytest.mark.parametrize(
    "edit", [Edit(f0_shift_st=3.0), Edit(f0_shift_st=-3.0), Edit(f0_range=0.0), Edit(tempo=1.6)]
)
def test_the_control_went_somewhere_and_came_back(voice, edit):
    control = voice.there_and_back(edit)
    assert control.source.startswith("synthetic")
    assert control.duration == pytest.approx(voice.audio.duration, abs=2 / RATE)
    again = Voice(control).measurement.functionals()
    before = voice.measurement.functionals()
    for name, off in (
        ("f0_mean_st", 0.5),
        ("f0_range_st", 0.5),
        ("intensity_mean_db", 0.2),
        ("hnr_mean_db", 1.0),
    ):
        assert again[name].value == pytest.approx(before[name].value, abs=off)
    length = min(len(control.waveform), len(voice.audio.waveform))
    off = control.waveform[:length] - voice.audio.waveform[:length]
    assert np.std(off) > 0.1 * np.std(voice.audio.waveform)


def test_pitch_is_not_taken_where_it_can_not_be_followed(voice):
    with pytest.raises(ConfigError, match=r"out of 60 to 600 Hz, where a pitch can be") as told:
        voice.edited(Edit(f0_shift_st=18.0))
    most = int(str(told.value).rpartition(" to ")[2].removesuffix(" st"))
    assert voice.allows(Edit(f0_shift_st=float(most)))
    assert not voice.allows(Edit(f0_shift_st=float(most + 1)))
    with pytest.raises(ConfigError, match="where a pitch can be followed"):
        voice.there_and_back(Edit(f0_shift_st=18.0))


def test_a_range_that_no_shift_makes_room_for(clips):
    shouted = Voice(read(next(clip for clip in clips if "03a01Wa" in clip.name)))
    wide = Voice(shouted.edited(Edit(f0_range=1.5, f0_shift_st=-3.0)))
    with pytest.raises(ConfigError, match=r"f0_range 4 takes the voice .*; give a smaller range"):
        wide.edited(Edit(f0_range=4.0))


def test_a_whisper_has_no_pitch_to_change(whisper):
    voice = Voice(whisper)
    for edit in (
        Edit(f0_shift_st=2.0),
        Edit(f0_range=1.5),
        Edit(tilt_db=3.0),
        Edit(breathiness=0.2),
    ):
        with pytest.raises(ConfigError, match=r"no voice found in whisper.wav \(whispered\?\)"):
            voice.edited(edit)
    changed = voice.edited(Edit(tempo=0.8, gain_db=-6.0))
    assert changed.duration == pytest.approx(whisper.duration / 0.8, abs=1e-3)


def test_where_nobody_talks_there_is_no_voice():
    noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    with pytest.raises(AudioError, match=r"no speech found in hiss.wav \(1.0 s\), so there is no"):
        Voice(Audio(noise, RATE, "hiss.wav"))


def test_hours_are_not_taken_apart():
    silence = np.zeros(301 * RATE, np.float32)
    with pytest.raises(AudioError, match=r"night.wav lasts 301 s; a voice is taken apart in up to"):
        Voice(Audio(silence, RATE, "night.wav"))
