"""The table of predictions, and what is held against it."""

import dataclasses

import numpy as np
import pytest

from voxplain.training.assessment import tables
from voxplain.training.assessment.judging import Judged
from voxplain.training.predictions import Predictions


def test_every_clip_is_in_one_of_the_tables(judged, tmp_path):
    found = judged(
        ("ann", "angry", (0.9, 0.0, 0.0, 0.1)), ("", "", (0.1, 0.8, 0.1, 0.0)), ("bob", "sad", None)
    )
    tables.predictions(found).write(tmp_path / "predictions.csv")
    read = Predictions.read(tmp_path / "predictions.csv")
    assert read["prediction"].tolist() == ["angry", "happy"]
    assert read["emotion"].tolist() == ["angry", ""]
    assert read.clusters.tolist() == ["ann", "1.wav"]
    np.testing.assert_allclose(read["p_sad"], [0.1, 0.0])
    np.testing.assert_allclose(read["p_arousal"], [0.5, 0.5])
    silent = tables.silences(found)
    assert silent["file"] == ["2.wav"]
    assert silent["in predictions"] == ["no"]
    assert silent["reason"] == ["no speech"]


def test_an_open_verdict_is_in_both(utterance, judgement):
    shares = (0.3, 0.3, 0.2, 0.2)
    found = Judged(
        (utterance(0, "ann", "sad"),),
        (judgement(shares, reason="4 emotions are about equally likely"),),
        ("angry", "happy", "neutral", "sad"),
    )
    assert len(tables.predictions(found)) == 1
    assert tables.silences(found)["in predictions"] == ["yes"]


@pytest.fixture
def heard(utterance, judgement):
    votes = [{"angry": 3, "sad": 1}, {"neutral": 4}, None]
    return Judged(
        tuple(utterance(n, "ann", "angry", votes=one) for n, one in enumerate(votes)),
        (judgement((0.7, 0.1, 0.1, 0.1)),) * 3,
        ("angry", "happy", "neutral", "sad"),
    )


def test_listeners_are_predicted_by_what_is_said_of_them(heard):
    """Here the shares of the listeners are the probabilities the other way round."""
    found = tables.listeners(heard)
    assert len(found) == 2
    np.testing.assert_allclose(found.probabilities, [[0.1, 0.1, 0.1, 0.7]] * 2)
    np.testing.assert_allclose(found.votes, [[0.75, 0, 0, 0.25], [0, 0, 1, 0]])
    assert set(found["emotion"]) == {""}  # not recognition


def test_without_shares_of_listeners_probabilities_stand_in(heard):
    plain = [
        dataclasses.replace(one, emotion=dataclasses.replace(one.emotion, perceived={}))
        for one in heard.judgements
    ]
    found = tables.listeners(dataclasses.replace(heard, judgements=tuple(plain)))
    np.testing.assert_allclose(found.probabilities, [[0.7, 0.1, 0.1, 0.1]] * 2)


def test_votes_for_what_the_model_does_not_know_are_left_out(heard, utterance):
    other = dataclasses.replace(
        heard, utterances=(utterance(0, "ann", "angry", votes={"boredom": 2}),) * 3
    )
    assert tables.listeners(other) is None
    assert "votes_angry" not in tables.predictions(heard.some(np.array([2]))).columns


def test_ratings_come_before_proxies(utterance, judgement):
    rated = {"valence": 0.25, "arousal": 0.75}
    found = Judged(
        (
            utterance(0, "ann", "angry", dimensions=rated),
            utterance(1, "bob", "contempt"),
        ),
        (judgement((0.7, 0.1, 0.1, 0.1), point=0.6),) * 2,
        ("angry", "happy", "neutral", "sad"),
    )
    table, basis = tables.dimensions(found)
    assert basis == "mean ratings of people"
    np.testing.assert_array_equal(table["arousal"], [0.75, np.nan])
    np.testing.assert_array_equal(table["dominance"], [np.nan, np.nan])
    np.testing.assert_array_equal(table["p_valence"], [0.6, 0.6])


def test_proxies_say_so_and_are_there_only_for_placed_labels(utterance, judgement):
    labels = ("angry", "happy", "neutral", "sad")
    made = (utterance(0, "ann", "neutral"), utterance(1, "bob", "contempt"))
    found = Judged(made, (judgement((0.7, 0.1, 0.1, 0.1)),) * 2, labels)
    table, basis = tables.dimensions(found)
    assert "nobody rated" in basis
    np.testing.assert_array_equal(table["valence"], [0.5, np.nan])  # the origin of the scales
    assert tables.dimensions(found.some(np.array([1]))) is None
