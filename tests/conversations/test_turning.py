"""Turning points: found where they are planted, and seldom where there are none."""

import numpy as np
import pytest

from voxplain.conversations.turning import FALSE_ALARMS, turning_points
from voxplain.types import Segment


def turns(count):
    return [Segment(10.0 * number, 10.0 * number + 6) for number in range(count)]


def found(values, deviation=0.08):
    values = np.array(values, float)
    deviations = np.full(len(values), deviation)
    return turning_points(turns(len(values)), values, deviations, dimension="arousal")


def noise(seed, count, deviation=0.08):
    return deviation * np.random.default_rng(seed).normal(size=count)


def test_a_planted_change_is_found_in_its_place():
    (point,) = found(np.repeat([0.3, 0.8], 15) + noise(0, 30))
    assert (point.last, point.first) == (146.0, 150.0)
    assert point.before == pytest.approx(0.3, abs=0.05)
    assert point.after == pytest.approx(0.8, abs=0.05)
    assert point.change.low < point.after - point.before < point.change.high
    assert point.p == pytest.approx(0.001)


def test_up_and_down_are_two():
    first, second = found(np.repeat([0.3, 0.8, 0.3], 12) + noise(1, 36))
    assert (first.first, second.first) == (120.0, 240.0)
    assert second.before == first.after > 0.7
    assert second.change.value < 0


def test_a_change_within_the_uncertainty_is_none():
    """However regular it is: the model may err as much in all turns of a kind."""
    values = np.repeat([0.45, 0.55], 20) + noise(2, 40, 0.001)
    assert len(found(values, deviation=0.02)) == 1
    assert found(values, deviation=0.08) == []


@pytest.mark.parametrize("count", [0, 1, 5])
def test_too_few_turns_tell_nothing(count):
    assert found(np.linspace(0, 1, count)) == []


def test_constant_voices_seldom_turn():
    """By permutations alone, in one of two dimensions, half as often as a voice may."""
    alarms = [bool(found(0.5 + noise(seed, 20), deviation=0.0)) for seed in range(100)]
    # One of 100 such samples has more by chance: binomial, p = 0.025.
    assert np.mean(alarms) <= FALSE_ALARMS / 2 + 2.6 * (0.025 * 0.975 / 100) ** 0.5
    assert any(alarms)  # else nothing was tried
