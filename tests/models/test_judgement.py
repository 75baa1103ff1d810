"""Verdicts, shares and dimensions, worked out by hand from readings."""

import math

import numpy as np
import pytest

from voxplain.labels import EMBEDDED
from voxplain.models.calibration import Calibration
from voxplain.models.judgement import (
    DIMENSIONS,
    Readings,
    abstain,
    coordinates,
    judge,
    whole,
)

VOTES = ("angry", "happy", "neutral")
SOUNDS = ("one voice", "noise", "music")
POINTS = ((0.1, 0.2, 0.4), (0.5, 0.6, 0.8), (0.3, 0.5, 0.7))


def readings(
    categories,
    *,
    perceived=(0.2, 0.3, 0.5),
    points=POINTS,
    sound=(0.8, 0.1, 0.1),
    trust=0.0,
    strange=1.0,
):
    """Whose probabilities are these."""
    logits = (np.log(categories), np.log(perceived), np.array(points), np.log(sound))
    return Readings(*logits, np.array(trust), np.array(strange))


def calibration(labels=EMBEDDED[:4], **changes):
    return Calibration(labels=labels, votes=VOTES, sounds=SOUNDS, **changes)


def triple(dimension):
    return dimension.low, dimension.value, dimension.high


def triples(emotion):
    return [triple(getattr(emotion.dimensions, name)) for name in DIMENSIONS]


@pytest.mark.parametrize(
    ("categories", "labels"),
    [
        ((0.91, 0.03, 0.03, 0.03), ("angry",)),
        ((0.03, 0.02, 0.93, 0.02), ("fear",)),
        ((0.02, 0.04, 0.89, 0.05), ("fear", "happy")),
        ((0.5, 0.04, 0.3, 0.16), ("angry", "fear", "happy")),
    ],
)
def test_the_verdict_is_the_fewest_labels_that_reach_the_mass(categories, labels):
    verdict = judge(readings(categories), calibration(mass=0.9)).verdict
    assert verdict.labels == labels
    assert verdict.reason is None


def test_the_mass_is_that_of_the_card():
    categories = (0.5, 0.04, 0.3, 0.16)
    found = [judge(readings(categories), calibration(mass=m)).verdict for m in (0.4, 0.7, 0.95)]
    assert [verdict.labels for verdict in found] == [
        ("angry",),
        ("angry", "fear"),
        ("angry", "fear", "happy"),
    ]


def test_four_labels_are_none():
    emotion = judge(readings((0.3, 0.25, 0.25, 0.2)), calibration(mass=0.9))
    assert emotion.verdict.abstains
    assert emotion.verdict.reason == "4 emotions are about equally likely"
    assert emotion.categories["angry"] == pytest.approx(0.3)
    assert emotion.dimensions is not None


@pytest.mark.parametrize(("trust", "temperature"), [(0.0, 2.0), (0.25, 1.75), (1.0, 1.0)])
def test_the_better_a_speaker_is_known_the_surer_it_may_be(trust, temperature):
    emotion = judge(
        readings((0.6, 0.2, 0.1, 0.1), trust=trust),
        calibration(temperature=2.0, known_temperature=1.0),
    )
    powers = np.array([0.6, 0.2, 0.1, 0.1]) ** (1 / temperature)
    assert list(emotion.categories.values()) == pytest.approx(powers / powers.sum())


def test_speech_unlike_any_it_knows_is_not_judged():
    categories, limit = (0.97, 0.01, 0.01, 0.01), calibration(most_strange=2.0)
    assert judge(readings(categories, strange=2.0), limit).verdict.labels == ("angry",)
    found = judge(readings(categories, strange=2.1), limit)
    assert found.verdict.reason == "it is unlike the speech it was learned from"
    assert found.categories == {}


def test_the_temperature_is_of_the_portrayed_emotion_alone():
    """Squares of 0.6, 0.2, 0.1 and 0.1 sum to 0.42."""
    emotion = judge(readings((0.6, 0.2, 0.1, 0.1)), calibration(temperature=0.5))
    assert list(emotion.categories.values()) == pytest.approx(
        [0.36 / 0.42, 0.04 / 0.42, 0.01 / 0.42, 0.01 / 0.42]
    )
    assert emotion.perceived == pytest.approx({"angry": 0.2, "happy": 0.3, "neutral": 0.5})


def test_each_number_has_its_own_label():
    emotion = judge(readings((0.4, 0.3, 0.2, 0.1)), calibration())
    assert emotion.categories == pytest.approx(
        {"angry": 0.4, "disgust": 0.3, "fear": 0.2, "happy": 0.1}
    )
    assert tuple(emotion.perceived) == VOTES
    assert emotion.label_set == EMBEDDED[:4]


def test_intervals_grow_by_what_the_card_says():
    emotion = judge(readings((1, 1, 1, 1)), calibration(widening=(0.05, -0.02, 0.0)))
    expected = [(0.05, 0.2, 0.45), (0.52, 0.6, 0.78), (0.3, 0.5, 0.7)]
    np.testing.assert_allclose(triples(emotion), expected)


def test_dimensions_lie_on_the_line_of_the_card():
    line = {"slope": (2.0, 0.5, 1.0), "offset": (0.0, 0.1, 0.0), "widening": (0.0, 0.0, 0.1)}
    emotion = judge(readings((1, 1, 1, 1)), calibration(**line))
    expected = [(0.2, 0.4, 0.8), (0.35, 0.4, 0.5), (0.2, 0.5, 0.8)]
    np.testing.assert_allclose(triples(emotion), expected)


def test_an_interval_holds_its_value_and_stays_between_0_and_1():
    points = ((-0.3, -0.1, 0.2), (0.8, 1.2, 1.5), (0.49, 0.5, 0.6))
    emotion = judge(readings((1, 1, 1, 1), points=points), calibration(widening=(0.1, 0.1, -0.05)))
    np.testing.assert_allclose(triples(emotion), [(0, 0, 0.3), (0.7, 1, 1), (0.5, 0.5, 0.55)])


@pytest.mark.parametrize(
    ("sound", "reason"),
    [
        ((0.45, 0.3, 0.25), "it sounds like noise"),
        ((0.45, 0.05, 0.5), "it sounds like music"),
        ((0.001, 0.998, 0.001), "it sounds like noise"),
    ],
)
def test_what_is_no_voice_is_not_judged(sound, reason):
    emotion = judge(readings((0.97, 0.01, 0.01, 0.01), sound=sound), calibration())
    assert emotion.verdict.reason == reason
    assert (dict(emotion.categories), dict(emotion.perceived)) == ({}, {})
    assert emotion.dimensions is None
    assert emotion.label_set == EMBEDDED[:4]


@pytest.mark.parametrize(("least", "abstains"), [(0.44, False), (0.46, True)])
def test_how_much_of_a_voice_it_takes_stands_in_the_card(least, abstains):
    found = judge(
        readings((0.97, 0.01, 0.01, 0.01), sound=(0.45, 0.3, 0.25)), calibration(least_voice=least)
    )
    assert found.verdict.abstains == abstains


def test_the_whole_is_the_mean_weighted_by_seconds():
    known = calibration(mass=0.9)
    first = judge(readings((0.92, 0.04, 0.02, 0.02), perceived=(0.8, 0.1, 0.1)), known)
    points = ((0.5, 0.6, 0.8), (0.1, 0.2, 0.4), (0.3, 0.5, 0.7))
    second = judge(readings((0.1, 0.1, 0.7, 0.1), perceived=(0.4, 0.1, 0.5), points=points), known)
    found = whole([first, second], [9.0, 3.0], known)
    assert list(found.categories.values()) == pytest.approx([0.715, 0.055, 0.19, 0.04])
    assert list(found.perceived.values()) == pytest.approx([0.7, 0.1, 0.2])
    np.testing.assert_allclose(
        triples(found), [(0.2, 0.3, 0.5), (0.4, 0.5, 0.7), (0.3, 0.5, 0.7)], atol=1e-12
    )
    assert found.verdict.labels == ("angry", "fear")
    assert found.dimensions.proxy == first.dimensions.proxy


def test_what_is_no_voice_does_not_count_in_the_whole():
    known = calibration()
    voice = judge(readings((0.92, 0.04, 0.02, 0.02)), known)
    noise = abstain("it sounds like noise", label_set=known.labels)
    assert whole([noise, voice, noise], [15.0, 3.0, 15.0], known) == voice
    assert whole([voice], [0.3], known) == voice


def test_what_leaves_several_emotions_open_does_count():
    known = calibration()
    sure = judge(readings((0.92, 0.04, 0.02, 0.02)), known)
    unsure = judge(readings((0.25, 0.25, 0.25, 0.25)), known)
    found = whole([sure, unsure], [3.0, 3.0], known)
    assert found.categories["angry"] == pytest.approx((0.92 + 0.25) / 2)


def test_without_any_voice_the_reason_is_that_of_the_longest():
    reasons = ("it sounds like noise", "it sounds like music", "it sounds like noise")
    found = [abstain(reason, label_set=EMBEDDED) for reason in reasons]
    assert whole(found, [3.0, 8.0, 6.0], calibration()) == found[1]


def test_nothing_to_judge():
    emotion = abstain("no speech", label_set=EMBEDDED)
    assert emotion.verdict.abstains
    assert emotion.verdict.reason == "no speech"
    assert (dict(emotion.categories), dict(emotion.perceived), emotion.dimensions) == ({}, {}, None)
    assert emotion.label_set == EMBEDDED


@pytest.mark.parametrize(
    ("label", "point"),
    [
        ("angry", (-0.51, 0.59, 0.25)),
        ("disgust", (-0.60, 0.35, 0.11)),
        ("fear", (-0.64, 0.60, -0.43)),
        ("happy", (0.81, 0.51, 0.46)),
        ("neutral", (0, 0, 0)),
        ("sad", (-0.63, -0.27, -0.33)),
        ("boredom", (-0.65, -0.62, -0.33)),
    ],
)
def test_emotion_terms_lie_where_they_were_rated(label, point):
    assert tuple(coordinates()[label][name] for name in DIMENSIONS) == point


def test_logits_of_any_size_stay_finite():
    loud = Readings(
        np.array([1000.0, 0, 0, 0]),
        np.array([0, -1000.0, 0]),
        np.array(POINTS),
        np.array([90.0, 0, 0]),
        np.array(0.0),
        np.array(1.0),
    )
    emotion = judge(loud, calibration())
    assert emotion.verdict.labels == ("angry",)
    assert all(
        math.isfinite(p) for p in (*emotion.categories.values(), *emotion.perceived.values())
    )


def bare(**given):
    """Readings of a model that tells nothing but what is given."""
    plain = {"categories": [], "perceived": [], "dimensions": np.empty((0, 3)), "sound": []}
    parts = {name: np.array(one) for name, one in {**plain, **given}.items()}
    return Readings(**parts, trust=np.array(0.0), strangeness=np.array(0.0))


@pytest.mark.parametrize(("temperature", "labels"), [(None, ("happy",)), (1.0, ("happy", "angry"))])
def test_of_a_model_that_nobody_fitted_the_verdict_is_the_label_on_top(temperature, labels):
    unfitted = Calibration.unfitted(("angry", "happy", "contempt"), temperature=temperature)
    emotion = judge(bare(categories=np.log([0.41, 0.5, 0.09])), unfitted)
    assert dict(emotion.categories) == pytest.approx(
        {"angry": 0.41, "happy": 0.5, "contempt": 0.09}
    )
    assert emotion.verdict.labels == labels
    assert (dict(emotion.perceived), emotion.dimensions) == ({}, None)
    assert math.isnan(emotion.ambiguity)


def test_the_whole_of_a_model_with_categories_alone():
    unfitted = Calibration.unfitted(("angry", "calm"))
    parts = [judge(bare(categories=np.log(one)), unfitted) for one in ([0.9, 0.1], [0.3, 0.7])]
    emotion = whole(parts, [1.0, 3.0], unfitted)
    assert dict(emotion.categories) == pytest.approx({"angry": 0.45, "calm": 0.55})
    assert emotion.verdict.labels == ("calm",)
    assert emotion.dimensions is None


def test_a_model_with_dimensions_alone_abstains_and_still_tells_them():
    unfitted = Calibration.unfitted(())
    points = [np.repeat([[v], [0.5], [1.2]], 3, 1) for v in (0.2, 0.6)]
    parts = [judge(bare(dimensions=one), unfitted) for one in points]
    np.testing.assert_allclose(triples(parts[0]), [(0, 0.2, 1), (0, 0.5, 1), (0, 1, 1)])
    emotion = whole([*parts, abstain("noise", label_set=())], [1.0, 3.0, 9.0], unfitted)
    np.testing.assert_allclose(triples(emotion), [(0, 0.5, 1), (0, 0.5, 1), (0, 1, 1)])
    assert emotion.dimensions.proxy == ""
    assert emotion.verdict.reason == "the model gives no categories"
    assert dict(emotion.categories) == {}
