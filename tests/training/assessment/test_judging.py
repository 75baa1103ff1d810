"""Real clips through the product: by the right head, nothing dropped, the same in any company."""

import dataclasses

import numpy as np
import pytest
import soundfile

import voxplain
from voxplain.models.embedded import EmbeddedModel, embedded_folder
from voxplain.pipeline import Analyzer, load
from voxplain.training.assessment.judging import Judge
from voxplain.training.assessment.recordings import recordings
from voxplain.training.conditions import Noise


@pytest.fixture(scope="module")
def judge():
    return Judge("speech")


@pytest.fixture(scope="module")
def utterances(listed):
    return recordings(f"mine={listed}").utterances


@pytest.fixture(scope="module")
def judged(judge, utterances):
    return judge.judge(utterances)


def test_a_stranger_is_judged_as_analyze_judges(judged, utterances):
    stranger = utterances[-1]
    assert stranger.speaker == "someone"
    expected = voxplain.analyze(stranger.path, explain=None).emotion
    assert judged.judgements[-1].emotion == expected
    assert judged.judgements[-1].fold is None


def test_who_was_heard_in_training_is_judged_by_another_head(judged, utterances):
    """Both ways give the same: a fold's model in the pipeline, and what is judged here."""
    reference = load().reference
    for utterance, judgement in zip(utterances[:3:2], judged.judgements[:3:2], strict=True):
        folds = load().model.card["folds"]
        (own,) = (n for n, fold in enumerate(folds) if utterance.speaker in fold["speakers"])
        model = EmbeddedModel(embedded_folder("speech"), fold=own)
        expected = Analyzer(model, reference).analyze(utterance.path, explain=None).emotion
        assert judgement.fold == own
        assert judgement.emotion == expected
        usual = voxplain.analyze(utterance.path, explain=None).emotion
        assert judgement.emotion.categories != usual.categories


def test_what_is_said_stands_in_arrays(judged):
    assert judged.labels == ("angry", "disgust", "fear", "happy", "neutral", "sad")
    np.testing.assert_allclose(judged.probabilities.sum(1), 1)
    assert judged.dimensions.shape == (5, 3)
    assert judged.told.all()
    assert judged.some(judged.emotions == "angry").speakers.tolist() == ["cremad_1007", "someone"]


def test_silence_and_what_cannot_be_read_are_rows(judge, utterances, tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    odd = [
        dataclasses.replace(utterances[0], path=tmp_path / name, speaker="")
        for name in ("silent.wav", "broken.wav")
    ]
    found = judge.judge([*odd, utterances[-1]])
    silent, broken, fine = found.judgements
    assert silent.emotion is not None
    assert silent.reason == "no speech found in 1.0 s of audio"
    assert broken.emotion is None
    assert broken.reason.startswith("can't be read: ")
    assert "broken.wav" in broken.reason
    assert not fine.reason
    assert found.told.tolist() == [False, False, True]
    assert np.isnan(found.probabilities[:2]).all()
    assert np.isnan(found.dimensions[:2]).all()
    assert found.speakers[0] == str(tmp_path / "silent.wav")


def test_a_part_of_a_file_is_judged_alone(judge, utterances, tmp_path):
    one = utterances[-1]
    waveform, rate = soundfile.read(one.path)
    longer = tmp_path / "long.wav"
    soundfile.write(longer, np.concatenate([waveform[::-1], waveform]), rate, subtype="FLOAT")
    part = dataclasses.replace(one, path=longer, start=len(waveform) / rate)
    (found,) = judge.judge([part]).judgements
    (whole,) = judge.judge([one]).judgements
    assert found.duration == pytest.approx(whole.duration)
    assert found.emotion.categories == pytest.approx(whole.emotion.categories, abs=1e-3)


def test_a_condition_is_the_same_each_time_and_depends_on_its_name(judge, utterances):
    one = utterances[-1:]
    told = [
        judge.judge(one, condition=Noise("white", 10), name=name).probabilities
        for name in ("10 dB", "10 dB", "other")
    ]
    np.testing.assert_array_equal(told[0], told[1])
    assert not np.array_equal(told[0], told[2])


def test_company_is_of_others(judge, utterances):
    for one, others in zip(utterances, judge.company(utterances), strict=True):
        assert {other.speaker for other in others}.isdisjoint({one.speaker})


def test_progress_counts_clips(judge, utterances):
    steps = []
    judge.judge(utterances[:2], progress=lambda: steps.append(1))
    assert len(steps) == 2


def test_several_processes_give_the_same(judge, utterances, judged):
    both = judge.judge(utterances[-2:], jobs=2)
    np.testing.assert_array_equal(both.probabilities, judged.probabilities[-2:])
