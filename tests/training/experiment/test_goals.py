"""Losses equal what is computed by hand and by other tools."""

from dataclasses import replace
from pathlib import Path

import audmetric
import numpy as np
import pytest
import torch

from voxplain.errors import ConfigError
from voxplain.models.heads import Heard
from voxplain.training.corpora._reading import Ratings, Utterance
from voxplain.training.experiment.goals import (
    Goals,
    concordance_loss,
    gather_goals,
    label_weights,
    loss,
)
from voxplain.training.experiment.recipe import Tasks

LABELS = ("angry", "sad")
NAN = float("nan")


def said(emotion="angry", *, votes=None, dimensions=None):
    ratings = None if votes is None else Ratings(votes=votes, intensity={})
    plain = Utterance(Path("clip.wav"), "x", "x_1", "", emotion, "", ratings)
    return replace(plain, dimensions=dimensions)


def test_categories_are_one_hot():
    goals = gather_goals([said("sad"), said("angry")], labels=LABELS, tasks=Tasks())
    assert goals.categories.tolist() == [[0, 1], [1, 0]]
    assert goals.dimensions.isnan().all()


def test_soft_labels_are_shares_of_votes_where_there_are_any():
    told = [
        said("sad", votes={"sad": 3, "angry": 1, "fear": 4}),
        said("angry"),
        said("sad", votes={}),
    ]
    goals = gather_goals(told, labels=LABELS, tasks=Tasks(soft=True))
    assert goals.categories.tolist() == [[0.25, 0.75], [1, 0], [0, 1]]


def test_soft_labels_without_any_votes_are_refused():
    with pytest.raises(ConfigError, match=r"no recording has any; give a --root that holds them"):
        gather_goals([said()], labels=LABELS, tasks=Tasks(soft=True))


def test_dimensions_that_nobody_rated_are_left_open():
    told = [said(dimensions={"valence": 0.2, "dominance": 1.0}), said()]
    goals = gather_goals(told, labels=LABELS, tasks=Tasks(dimensions=1.0))
    expected = [[0.2, NAN, 1.0], [NAN] * 3]
    np.testing.assert_allclose(goals.dimensions.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("value", [NAN, -0.1, 3.5])
def test_a_rating_that_is_none_is_refused_with_its_file(value):
    with pytest.raises(ConfigError, match=rf"^clip\.wav: arousal is rated {value}; ratings are"):
        gather_goals(
            [said(dimensions={"arousal": value})], labels=LABELS, tasks=Tasks(dimensions=1.0)
        )


def test_dimensions_without_any_rating_are_refused():
    with pytest.raises(ConfigError, match="but no recording has any"):
        gather_goals([said()], labels=LABELS, tasks=Tasks(dimensions=1.0))


def test_one_minus_ccc_is_audmetric_s():
    random = np.random.default_rng(0)
    truth, found = random.uniform(size=(2, 40, 3))
    expected = np.mean([1 - audmetric.concordance_cc(truth[:, d], found[:, d]) for d in range(3)])
    value = concordance_loss(torch.tensor(found), torch.tensor(truth))
    assert float(value) == pytest.approx(expected, abs=1e-12)


def test_unknown_truth_and_dimensions_of_one_known_value_do_not_count():
    truth = torch.tensor([[0.1, 0.5, NAN], [0.4, NAN, NAN], [NAN, NAN, NAN], [0.9, NAN, NAN]])
    found = torch.tensor([[0.2, 0.1, 0.3], [0.4, 0.2, 0.4], [0.9, 0.3, 0.5], [0.7, 0.4, 0.6]])
    expected = 1 - audmetric.concordance_cc([0.1, 0.4, 0.9], [0.2, 0.4, 0.7])
    assert float(concordance_loss(found, truth)) == pytest.approx(expected, abs=1e-6)
    assert float(concordance_loss(found, torch.full_like(truth, NAN))) == 0


def test_concordance_is_of_the_whole_batch_and_no_mean_of_parts():
    random = torch.Generator().manual_seed(0)
    truth, found = torch.rand(2, 16, 3, generator=random)
    parts = [concordance_loss(f, t) for f, t in zip(found.split(8), truth.split(8), strict=True)]
    assert abs(float(concordance_loss(found, truth) - torch.stack(parts).mean())) > 0.01


def goals(categories, dimensions=None):
    shares = torch.tensor(categories)
    return Goals(shares, torch.full((len(shares), 3), NAN) if dimensions is None else dimensions)


def heard(categories, dimensions):
    nothing = categories[:, :0]
    return Heard(categories, dimensions, nothing, nothing, nothing)


def test_cross_entropy_is_torch_s_with_and_without_class_weights():
    random = torch.Generator().manual_seed(0)
    logits, truth = torch.randn(6, 2, generator=random), torch.tensor([0, 0, 0, 0, 1, 1])
    one_hot = goals(torch.eye(2)[truth].tolist())
    found = heard(logits, torch.zeros(6, 0))
    for weights in (torch.ones(2), torch.tensor([0.75, 1.5])):
        expected = torch.nn.functional.cross_entropy(logits, truth, weight=weights)
        value = loss(found, one_hot, tasks=Tasks(), weights=weights)
        assert float(value) == pytest.approx(float(expected), rel=1e-6)


def test_label_weights_make_labels_count_alike():
    weights = label_weights(goals([[1.0, 0.0]] * 3 + [[0.0, 1.0]]))
    assert weights.tolist() == pytest.approx([2 / 3, 2])
    assert label_weights(goals(np.empty((4, 0)).tolist())).tolist() == []


def test_tasks_are_weighted():
    random = torch.Generator().manual_seed(0)
    found = heard(torch.randn(5, 2, generator=random), torch.rand(5, 3, generator=random))
    wanted = goals([[1.0, 0.0]] * 5, torch.rand(5, 3, generator=random))
    both = loss(found, wanted, tasks=Tasks(categories=0.5, dimensions=2.0), weights=torch.ones(2))
    one = loss(found, wanted, tasks=Tasks(), weights=torch.ones(2))
    other = concordance_loss(found.dimensions, wanted.dimensions)
    assert float(both) == pytest.approx(float(0.5 * one + 2 * other), rel=1e-6)


def test_uneven_experts_cost_what_their_weight_says():
    random = torch.Generator().manual_seed(0)
    nothing = torch.zeros(5, 0)
    routes = torch.rand(5, 3, 4, generator=random).softmax(-1)
    found = heard(torch.randn(5, 2, generator=random), nothing)._replace(routes=routes)
    wanted = goals([[1.0, 0.0]] * 5)
    options = {"tasks": Tasks(), "weights": torch.ones(2)}
    plain = loss(found, wanted, **options)
    used = routes.sum(0).numpy()  # by hand: squared coefficient of variation, of each output
    expected = 0.5 * np.mean((used.std(1) / used.mean(1)) ** 2)
    both = loss(found, wanted, **options, balance=0.5)
    assert float(both - plain) == pytest.approx(expected, rel=1e-3)
    without = found._replace(routes=nothing)
    assert loss(without, wanted, **options, balance=0.5) == plain


def test_mixed_goals_lie_between():
    one = goals([[1.0, 0.0]], torch.tensor([[0.0, 0.5, NAN]]))
    other = goals([[0.0, 1.0]], torch.tensor([[1.0, NAN, NAN]]))
    mixed = one.mixed(0.75, other)
    assert mixed.categories.tolist() == [[0.75, 0.25]]
    np.testing.assert_allclose(mixed.dimensions.numpy(), [[0.25, NAN, NAN]])
