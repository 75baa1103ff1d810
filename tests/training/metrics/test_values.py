"""CCC, Pearson's r and RMSE on numbers small enough for paper, and against other tools."""

import audmetric
import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import root_mean_squared_error

from voxplain.training.metrics.ccc import concordance
from voxplain.training.metrics.pearson import correlation
from voxplain.training.metrics.rmse import root_mean_square_error


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


@pytest.mark.parametrize("seed", range(5))
def test_they_are_those_of_audmetric_and_sklearn(seed):
    random = np.random.default_rng(seed)
    truth = random.random(2 + 20 * seed).round(1)  # with ties
    prediction = (truth + random.normal(0, 0.3, len(truth))).round(1)
    listed = truth.tolist(), prediction.tolist()
    assert concordance(truth, prediction) == pytest.approx(audmetric.concordance_cc(*listed))
    assert correlation(truth, prediction) == pytest.approx(audmetric.pearson_cc(*listed))
    found = root_mean_square_error(truth, prediction)
    assert found == pytest.approx(root_mean_squared_error(truth, prediction))
    assert found**2 == pytest.approx(audmetric.mean_squared_error(*listed))


@pytest.mark.parametrize("constant", [0.5, 0.1])
def test_what_never_changes_correlates_with_nothing(constant):
    same, other = np.full(7, constant), np.arange(7.0)
    assert np.isnan(correlation(same, other))
    assert np.isnan(correlation(other, same))
    assert np.isnan(concordance(same, same))
    assert concordance(same, other) == pytest.approx(0, abs=1e-12)
    assert root_mean_square_error(same, same) == 0
