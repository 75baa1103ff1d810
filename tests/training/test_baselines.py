"""Baselines: each fold is predicted by what the other folds taught, and by nothing else."""

import numpy as np
import pytest

from voxplain.training.baselines import energy, held_out, majority, probe, support_vectors


def test_energy_by_hand():
    rising = np.tile(np.float16([0, 1, 2]), (80, 1))
    steady = np.full((80, 5), 0.5, np.float16)
    steady[:40] = 1.5  # bands are averaged
    np.testing.assert_allclose(energy([rising, steady]), [[1, np.sqrt(2 / 3)], [1, 0]])


def test_the_majority_is_that_of_the_other_folds():
    truth, folds = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 0, 1, 1, 1])
    features = np.zeros((6, 1))
    # Without fold 0 class 1 is the most frequent, without fold 1 class 0.
    assert held_out(majority(), features, truth, folds).tolist() == [1, 1, 1, 0, 0, 0]


@pytest.mark.parametrize("classifier", [probe, support_vectors])
def test_a_classifier_learns_what_can_be_separated(classifier):
    random = np.random.default_rng(0)
    truth, folds = np.arange(60) % 3, np.arange(60) // 20
    features = random.normal(0, 0.3, (60, 3)) + 5 * np.eye(3)[truth]
    assert held_out(classifier(), features, truth, folds).tolist() == truth.tolist()


@pytest.mark.parametrize("classifier", [probe, support_vectors])
def test_a_fold_is_not_learned_by_heart(classifier):
    # In each fold the labels say the opposite of the other: a peek would be right.
    truth, folds = np.array([0, 1] * 10 + [1, 0] * 10), np.arange(40) // 20
    features = np.tile([[0.0], [1.0]], (20, 1))
    assert held_out(classifier(), features, truth, folds).tolist() == (1 - truth).tolist()
