"""Profiles of a speaker: sums by hand, and sums that don't depend on their order."""

import functools
import operator

import numpy as np
import pytest

from voxplain.models.profile import HALF_TRUSTED, Profile
from voxplain.types import Embedding


def embedding(frames, shift=0.04):
    return Embedding(np.array(frames, np.float16), shift, "tiny")


def same(one, other):
    assert one.seconds == pytest.approx(other.seconds)
    assert one.frames == other.frames
    np.testing.assert_allclose(one.total, other.total, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(one.squares, other.squares, rtol=1e-12)


@pytest.fixture
def stretches():
    random = np.random.default_rng(0)
    return [Profile.of(embedding(random.normal(3, 5, (n, 6)))) for n in (25, 80, 200)]


def test_by_hand():
    profile = Profile.of(embedding([[1, -2], [3, 0.5], [2, 0]]))
    assert profile.seconds == pytest.approx(0.12)
    assert profile.frames == 3
    assert profile.mean.tolist() == [2, -0.5]
    np.testing.assert_allclose(profile.square, [14 / 3, 4.25 / 3])


def test_half_precision_is_summed_in_full():
    """In half precision the sum would stop at 2048 and the squares at infinity."""
    profile = Profile.of(embedding(np.full((5000, 1), 300.0)))
    assert (profile.mean.item(), profile.square.item()) == (300, 90_000)


def test_profiles_add_up_to_that_of_all_the_speech():
    random = np.random.default_rng(1)
    first, second = random.normal(size=(30, 4)), random.normal(2, 3, size=(70, 4))
    together = Profile.of(embedding(np.concatenate([first, second])))
    same(Profile.of(embedding(first)) + Profile.of(embedding(second)), together)


def test_the_order_does_not_matter(stretches):
    same(functools.reduce(operator.add, stretches), functools.reduce(operator.add, stretches[::-1]))


def test_what_is_subtracted_was_not_heard(stretches):
    first, second, third = stretches
    same(first + second + third - second, first + third)


def test_of_all_minus_all_no_trace_is_left(stretches):
    """(0.1 + 0.2) - 0.3 would be one."""
    first, second, third = stretches
    rest = (first + second + third) - (third + first + second)
    assert (rest.seconds, rest.frames, rest.trust) == (0, 0, 0)
    assert not rest.mean.any()
    assert not rest.square.any()


def test_nothing_known_adds_nothing(stretches):
    same(Profile.empty(6) + stretches[0], stretches[0])
    same(stretches[0] - Profile.empty(6), stretches[0])
    empty = Profile.empty(3)
    assert empty.mean.tolist() == empty.square.tolist() == [0, 0, 0]
    assert empty.trust == 0


@pytest.mark.parametrize(("seconds", "trust"), [(5, 1 / 2), (15, 3 / 4), (45, 9 / 10)])
def test_trust_grows_with_what_was_heard(seconds, trust):
    assert HALF_TRUSTED == 5
    profile = Profile.of(embedding(np.zeros((seconds * 25, 2))))
    assert profile.trust == pytest.approx(trust)
