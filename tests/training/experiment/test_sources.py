"""What a network hears: the right states, copies and profiles."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from voxplain.audio.read import read
from voxplain.models.msf import Texts
from voxplain.models.profile import HALF_TRUSTED
from voxplain.training.corpora._reading import Utterance
from voxplain.training.experiment.sources import SoundSource, StateSource, TextSource

RANDOM = np.random.default_rng(0)
STATES = [RANDOM.normal(size=(2, n, 3)).astype(np.float16) for n in (4, 2, 5, 3)]
SPEAKERS = ["ann", "ann", "ann", ""]
SECONDS = [2.0, 1.0, 4.0, 9.0]


def source(copies=(STATES,), *, profiles=True, speakers=SPEAKERS):
    return StateSource(copies, speakers=speakers, seconds=SECONDS, profiles=profiles)


def test_states_are_padded_and_masked():
    found = source(profiles=False).inputs(np.array([2, 1]), None)
    assert found.keys() == {"states", "mask"}
    assert found["states"].shape == (2, 2, 5, 3)
    assert found["mask"].tolist() == [[True] * 5, [True, True, False, False, False]]
    np.testing.assert_array_equal(found["states"][:, 0], STATES[2].astype(np.float32))
    np.testing.assert_array_equal(found["states"][:, 1, :2], STATES[1].astype(np.float32))
    assert source().lengths == [4, 2, 5, 3]


def test_usual_are_the_moments_of_all_frames():
    mean, square = source().usual(np.array([0, 2]))
    frames = np.concatenate([STATES[0], STATES[2]], 1).astype(np.float64)
    np.testing.assert_allclose(mean, frames.mean(1), atol=1e-6)
    np.testing.assert_allclose(square, (frames**2).mean(1), atol=1e-6)


def test_a_profile_is_of_the_speaker_s_other_recordings():
    speaker = source().inputs(np.array([0]), None)["speaker"]
    frames = np.concatenate([STATES[1], STATES[2]], 1).astype(np.float64)
    np.testing.assert_allclose(speaker.mean[0], frames.mean(1), atol=1e-4)
    np.testing.assert_allclose(speaker.square[0], (frames**2).mean(1), atol=1e-4)
    assert speaker.trust.tolist() == pytest.approx([5 / (5 + HALF_TRUSTED)])


def test_of_somebody_unknown_nothing_is_known():
    assert source().inputs(np.array([3]), None)["speaker"].trust.tolist() == [0.0]
    unknown = source(speakers=["", "", "", ""])
    assert unknown.inputs(np.arange(4), None)["speaker"].trust.tolist() == [0.0] * 4
    assert "speaker" not in source().of_strangers().inputs(np.array([0]), None)


def test_training_meets_profiles_of_none_and_of_several():
    sizes = {source().profile(0, np.random.default_rng(seed)).frames for seed in range(40)}
    assert sizes == {0, 2, 5, 7}  # no other recording, either one, both
    assert source().profile(0, None).frames == 7


def test_training_hears_a_recording_as_it_is_half_the_time():
    altered = [one + 100 for one in STATES]
    both = source((STATES, altered), profiles=False)
    found = [both.inputs(np.array([0]), np.random.default_rng(n))["states"] for n in range(200)]
    share = np.mean([bool((one < 50).all()) for one in found])
    assert 0.4 < share < 0.6
    assert (both.inputs(np.array([0]), None)["states"] < 50).all()


def test_sounds_come_as_they_are_in_order(clips):
    plain = Utterance(Path(), "x", "ann", "", "angry", "")
    utterances = [replace(plain, path=clip, end=0.5) for clip in clips[:3]]
    heard = SoundSource([utterances], seconds=[0.5] * 3, jobs=2)
    found = heard.inputs(np.array([2, 0]), None)["waveforms"]
    for waveform, row in zip(found, (2, 0), strict=True):
        assert torch.equal(waveform, torch.tensor(read(clips[row]).waveform[:8000]))
    assert heard.lengths == [500] * 3


TEXTS = Texts(torch.arange(24.0).reshape(4, 3, 2), torch.tensor([[True, True, False]] * 4))


def test_texts_come_beside_what_is_heard():
    heard = source()
    both = TextSource(heard, TEXTS)
    found = both.inputs(np.array([2, 0]), None)
    assert found.keys() == {"states", "mask", "speaker", "texts"}
    assert found["texts"].vectors.tolist() == TEXTS.vectors[[2, 0]].tolist()
    assert found["texts"].there.tolist() == [[True, True, False]] * 2
    assert torch.equal(found["states"], heard.inputs(np.array([2, 0]), None)["states"])
    assert both.lengths == heard.lengths
    strangers = both.of_strangers().inputs(np.array([0]), None)
    assert strangers.keys() == {"states", "mask", "texts"}


def test_where_nobody_listens_there_are_texts_alone():
    alone = TextSource(None, TEXTS)
    assert alone.inputs(np.array([1]), np.random.default_rng(0)).keys() == {"texts"}
    assert len(set(alone.lengths)) == 1
    assert len(alone.lengths) == 4
