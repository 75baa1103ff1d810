"""Relevance by hand, by captum and by zennit, and that none of it is lost on the way."""

import copy

import numpy as np
import pytest
import torch
from captum.attr import LayerLRP
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule
from torch import nn

from voxplain.errors import ConfigError, UnknownName
from voxplain.explainers.lrp import attribute_module, concepts


def weighted(layer, weight, bias=None):
    """A layer with given weights."""
    layer.weight.data = torch.tensor(weight, dtype=torch.float32).reshape(layer.weight.shape)
    if layer.bias is not None:
        layer.bias.data = torch.tensor(bias, dtype=torch.float32)
    return layer


def cells(module, inputs, **options):
    found = attribute_module(module, inputs, output=0, axis="time_frequency", **options)
    return found.scores, found.completeness_gap


def test_of_a_linear_layer_weight_times_input():
    weight, inputs = np.random.default_rng(0).normal(size=(2, 3, 4))
    network = nn.Sequential(nn.Flatten(), weighted(nn.Linear(12, 1), weight, [0.7]))
    scores, gap = cells(network, inputs)
    np.testing.assert_allclose(scores, weight * inputs, rtol=1e-4)
    assert gap == pytest.approx(-0.7, rel=1e-4)  # what the bias keeps


def test_two_layers_by_hand():
    """x = (2, 3) -> hidden (2 - 3 < 0, 2 + 2 * 3 = 8) -> 4 * 8 - 2 = 30, all of it by the second.

    Of its 32 (the bias keeps -2) 2 / 8 and 6 / 8 belong to the inputs.
    """
    hidden = weighted(nn.Linear(2, 2), [[1, -1], [1, 2]], [0, 0])
    last = weighted(nn.Linear(2, 1), [[5, 4]], [-2])
    scores, gap = cells(nn.Sequential(nn.Flatten(), hidden, nn.ReLU(), last), [[2.0], [3.0]])
    np.testing.assert_allclose(scores, [[8], [24]], rtol=1e-5)
    assert gap == pytest.approx(2, rel=1e-4)


def test_the_first_convolution_shares_alike_whatever_its_weights():
    """Of a 3 x 3 kernel nine cells, at an edge of the inputs six, in a corner four."""
    first = weighted(nn.Conv2d(1, 1, 3, padding=1, bias=False), [0, 0, 0, 0, 2, 0, 0, 0, 0])
    network = nn.Sequential(nn.Unflatten(1, (1, 6)), first, nn.Flatten(), nn.Linear(36, 1))
    for (row, column), share in {(2, 3): 1 / 9, (0, 3): 1 / 6, (5, 5): 1 / 4}.items():
        only = np.zeros((6, 6))
        only[row, column] = 1
        weighted(network[3], only, [0])
        inputs = np.full((6, 6), -3.0)
        scores, _ = cells(network, inputs)
        near = np.zeros((6, 6), bool)
        near[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
        np.testing.assert_allclose(scores, np.where(near, -6 * share, 0), rtol=1e-4, atol=1e-6)


def channels(*, bias=0.0):
    """Two channels x and x / 2; a convolution takes 2 of the first and -1 of the second."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 2)),
        weighted(nn.Conv2d(1, 2, 1, bias=False), [1, 0.5]),
        nn.ReLU(),
        weighted(nn.Conv2d(2, 1, 1), [2, -1], [bias]),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        weighted(nn.Linear(1, 1, bias=False), [4]),
    )


INPUTS = np.array([[1.0, 2.0, 3.0], [-1.0, 0.0, 6.0]])
"""The mean of 1.5 x over positive cells, times 4, is 12: as many as there are of x."""


def test_later_convolutions_share_among_what_speaks_for_it():
    """All of it belongs to the first channel, and where x is positive."""
    scores, gap = cells(channels(), INPUTS)
    np.testing.assert_allclose(scores, np.maximum(INPUTS, 0), rtol=1e-4)
    assert gap == pytest.approx(0, abs=1e-4)
    found = concepts(channels(), INPUTS, output=0, layer="2")
    np.testing.assert_allclose(found.relevance, [12, 0], rtol=1e-4)


def test_a_positive_bias_keeps_its_part():
    """Where x is 2, 2 x + 2 speak for it, of which the bias has a third; where x is 0, all."""
    scores, gap = cells(channels(bias=2.0), INPUTS)
    above = np.maximum(INPUTS, 0)
    outputs = np.maximum(1.5 * above + 2, 0) * 4 / 6
    np.testing.assert_allclose(scores, outputs * 2 * above / (2 * above + 2), rtol=1e-4)
    assert gap == pytest.approx((scores - outputs).sum(), rel=1e-4)


class Past(nn.Module):
    """a + b of the same x, where a = 3 x goes through a convolution and b = x past it."""

    def __init__(self):
        super().__init__()
        self.first = weighted(nn.Conv2d(1, 1, 1, bias=False), [1])
        self.through = weighted(nn.Conv2d(1, 1, 1, bias=False), [3])
        self.unused = nn.Conv2d(1, 1, 1)

    def forward(self, x):
        x = self.first(x[:, None])
        return (self.through(x) + x).sum((2, 3))


def test_a_sum_is_shared_in_proportion():
    inputs = np.abs(INPUTS)
    scores, _ = cells(Past(), inputs)
    np.testing.assert_allclose(scores, 4 * inputs, rtol=1e-4, atol=1e-6)
    through, gap = cells(Past(), inputs, layer="through")
    np.testing.assert_allclose(through, 3 * inputs, rtol=1e-4, atol=1e-6)
    assert gap == pytest.approx(-inputs.sum(), rel=1e-4)


def test_a_negative_sum_without_anything_positive_is_lost():
    """At -1 nothing speaks for the -3 of the convolution; what goes past it stays."""
    scores, gap = cells(Past(), INPUTS)
    np.testing.assert_allclose(scores, np.where(INPUTS < 0, -1, 4 * INPUTS), rtol=1e-4, atol=1e-6)
    assert gap == pytest.approx(3, rel=1e-4)


def test_two_negatives_speak_for_it():
    """-2 times -3 and 1 times 3 are 9, of which each has its part."""
    network = nn.Sequential(
        nn.Unflatten(1, (1, 1)),
        weighted(nn.Conv2d(1, 2, 1, bias=False), [1, -1]),
        weighted(nn.Conv2d(2, 1, 1, bias=False), [-2, 1]),
        nn.Flatten(),
    )
    found = concepts(network, [[-3.0]], output=0, layer="1")
    np.testing.assert_allclose(found.relevance, [6, 3], rtol=1e-4)


class Beside(nn.Module):
    """A convolution of x, and x itself."""

    def __init__(self):
        super().__init__()
        self.first = weighted(nn.Conv2d(1, 1, 1, bias=False), [2])

    def forward(self, x):
        return (self.first(x[:, None]) + x[:, None]).sum((2, 3))


def test_what_goes_past_the_first_convolution_counts():
    scores, _ = cells(Beside(), INPUTS)
    np.testing.assert_allclose(scores, 3 * INPUTS, rtol=1e-4, atol=1e-6)


def test_nothing_is_divided_by_zero():
    """The sum is as small as what keeps it from zero, and of the other sign."""
    network = nn.Sequential(nn.Flatten(), weighted(nn.Linear(1, 1, bias=False), [1]))
    scores, _ = cells(network, [[-1e-6]])
    assert -1e-6 <= scores[0, 0] < 0


@pytest.mark.parametrize("inplace", [False, True])
def test_a_batch_norm_behind_a_relu_is_left_where_it_is(inplace):
    """It halves what the ReLU lets through and adds 1 to each of six cells, which it keeps."""
    norm = nn.BatchNorm2d(1, eps=0).eval()
    norm.running_var.fill_(4)
    norm.bias.data.fill_(1)
    network = nn.Sequential(
        nn.Unflatten(1, (1, 2)),
        weighted(nn.Conv2d(1, 1, 1, bias=False), [1]),
        nn.ReLU(inplace=inplace),
        norm,
        nn.Flatten(),
        weighted(nn.Linear(6, 1, bias=False), np.ones(6)),
    )
    scores, gap = cells(network, INPUTS)
    np.testing.assert_allclose(scores, np.maximum(INPUTS, 0) / 2, rtol=1e-4)
    assert gap == pytest.approx(-6, rel=1e-4)


def test_a_batch_norm_belongs_to_the_convolution_before_it(residual):
    """The same network with weights that are merged on paper has the same relevance."""
    inputs = np.random.default_rng(0).normal(size=(24, 32))
    merged = copy.deepcopy(residual)
    for place, convolution, norm in (
        (merged, "conv", "bn"),
        *(
            (block, f"conv{n}", f"bn{n}")
            for block in (merged.layer1, merged.layer2)
            for n in (1, 2)
        ),
    ):
        before, after = getattr(place, convolution), getattr(place, norm)
        scale = after.weight / (after.running_var + after.eps).sqrt()
        before.weight.data *= scale.detach()[:, None, None, None]
        before.bias = nn.Parameter((after.bias - after.running_mean * scale).detach())
        setattr(place, norm, nn.Identity())
    for output in range(3):
        expected = attribute_module(merged, inputs, output=output)
        found = attribute_module(residual, inputs, output=output)
        scale = np.abs(expected.scores).max()
        np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-3, atol=1e-4 * scale)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (0, [3.251338, 4.255665, 1.266007, 1.381676, 0.759509, 1.012950, 0.423252, 1.099450]),
        (
            1,
            [-0.548987, -0.653306, -0.12576, -0.145235, -0.095737, -0.213658, -0.150209, -0.494416],
        ),
        (2, [0.878509, 1.069916, 0.233987, 0.254099, 0.146991, 0.272652, 0.170903, 0.485885]),
    ],
)
def test_a_residual_network_as_zennit_has_it(residual, output, expected):
    """zennit 0.5.1 with EpsilonPlusFlat, batch norms merged and sums as in its ResNet canonizer."""
    inputs = np.sin(0.3 * np.arange(16 * 24)).reshape(16, 24)
    found = attribute_module(residual, inputs, output=output)
    np.testing.assert_allclose(found.scores[::3], expected, rtol=1e-3)


def test_channels_as_captum_has_them():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 5, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(5, 4, 3, bias=False), nn.ReLU()
    )
    network.extend([nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 6, 1, bias=False), nn.ReLU()])

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.maps, self.last = network, nn.Linear(6, 3)

        def forward(self, x):
            return self.last(self.maps(x).sum((2, 3)))

    whole, inputs = Whole(), torch.randn(1, 20, 30)
    ours = concepts(whole, inputs, output=2, layer="maps.0").relevance
    for layer in (network[3], network[6]):
        layer.rule = Alpha1_Beta0_Rule()
    whole.last.rule = EpsilonRule(1e-6)
    theirs = LayerLRP(whole, network[0]).attribute(inputs[None].requires_grad_(), target=2)
    np.testing.assert_allclose(ours, theirs.detach().sum((0, 2, 3)), rtol=1e-3, atol=1e-5)


def test_nothing_is_lost_without_biases(residual):
    """And where there is something positive in every sum."""
    for name, values in residual.state_dict().items():
        if name.endswith(("bias", "running_mean")):
            values.zero_()
        elif "past" in name:
            values.abs_()
    inputs = np.random.default_rng(1).normal(size=(24, 32)).astype(np.float32)
    with torch.no_grad():
        outputs = residual(torch.tensor(inputs)[None])[0]
    for output in range(3):
        found = attribute_module(residual, inputs, output=output)
        assert found.scores.sum() == pytest.approx(outputs[output].item(), rel=1e-3)
        assert found.completeness_gap == pytest.approx(0, abs=1e-3 * abs(outputs[output].item()))


@pytest.mark.parametrize("layer", ["conv", "bn", "pool", "layer1", "layer2"])
def test_the_channels_of_a_layer_add_up_to_the_whole(residual, layer):
    inputs = np.random.default_rng(2).normal(size=(24, 32))
    whole, gap = cells(residual, inputs)
    found = concepts(residual, inputs, output=0, layer=layer, strongest=100)
    assert sorted(found.strongest) == list(range(len(found.relevance)))
    total = sum(one.scores for one in found.attributions)
    np.testing.assert_allclose(total, whole, rtol=1e-3, atol=1e-4 * np.abs(whole).max())
    assert np.all(np.diff(np.abs(found.relevance[list(found.strongest)])) <= 0)
    assert gap != 0  # biases are no obstacle


@pytest.mark.parametrize("block", ["layer1", "layer2"])
def test_what_goes_through_a_block_and_past_it_is_all_there_is(residual, block):
    inputs = np.random.default_rng(3).normal(size=(24, 32))
    through, past = (
        cells(residual, inputs, layer=f"{block}.{name}")[0] for name in ("conv2", "past")
    )
    whole, _ = cells(residual, inputs)
    assert np.abs(through).max() > 0.01 * np.abs(whole).max()
    np.testing.assert_allclose(through + past, whole, rtol=1e-3, atol=1e-4 * np.abs(whole).max())


def test_the_strongest_channels_are_those_that_count():
    """Of x, x / 2 and -x / 4 in a sum the relevance is as large as they are."""
    network = nn.Sequential(
        nn.Unflatten(1, (1, 2)),
        weighted(nn.Conv2d(1, 3, 1, bias=False), [0.5, -0.25, 1]),
        nn.Flatten(),
        weighted(nn.Linear(18, 1, bias=False), np.ones(18)),
    )
    found = concepts(network, INPUTS, output=0, layer="1", strongest=2, label="angry")
    assert found.layer == "1"
    np.testing.assert_allclose(found.relevance, INPUTS.sum() * np.array([0.5, -0.25, 1]), rtol=1e-4)
    assert found.strongest == (2, 0)
    np.testing.assert_allclose(found.attributions[0].scores, INPUTS, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.attributions[1].scores, INPUTS / 2, rtol=1e-4, atol=1e-6)
    assert {(one.method, one.output) for one in found.attributions} == {("lrp", "angry")}


def test_a_first_convolution_that_sees_something_else_is_refused():
    network = nn.Sequential(nn.Unflatten(1, (2, 1)), nn.Conv2d(2, 1, 1), nn.Flatten())
    expected = r"the first convolution sees \(2, 1, 3\), not the inputs \(2, 3\); explain the part"
    with pytest.raises(ConfigError, match=expected):
        attribute_module(network, INPUTS, output=0)


@pytest.mark.parametrize("explain", [attribute_module, concepts])
def test_a_layer_that_is_not_there_or_not_used_is_refused(explain):
    with pytest.raises(
        UnknownName, match="unknown layer 'past'; available: first, through, unused"
    ):
        explain(Past(), INPUTS, output=0, layer="past")
    with pytest.raises(ConfigError, match="'unused' lies on no way from the inputs to output 0"):
        explain(Past(), INPUTS, output=0, layer="unused")
