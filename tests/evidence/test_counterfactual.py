"""Changes that are known because they were made by other means, and judges whose mind is known."""

import math

import numpy as np
import pytest
import soxr

from voxplain.audio.read import read
from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.errors import AudioError, ConfigError, UnknownName
from voxplain.evidence.counterfactual import TOLD, Experiment, found_again
from voxplain.evidence.voice import AXES, Edit
from voxplain.types import Audio, Emotion, Verdict

RATE = 16_000


def emotion(angry):
    """Angry so far, else sad."""
    verdict = Verdict(("angry",) if angry > 0.5 else ("sad",))
    return Emotion({"angry": angry, "sad": 1 - angry}, {}, None, ("angry", "sad"), verdict)


def by_length(sound):
    """Short is angry."""
    return emotion(1 / (1 + math.exp(sound.duration - 3)))


def by_level(sound):
    """Loud is angry."""
    return emotion(float(min(0.99, 3 * np.std(sound.waveform))))


@pytest.fixture(scope="module")
def experiments(clips):
    """With three recordings."""
    return [Experiment(read(clip), judge=by_length) for clip in clips[2:]]


def measured(waveform):
    return Measurement(waveform.astype(np.float32), sampling_rate=RATE).tracks


@pytest.mark.parametrize("factor", [0.85, 1.2])
def test_a_tape_played_faster_is_found_faster_and_higher(clips, factor):
    for clip in clips[2:]:
        waveform = read(clip).waveform
        played = soxr.resample(waveform, factor * RATE, RATE)
        found = found_again(measured(waveform), measured(played), tempo=factor)
        assert found["tempo"].value == pytest.approx(factor, rel=0.01)
        assert found["f0_shift_st"].value == pytest.approx(12 * np.log2(factor), abs=0.1)
        assert found["f0_range"].value == pytest.approx(1, abs=0.06)
        assert found["gain_db"].value == pytest.approx(0, abs=0.3)


def test_gain_and_tilt_are_found_apart(angry):
    waveform = read(angry).waveform
    brighter = 2 * np.convolve(waveform, [1, -0.5], "same")  # a high-pass, and louder
    before = measured(waveform)
    louder = found_again(before, measured(2 * waveform), tempo=1.0)
    assert louder["gain_db"].value == pytest.approx(6.02, abs=0.01)
    assert louder["tilt_db"].value == pytest.approx(0, abs=0.01)
    filtered = found_again(before, measured(brighter), tempo=1.0)
    assert 2 < filtered["tilt_db"].value < 8
    assert filtered["f0_shift_st"].value == pytest.approx(0, abs=0.05)


def test_noise_is_found_as_breath(angry):
    waveform = read(angry).waveform
    noise = np.random.default_rng(0).normal(0, 0.2 * np.std(waveform), len(waveform))
    found = found_again(measured(waveform), measured(waveform + noise), tempo=1.0)
    assert 0.02 < found["breathiness"].value < 0.3


def test_where_there_is_nothing_to_compare_nothing_is_found(angry):
    silence = measured(np.zeros(RATE))
    found = found_again(measured(read(angry).waveform), silence, tempo=1.0)
    assert all(math.isnan(one.value) and not one.reliable for one in found.values())


@pytest.mark.parametrize(
    "edit",
    [
        Edit(f0_shift_st=3.0),
        Edit(f0_range=0.6),
        Edit(tempo=0.8),
        Edit(tempo=1.25),
        Edit(tilt_db=-3.0),
    ],
)
def test_what_is_asked_for_is_found_again(experiments, edit):
    ((axis, asked),) = edit.asked.items()
    off = []
    for experiment in experiments:
        found = experiment.whatif(edit)
        assert found.edit == {axis: asked}
        off.append(abs(found.measured[axis].value / asked - 1))
    assert np.median(off) < 0.05


def test_whatif_tells_before_after_and_the_control(angry):
    audio = read(angry)
    experiment = Experiment(audio, judge=by_length)
    found = experiment.whatif(Edit(tempo=0.75))
    assert found.before == by_length(audio)
    assert found.after.categories["angry"] == pytest.approx(
        1 / (1 + math.exp(audio.duration / 0.75 - 3)), abs=1e-3
    )
    assert found.identity.categories["angry"] == pytest.approx(
        found.before.categories["angry"], abs=1e-3
    )
    assert set(found.measured) == {*AXES, *TOLD}
    assert found.measured["tempo"].unit == ""
    assert found.measured["f0_mean_st"].unit == "st"


def test_a_gain_is_no_synthesis(angry):
    found = Experiment(read(angry), judge=by_level).whatif(Edit(gain_db=6.0))
    assert found.identity is found.before
    ratio = found.after.categories["angry"] / found.before.categories["angry"]
    assert ratio == pytest.approx(10 ** (6 / 20), rel=1e-4)


def test_dose_and_response(angry):
    experiment = Experiment(read(angry), judge=by_length)
    found = experiment.dose_response("tempo", [0.7, 1.0, 1.4])
    assert [one.edit for one in found] == [{"tempo": 0.7}, {}, {"tempo": 1.4}]
    shares = [one.after.categories["angry"] for one in found]
    assert shares == sorted(shares)
    assert found[1].after == found[1].before
    with pytest.raises(UnknownName, match=r"unknown axis of an edit 'speed'; available: breath"):
        experiment.dose_response("speed", [1.0])
    with pytest.raises(ConfigError, match="tempo can't be 9"):
        experiment.dose_response("tempo", [9.0])


def test_one_by_one_each_cue_goes_down_and_up_as_far_as_the_voice_allows(clips):
    audio = read(next(clip for clip in clips if "hap" in clip.name))  # up to 700 Hz
    found = Experiment(audio, judge=by_length).one_by_one()
    asked = [one.edit for one in found]
    assert all(len(edit) == 1 for edit in asked)
    assert {"f0_shift_st": -4.4} in asked
    assert {"f0_shift_st": 4.4} not in asked
    assert {"breathiness": 0.06} in asked
    assert len(asked) == len({tuple(edit.items()) for edit in asked})


def test_silence_is_no_experiment():
    with pytest.raises(AudioError, match="no speech found in x"):
        Experiment(Audio(np.zeros(RATE, np.float32), RATE, "x.wav"), judge=by_length)
