"""The published network: its size, the shapes of its maps, and that a residual block adds up."""

import pytest
import torch

from voxplain.models.saliency_cnn import ResidualBlock, SaliencyCNN


@pytest.fixture
def network():
    torch.manual_seed(0)
    return SaliencyCNN(labels=7).eval()


def test_it_has_as_many_parameters_as_the_published_one(network):
    assert sum(one.numel() for one in network.parameters()) == 290_023


def test_the_maps_have_the_published_shapes(network):
    seen = {}
    for name in ("conv1", "pool", "layer1", "layer2"):
        layer = getattr(network, name)
        layer.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out.shape}))
    assert network(torch.randn(2, 1, 128, 134)).shape == (2, 7)
    assert {name: tuple(shape[1:]) for name, shape in seen.items()} == {
        "conv1": (32, 64, 67),
        "pool": (32, 32, 34),
        "layer1": (64, 32, 34),
        "layer2": (128, 16, 17),
    }


def test_it_takes_a_longer_spectrogram_too(network):
    assert network(torch.randn(1, 1, 128, 201)).shape == (1, 7)


def test_where_the_convolutions_are_silent_the_shortcut_passes():
    block = ResidualBlock(3, 4, stride=2).eval()
    torch.nn.init.zeros_(block.conv2.weight)
    x = torch.randn(1, 3, 8, 10)
    sampled = torch.einsum("oi,birc->borc", block.shortcut.weight[:, :, 0, 0], x[..., ::2, ::2])
    torch.testing.assert_close(block(x), sampled.relu())
