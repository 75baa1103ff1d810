"""Maps that can be computed by hand, captum's of a residual network, and layers without any."""

import numpy as np
import pytest
import torch
from captum.attr import LayerAttribution, LayerGradCam
from torch import nn

from voxplain.errors import ConfigError, UnknownName
from voxplain.explainers.grad_cam import attribute_module

BANDS, FRAMES = 16, 40


class Marked(nn.Module):
    """Channel 0 of ``maps`` is active where cells exceed a half, channel 1 where they are less.

    Outputs: the mean of channel 0 times 3, and that of channel 1 times -2.
    """

    def __init__(self, stride=1):
        super().__init__()
        self.maps = nn.Conv2d(1, 2, 1, stride)
        self.last = nn.Linear(2, 2, bias=False)
        self.aside = nn.Conv2d(1, 1, 1)
        self.constant = nn.Conv2d(1, 1, 1)
        self.unused = nn.Conv2d(1, 1, 1)
        self.maps.weight.data = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)
        self.maps.bias.data = torch.tensor([-0.5, 0.5])
        self.last.weight.data = torch.tensor([[3.0, 0.0], [0.0, -2.0]])
        self.relu = nn.ReLU()

    def forward(self, x):
        self.aside(x[:, None])
        zero = 0 * self.constant(torch.ones(1, 1, 1, 1)).mean((2, 3))
        return self.last(self.relu(self.maps(x[:, None])).mean((2, 3))) + zero


def planted(rows, columns):
    inputs = np.zeros((BANDS, FRAMES), np.float32)
    inputs[rows, columns] = 2
    return inputs


def test_the_map_by_hand():
    """Of each cell above a half the gradient is 3 / cells, and the channel is as high as it is."""
    inputs = planted(slice(4, 8), slice(10, 30))
    found = attribute_module(Marked(), inputs, output=0, layer="relu", axis="time_frequency")
    cells = BANDS * FRAMES
    expected = np.where(inputs == 2, 3 / cells * 1.5, 0)
    np.testing.assert_allclose(found.scores, expected, atol=1e-7)
    assert np.isnan(found.completeness_gap)


def test_gradients_are_averaged_over_the_map():
    """Before the ReLU only the 80 planted cells have a gradient, of 3 / cells."""
    inputs = planted(slice(4, 8), slice(10, 30))
    found = attribute_module(Marked(), inputs, output=0, layer="maps", axis="time_frequency")
    cells = BANDS * FRAMES
    expected = np.where(inputs == 2, 80 / cells * 3 / cells * 1.5, 0)
    np.testing.assert_allclose(found.scores, expected, atol=1e-7)


def test_what_speaks_against_is_left_out():
    """The silent cells speak against output 1: channel 1 is active there, with a weight of -2."""
    found = attribute_module(Marked(), planted(slice(4, 8), slice(10, 30)), output=1, layer="relu")
    assert not found.scores.any()


@pytest.mark.parametrize("stride", [2, 4])
def test_a_coarse_map_is_stretched_over_the_inputs(stride):
    inputs = planted(slice(8, 12), slice(20, 28))
    found = attribute_module(
        Marked(stride), inputs, output=0, layer="relu", axis="time_frequency"
    ).scores
    assert found.shape == inputs.shape
    rows, columns = np.nonzero(found > found.max() / 2)
    for place, first, last in ((rows, 8, 11), (columns, 20, 27)):
        assert abs(place.min() - first) <= stride / 2
        assert abs(place.max() - last) <= stride / 2


@pytest.mark.parametrize("layer", ["conv", "pool", "layer1", "layer1.conv1", "layer2"])
def test_every_map_of_a_residual_network_is_as_captum_has_it(residual, layer):
    inputs = np.random.default_rng(0).normal(size=(24, 32))
    found = attribute_module(residual, inputs, output=0, layer=layer, axis="time_frequency")
    x = torch.tensor(inputs, dtype=torch.float32)[None]
    theirs = LayerGradCam(residual, residual.get_submodule(layer)).attribute(
        x, target=0, relu_attributions=True
    )
    stretched = LayerAttribution.interpolate(theirs, (24, 32), "bilinear")
    np.testing.assert_allclose(found.scores, stretched[0, 0].detach(), rtol=1e-4, atol=1e-5)


def test_an_unknown_layer_is_named_beside_those_there_are():
    with pytest.raises(UnknownName) as caught:
        attribute_module(Marked(), planted(0, 0), output=0, layer="map")
    assert str(caught.value) == (
        "unknown layer 'map'; available: aside, constant, last, maps, relu, unused. "
        "Did you mean 'maps'?"
    )


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("last", r"'last' gives \(2,\), no maps"),
        ("aside", "'aside' lies on no way from the inputs to output 0"),
        ("constant", "'constant' lies on no way from the inputs to output 0"),
        ("unused", "'unused' lies on no way from the inputs to output 0"),
    ],
)
def test_a_layer_that_has_no_maps_or_no_part_in_the_output_is_refused(layer, message):
    with pytest.raises(ConfigError, match=message):
        attribute_module(Marked(), planted(0, 0), output=0, layer=layer)
