"""Each speaker is read by the head that never heard the speaker, and calibrated by the others."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from voxplain.backbones.embedded import STATE_SHIFT
from voxplain.errors import WeightsMissing
from voxplain.models.calibration import Calibration, label_sets, softmax
from voxplain.models.embedded import EmbeddedModel
from voxplain.models.judgement import Readings
from voxplain.models.profile import Profile
from voxplain.training.corpora._reading import Utterance
from voxplain.training.held_out import Heard, Unseen, calibrate
from voxplain.types import Embedding

LABELS = ("angry", "happy", "neutral", "sad")


def utterance(speaker, emotion="angry"):
    return Utterance(Path("a.wav"), "made", speaker, "female", emotion, "A")


@pytest.fixture
def heard():
    """Ann six times, Bob twice; the state of each is another power of two, so that sums tell."""
    emotions = ["neutral", "angry", "neutral", "sad", "neutral", "angry", "neutral", "angry"]
    spoken = [utterance("ann", emotion) for emotion in emotions[:6]]
    spoken += [utterance("bob", emotion) for emotion in emotions[6:]]
    return Heard(spoken, [np.full((1, 1), 2**row, np.float16) for row in range(8)])


def rows(profile):
    """The utterances that are in a profile."""
    total = int(profile.total.item())
    found = {row for row in range(8) if total >> row & 1}
    assert profile.frames == len(found)
    assert profile.seconds == pytest.approx(0.04 * len(found))
    return found


def test_only_what_holds_speech_is_heard(heard):
    found = Heard.of(heard.utterances[:3], [None, heard.states[1], None])
    assert found.utterances == [heard.utterances[1]]
    assert found.states == [heard.states[1]]


def test_some_rows_keep_what_belongs_together(heard):
    found = heard.some(np.array([7, 0]))
    assert found.speakers.tolist() == ["bob", "ann"]
    assert [one.item() for one in found.states] == [128, 1]


@pytest.mark.parametrize("clips", [1, 3, 5, 80])
def test_a_profile_is_of_other_utterances_by_the_same_speaker(heard, clips):
    for row, profile in enumerate(heard.profiles(clips)):
        others = set(range(6) if row < 6 else range(6, 8)) - {row}
        assert rows(profile) <= others
        assert profile.frames == min(clips, len(others))


def test_a_profile_may_be_of_neutral_utterances_alone(heard):
    found = [rows(profile) for profile in heard.profiles(80, emotion="neutral")]
    assert found == [{2, 4}, {0, 2, 4}, {0, 4}, {0, 2, 4}, {0, 2}, {0, 2, 4}, set(), {6}]


def test_profiles_are_drawn_at_random_and_the_same_each_time(heard):
    first = [rows(profile) for profile in heard.profiles(2)]
    assert [rows(profile) for profile in heard.profiles(2)] == first
    assert len({tuple(sorted(found)) for found in first[:6]}) > 3


@pytest.fixture(scope="module")
def spoken():
    """By a speaker of each fold and by one who was never trained on."""
    random = np.random.default_rng(0)
    states = [random.normal(0, 2, (n, 32)).astype(np.float16) for n in (30, 60, 45)]
    return Heard([utterance(name) for name in ("s1", "s0", "stranger")], states)


def test_each_speaker_is_read_by_the_head_that_never_heard_the_speaker(tiny_model, spoken):
    profiles = [Profile.of(Embedding(s[:9], STATE_SHIFT, "tiny")) for s in spoken.states]
    unseen = Unseen(tiny_model.folder)
    assert [unseen.fold(name) for name in spoken.speakers] == [1, 0, None]
    for known in (None, profiles):
        found = unseen.read(spoken, known)
        for row, fold in enumerate((1, 0, None)):
            expected = EmbeddedModel(tiny_model.folder, fold=fold).read(
                Embedding(spoken.states[row], STATE_SHIFT, "tiny"), known and known[row]
            )
            for part in Readings.__slots__:
                np.testing.assert_array_equal(getattr(found, part)[row], getattr(expected, part))
    plain = unseen.read(spoken).categories
    assert np.abs(plain - found.categories).max() > 0.01  # the profiles matter


def test_the_heads_differ(tiny_model, spoken):
    embedding = Embedding(spoken.states[0], STATE_SHIFT, "tiny")
    heads = [EmbeddedModel(tiny_model.folder, fold=fold) for fold in (None, 0, 1)]
    logits = np.array([head.read(embedding).categories for head in heads])
    assert all(
        np.ptp(logits[[one, other]], 0).max() > 0.01 for one, other in ((0, 1), (1, 2), (2, 0))
    )


def test_without_a_model_nothing_is_read(tmp_path):
    with pytest.raises(WeightsMissing, match="is no model folder"):
        Unseen(tmp_path)


def test_calibration_gives_back_what_readings_were_off_by():
    """Logits three times too sure; dimensions a fifth too small, one too high, one too wide."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 1.5, (3000, 4))
    truth = (logits + random.gumbel(size=logits.shape)).argmax(1)
    spoken = [utterance("ann", LABELS[index]) for index in truth]
    places = {  # Russell & Mehrabian (1977), from [-1, 1] to [0, 1]
        "angry": (0.245, 0.795, 0.625),
        "happy": (0.905, 0.755, 0.73),
        "neutral": (0.5, 0.5, 0.5),
        "sad": (0.185, 0.365, 0.335),
    }
    points = np.array([places[one.emotion] for one in spoken])
    off = np.array([(0.05, 0.05, 0.05), (-0.3, 0, 0.3), (0, 0, 0)])
    strange = random.permutation(3000) / 3000
    readings = Readings(
        3 * logits, logits, 0.8 * points[..., None] + off, logits, np.zeros(3000), strange
    )
    known = dataclasses.replace(readings, categories=2 * logits)
    unfitted = Calibration(LABELS, ("angry",), ("one voice", "noise"))
    found = calibrate(readings, known, spoken, unfitted)
    assert found.temperature == pytest.approx(3, rel=0.05)
    assert np.mean(strange > found.most_strange) == pytest.approx(0.005)
    assert found.known_temperature == pytest.approx(2, rel=0.05)
    np.testing.assert_allclose(found.slope, 1.25)
    np.testing.assert_allclose(found.offset, (-0.05 * 1.25, 0, 0), atol=1e-9)
    np.testing.assert_allclose(found.widening, (0, -0.3 * 1.25, 0), atol=1e-9)
    held = label_sets(softmax(logits), mass=found.mass)[np.arange(3000), truth]
    assert held.mean() == pytest.approx(0.9, abs=0.01)
    assert (found.labels, found.votes, found.sounds) == (LABELS, ("angry",), ("one voice", "noise"))
