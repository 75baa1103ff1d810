"""Probabilities by hand, and temperatures that are known beforehand."""

import math

import numpy as np
import pytest

from voxplain.models.calibration import fit_temperature, softmax

LN3 = math.log(3)


@pytest.mark.parametrize(
    ("logits", "temperature", "expected"),
    [
        ([0.0, LN3], 1, [0.25, 0.75]),
        ([5.0, 5.0 + LN3], 1, [0.25, 0.75]),
        ([0.0, 2 * LN3], 2, [0.25, 0.75]),
        ([0.0, LN3 / 2], 0.5, [0.25, 0.75]),
        ([1000.0, 0.0], 1, [1.0, 0.0]),
        ([[0.0, LN3], [LN3, 0.0]], 1, [[0.25, 0.75], [0.75, 0.25]]),
    ],
)
def test_softmax(logits, temperature, expected):
    np.testing.assert_allclose(softmax(logits, temperature=temperature), expected, atol=1e-12)


def test_probabilities_are_exact_enough_to_sum_to_one():
    logits = np.random.default_rng(0).normal(0, 30, (100, 6)).astype(np.float32)
    np.testing.assert_allclose(softmax(logits).sum(-1), 1, atol=1e-12)


@pytest.mark.parametrize("right", [0.6, 0.75, 0.9])
def test_temperature_of_two_classes_is_the_one_on_paper(right):
    # Logits (1, 0) of which a share is right: sigmoid(1 / T) must be that share.
    truth = np.arange(100) >= 100 * right
    found = fit_temperature(truth.astype(int), np.tile([1.0, 0.0], (100, 1)))
    assert found == pytest.approx(1 / math.log(right / (1 - right)), rel=1e-6)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 5.0])
def test_a_known_temperature_is_found(temperature):
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (10_000, 5))
    # Gumbel noise draws a class by its softmax probability.
    truth = (logits + random.gumbel(size=logits.shape)).argmax(1)
    assert fit_temperature(truth, temperature * logits) == pytest.approx(temperature, rel=0.05)


def test_no_other_temperature_is_likelier():
    random = np.random.default_rng(1)
    logits = random.normal(0, 3, (200, 4))
    truth = (logits / 2 + random.gumbel(size=logits.shape)).argmax(1)

    def likelihood(temperature):
        return np.log(softmax(logits, temperature=temperature)[np.arange(200), truth]).sum()

    best = fit_temperature(truth, logits)
    assert all(likelihood(best) >= likelihood(best * factor) for factor in (0.9, 0.99, 1.01, 1.1))


@pytest.mark.parametrize(("truth", "expected"), [([0, 0], 0.05), ([1, 1], 20)])
def test_it_stays_within_bounds(truth, expected):
    assert fit_temperature(truth, [[2.0, 0.0], [1.0, 0.0]]) == pytest.approx(expected, rel=1e-6)
