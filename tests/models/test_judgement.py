"""Verdicts and dimensions, worked out by hand from Russell & Mehrabian's coordinates."""

import numpy as np
import pytest

from voxplain.labels import CANONICAL, EMBEDDED
from voxplain.models.judgement import abstain, judge

AXES = ("valence", "arousal", "dominance")


def triple(dimension):
    return dimension.value, dimension.low, dimension.high


@pytest.mark.parametrize(
    ("categories", "labels"),
    [
        ({"angry": 0.6, "sad": 0.4}, ("angry",)),
        ({"angry": 0.1, "sad": 0.9}, ("sad",)),
        ({"angry": 0.59, "sad": 0.41}, ("angry", "sad")),
        ({"angry": 0.2, "fear": 0.3, "happy": 0.3, "sad": 0.2}, ("fear", "happy")),
        ({"angry": 0.2, "disgust": 0.2, "fear": 0.2, "happy": 0.19, "neutral": 0.21}, 3),
        ({"angry": 0.25, "disgust": 0.25, "fear": 0.25, "happy": 0.25}, 3),
    ],
)
def test_the_verdict_is_the_fewest_labels_that_hold_60_percent(categories, labels):
    verdict = judge(categories).verdict
    if isinstance(labels, int):
        assert len(verdict.labels) == labels
    else:
        assert verdict.labels == labels
    assert verdict.reason is None


def test_labels_of_a_verdict_are_in_order_of_their_probability():
    categories = {"angry": 0.2, "happy": 0.15, "neutral": 0.15, "sad": 0.21, "fear": 0.29}
    assert judge(categories).verdict.labels == ("fear", "sad", "angry")


@pytest.mark.parametrize(
    ("categories", "reason"),
    [
        (dict.fromkeys(EMBEDDED, 1 / 6), "4 emotions are about equally likely"),
        (
            dict(zip(EMBEDDED, (0.19, 0.18, 0.18, 0.16, 0.15, 0.14), strict=True)),
            "4 emotions are about equally likely",
        ),
    ],
)
def test_with_more_than_three_labels_it_abstains(categories, reason):
    verdict = judge(categories).verdict
    assert verdict.abstains
    assert verdict.reason == reason


def test_probabilities_are_passed_on():
    emotion = judge({"sad": 0.3, "angry": 0.7})
    assert emotion.categories == {"sad": 0.3, "angry": 0.7}
    assert emotion.label_set == ("sad", "angry")


@pytest.mark.parametrize(
    ("label", "point"),
    [
        ("angry", (-0.51, 0.59, 0.25)),
        ("disgust", (-0.60, 0.35, 0.11)),
        ("fear", (-0.64, 0.60, -0.43)),
        ("happy", (0.81, 0.51, 0.46)),
        ("neutral", (0, 0, 0)),
        ("sad", (-0.63, -0.27, -0.33)),
    ],
)
def test_a_certain_emotion_lies_where_it_was_rated(label, point):
    dimensions = judge(dict.fromkeys(EMBEDDED, 0.0) | {label: 1.0}).dimensions
    for axis, rated in zip(AXES, point, strict=True):
        assert triple(getattr(dimensions, axis)) == pytest.approx([(1 + rated) / 2] * 3)


def test_dimensions_by_hand():
    dimensions = judge({"angry": 0.5, "neutral": 0.2, "happy": 0.3}).dimensions
    # In [0, 1] valence is 0.245, 0.5 and 0.905, arousal 0.795, 0.5 and 0.755.
    assert triple(dimensions.valence) == pytest.approx([0.1225 + 0.1 + 0.2715, 0.245, 0.905])
    assert triple(dimensions.arousal) == pytest.approx([0.3975 + 0.1 + 0.2265, 0.5, 0.795])
    assert triple(dimensions.dominance) == pytest.approx([0.3125 + 0.1 + 0.219, 0.5, 0.73])
    assert dimensions.proxy == (
        "expected value over categories, coordinates of Russell & Mehrabian (1977)"
    )


def test_the_interval_leaves_five_percent_on_each_side():
    valence = judge({"sad": 0.04, "angry": 0.46, "neutral": 0.46, "happy": 0.04}).dimensions.valence
    assert (valence.low, valence.high) == pytest.approx((0.245, 0.5))
    valence = judge({"sad": 0.06, "angry": 0.44, "neutral": 0.44, "happy": 0.06}).dimensions.valence
    assert (valence.low, valence.high) == pytest.approx((0.185, 0.905))


@pytest.mark.parametrize("seed", range(5))
def test_the_value_lies_in_its_interval(seed):
    for probabilities in np.random.default_rng(seed).dirichlet([0.3] * 6, 50):
        dimensions = judge(dict(zip(EMBEDDED, probabilities.tolist(), strict=True))).dimensions
        for axis in AXES:
            dimension = getattr(dimensions, axis)
            assert 0 <= dimension.low <= dimension.value <= dimension.high <= 1


def test_the_order_of_the_labels_does_not_matter():
    one = judge({"angry": 0.5, "neutral": 0.2, "happy": 0.3}).dimensions
    other = judge({"happy": 0.3, "angry": 0.5, "neutral": 0.2}).dimensions
    for axis in AXES:
        assert triple(getattr(one, axis)) == pytest.approx(triple(getattr(other, axis)))


@pytest.mark.parametrize("label", sorted(set(CANONICAL) - set(EMBEDDED)))
def test_without_coordinates_of_a_label_there_are_no_dimensions(label):
    emotion = judge({"angry": 0.3, label: 0.7})
    assert emotion.dimensions is None
    assert emotion.verdict.labels == (label,)


def test_nothing_to_judge():
    emotion = abstain("no speech", label_set=EMBEDDED)
    assert emotion.verdict.abstains
    assert emotion.verdict.reason == "no speech"
    assert (dict(emotion.categories), emotion.dimensions) == ({}, None)
    assert emotion.label_set == EMBEDDED
