"""What a head hears does not depend on company, and mixing is what it says it is."""

import numpy as np
import pytest
import torch

from voxplain.models.experiment_network import (
    ExperimentNetwork,
    LayerwiseHead,
    Mix,
    layerwise,
    make_head,
)
from voxplain.models.heads import Head, Known
from voxplain.models.msf import MSFHead, Texts

DEPTH, WIDTH, BATCH = 3, 4, 2


@pytest.fixture
def states():
    random = torch.Generator().manual_seed(0)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    return torch.randn(DEPTH, BATCH, 5, WIDTH, generator=random) * mask[..., None], mask


def made(pooling="layerwise", *, hidden=6, usual=None, labels=2, dimensions=3):
    torch.manual_seed(1)
    return make_head(
        pooling=pooling,
        depth=DEPTH,
        width=WIDTH,
        hidden=hidden,
        labels=labels,
        dimensions=dimensions,
        usual=usual,
    ).eval()


def test_layerwise_are_mean_and_deviation_of_the_real_frames(states):
    values, mask = states
    found = layerwise(values, mask)
    assert found.shape == (2 * DEPTH, BATCH, 1, WIDTH)
    for row, frames in ((0, 5), (1, 2)):
        for layer in range(DEPTH):
            own = values[layer, row, :frames].numpy()
            np.testing.assert_allclose(found[2 * layer, row, 0], own.mean(0), atol=1e-6)
            np.testing.assert_allclose(found[2 * layer + 1, row, 0], own.std(0), atol=1e-6)


def test_the_head_is_what_its_pooling_says():
    assert isinstance(made(), LayerwiseHead)
    assert isinstance(made("attentive"), Head)


def fused(pooling="layerwise", *, depth=DEPTH):
    torch.manual_seed(1)
    shape = {"depth": depth, "width": WIDTH, "hidden": 6, "labels": 2, "dimensions": 3}
    return make_head(pooling=pooling, **shape, fusion={"text_width": 5, "width": 8}).eval()


@pytest.mark.parametrize("pooling", ["layerwise", "attentive"])
def test_with_a_fusion_it_is_the_trunk_of_what_reads_too(states, pooling):
    network = ExperimentNetwork(fused(pooling)).eval()
    assert isinstance(network.head, MSFHead)
    assert isinstance(network.trunk, LayerwiseHead if pooling == "layerwise" else Head)
    assert network.trunk.categories is network.trunk.dimensions is None
    given = layerwise(*states) if pooling == "layerwise" else states[0]
    texts = Texts(torch.randn(BATCH, 3, 5), torch.tensor([[True] * 3, [False] * 3]))
    with_texts, without = network(states=given, texts=texts), network(states=given)
    assert not torch.allclose(with_texts.dimensions[0], without.dimensions[0])
    torch.testing.assert_close(with_texts.dimensions[1], without.dimensions[1])
    torch.testing.assert_close(with_texts, network.head(given, None, None, texts))


def test_where_nothing_is_heard_texts_alone_are_judged():
    network = ExperimentNetwork(fused(depth=0)).eval()
    assert network.trunk is None
    heard = network(texts=Texts(torch.randn(BATCH, 3, 5), torch.ones(BATCH, 3).bool()))
    assert (heard.categories.shape, heard.dimensions.shape) == ((BATCH, 2), (BATCH, 3))


@pytest.mark.parametrize("hidden", [0, 6])
def test_a_layerwise_head_is_a_perceptron_on_normalised_mixed_layers(hidden, states):
    pooled = layerwise(*states)
    random = torch.Generator().manual_seed(3)
    mean = torch.randn(2 * DEPTH, WIDTH, generator=random)
    square = mean**2 + torch.rand(2 * DEPTH, WIDTH, generator=random) + 0.1
    head = made(hidden=hidden, usual=(mean, square))
    head.layers.data = torch.tensor([0.3, -1.0, 0.5])
    normal = (pooled.squeeze(2) - mean[:, None]) / (square - mean**2).sqrt()[:, None]
    weights = head.layers.softmax(0)
    mixed = sum(w * normal[2 * n : 2 * n + 2] for n, w in enumerate(weights)) * DEPTH**0.5
    x = mixed.transpose(0, 1).flatten(1)
    if hidden:
        x = torch.nn.functional.gelu(head.hidden(x))
    heard = head(pooled)
    torch.testing.assert_close(heard.categories, head.categories(x))
    torch.testing.assert_close(heard.dimensions, head.dimensions(x).sigmoid())
    assert heard.perceived.shape == (BATCH, 0)


def test_what_is_not_asked_for_has_no_outputs(states):
    heard = made(labels=0)(layerwise(*states))
    assert (heard.categories.shape, heard.dimensions.shape) == ((BATCH, 0), (BATCH, 3))
    heard = made(dimensions=0)(layerwise(*states))
    assert (heard.categories.shape, heard.dimensions.shape) == ((BATCH, 2), (BATCH, 0))


def test_a_profile_counts_as_far_as_it_is_trusted(states):
    pooled, head = layerwise(*states), made()
    moments = torch.ones(BATCH, 2 * DEPTH, WIDTH)
    plain = head(pooled).categories
    distrusted = head(pooled, None, Known(moments, 2 * moments, torch.zeros(BATCH)))
    torch.testing.assert_close(distrusted.categories, plain)
    trusted = head(pooled, None, Known(moments, 2 * moments, torch.ones(BATCH)))
    moved = head(pooled - 1)  # mean 1 and variance 1, against 0 and 1
    torch.testing.assert_close(trusted.categories, moved.categories)


def test_a_recording_that_is_mixed_with_itself_stays_what_it_is(states):
    values, mask = states
    network = ExperimentNetwork(made("statistics"))
    alone = network(states=values, mask=mask)
    mixed = network(states=values, mask=mask, mix=Mix(0.7, torch.arange(BATCH)))
    torch.testing.assert_close(mixed.categories, alone.categories)


def test_mixed_states_lie_between_and_the_longer_goes_on_alone(states):
    values, mask = states
    seen = []

    class Listening(torch.nn.Module):
        def forward(self, *given):
            seen.append(given)

    moments = torch.arange(BATCH).float()[:, None, None].expand(BATCH, DEPTH, WIDTH)
    known = Known(moments, moments, torch.tensor([0.0, 1.0]))
    network = ExperimentNetwork(Listening())
    network(states=values, mask=mask, speaker=known, mix=Mix(0.75, torch.tensor([1, 0])))
    ((mixed, real, speaker),) = seen
    assert real.all()
    torch.testing.assert_close(mixed[:, 0, :2], 0.75 * values[:, 0, :2] + 0.25 * values[:, 1, :2])
    torch.testing.assert_close(mixed[:, 0, 2:], values[:, 0, 2:])
    torch.testing.assert_close(mixed[:, 1, 2:], values[:, 0, 2:])
    assert speaker.trust.tolist() == [0.25, 0.75]
    assert speaker.mean[:, 0, 0].tolist() == [0.25, 0.75]


@pytest.mark.parametrize("pooling", ["layerwise", "statistics"])
def test_of_waveforms_it_hears_what_it_hears_of_their_states(pooling):
    class Encoder(torch.nn.Module):
        def forward(self, waveforms):
            parts = [one[: len(one) // WIDTH * WIDTH].reshape(-1, WIDTH) for one in waveforms]
            padded = torch.nn.utils.rnn.pad_sequence(parts, batch_first=True)
            lengths = torch.tensor([len(part) for part in parts])
            mask = torch.arange(padded.shape[1]) < lengths[:, None]
            return torch.stack([padded * n for n in range(DEPTH + 2)]), mask

    sounds = [torch.randn(20), torch.randn(33)]
    network = ExperimentNetwork(made(pooling), encoder=Encoder(), layers=[0, 2, 4]).eval()
    together = network(waveforms=sounds)
    for row, sound in enumerate(sounds):
        alone = network(waveforms=[sound])
        torch.testing.assert_close(alone.categories[0], together.categories[row])
    heard, mask = network.hear(sounds)
    torch.testing.assert_close(network(states=heard, mask=mask).categories, together.categories)
