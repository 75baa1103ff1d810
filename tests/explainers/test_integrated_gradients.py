"""Integrals that can be done on paper, and the sum that the scores must have."""

import numpy as np
import pytest
import torch
from torch import nn

from voxplain.errors import UnknownName
from voxplain.explainers import Grid
from voxplain.explainers.integrated_gradients import attribute_module

X = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)


class Of(nn.Module):
    """A function of spectrograms (batch, bands, frames) as output 1 of two."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        value = self.function(x)
        return torch.stack([-value, value], 1)


def f(x):
    """Figure 3 of the paper: relu(relu(x1) - 1 - relu(x2))."""
    return torch.relu(torch.relu(x[:, 0, 0]) - 1 - torch.relu(x[:, 1, 0]))


def g(x):
    """The same function wired otherwise: relu(relu(x1 - 1) - relu(x2))."""
    return torch.relu(torch.relu(x[:, 0, 0] - 1) - torch.relu(x[:, 1, 0]))


@pytest.mark.parametrize("wired", [f, g])
def test_the_networks_of_the_paper(wired):
    """At (3, 1) from (0, 0): 1.5 and -0.5, however the function is wired."""
    found = attribute_module(
        Of(wired),
        np.array([[3.0], [1.0]], np.float32),
        output=1,
        baseline=0.0,
        axis="frequency",
        steps=200,
    )
    np.testing.assert_allclose(found.scores, [1.5, -0.5], atol=0.01)


def test_what_is_saturated_still_counts():
    """1 - relu(1 - x) has no gradient at 2, yet it rose by 1 on the way."""
    found = attribute_module(
        Of(lambda x: 1 - torch.relu(1 - x[:, 0, 0])), [[2.0]], output=1, baseline=0.0, steps=200
    )
    assert found.scores == pytest.approx([1], abs=0.01)


@pytest.mark.parametrize(
    ("baseline", "start"),
    [
        (0.0, 0.0),
        (-1.5, -1.5),
        ("mean", X.mean(1, keepdims=True)),
        ("silence", X.min()),
    ],
)
def test_of_a_linear_network_weight_times_difference(baseline, start):
    weight = np.random.default_rng(1).normal(size=X.shape).astype(np.float32)
    network = Of(lambda x: (x * torch.tensor(weight)).sum((1, 2)) + 5)

    def found(axis):
        return attribute_module(network, X, output=1, baseline=baseline, axis=axis)

    cells = weight * (X - start)
    np.testing.assert_allclose(found("time_frequency").scores, cells, atol=1e-5)
    np.testing.assert_allclose(found("time").scores, cells.sum(0), atol=1e-5)
    np.testing.assert_allclose(found("frequency").scores, cells.sum(1), atol=1e-5)
    assert found("time").completeness_gap == pytest.approx(0, abs=1e-5)
    assert found("time").baseline == str(baseline)


def test_a_square_grows_along_the_way():
    """The integral of 2 (a + t d) d over t is (a + d)^2 - a^2, cell by cell."""
    network = Of(lambda x: (x**2).sum((1, 2)))
    found = attribute_module(network, X, output=1, baseline=0.5, axis="time_frequency", steps=2)
    np.testing.assert_allclose(found.scores, X**2 - 0.25, atol=1e-5)


def test_the_gap_is_that_of_the_sum_and_shrinks_with_the_steps(residual):
    inputs = np.random.default_rng(2).normal(size=(24, 32)).astype(np.float32)
    with torch.no_grad():
        silent = torch.full((1, 24, 32), inputs.min().item())
        rise = (residual(torch.tensor(inputs)[None]) - residual(silent))[0, 2].item()
    gaps = []
    for steps in (4, 32, 256):
        found = attribute_module(residual, inputs, output=2, baseline="silence", steps=steps)
        assert found.completeness_gap == pytest.approx(found.scores.sum() - rise, abs=1e-3)
        gaps.append(abs(found.completeness_gap))
    assert gaps[0] > 3 * gaps[1] > 9 * gaps[2]
    assert gaps[2] < 0.02 * abs(rise)


def test_no_more_than_a_batch_at_once_and_the_same_scores(residual):
    sizes = []
    residual.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0])))
    given = {"inputs": np.ones((24, 32)), "output": 0, "baseline": 0.0, "steps": 30}
    few = attribute_module(residual, **given, batch=4)
    assert max(sizes) == 4
    many = attribute_module(residual, **given, batch=30)
    assert max(sizes) == 30
    np.testing.assert_allclose(few.scores, many.scores, rtol=1e-4, atol=1e-5)


def test_cells_lie_where_the_grid_says():
    grid = Grid(start=1.0, frame_shift=0.015, hz=(0.0, 100.0, 300.0, 700.0, 1500.0))
    found = attribute_module(
        Of(lambda x: x.sum((1, 2))), X, output=1, axis="time_frequency", grid=grid
    )
    np.testing.assert_allclose(found.times, 1 + 0.015 * np.arange(7))
    assert found.hz.tolist() == list(grid.hz)


def test_an_unknown_baseline_is_refused():
    with pytest.raises(UnknownName, match=r"unknown baseline 'quiet'; available: local_mean, mean"):
        attribute_module(Of(lambda x: x.sum((1, 2))), X, output=1, baseline="quiet")
