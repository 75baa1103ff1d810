"""The tables of the model card, from judgements small enough for paper."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from voxplain.models.judgement import Readings
from voxplain.training.corpora._reading import Ratings, Utterance
from voxplain.training.evaluate import table
from voxplain.training.evaluation import listening, recognition, rivals, speakers, verdicts
from voxplain.training.evaluation.material import Judged
from voxplain.training.held_out import Heard
from voxplain.training.statistics import Interval

LABELS = ("angry", "fear", "happy", "neutral", "sad")

pytestmark = pytest.mark.usefixtures("few_draws")


def utterance(speaker, emotion, *, name="a", votes=None, corpus="made"):
    ratings = votes and Ratings(votes, dict.fromkeys(votes, 50.0))
    return Utterance(Path(f"{name}.wav"), corpus, speaker, "female", emotion, "A", ratings)


def judged(utterances, probabilities, *, sets=None, intervals=None, perceived=None):
    """Utterances as they were judged; what isn't given is nothing in particular."""
    n = len(utterances)
    rows = np.array(probabilities, float)
    points = np.zeros((n, 3, 3)) if intervals is None else np.array(intervals, float)
    shares = rows if perceived is None else np.array(perceived, float)
    return Judged(
        utterances,
        Readings(
            *(np.log(rows + 1e-12), np.log(shares + 1e-12), points, np.zeros((n, 4))),
            *(np.zeros(n), np.ones(n)),
        ),
        rows,
        rows > 0 if sets is None else np.array(sets, bool),
        points,
        np.array([LABELS.index(u.emotion) if u.emotion in LABELS else -1 for u in utterances]),
    )


def values(row):
    return {metric: figure.value for metric, figure in row.items()}


@pytest.fixture
def four():
    """Two speakers with two clips each, of which the first, second and fourth are understood."""
    spoken = [utterance("ann", "angry"), utterance("ann", "sad")]
    spoken += [utterance("bob", "angry"), utterance("bob", "sad")]
    found = [
        [0.9, 0, 0, 0, 0.1],
        [0.2, 0, 0, 0, 0.8],
        [0.3, 0.1, 0, 0, 0.6],
        [0.1, 0.1, 0.1, 0.2, 0.5],
    ]
    return judged(spoken, found)


def test_how_often_the_emotion_is_found(four):
    found = recognition.recognised(four)
    # Each confidence is in a bin of its own: off by 0.1, 0.2, 0.6 and 0.5.
    assert values(found) == pytest.approx({"UAR": 0.75, "accuracy": 0.75, "ECE": 1.4 / 4})
    assert {(figure.n, figure.speakers) for figure in found.values()} == {(4, 2)}


def test_sets_hold_the_truth_or_do_not(four):
    """Of the sets two are of two labels, one of three and one of five, which says nothing."""
    missed = four.sets.copy()
    missed[2] = [False, False, False, False, True]
    found = verdicts.covered(dataclasses.replace(four, sets=missed))
    assert values(found) == {
        "sets with the truth": 3 / 4,
        "labels in a set": (2 + 2 + 1 + 5) / 4,
        "one label": 1 / 4,
        "not enough evidence": 1 / 4,
    }


def test_the_surest_are_judged_first(four):
    found = {name: row["accuracy"] for name, row in verdicts.surest(four).items()}
    assert {name: one.value for name, one in found.items()} == pytest.approx(
        {
            "surest 100%": 3 / 4,
            "surest 80%": 2 / 3,  # 0.9, 0.8 and 0.6, of which the last is wrong
            "surest 60%": 1,
            "surest 40%": 1,
            "surest 20%": 1,
            "all shares (1 - AURC)": 1 - (0 + 0 + 1 / 3 + 1 / 4) / 4,
        }
    )
    assert [one.n for one in found.values()] == [4, 3, 2, 2, 1, 4]


def test_intervals_of_the_dimensions():
    """Happy is (0.905, 0.755, 0.73), neutral (0.5, 0.5, 0.5)."""
    spoken = [
        utterance(name, emotion) for name in ("ann", "bob") for emotion in ("happy", "neutral")
    ]
    happy = [(0.8, 0.905, 1.0), (0.0, 0.5, 0.7), (0.7, 0.73, 0.75)]
    neutral = [(0.4, 0.5, 0.8), (0.4, 0.755, 0.8), (0.6, 0.65, 0.7)]
    rows = judged(spoken, np.eye(5)[[2, 3] * 2], intervals=[happy, neutral] * 2)
    found = listening.dimensions(rows)
    assert list(found) == ["valence", "arousal", "dominance"]
    assert [row["CCC"].value for row in found.values()][:2] == pytest.approx([1, -1])
    assert [row["inside the interval"].value for row in found.values()] == [1, 0.5, 0.5]
    widths = [row["width of the interval"].value for row in found.values()]
    assert widths == pytest.approx([(0.2 + 0.4) / 2, (0.7 + 0.4) / 2, (0.05 + 0.1) / 2])


@pytest.fixture
def material():
    """Ann and Cat are in fold 0, Bob and Dan in fold 1."""
    folds = {"ann": 0, "bob": 1, "cat": 0, "dan": 1}
    return SimpleNamespace(
        recipe=SimpleNamespace(votes=LABELS, labels=LABELS),
        unseen=SimpleNamespace(fold=folds.__getitem__),
    )


def divergence(apart):
    """Bits between all the votes for one label, and a share of them for another."""
    both = np.array([1 - apart / 2, apart / 2])
    rest = np.array([1 - apart, apart])
    return -both @ np.log2(both) + rest @ np.log2(rest) / 2


@pytest.mark.filterwarnings("ignore:invalid value")  # in a draw of Ann alone all means are alike
def test_votes_are_compared_with_those_of_other_speakers_and_of_the_portrayed_emotion(material):
    spoken = [
        utterance("ann", "sad", votes={"sad": 4}),
        utterance("bob", "angry", votes={"angry": 3, "happy": 1}),
        utterance("ann", "sad", votes={"neutral": 2, "sad": 2}),
        utterance("bob", "angry", votes={"angry": 2, "happy": 2}),
    ]
    truth = [[0, 0, 0, 0, 1], [0.75, 0, 0.25, 0, 0], [0, 0, 0, 0.5, 0.5], [0.5, 0, 0.5, 0, 0]]
    portrayed = [[0, 0, 0, 0.25, 0.75], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0.5, 0, 0.5, 0, 0]]
    rows = judged(spoken, portrayed, perceived=truth)
    found = {name: values(row) for name, row in listening.votes(rows, material).items()}
    exact = {"Jensen-Shannon divergence (bits)": 0, "r of the entropies": 1, "most votes found": 1}
    assert found["voxplain, perceived"] == pytest.approx(exact, abs=1e-6)
    parts = [divergence(0.25), divergence(0.25), divergence(0.5), 0]
    found_bits = found["voxplain, portrayed"]["Jensen-Shannon divergence (bits)"]
    assert found_bits == pytest.approx(np.mean(parts))
    # What is heard in Bob shares no label with what is heard in Ann: a whole bit.
    others = found["mean vote of other speakers"]
    assert others["Jensen-Shannon divergence (bits)"] == pytest.approx(1)
    assert others["most votes found"] == 0


def test_in_another_corpus_only_labels_with_a_name_count_and_four_by_themselves(monkeypatch):
    """Fear may win over all five labels; among the four others it is out of the question."""
    spoken = [utterance("ann", emotion) for emotion in ("angry", "calm", "fear")]
    spoken += [utterance("bob", "sad"), utterance("bob", "angry")]
    rows = [[0.4, 0.6, 0, 0, 0], [1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 1, 0, 0]]
    plain, known = judged(spoken, rows), judged(spoken, np.eye(5)[[0, 0, 1, 4, 0]])
    heard = Heard(spoken, [np.ones((1, 2), np.float16)] * 5)
    seen = []

    def judge(heard, profiles=None):
        seen.append(profiles and [profile.frames for profile in profiles])
        return known if profiles else plain

    material = SimpleNamespace(
        corpus=lambda name: heard if name == "other" else None,
        judge=judge,
        recipe=SimpleNamespace(labels=LABELS),
    )
    guess = {"always sad": np.full(5, LABELS.index("sad"))}
    monkeypatch.setattr(rivals, "carried_over", lambda *given, **options: guess)
    found = recognition.elsewhere(material, "other", cache=Path(), jobs=1)
    assert {name: (row["UAR"].value, row["UAR"].n) for name, row in found.items()} == {
        "always sad": (pytest.approx(1 / 3), 4),
        "3 labels": (pytest.approx((0 + 1 + 1) / 3), 4),
        "4 labels": (pytest.approx((1 / 2 + 1) / 2), 3),
        "3 labels, speaker known": (1, 4),
        "4 labels, speaker known": (1, 3),
    }
    assert seen == [None, [2, 2, 2, 1, 1]]  # all others of the speaker


@pytest.mark.filterwarnings("ignore:invalid value")  # one vote each: nothing to correlate
def test_votes_that_nobody_gave_do_not_count_and_labels_may_differ(material):
    material.recipe.votes = ("sad", "angry")
    spoken = [utterance("ann", "sad", votes={"sad": 1}), utterance("bob", "sad")]
    spoken += [utterance("bob", "angry", votes={"angry": 1})]
    rows = judged(spoken, np.eye(5)[[4, 0, 0]], perceived=[[1, 0], [0, 1], [0, 1]])
    found = listening.votes(rows, material)
    for name in ("voxplain, perceived", "voxplain, portrayed"):
        row = found[name]["most votes found"]
        assert (row.value, row.n) == (1, 2), name


@pytest.mark.parametrize(
    ("folds", "kinds"),
    [({"ann": 0, "bob": 0}, 3), ({"ann": 0, "bob": 1}, 2), ({"ann": 0, "bob": 0, "cat": 1}, 2)],
)
def test_there_is_no_babble_where_a_speaker_has_no_company(folds, kinds):
    spoken = [utterance(name, "sad", name=name) for name in folds]
    material = SimpleNamespace(
        utterances=spoken,
        unseen=SimpleNamespace(fold=folds.__getitem__),
        hear=lambda utterances, condition=None: utterances,
        judge=lambda heard: judged(heard, np.eye(5)[[4] * len(heard)]),
    )
    rows = recognition.in_noise(material, corpus="made")
    assert len(rows) == 1 + kinds
    assert {row["accuracy"].n for row in rows.values()} == {1}  # a third


def test_what_a_speaker_never_stated_is_a_group_too(four, tmp_path):
    people = "ActorID,Age,Sex,Race,Ethnicity\n1,29,Male,Asian,Not Hispanic"
    (tmp_path / "VideoDemographics.csv").write_text(people, encoding="utf-8")
    names = {"ann": "cremad_1", "bob": "cremad_2"}
    spoken = [dataclasses.replace(one, speaker=names[one.speaker]) for one in four.utterances]
    found = speakers.groups(dataclasses.replace(four, utterances=spoken), tmp_path)
    assert found["sex: not stated"]["accuracy"].value == 1 / 2


def test_a_probe_that_knows_the_speakers_sees_what_their_voices_hide():
    """Sad lies one above angry, but Bob nine above Ann, and so on: only within a voice it shows."""
    random = np.random.default_rng(0)
    spoken, states = [], []
    for number, name in enumerate(("ann", "bob", "cat", "dan")):
        for emotion in ("angry", "sad") * 6:
            level = 9 * number + (emotion == "sad") + random.normal(0, 0.1, (8, 2))
            spoken.append(utterance(name, emotion))
            states.append(level.astype(np.float16))
    heard = Heard(spoken, states)
    folds = {"ann": 0, "bob": 1, "cat": 0, "dan": 1}
    material = SimpleNamespace(
        heard=heard,
        judged=judged(spoken, np.eye(5)[[0] * len(spoken)]),
        unseen=SimpleNamespace(fold=folds.__getitem__),
    )
    assert np.mean(rivals.normalised_probe(material) == material.judged.truth) == 1


def test_groups_of_speakers(four, tmp_path):
    assert speakers.groups(four, tmp_path) == {}  # nothing is known
    people = (
        "ActorID,Age,Sex,Race,Ethnicity\n1,29,Male,Asian,Not Hispanic\n2,50,Female,Asian,Hispanic"
    )
    (tmp_path / "VideoDemographics.csv").write_text(people, encoding="utf-8")
    names = {"ann": "cremad_1", "bob": "cremad_2"}
    spoken = [dataclasses.replace(one, speaker=names[one.speaker]) for one in four.utterances]
    found = speakers.groups(dataclasses.replace(four, utterances=spoken), tmp_path)
    assert {name: row["accuracy"].value for name, row in found.items()} == {
        "sex: Female": 1 / 2,
        "sex: Male": 1,
        "age: 50 and over": 1 / 2,
        "age: under 30": 1,
        "race: Asian": 3 / 4,
        "ethnicity: Hispanic": 1 / 2,
        "ethnicity: Not Hispanic": 1,
    }


def test_judgements_of_a_corpus(four):
    mixed = [
        dataclasses.replace(one, corpus=c) for one, c in zip(four.utterances, "abba", strict=True)
    ]
    found = dataclasses.replace(four, utterances=mixed).of("b")
    assert found.utterances == mixed[1:3]
    assert found.truth.tolist() == [LABELS.index("sad"), LABELS.index("angry")]
    np.testing.assert_array_equal(found.probabilities, four.probabilities[1:3])
    np.testing.assert_array_equal(found.readings.categories, four.readings.categories[1:3])


def test_a_table_is_markdown():
    half, most = Interval(0.5, 0.25, 0.75, 8, 2), Interval(0.9, 0.8, 1.0, 4, 1)
    assert table({"one": {"a": {"UAR": half, "ECE": most}, "b": {"UAR": most}}}) == (
        "| **one** | n | speakers | UAR | ECE |\n"
        "|---|---|---|---|---|\n"
        "| a | 8 | 2 | 0.500 [0.250, 0.750] | 0.900 [0.800, 1.000] |\n"
        "| b | 4 | 1 | 0.900 [0.800, 1.000] |  |"
    )
