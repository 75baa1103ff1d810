"""Metrics on numbers small enough for paper, and intervals that know speakers from clips."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from voxplain.training.metrics import (
    Interval,
    accuracy,
    area_under_risk_coverage,
    concordance,
    entropy,
    expected_calibration_error,
    jensen_shannon,
    speaker_interval,
    unweighted_average_recall,
)


@pytest.mark.parametrize(
    ("truth", "prediction", "share", "recall"),
    [
        (list("aaab"), list("aaaa"), 3 / 4, (1 + 0) / 2),
        (list("aaab"), list("aabb"), 3 / 4, (2 / 3 + 1) / 2),
        (list("aabbbbcc"), list("abbbbaca"), 5 / 8, (1 / 2 + 3 / 4 + 1 / 2) / 3),
        ([0, 0, 1], [2, 2, 1], 1 / 3, 1 / 2),  # a class that is never true has no recall
        ([1], [1], 1.0, 1.0),
        ([0, 1], [1, 0], 0.0, 0.0),
    ],
)
def test_accuracy_and_unweighted_average_recall(truth, prediction, share, recall):
    assert accuracy(truth, prediction) == pytest.approx(share)
    assert unweighted_average_recall(truth, prediction) == pytest.approx(recall)


@pytest.mark.parametrize(
    ("truth", "confidences", "expected"),
    [
        # One bin: right 1 time of 2 at 0.8 on average.
        ([0, 1], [0.8, 0.8], 0.3),
        # Gaps of opposite sign in one bin cancel, in two bins they do not.
        ([0, 1], [0.61, 0.65], 0.13),
        ([0, 1], [0.61, 0.95], (0.39 + 0.95) / 2),
        # 3 right of 4 at 0.75 and both right at 1: nothing to correct.
        ([0, 0, 0, 1, 0, 0], [0.75, 0.75, 0.75, 0.75, 1.0, 1.0], 0.0),
        # Two bins weighted by size: 3/4 of 0.4 (one right of two... of three) and 1/4 of 0.
        ([0, 1, 1, 0], [0.7, 0.7, 0.7, 1.0], 3 / 4 * (0.7 - 1 / 3)),
    ],
)
def test_expected_calibration_error(truth, confidences, expected):
    probabilities = [[confidence, 1 - confidence] for confidence in confidences]
    assert expected_calibration_error(truth, probabilities) == pytest.approx(expected)


@pytest.mark.parametrize("bins", [1, 2, 10])
def test_bins_of_the_calibration_error(bins):
    # 0.6 (right) and 0.9 (wrong): in one bin |1.5 - 1| / 2, apart (0.4 + 0.9) / 2.
    found = expected_calibration_error([0, 1], [[0.6, 0.4], [0.9, 0.1]], bins=bins)
    assert found == pytest.approx(0.65 if bins == 10 else 0.25)


@pytest.mark.parametrize(
    ("truth", "confidences", "expected"),
    [
        # By confidence right, wrong, right: 0/1, 1/2 and 1/3 of the surest are wrong.
        ([0, 0, 1], [0.6, 0.9, 0.8], (0 + 1 / 2 + 1 / 3) / 3),
        ([0, 1, 1], [0.6, 0.9, 0.8], (1 + 1 + 2 / 3) / 3),
        ([0, 0, 0], [0.6, 0.9, 0.8], 0.0),
        ([1, 1, 1], [0.6, 0.9, 0.8], 1.0),
        ([0], [0.9], 0.0),
    ],
)
def test_area_under_risk_and_coverage(truth, confidences, expected):
    probabilities = [[confidence, 1 - confidence] for confidence in confidences]
    assert area_under_risk_coverage(truth, probabilities) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("truth", "prediction", "expected"),
    [
        ([0, 1, 2], [0, 1, 2], 1),
        ([0, 1, 2], [2, 1, 0], -1),
        # Variances 2/3, covariance 2/3: 2 * 2/3 / (2/3 + 2/3 + 1).
        ([0, 1, 2], [1, 2, 3], 4 / 7),
        # Twice as far: covariance 4/3, variances 2/3 and 8/3, means 1 and 2.
        ([0, 1, 2], [0, 2, 4], (8 / 3) / (2 / 3 + 8 / 3 + 1)),
        ([0, 1, 2], [1, 1, 1], 0),
    ],
)
def test_concordance(truth, prediction, expected):
    assert concordance(truth, prediction) == pytest.approx(expected)


def test_concordance_is_correlation_less_for_another_scale_and_place():
    """Lin's other form: r times 2 / (s1/s2 + s2/s1 + (difference of means)^2 / (s1 s2))."""
    random = np.random.default_rng(0)
    truth = random.normal(2, 3, 200)
    prediction = 0.5 * truth + random.normal(1, 2, 200)
    one, other = truth.std(), prediction.std()
    apart = (truth.mean() - prediction.mean()) ** 2 / (one * other)
    expected = stats.pearsonr(truth, prediction)[0] * 2 / (one / other + other / one + apart)
    assert concordance(truth, prediction) == pytest.approx(expected)


def shares(seed):
    """Some of six labels, some of them never chosen."""
    random = np.random.default_rng(seed)
    counts = random.multinomial(10, random.dirichlet(np.ones(6), 50))
    return counts / 10


def test_entropy_is_that_of_scipy():
    rows = shares(0)
    assert (rows == 0).any()
    np.testing.assert_allclose(entropy(rows), stats.entropy(rows, base=2, axis=1), atol=1e-12)


def test_jensen_shannon_is_that_of_scipy():
    one, other = shares(0), shares(1)
    expected = distance.jensenshannon(one, other, base=2, axis=1) ** 2
    np.testing.assert_allclose(jensen_shannon(one, other), expected, atol=1e-12)
    np.testing.assert_allclose(jensen_shannon(one, other), jensen_shannon(other, one), atol=1e-12)


def clustered():
    """Ten speakers of 30 clips: five are understood nearly always, five hardly ever."""
    random = np.random.default_rng(0)
    speakers = np.repeat([f"s{index}" for index in range(10)], 30)
    right = random.random(300) < np.repeat([0.95, 0.15] * 5, 30)
    truth = random.integers(0, 3, 300)
    return truth, np.where(right, truth, (truth + 1) % 3), speakers.tolist()


def test_speakers_make_a_wider_interval_than_clips():
    truth, prediction, speakers = clustered()
    by_speaker = speaker_interval(accuracy, truth, prediction, speakers=speakers)
    clips = [str(index) for index in range(300)]
    by_clip = speaker_interval(accuracy, truth, prediction, speakers=clips)
    assert by_speaker.high - by_speaker.low > 2 * (by_clip.high - by_clip.low)
    assert by_speaker.value == by_clip.value == pytest.approx(np.mean(truth == prediction))


def test_the_interval_of_clips_is_that_of_a_binomial_share():
    truth = np.zeros(400, int)
    prediction = (np.arange(400) >= 300).astype(int)  # 3 of 4 are right
    clips = [str(index) for index in range(400)]
    found = speaker_interval(accuracy, truth, prediction, speakers=clips)
    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert (found.low, found.high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.006)


def test_an_interval_says_what_it_stands_on():
    truth, prediction, speakers = clustered()
    found = speaker_interval(unweighted_average_recall, truth, prediction, speakers=speakers)
    assert (found.n, found.speakers) == (300, 10)
    assert found.low < found.value < found.high


def test_an_interval_is_the_same_every_time():
    truth, prediction, speakers = clustered()
    first, again, other = (
        speaker_interval(accuracy, truth, prediction, speakers=speakers, draws=200, seed=seed)
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_an_interval_is_read_at_a_glance():
    assert str(Interval(0.7, 0.6512, 0.75, 100, 5)) == "0.700 [0.651, 0.750]"
