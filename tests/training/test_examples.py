"""Examples: targets mixed and states summed by hand, gathered in the right rows."""

from pathlib import Path

import numpy as np
import pytest
import torch

from voxplain.backbones.embedded import STATE_SHIFT
from voxplain.models.profile import Profile
from voxplain.training.corpora._reading import Ratings, Utterance
from voxplain.training.examples import NOBODY, Moments, Targets, gather
from voxplain.training.sounds import SOUNDS
from voxplain.types import Embedding

NAN = float("nan")
VOICE, NOISE, MUSIC, BABBLE = np.eye(4).tolist()


def targets(*rows):
    """Each a row of categories, perceived, dimensions and sound."""
    return Targets(*(torch.tensor(part, dtype=torch.float) for part in zip(*rows, strict=True)))


ANGRY = ([1, 0], [0.75, 0.25], [0.2, 0.8, 0.6], VOICE)
SAD = ([0, 1], [0, 1], [0.4, 0.2, 0.2], VOICE)
UNRATED = ([0, 1], [0, 0], [0.3, 0.3, 0.3], VOICE)
STATIC = ([0, 0], [0, 0], [NAN, NAN, NAN], NOISE)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (ANGRY, SAD, ([0.75, 0.25], [0.5625, 0.4375], [0.25, 0.65, 0.5], VOICE)),
        (ANGRY, UNRATED, ([0.75, 0.25], [0.5625, 0.1875], [0.225, 0.675, 0.525], VOICE)),
        (ANGRY, STATIC, ([0.75, 0], [0.5625, 0.1875], [0.2, 0.8, 0.6], [0.75, 0.25, 0, 0])),
        (STATIC, SAD, ([0, 0.25], [0, 0.25], [0.4, 0.2, 0.2], [0.25, 0.75, 0, 0])),
        (STATIC, STATIC, STATIC),
        (ANGRY, ANGRY, ANGRY),
    ],
)
def test_targets_are_mixed_and_dimensions_are_of_those_who_have_any(one, other, expected):
    found = targets(one).mixed(0.75, targets(other))
    for part, wanted in zip(found, targets(expected), strict=True):
        torch.testing.assert_close(part, wanted, equal_nan=True)


def test_targets_of_some_rows():
    found = targets(ANGRY, STATIC, SAD).rows([2, 0])
    for part, wanted in zip(found, targets(SAD, ANGRY), strict=True):
        assert torch.equal(part, wanted)


def states(*lengths, seed=0):
    random = np.random.default_rng(seed)
    return [random.normal(1, 3, (length, 5)).astype(np.float16) for length in lengths]


def test_moments_are_those_of_a_profile_of_the_same_speech():
    copies = [states(30, 7, 100), states(31, 7, 95, seed=1)]
    found = Moments(copies).of([2, 0, 1], [0, 1, 1])
    heard = np.concatenate([copies[0][2], copies[1][0], copies[1][1]])
    expected = Profile.of(Embedding(heard, STATE_SHIFT, "tiny"))
    assert found.frames == expected.frames == 138
    assert found.seconds == pytest.approx(138 * 0.04)
    np.testing.assert_allclose(found.total, expected.total, rtol=1e-5)
    np.testing.assert_allclose(found.squares, expected.squares, rtol=1e-5)


def test_moments_are_of_the_first_copy_unless_told():
    copies = [states(30, 7), states(31, 8, seed=1)]
    assert Moments(copies).of(np.array([1, 0])).frames == 37
    assert Moments(copies).of([1, 0], 1).frames == 39


@pytest.mark.parametrize("copies", [0, []])
def test_moments_of_nothing_are_an_empty_profile(copies):
    found = Moments([states(30, 7)]).of(np.array([], int), copies)
    assert (found.frames, found.seconds, found.trust) == (0, 0, 0)
    assert found.total.tolist() == found.squares.tolist() == [0] * 5


def utterance(speaker, emotion, votes=None):
    ratings = votes and Ratings(votes, dict.fromkeys(votes, 50.0))
    return Utterance(Path("a.wav"), "made", speaker, "female", emotion, "A", ratings)


@pytest.fixture
def gathered():
    """Three utterances, of which the second holds no speech, and three sounds."""
    utterances = [
        utterance("ann", "sad", {"sad": 3, "happy": 1}),
        utterance("bob", "angry"),
        utterance("bob", "neutral"),
    ]
    first, third = states(10, 20)
    worse, echo, *made = states(11, 8, 5, 6, 7, seed=1)
    copies = [[first, None, third], [None, echo, worse]]
    sounds = list(zip(SOUNDS[:0:-1], (0, 1, 0), made, strict=True))
    labels = ["angry", "neutral", "sad"]
    votes = ["happy", "sad"]
    examples = gather(
        utterances, copies, sounds, labels=labels, votes=votes, folds={"ann": 0, "bob": 1}
    )
    return examples, [[first, third, *made], [first, worse, *made]]


def test_only_what_holds_speech_is_gathered_and_the_recording_stands_in_for_a_copy(gathered):
    examples, expected = gathered
    for copy, wanted in zip(examples.copies, expected, strict=True):
        for found, one in zip(copy, wanted, strict=True):
            assert found is one


def test_sounds_come_after_the_utterances_and_nobody_speaks_them(gathered):
    examples, _ = gathered
    assert examples.speakers.tolist() == ["ann", "bob", NOBODY, NOBODY, NOBODY]
    assert examples.neutral.tolist() == [False, True, False, False, False]
    assert examples.folds.tolist() == [0, 1, 0, 1, 0]
    assert examples.targets.sound.tolist() == [VOICE, VOICE, BABBLE, MUSIC, NOISE]


def test_what_is_known_of_each(gathered):
    examples, _ = gathered
    nothing = [[0, 0, 0]] * 3
    assert examples.targets.categories.tolist() == [[0, 0, 1], [0, 1, 0], *nothing]
    assert examples.targets.perceived.tolist() == [[0.25, 0.75], *[[0, 0]] * 4]
    known = examples.targets.dimensions.isfinite().all(1)
    assert known.tolist() == [True, True, False, False, False]
    assert examples.targets.dimensions[1].tolist() == [0.5, 0.5, 0.5]


def test_without_a_fold_nothing_of_it_is_left(gathered):
    examples, expected = gathered
    rest = examples.without(0)
    for copy, (_, first, _, second, _) in zip(rest.copies, expected, strict=True):
        assert [id(states) for states in copy] == [id(first), id(second)]
    assert rest.speakers.tolist() == ["bob", NOBODY]
    assert rest.neutral.tolist() == [True, False]
    assert rest.folds.tolist() == [1, 1]
    assert rest.targets.sound.tolist() == [VOICE, MUSIC]
    assert rest.targets.categories.tolist() == [[0, 1, 0], [0, 0, 0]]
