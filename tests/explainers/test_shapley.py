"""Games whose Shapley values are in the textbooks, and what is asked of the model for them."""

import numpy as np
import pytest

from voxplain.errors import ConfigError, UnknownName
from voxplain.explainers import shapley


def game(worth, players, **options):
    """``worth`` of who plays, (players,) -> a number; output 0 is worth nothing."""

    def forward(plays):
        assert plays.dtype == bool
        return np.array([[0.0, worth(one)] for one in plays])

    names = [f"player {n}" for n in range(players)]
    return shapley.attribute(
        forward,
        np.ones(players, bool),
        baseline=np.zeros(players, bool),
        names=names,
        output=1,
        **options,
    )


def airport(plays):
    """Player n needs a runway of n + 1."""
    return max(np.flatnonzero(plays) + 1, default=0)


def airport_shares(players):
    """Each piece of the runway is paid in equal parts by all who need it."""
    return np.cumsum([1 / (players - n) for n in range(players)])


@pytest.mark.parametrize(
    ("worth", "expected"),
    [
        (lambda plays: plays[0] and plays[1], [1 / 2, 1 / 2, 0]),
        (lambda plays: plays.any(), [1 / 3, 1 / 3, 1 / 3]),
        (lambda plays: plays[0] and plays[1:].any(), [2 / 3, 1 / 6, 1 / 6]),  # one left glove
        (lambda plays: plays @ [4, 3, 2] > 4, [1 / 3, 1 / 3, 1 / 3]),  # any two have a majority
        (lambda plays: plays @ [3, 1, 1] > 2, [1, 0, 0]),  # a dictator
        (airport, [2 / 6, 5 / 6, 11 / 6]),
    ],
)
def test_games_of_three(worth, expected):
    found = game(worth, 3)
    np.testing.assert_allclose(found.scores, expected, atol=1e-12)
    assert found.completeness_gap == pytest.approx(0, abs=1e-12)


def test_the_united_nations_security_council_of_1945():
    """Five with a veto and six others; 7 of 11 votes pass. Shapley & Shubik 1954: 76/77 with the
    five."""
    found = game(lambda plays: plays[:5].all() and plays.sum() >= 7, 11, permutations=2000)
    np.testing.assert_allclose(found.scores[:5], 76 / 77 / 5, atol=0.02)
    np.testing.assert_allclose(found.scores[5:], 1 / 77 / 6, atol=0.005)


@pytest.mark.parametrize("features", [1, 4, 10, 11, 30])
def test_of_a_linear_model_weight_times_difference(features):
    random = np.random.default_rng(features)
    weight, inputs, baseline = random.normal(size=(3, features)).astype(np.float32)
    found = shapley.attribute(
        lambda batch: np.stack([0 * batch[:, 0], batch @ weight], 1),
        inputs,
        baseline=baseline,
        names=list(map(str, range(features))),
        output=1,
    )
    np.testing.assert_allclose(found.scores, weight * (inputs - baseline), atol=1e-5)
    assert found.completeness_gap == pytest.approx(0, abs=1e-5)


def test_there_and_back_is_exact_where_features_act_in_pairs():
    """A pair's product is halved between the two, whoever comes first in the one order."""
    random = np.random.default_rng(0)
    pairs = np.triu(random.normal(size=(15, 15)), 1)
    found = game(lambda plays: plays @ pairs @ plays, 15, permutations=1)
    np.testing.assert_allclose(found.scores, (pairs.sum(0) + pairs.sum(1)) / 2, atol=1e-9)


def test_more_orders_come_closer_and_the_sum_is_exact():
    errors = []
    for permutations in (1, 10, 1000):
        found = game(airport, 16, permutations=permutations)
        errors.append(np.abs(found.scores - airport_shares(16)).max())
        assert found.scores.sum() == pytest.approx(16, abs=1e-9)
        assert found.completeness_gap == pytest.approx(0, abs=1e-9)
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


def test_sampling_agrees_with_all_subsets(monkeypatch):
    exact = game(airport, 7).scores
    monkeypatch.setattr(shapley, "EXACT", 6)
    np.testing.assert_allclose(game(airport, 7, permutations=2000).scores, exact, atol=0.1)


def test_orders_are_drawn_by_the_seed():
    first, again, other = (game(airport, 12, seed=seed).scores for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("players", "most"), [(5, 2**5), (12, 64 * 11 + 2)])
def test_no_subset_is_asked_for_twice(players, most):
    asked = []

    def worth(plays):
        asked.append(tuple(plays))
        return airport(plays)

    game(worth, players)
    assert len(asked) == len(set(asked)) <= most


def test_nor_is_a_feature_that_is_as_in_the_baseline():
    sizes = []

    def forward(batch):
        sizes.append(len(batch))
        return batch.sum(1, keepdims=True)

    inputs, baseline = np.arange(8.0), np.array([0, 1, 2, 3, 4, 0, 0, 0.0])
    found = shapley.attribute(
        forward, inputs, baseline=baseline, names=list("abcdefgh"), output=0, batch=3
    )
    assert sizes == [3, 3, 2]  # 2 ** 3 inputs, at most three at once
    np.testing.assert_allclose(found.scores, [0, 0, 0, 0, 0, 5, 6, 7], atol=1e-12)


def test_words_are_named():
    found = shapley.attribute(
        lambda present: present[:, :1] * 2.0,
        np.ones(2, bool),
        baseline=np.zeros(2, bool),
        names=["so", "so"],
        output=0,
        axis="word",
    )
    assert (found.axis, found.names, found.output) == ("word", ("so", "so"), "0")
    assert found.scores.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("inputs", "baseline", "names"), [(3, 3, 2), (3, 2, 3), (2, 3, 3), (0, 0, 0)]
)
def test_what_does_not_match_is_refused(inputs, baseline, names):
    expected = rf"inputs \({inputs},\), baseline \({baseline},\) and {names} names: each feature"
    with pytest.raises(ConfigError, match=expected):
        shapley.attribute(
            lambda batch: batch,
            np.ones(inputs),
            baseline=np.zeros(baseline),
            names=["pitch"] * names,
            output=0,
        )


def test_an_unknown_axis_is_refused():
    with pytest.raises(UnknownName, match=r"axis of shapley 'time'; available: descriptor, word\."):
        game(airport, 3, axis="time")
