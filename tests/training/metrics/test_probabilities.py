"""ECE, Brier and AURC on numbers small enough for paper, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from voxplain.training.metrics.aurc import area_under_risk_coverage
from voxplain.training.metrics.brier import brier
from voxplain.training.metrics.ece import expected_calibration_error


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


def test_equally_sure_clips_share_their_errors_whatever_their_order():
    probabilities = [[0.8, 0.2], [0.8, 0.2], [0.6, 0.4]]
    # Of two that are equally sure one is wrong: 1/2 and 1/2 on average, then 1/3.
    for truth in ([0, 1, 0], [1, 0, 0]):
        found = area_under_risk_coverage(truth, probabilities)
        assert found == pytest.approx((1 / 2 + 1 / 2 + 1 / 3) / 3)


def test_brier_on_paper():
    # (0.3^2 + 0.3^2), (0.9^2 + 0.9^2)
    assert brier([0, 1], [[0.7, 0.3], [0.9, 0.1]]) == pytest.approx((0.18 + 1.62) / 2)
    assert brier([1], [[0.0, 1.0]]) == 0
    assert brier([0], [[0.0, 1.0]]) == 2


@pytest.mark.parametrize("labels", [2, 3, 7])
def test_brier_is_that_of_sklearn(labels):
    random = np.random.default_rng(labels)
    truth = random.integers(0, labels - 1, 60)  # the last is never true
    probabilities = random.dirichlet(np.ones(labels), 60)
    expected = brier_score_loss(
        truth, probabilities, labels=list(range(labels)), scale_by_half=False
    )
    assert brier(truth, probabilities) == pytest.approx(expected)


def test_a_truth_that_has_no_name_is_always_missed():
    probabilities = [[1.0, 0.0], [1.0, 0.0]]
    assert expected_calibration_error([0, -1], probabilities) == pytest.approx(0.5)
    assert area_under_risk_coverage([-1, -1], probabilities) == 1
    assert brier([0, -1], probabilities) == pytest.approx((0 + 1 + 1) / 2)
