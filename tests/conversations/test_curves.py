"""Courses: the mean of what is near, as sure as the turns are, and nothing where nobody speaks."""

import numpy as np
import pytest

from voxplain.conversations.curves import SHARED, readings, smoothed
from voxplain.types import Dimension, Dimensions, Emotion, Verdict


def course(times, values, deviations, *, seconds=None, reach=30.0, parts=None):
    count = len(times)
    return smoothed(
        np.array(times, float),
        np.ones(count) if seconds is None else np.array(seconds, float),
        np.broadcast_to(np.array(values, float), (count,)),
        np.broadcast_to(np.array(deviations, float), (count,)),
        reach=reach,
        parts=np.zeros(count, int) if parts is None else np.array(parts),
    )


def test_a_point_in_each_turn_and_nowhere_else():
    times = [1.0, 4.0, 500.0]
    found = course(times, [0.2, 0.3, 0.9], 0.1)
    assert found.times.tolist() == times
    assert found.values[2] == pytest.approx(0.9)  # nothing is within reach but itself
    assert found.low[2] == pytest.approx(0.9 - 1.645 * 0.1)
    assert found.high[2] == 1.0  # which ends there


def test_the_mean_of_what_is_near_by_length_and_distance():
    found = course([0, 10, 20], [0.1, 0.5, 0.7], 0.1, seconds=[4, 2, 8], reach=20)
    weights = [4 * (1 - (10 / 20) ** 2), 2.0, 8 * (1 - (10 / 20) ** 2)]  # seen from the second
    assert found.values[1] == pytest.approx(np.average([0.1, 0.5, 0.7], weights=weights))
    # The third turn is as far from the first as it reaches, and does not count there.
    first = [4.0, 2 * (1 - (10 / 20) ** 2)]
    assert found.values[0] == pytest.approx(np.average([0.1, 0.5], weights=first))


def test_a_wide_reach_gives_the_mean_by_length():
    found = course([0, 10, 20], [0.1, 0.5, 0.7], 0.1, seconds=[4, 2, 8], reach=1e6)
    assert found.values == pytest.approx((0.4 + 1.0 + 5.6) / 14)


def test_turning_points_are_not_smoothed_away():
    found = course([0, 5, 10, 15], [0.2, 0.2, 0.8, 0.8], 0.05, parts=[0, 0, 1, 1])
    assert found.values == pytest.approx([0.2, 0.2, 0.8, 0.8])


def test_fewer_turns_are_less_sure():
    def width(times, **options):
        found = course(times, 0.5, 0.1, **options)
        return (found.high - found.low)[0]

    one, two, ten = width([0]), width([0, 1]), width(np.arange(10))
    assert one > two > ten > 2 * 1.645 * 0.1 * SHARED**0.5
    assert one == pytest.approx(2 * 1.645 * 0.1)
    assert width([0, 1], seconds=[1, 0.01]) == pytest.approx(one, rel=0.01)
    assert width([0, 29.9]) == pytest.approx(one, rel=0.01)


@pytest.mark.parametrize(("shared", "least", "most"), [(SHARED, 0.87, 0.93), (0.0, 0.95, 1.0)])
def test_the_interval_holds_a_planted_course_nine_times_in_ten(shared, least, most):
    random = np.random.default_rng(0)
    held = []
    for _ in range(400):
        times = np.cumsum(random.uniform(5, 20, 40))
        seconds = random.uniform(1, 10, 40)
        deviations = random.uniform(0.04, 0.12, 40)
        true = 0.5 + 0.1 * np.sin(2 * np.pi * (times / 700 + random.uniform()))
        own, common = random.normal(size=40), random.normal()
        error = deviations * (np.sqrt(shared) * common + np.sqrt(1 - shared) * own)
        found = course(times, true + error, deviations, seconds=seconds)
        held.append(np.mean((found.low <= true) & (true <= found.high)))
    assert least < np.mean(held) < most


def test_readings_come_with_the_deviation_that_their_interval_tells():
    point = Dimension(0.5, 0.3, 0.7)
    emotion = Emotion(
        {"angry": 0.8, "sad": 0.2},
        {},
        Dimensions(point, point, Dimension(0.1, 0.0, 0.2), ""),
        ("angry", "sad"),
        Verdict(("angry",)),
    )
    found = readings([emotion, emotion])
    assert list(found) == ["valence", "arousal", "dominance", "angry", "sad"]
    values, deviations = found["dominance"]
    assert values.tolist() == [0.1, 0.1]
    assert deviations == pytest.approx(0.1 / 1.645)
    assert found["sad"][1] == pytest.approx(0.4)  # a coin that falls so one time in five
