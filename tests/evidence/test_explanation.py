"""Explanations of real recordings, and of a model whose reasons are known."""

import dataclasses
import math

import numpy as np
import pytest

import voxplain
from voxplain import descriptors
from voxplain.audio.log_mel import FRAME_SHIFT, log_mel
from voxplain.audio.read import read
from voxplain.descriptors._levels import Reference
from voxplain.errors import UnknownName
from voxplain.evidence.explanation import Case, explained, saliency
from voxplain.types import Emotion, Segment, Verdict

LABELS = ("angry", "neutral", "sad")


@pytest.fixture(scope="module")
def analysis(angry):
    return voxplain.analyze(angry, explain=None)


def emotion(*probabilities):
    shares = dict(zip(LABELS, probabilities, strict=True))
    return Emotion(shares, {}, None, LABELS, Verdict(("angry",)))


def goes_by(spectrogram, *, frames, bands=slice(None)):
    """Log-odds of a model that asks how much of one place is still there."""

    def forward(batch):
        there = (batch[:, bands, frames] == spectrogram[bands, frames]).mean((1, 2))
        return np.stack([8 * there - 4, -there, 0 * there], 1)

    return forward


@pytest.fixture
def case(angry, analysis):
    audio = read(angry)
    (stretch,) = analysis.segments
    tracks = analysis.descriptors.tracks
    first, last = (round(t * audio.sampling_rate) for t in (stretch.start, stretch.end))
    audio = dataclasses.replace(audio, waveform=audio.waveform[first:last])
    forward = goes_by(log_mel(audio.waveform), frames=slice(100, 120), bands=slice(40, 56))
    return Case(
        number=0,
        segment=Segment(stretch.start, stretch.end),
        audio=audio,
        emotion=emotion(0.7, 0.2, 0.1),
        label="angry",
        functionals=stretch.descriptors.functionals,
        tracks=tracks,
        conditions=descriptors.conditions_of(tracks),
        reference=Reference.of_group("adults"),
        hearing=lambda sound: forward,
        judge=lambda sound: emotion(0.7, 0.2, 0.1),
    )


def test_the_moment_is_where_the_model_looks(case):
    found = explained(case, effort="quick")
    (moment,) = found.moments
    start = case.segment.start + 100 * FRAME_SHIFT
    assert moment.start == pytest.approx(start)
    assert moment.end == pytest.approx(start + 0.2)
    assert moment.share == pytest.approx(1.0)
    assert moment.score == pytest.approx(8.0)
    assert (found.output, found.runner_up, found.segment) == ("angry", "neutral", 0)
    assert [one.axis for one in found.attributions] == ["time", "frequency"]
    assert found.faithfulness.passed
    assert found.warnings == ()


def test_full_looks_into_bands_and_tests_more(case):
    found = explained(case, effort="full")
    (moment,) = found.moments
    bands = next(one for one in found.attributions if one.axis == "time_frequency").hz
    assert moment.low_hz == pytest.approx(bands[2])  # bands 40 to 55 of 80, by windows of 20
    assert moment.high_hz == pytest.approx(bands[3])
    told = found.faithfulness
    assert {one.fill for one in told.removals} == {"noise", "local_mean"}
    assert told.deletion[0] == pytest.approx(1 / (1 + math.exp(-4)))
    assert told.insertion[0] == pytest.approx(told.deletion[-1])
    assert len(told.stability) == 2
    assert all(-1 <= one <= 1 for one in told.agreement.values())
    assert {"f0_shift_st", "tilt_db"} <= {key for one in found.counterfactuals for key in one.edit}
    shares = found.attributions[-1]
    assert (shares.axis, len(shares.names)) == ("descriptor", 4)


def test_an_explanation_no_better_than_chance_says_so(case):
    """Its answer depends on a coin, not on the sound."""
    coin = np.random.default_rng(0)
    blind = dataclasses.replace(
        case, hearing=lambda sound: lambda batch: coin.normal(0, 1, (len(batch), 3))
    )
    found = [explained(blind, effort="quick") for _ in range(12)]
    failed = [one for one in found if not one.faithfulness.passed]
    assert 2 <= len(failed) <= 10
    assert all("don't rely on this explanation" in one.warnings[-1] for one in failed)


def test_nothing_speaks_for_the_label(case):
    deaf = dataclasses.replace(case, hearing=lambda sound: lambda batch: np.zeros((len(batch), 3)))
    found = explained(deaf, effort="quick")
    assert found.moments == ()
    assert "no part of the recording speaks for the label by itself" in found.warnings


def test_an_unknown_effort(case):
    with pytest.raises(UnknownName, match="explanation 'thorough'"):
        explained(case, effort="thorough")


def test_windows_grow_with_the_sound():
    long = np.zeros((80, 1200), np.float32)
    found = saliency(lambda batch: batch.sum((1, 2))[:, None], long, output=0, start=2.0)
    assert len(found.scores) == 30
    assert found.times[0] == 2.0
    assert np.diff(found.times) == pytest.approx(0.4)


@pytest.fixture(scope="module")
def found(angry):
    return voxplain.analyze(angry)


def test_of_a_real_recording(found):
    why = found.explanation
    assert why.output == "angry"
    assert why.faithfulness.passed
    assert all(0 <= m.start < m.end <= found.duration for m in why.moments)
    loud_and_high = {cue.descriptor: cue.judgement for cue in why.cues}
    assert loud_and_high["f0_mean_st"] == "supports"
    assert loud_and_high["alpha_ratio_mean_db"] == "supports"
    assert why.plausibility.value > 0.5


def test_why_not_another_label(angry):
    found = voxplain.analyze(angry, why="sad").explanation
    assert (found.output, found.runner_up) == ("sad", "angry")
    judged = {cue.descriptor: cue.judgement for cue in found.cues}
    assert judged["f0_mean_st"] == "contradicts"


def test_what_is_too_short_is_not_explained(angry, tiny_model):
    part = read(angry).waveform[16_000 : round(1.49 * 16_000)]
    found = voxplain.analyze(part, 16_000, model=str(tiny_model.folder))
    assert found.explanation is None
    assert found.emotion.categories
    assert "too short to explain one part by another" in found.warnings[-1]


def test_without_a_verdict_on_sound_there_is_nothing_to_explain():
    silence = voxplain.analyze(np.zeros(16_000), 16_000)
    assert silence.explanation is None


def test_it_survives_json(found):
    again = voxplain.Analysis.from_dict(found.to_dict())
    assert again.to_dict() == found.to_dict()
    assert again.explanation.moments[0].cues[0] == found.explanation.moments[0].cues[0]
