"""Salient regions: planted scores, adaptive length, limits."""

import numpy as np
import pytest

from voxplain.evidence.moments import most_salient, salient_regions, taken
from voxplain.types import Attribution


def attribution(scores, *, start=0.0, cell=0.1):
    times = start + np.arange(len(scores) + 1) * cell
    return Attribution("m", "angry", "time", np.array(scores, float), "mean", times)


def on(region):
    """The cells of 0.1 s that a region covers."""
    return range(round(region.start * 10), round(region.end * 10))


def spans(found):
    return [(round(one.start, 3), round(one.end, 3)) for one in found]


def test_regions_are_as_long_as_what_speaks():
    scores = [0, 0, 6, 6, 6, 0, 0, 0, 0, 0, 0, 0, 4, 4, 0, 0, 0, 0, 0, 0]
    found = salient_regions(attribution(scores, start=2.0))
    assert spans(found) == [(2.2, 2.5), (3.2, 3.4)]


def test_a_short_region_grows_towards_its_better_neighbour():
    scores = [0, 0, 0, 1, 9, 0.5, 0, 0, 0, 0]
    assert spans(salient_regions(attribution(scores))) == [(0.3, 0.5)]
    assert spans(salient_regions(attribution([9, 1, 0, 0, 0, 0, 0, 0]))) == [(0.0, 0.2)]
    assert spans(salient_regions(attribution([0, 0, 0, 0, 0, 0, 1, 9]))) == [(0.6, 0.8)]


def test_regions_side_by_side_are_one():
    scores = [0, 5, 5, 0, 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert spans(salient_regions(attribution(scores))) == [(0.1, 0.6)]


def test_no_more_than_three_tenths_of_the_time():
    scores = np.ones(20)
    assert sum(one.duration for one in salient_regions(attribution(scores))) <= 0.3 * 2 + 1e-9


def test_the_strongest_stay_in_order_of_time():
    scores = np.zeros(100)
    scores[[10, 30, 50, 70, 90]] = [1, 5, 2, 4, 3]
    found = salient_regions(attribution(scores), most=2)
    assert [30 in on(one) for one in found] == [True, False]
    assert [70 in on(one) for one in found] == [False, True]


def test_nothing_speaks_nothing_is_salient():
    assert salient_regions(attribution([-1, -2, 0])) == ()


def test_windows_are_taken_from_the_top_until_the_share_is_full():
    windows = [slice(0, 4), slice(4, 8), slice(8, 10)]
    scores = np.array([0, 0, 0, 0, 5, 5, 5, 5, 9, 9.0])
    found = most_salient(scores, windows, share=0.3)
    assert np.flatnonzero(found).tolist() == [4, 8, 9]
    assert not most_salient(scores, windows, share=0.0).any()
    assert most_salient(scores, windows, share=1.0).all()
    assert taken(windows, 10, share=0.5).sum() == pytest.approx(5)
