"""Which metrics can be asked of a table, and that they are given the right columns."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from voxplain.errors import ConfigError, UnknownName
from voxplain.plugins import find, names
from voxplain.training.predictions import Predictions
from voxplain.training.scoring import scores, tasks

LABELS = ("angry", "happy", "sad")
SIZE = 60


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(3), SIZE)
    votes = random.multinomial(8, [0.5, 0.3, 0.2], SIZE) / 8
    votes[:20] = np.nan
    return Predictions(
        {
            "file": [f"{index}.wav" for index in range(SIZE)],
            "start": np.zeros(SIZE),
            "end": np.full(SIZE, np.nan),
            "speaker": [f"s{index % 6}" for index in range(SIZE)],
            "emotion": [*random.choice([*LABELS, "fear"], SIZE - 10), *[""] * 10],
            "prediction": np.array(LABELS)[probabilities.argmax(1)],
            "arousal": np.where(np.arange(SIZE) < 30, random.random(SIZE), np.nan),
            "p_arousal": random.random(SIZE),
            "valence": random.random(SIZE),
        }
        | {f"p_{label}": probabilities[:, place] for place, label in enumerate(LABELS)}
        | {f"votes_{label}": votes[:, place] for place, label in enumerate(LABELS)}
    )


def without(table, *prefixes):
    return Predictions(
        {name: one for name, one in table.columns.items() if not name.startswith(prefixes)}
    )


def test_every_metric_is_asked_where_the_columns_are_there(table):
    found = scores(table, draws=2)
    cards = [find("metrics", name).CARD for name in names("metrics")]
    expected = {f"{c.title} of arousal" if c.takes == "values" else c.title for c in cards}
    assert found.keys() == expected
    assert next(iter(found.values())).card.takes == "labels"
    alone = scores(without(table, "p_", "votes_"), draws=2)
    assert {score.card.takes for score in alone.values()} == {"labels"}


def test_clips_whose_truth_nobody_knows_are_left_out(table):
    truth, told = table["emotion"][:-10], table["prediction"][:-10]
    found = scores(table, metrics=["wa", "uar"], draws=50)
    assert found["WA"].found.value == pytest.approx(accuracy_score(truth, told))
    assert found["UAR"].found.value == pytest.approx(balanced_accuracy_score(truth, told))
    assert (found["WA"].found.n, found["WA"].found.speakers) == (50, 6)
    assert [(task.subject, task.rows.sum()) for task in tasks(table, "values")] == [("arousal", 30)]
    assert [task.rows.sum() for task in tasks(table, "distributions")] == [40]


def test_a_truth_without_a_probability_has_no_column(table):
    (task,) = tasks(table, "probabilities")
    fear = table["emotion"][:-10] == "fear"
    assert fear.any()
    assert (task.truth[fear] == -1).all()
    assert [LABELS[place] for place in task.truth[~fear]] == table["emotion"][:-10][~fear].tolist()
    np.testing.assert_array_equal(task.prediction, table.probabilities[:-10])


def test_chance_knows_how_often_each_emotion_is(table):
    found = scores(table, draws=2)
    truth = table["emotion"][:-10]
    shares = np.unique(truth, return_counts=True)[1] / 50
    assert found["WA"].chance == pytest.approx(shares.max())
    assert found["UAR"].chance == pytest.approx(1 / 4)
    assert found["CCC of arousal"].chance == pytest.approx(0, abs=1e-12)
    assert found["RMSE of arousal"].chance == pytest.approx(np.std(table["arousal"][:30]))
    assert np.isnan(found["Pearson's r of arousal"].chance)
    known = without(table, "votes_").some(np.isin(table["emotion"], LABELS))
    shares = np.unique(known["emotion"], return_counts=True)[1] / len(known)
    found = scores(known, metrics=["brier", "ece"], draws=2)
    assert found["Brier"].chance == pytest.approx(1 - np.square(shares).sum())
    assert found["ECE"].chance == pytest.approx(0, abs=1e-9)


def test_files_of_unknown_speakers_count_as_one_each(table):
    nobody = Predictions(dict(table.columns) | {"speaker": [""] * SIZE})
    assert scores(nobody, metrics=["wa"], draws=5)["WA"].found.speakers == 50


def test_a_metric_that_is_asked_for_must_be_possible(table):
    expected = (
        r"^ccc needs the columns valence and p_valence, or those of arousal or dominance, filled "
        r"for one clip at least; these predictions have: file, start, end, .*votes_sad$"
    )
    with pytest.raises(ConfigError, match=expected):
        scores(without(table, "p_arousal"), metrics=["uar", "ccc"], draws=2)
    with pytest.raises(UnknownName, match=r"unknown metrics plug-in 'uer'.*Did you mean 'uar'\?"):
        scores(table, metrics=["uer"], draws=2)
