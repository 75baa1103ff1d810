"""Figures of clips that were judged by hand, small enough for paper."""

import numpy as np
import pytest

from voxplain.errors import ConfigError
from voxplain.training.assessment import figures


@pytest.fixture
def four(judged):
    """The first, second and fourth are found; of the fifth nothing is said."""
    return judged(
        ("ann", "angry", (0.9, 0.0, 0.0, 0.1)),
        ("ann", "sad", (0.2, 0.0, 0.0, 0.8)),
        ("bob", "angry", (0.3, 0.1, 0.0, 0.6)),
        ("bob", "sad", (0.1, 0.1, 0.3, 0.5)),
        ("bob", "sad", None),
        ("bob", "fear", (0.0, 0.6, 0.3, 0.1)),
    )


def test_over_shared_labels_the_most_probable_of_these_counts(four):
    shared, _ = figures.views(four)
    assert shared.labels == ("angry", "sad")
    assert shared.table["emotion"].tolist() == ["angry", "sad", "angry", "sad"]
    expected = [[0.9, 0.1], [0.2, 0.8], [1 / 3, 2 / 3], [1 / 6, 5 / 6]]
    np.testing.assert_allclose(shared.table.probabilities, expected)
    assert shared.uar.value == 0.75
    assert (shared.uar.n, shared.uar.speakers) == (4, 2)
    assert shared.chance == 1 / 2


def test_over_all_labels_what_the_model_does_not_know_is_missed(four):
    _, everything = figures.views(four)
    assert everything.labels == ("angry", "happy", "neutral", "sad", "fear")
    assert everything.table["prediction"].tolist() == ["angry", "sad", "sad", "sad", "happy"]
    # Of two angry clips one, of two sad ones both, of fear none.
    assert everything.uar.value == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert everything.spoken == ["angry", "sad", "fear"]
    assert everything.chance == pytest.approx(1 / 3)


def test_the_same_labels_make_one_view(judged):
    (one,) = figures.views(
        judged(("ann", "angry", (0.9, 0.1)), ("bob", "sad", (0.2, 0.8)), labels=("angry", "sad"))
    )
    assert one.title == "2 labels"


def test_silence_can_count_as_missed(four):
    shared, everything = figures.views(four)
    assert shared.silent.emotions.tolist() == ["sad"]
    missed = figures.silence_missed(shared)
    assert missed.value == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert missed.n == 5
    assert figures.silence_missed(everything).value == pytest.approx((1 / 2 + 2 / 3 + 0) / 3)


def test_recall_and_confusion(four):
    shared, _ = figures.views(four)
    assert {name: (one.value, one.n) for name, one in figures.recall(shared).items()} == {
        "angry": (0.5, 2),
        "sad": (1.0, 2),
    }
    assert shared.confusion.tolist() == [[1, 1], [0, 2]]


def test_reliability_is_told_in_bins(four):
    shared, _ = figures.views(four)
    found = figures.reliability(shared, bins=2)
    confidence = (0.9 + 0.8 + 2 / 3 + 5 / 6) / 4
    assert found == [(pytest.approx(confidence), 0.75, 4)]
    finer = figures.reliability(shared, bins=10)
    assert [n for *_, n in finer] == [1, 2, 1]
    assert finer[0] == (pytest.approx(2 / 3), 0.0, 1)


def test_risk_falls_with_the_share_that_is_judged(four):
    shared, _ = figures.views(four)
    assert figures.risk(shared, points=4) == [(0.25, 0.0), (0.5, 0.0), (0.75, 0.0), (1.0, 0.25)]


def test_fewer_than_two_labels_in_common(utterance):
    with pytest.raises(ConfigError, match=r"told \(angry, sad\) .*\(fear, sad\) share 1 labels"):
        figures.shared_labels(
            ("angry", "sad"), [utterance(0, "ann", "sad"), utterance(1, "bob", "fear")]
        )
    with pytest.raises(ConfigError, match=r"told \(no emotion\) .*\(nothing known\) share 0"):
        figures.shared_labels((), [utterance(0, "ann", "")])


def test_nothing_is_said_of_anything(judged):
    silent = judged(("ann", "angry", None), ("bob", "sad", None))
    with pytest.raises(ConfigError, match=r"nothing is said of any .*; the first: no speech"):
        figures.views(silent)
