"""Soft-label measures on votes small enough for paper, and against scipy."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from voxplain.training.metrics import entropy_correlation
from voxplain.training.metrics import jensen_shannon as jensen_shannon_plugin
from voxplain.training.metrics.entropy_correlation import entropy
from voxplain.training.metrics.jensen_shannon import jensen_shannon
from voxplain.training.metrics.minority_recall import minority_recall


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


def test_the_divergence_of_a_table_is_the_mean_over_its_clips():
    one, other = shares(0), shares(1)
    expected = np.mean(distance.jensenshannon(one, other, base=2, axis=1) ** 2)
    assert jensen_shannon_plugin.measure(one, other) == pytest.approx(expected)


def test_the_correlation_of_entropies_is_that_of_scipy():
    one, other = shares(0), (shares(0) + shares(1)) / 2
    entropies = (stats.entropy(rows, base=2, axis=1) for rows in (one, other))
    expected = stats.pearsonr(*entropies).statistic
    assert entropy_correlation.measure(one, other) == pytest.approx(expected)
    assert np.isnan(entropy_correlation.measure(one, np.full_like(one, 1 / 6)))


@pytest.mark.parametrize(
    ("votes", "prediction", "expected"),
    [
        # Of the second and the third emotion the third is found: 0.3 lies above 1/4.
        ([[0.4, 0.3, 0.3, 0.0]], [[0.6, 0.1, 0.3, 0.0]], 1 / 2),
        # A share of 1/4 is what guessing gives; it counts neither as heard nor as predicted.
        ([[0.5, 0.25, 0.25, 0.0]], [[0.25, 0.25, 0.25, 0.25]], np.nan),
        ([[0.6, 0.4, 0.0, 0.0]], [[0.75, 0.25, 0.0, 0.0]], 0.0),
        # Two that were chosen equally often are no minority, and where all agree there is none.
        ([[0.5, 0.5, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]], [[0.5, 0.5, 0, 0], [0, 1, 0, 0]], np.nan),
        # What is predicted beyond them costs nothing: it is a recall.
        ([[0.7, 0.3, 0.0, 0.0]], [[0.0, 0.4, 0.3, 0.3]], 1.0),
        # Clips weigh by their minorities: 1 of 2 and 1 of 1.
        (
            [[0.4, 0.3, 0.3, 0.0], [0.7, 0.3, 0.0, 0.0]],
            [[0.1, 0.8, 0.1, 0.0], [0.1, 0.9, 0.0, 0.0]],
            2 / 3,
        ),
    ],
)
def test_minority_recall_on_paper(votes, prediction, expected):
    assert minority_recall(votes, prediction) == pytest.approx(expected, nan_ok=True)
