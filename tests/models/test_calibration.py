"""Probabilities by hand, temperatures that are known beforehand, and sets that hold the truth."""

import dataclasses
import json
import math

import numpy as np
import pytest

from voxplain.models.calibration import (
    COVERAGE,
    Calibration,
    fit_line,
    fit_mass,
    fit_temperature,
    fit_widening,
    label_sets,
    softmax,
)

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


@pytest.mark.parametrize(
    ("probabilities", "mass", "expected"),
    [
        ([0.25, 0.5, 0.125, 0.125], 0.4, [False, True, False, False]),
        ([0.25, 0.5, 0.125, 0.125], 0.5, [False, True, False, False]),
        ([0.25, 0.5, 0.125, 0.125], 0.51, [True, True, False, False]),
        ([0.25, 0.5, 0.125, 0.125], 0.8, [True, True, True, False]),  # of equals the first
        ([0.25, 0.5, 0.125, 0.125], 1.0, [True, True, True, True]),
        ([[0.75, 0.25], [0.25, 0.75]], 0.7, [[True, False], [False, True]]),
        ([[0.75, 0.25], [0.25, 0.75]], [[0.7], [0.8]], [[True, False], [True, True]]),
    ],
)
def test_a_set_holds_the_fewest_labels_that_reach_the_mass(probabilities, mass, expected):
    assert label_sets(probabilities, mass=mass).tolist() == expected


def test_the_mass_by_hand():
    """Above the truth lie 0, 0.5, 0.75 and 0; of five places three quarters are four: 0.75."""
    probabilities = [[0.5, 0.25, 0.25], [0.5, 0.375, 0.125], [0.5, 0.25, 0.25], [0.0, 0.0, 1.0]]
    truth = [0, 1, 2, 2]
    mass = fit_mass(truth, probabilities, coverage=0.75)
    assert mass == pytest.approx(0.75)
    assert label_sets(probabilities, mass=mass)[np.arange(4), truth].all()
    fewer = fit_mass(truth, probabilities, coverage=0.6)
    assert fewer == pytest.approx(0.5)
    held = label_sets(probabilities, mass=fewer)[np.arange(4), truth]
    assert held.tolist() == [True, True, False, True]


def test_where_the_data_are_too_few_all_that_was_seen_is_held():
    assert fit_mass([0, 1], [[0.75, 0.25], [0.75, 0.25]], coverage=0.9) == pytest.approx(0.75)
    assert fit_widening([1.0, 3.0], [0, 0], [0, 0], coverage=0.9) == 3


def drawn(random, n):
    """Probabilities that are too sure of themselves, and the truth, rows exchangeable."""
    logits = random.normal(0, 1.5, (n, 6))
    truth = (logits + random.gumbel(size=logits.shape)).argmax(1)
    return softmax(2 * logits + random.normal(0, 1, logits.shape)), truth


@pytest.mark.parametrize("coverage", [0.7, 0.9])
def test_sets_hold_the_truth_of_unseen_data_as_often_as_promised(coverage):
    random = np.random.default_rng(0)
    held = []
    for _ in range(100):
        probabilities, truth = drawn(random, 500)
        mass = fit_mass(truth[:300], probabilities[:300], coverage=coverage)
        sets = label_sets(probabilities[300:], mass=mass)
        held.append(sets[np.arange(200), truth[300:]].mean())
    # By trial: 200 are drawn, and a quantile of 300 is estimated.
    error = np.sqrt(coverage * (1 - coverage) * (1 / 200 + 1 / 300) / 100)
    assert np.mean(held) > coverage - 3 * error
    assert np.mean(held) < coverage + 1 / 301 + 3 * error


def test_the_widening_by_hand():
    """Outside by 1, 0.5 and 2, inside by 1: of five places three quarters are four."""
    truth, low, high = [0, 3.5, 6, 4], [1, 2, 3, 3], [2, 3, 4, 5]
    assert fit_widening(truth, low, high, coverage=0.75) == 2
    assert fit_widening(truth, low, high, coverage=0.6) == 1
    assert fit_widening(truth, low, high, coverage=0.2) == -1  # they may be narrower


@pytest.mark.parametrize("half", [0.1, 1.0, 4.0])
def test_intervals_hold_unseen_values_as_often_as_promised(half):
    """Of too narrow, right and too wide intervals around a normal value."""
    random = np.random.default_rng(1)
    held, widths = [], []
    for _ in range(200):
        centre = random.normal(0, 3, 500)
        value = centre + random.normal(size=500)
        more = fit_widening(value[:300], centre[:300] - half, centre[:300] + half)
        held.append(np.mean(np.abs(value[300:] - centre[300:]) <= half + more))
        widths.append(half + more)
    error = np.sqrt(COVERAGE * (1 - COVERAGE) * (1 / 200 + 1 / 300) / 200)
    assert -3 * error < np.mean(held) - COVERAGE < 1 / 301 + 3 * error
    assert np.mean(widths) == pytest.approx(1.645, abs=0.03)  # of a normal distribution


FITTED = Calibration(
    ("angry", "sad"), ("angry", "happy", "sad"), ("one voice", "noise"), 1.5, 0.8, (0.1, -0.2, 0.0)
)


def test_a_card_gives_back_what_was_written_on_it():
    card = json.loads(json.dumps({"name": "tiny", **dataclasses.asdict(FITTED), "sha256": "00"}))
    assert Calibration.of_card(card) == FITTED


LATER = ("rated", "slope", "offset")


@pytest.mark.parametrize(
    "name",
    [field.name for field in dataclasses.fields(Calibration) if field.name not in LATER],
)
def test_a_card_that_lacks_something_is_refused(name):
    card = dataclasses.asdict(FITTED)
    del card[name]
    with pytest.raises(KeyError, match=f"^'{name}'$"):
        Calibration.of_card(card)


def test_an_older_card_has_no_line():
    card = {name: one for name, one in dataclasses.asdict(FITTED).items() if name not in LATER}
    found = Calibration.of_card(card)
    assert (found.slope, found.offset, found.rated) == ((1, 1, 1), (0, 0, 0), False)


def test_the_line_by_hand():
    """Of (0, 0), (1, 2), (2, 1): slope 1/2, through the mean (1, 1)."""
    assert fit_line([0.0, 2.0, 1.0], [0.0, 1.0, 2.0]) == pytest.approx((0.5, 0.5))
    assert fit_line([0.2, 0.6], [0.5, 0.5]) == pytest.approx((1.0, -0.1))  # all alike


def test_unfitted_nothing_is_changed():
    plain = Calibration(("angry",), ("angry",), ("one voice",))
    assert (plain.temperature, plain.mass, plain.widening) == (1, COVERAGE, (0, 0, 0))
