"""The head mixes layers, knows the speaker, and pools only what is real."""

import math

import numpy as np
import pytest
import torch

from voxplain.models.heads import Head, Known, standardised, weighted_statistics

DEPTH, BATCH, FRAMES, WIDTH = 3, 4, 20, 8
POOLINGS = ("mean", "statistics", "attentive")


def head(**given):
    torch.manual_seed(0)
    sizes = {"channels": 16, "labels": 5, "dimensions": 3, "votes": 6} | given
    made = Head(DEPTH, WIDTH, **sizes).eval()
    for parameter in made.parameters():  # larger than at birth, so that mistakes show
        parameter.data += 0.2 * torch.randn_like(parameter)
    return made


@pytest.fixture
def states():
    return torch.randn(DEPTH, BATCH, FRAMES, WIDTH, generator=torch.Generator().manual_seed(1))


def close(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_what_is_heard_has_a_row_for_each_recording(states, pooling):
    heard = head(pooling=pooling)(states)
    assert [tuple(one.shape) for one in heard[:3]] == [(BATCH, 5), (BATCH, 3), (BATCH, 6)]
    assert not heard.gates.numel()
    assert not heard.routes.numel()
    assert ((heard.dimensions > 0) & (heard.dimensions < 1)).all()


@pytest.mark.parametrize("alone", ["labels", "dimensions", "votes"])
def test_outputs_may_be_left_out(states, alone):
    sizes = {"labels": 0, "dimensions": 0, "votes": 0} | {alone: 3}
    shapes = [one.shape[1] for one in head(**sizes)(states)[:3]]
    assert shapes == [sizes["labels"], sizes["dimensions"], sizes["votes"]]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_masked_frames_change_nothing(states, pooling):
    """Whatever stands there; and the real ones do."""
    judge = head(pooling=pooling)
    mask = torch.arange(FRAMES) < torch.tensor([FRAMES, 13, 7, 1])[:, None]
    other = torch.where(mask[..., None], states, 100 * torch.randn_like(states))
    close(judge(other, mask), judge(states, mask))
    for row, length in enumerate((FRAMES, 13, 7, 1)):
        alone = judge(states[:, row : row + 1, :length])
        close(alone, [one[row : row + 1] for one in judge(states, mask)])
    changed = states.clone()
    changed[:, 1, 12, 0] += 1
    assert not torch.allclose(judge(changed, mask).categories, judge(states, mask).categories)


def test_the_mix_weighs_layers_and_can_be_read(states):
    judge = head()
    torch.testing.assert_close(judge.mix.sum(), torch.tensor(1.0))
    torch.testing.assert_close(Head(DEPTH, WIDTH, labels=2).mix, torch.full((DEPTH,), 1 / DEPTH))
    with torch.no_grad():
        judge.layers.copy_(torch.tensor([0.0, math.log(3), -1e9]))
    torch.testing.assert_close(judge.mix, torch.tensor([0.25, 0.75, 0.0]))
    other = states.clone()
    other[2] = torch.randn_like(other[2])  # has no weight
    close(judge(other), judge(states))
    other[1] = torch.randn_like(other[1])
    assert not torch.allclose(judge(other).categories, judge(states).categories)


def test_layers_of_any_scale_count_alike(states):
    """Those of a transformer grow from layer to layer."""
    judge = head()
    grown = states * torch.tensor([1.0, 30.0, 1000.0])[:, None, None, None]
    for found, expected in zip(judge(grown), judge(states), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


def test_the_mix_is_learned(states):
    """Where one layer alone tells the label, it gets the weight."""
    torch.manual_seed(0)
    labels = torch.arange(BATCH) % 2
    judge = Head(DEPTH, WIDTH, channels=16, pooling="mean", labels=2)
    optimiser = torch.optim.Adam(judge.parameters(), lr=0.02)
    for _ in range(60):
        told = torch.randn(DEPTH, BATCH, FRAMES, WIDTH)
        told[1, labels == 1, :, 0] += 4
        error = torch.nn.functional.cross_entropy(judge(told).categories, labels)
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
    assert judge.mix.argmax() == 1
    assert judge.mix[1] > 0.5


def moments(states):
    """(batch, depth, width) of each recording's own states."""
    return states.mean(2).transpose(0, 1), states.square().mean(2).transpose(0, 1)


def test_a_speaker_of_no_trust_changes_nothing(states):
    judge = head(usual=(torch.randn(DEPTH, WIDTH), 5 + torch.rand(DEPTH, WIDTH)))
    mean, square = moments(states + 3)
    close(judge(states, speaker=Known(mean, square, torch.zeros(BATCH))), judge(states))
    known = judge(states, speaker=Known(mean, square, torch.full((BATCH,), 0.5)))
    assert not torch.allclose(known.categories, judge(states).categories)


def test_of_a_speaker_who_is_known_offset_and_scale_do_not_matter(states):
    judge = head(usual=(torch.randn(DEPTH, WIDTH), 5 + torch.rand(DEPTH, WIDTH)))
    trusted = torch.ones(BATCH)
    other = 3 * states + torch.randn(DEPTH, 1, 1, WIDTH)
    found = judge(other, speaker=Known(*moments(other), trusted))
    close(found, judge(states, speaker=Known(*moments(states), trusted)))


def test_between_speaker_and_all_by_the_trust():
    """By hand: a quarter of N(4, 3²), three quarters of N(0, 1)."""
    known = Known(torch.tensor([[4.0]]), torch.tensor([[25.0]]), torch.tensor([0.25]))
    found = standardised(torch.tensor([[[2.0]]]), known, torch.zeros(1), torch.ones(1))
    assert found.item() == pytest.approx((2 - 1) / math.sqrt(0.25 * 9 + 0.75 * 1))


def test_weighted_statistics_are_those_of_numpy():
    generator = np.random.default_rng(0)
    x, weight = generator.normal(size=(2, 9, 3)), generator.random((2, 9, 3))
    weight /= weight.sum(1, keepdims=True)
    found = weighted_statistics(torch.tensor(x), torch.tensor(weight)).numpy()
    for row in range(2):
        for channel in range(3):
            own, by = x[row, :, channel], weight[row, :, channel]
            mean = np.average(own, weights=by)
            variance = np.average((own - mean) ** 2, weights=by)
            assert found[row, channel] == pytest.approx(mean)
            assert found[row, 3 + channel] == pytest.approx(math.sqrt(variance), rel=1e-3)


def test_dropout_is_drawn_in_training_alone(states):
    judge = head(dropout=0.5)
    close(judge(states), judge(states))
    judge.train()
    assert not torch.allclose(judge(states).categories, judge(states).categories)


def test_what_was_usual_is_stored_with_the_weights(states):
    judge = head(usual=(torch.randn(DEPTH, WIDTH), 5 + torch.rand(DEPTH, WIDTH)))
    other = head()
    other.load_state_dict(judge.state_dict())
    close(other(states), judge(states))
