"""What compresses and stacks the states: its costs by hand, and nothing of what is padded."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from voxplain.models.bottleneck import (
    Adapter,
    Block,
    Bottleneck,
    Club,
    kl,
    kl_per_clip,
    kl_per_frame,
)

WIDTH, LATENT = 6, 4


def test_kl_is_the_closed_form_of_two_gaussians():
    """(1 + 1 - 1) / 2 = 1/2 for a mean of 1; (4 - 1) / 2 - ln 2 for a deviation of 2."""
    mu = torch.tensor([[[1.0, 0.0], [0.0, 0.0], [5.0, 5.0]], [[0.0, 0.0], [9.0, 9.0], [9.0, 9.0]]])
    log_sigma = torch.zeros_like(mu)
    log_sigma[0, 0, 1] = math.log(2)
    mask = torch.tensor([[True, True, False], [True, False, False]])
    wide = 1.5 - math.log(2)
    assert kl_per_frame(mu, log_sigma)[0, 0].item() == pytest.approx(0.5 + wide)
    np.testing.assert_allclose(kl_per_clip(mu, log_sigma, mask), [0.5 + wide, 0], rtol=1e-6)
    # Over the frames of a clip, over clips: half of a half of the one frame that costs anything.
    assert kl(mu, log_sigma, mask).item() == pytest.approx((0.5 + wide) / 4)
    # The dimensions cost 1/8 and wide / 4 = 0.2017; at least 0.15 counts.
    free = kl(mu, log_sigma, mask, free_bits=0.15)
    assert free.item() == pytest.approx(0.15 + wide / 4)


def test_kl_is_that_of_torchs_distributions():
    mu, log_sigma = torch.randn(2, 2, 3, 4).unbind()
    expected = kl_divergence(Normal(mu, log_sigma.exp()), Normal(0.0, 1.0)).sum(-1)
    torch.testing.assert_close(kl_per_frame(mu, log_sigma), expected)


def test_below_its_free_bits_a_dimension_learns_nothing():
    mu = torch.tensor([[[0.1, 2.0]]], requires_grad=True)
    kl(mu, torch.zeros(1, 1, 2), torch.ones(1, 1, dtype=torch.bool), free_bits=0.5).backward()
    assert mu.grad.flatten().tolist() == [0.0, 2.0]


def test_what_is_drawn_has_its_mean_and_deviation():
    torch.manual_seed(0)
    bottleneck = Bottleneck(WIDTH, LATENT, 8)
    for weight in bottleneck.parameters():
        weight.data += 0.5 * torch.randn_like(weight)
    x = torch.randn(1, 1, WIDTH).expand(1, 50_000, WIDTH)
    first, _, last = bottleneck.encode
    hidden = nn.functional.gelu(x[0, 0] @ first.weight.T + first.bias)
    mu, log_sigma = (hidden @ last.weight.T + last.bias).chunk(2)
    z = bottleneck.train()(x).z[0]
    np.testing.assert_allclose(z.mean(0).detach(), mu.detach(), atol=0.01)
    np.testing.assert_allclose(z.std(0).detach(), log_sigma.exp().detach(), rtol=0.02)
    still = bottleneck.eval()(x)
    torch.testing.assert_close(still.z[0, 0], mu)
    torch.testing.assert_close(still.log_sigma[0, 0], log_sigma)


def test_dropout_is_of_what_a_block_reads():
    torch.manual_seed(0)
    states = torch.randn(2, 1, 5, 64)
    block = Block(2, 64, 4, hidden=8, stochastic=False, dropout=0.5)
    assert not torch.equal(block(states).mu, block(states).mu)
    block.eval()
    assert torch.equal(block(states).mu, block(states).mu)


def test_a_block_mixes_normalised_layers():
    block = Block(2, 2, 1, hidden=1, stochastic=False)
    block.layers.data = torch.tensor([math.log(3.0), 0.0])
    mixed = []
    block.compress.register_forward_pre_hook(lambda _, given: mixed.append(given[0]))
    states = torch.tensor([[1.0, 3.0], [8.0, 2.0]])[:, None, None]  # norms: -1, 1 and 1, -1
    latent = block(states)
    np.testing.assert_allclose(block.mix.detach(), [0.75, 0.25])
    np.testing.assert_allclose(mixed[0].flatten().detach(), [-0.5, 0.5], atol=1e-4)
    assert latent.log_sigma is None
    assert latent.z is latent.mu


def test_an_adapter_stacks_frames():
    adapter = Adapter(1, 2, 1)
    first, _, last = adapter.project
    first.weight.data, first.bias.data = torch.tensor([[1.0, 10.0]]), torch.zeros(1)
    last.weight.data, last.bias.data = torch.tensor([[2.0]]), torch.ones(1)
    z = torch.tensor([[20.0, 30.0, 40.0], [50.0, 60.0, 70.0]])[..., None]
    frames, real = adapter(z, torch.tensor([[True, True, True], [True, False, False]]))
    # So far above 0 the GELU changes nothing: 2 (20 + 300) + 1.
    assert frames[..., 0].tolist() == [[641, 81], [101, 1]]
    assert real.tolist() == [[True, True], [True, False]]


def test_a_summary_stands_before_the_frames_and_takes_none_of_what_is_padded():
    adapter = Adapter(1, 2, 1, summary=True)
    first, _, last = adapter.sum_up
    first.weight.data, first.bias.data = torch.tensor([[1.0, 10.0]]), torch.zeros(1)
    last.weight.data, last.bias.data = torch.tensor([[2.0]]), torch.ones(1)
    weigh = adapter.attend[-1]
    weigh.weight.data, weigh.bias.data = torch.zeros(1, 64), torch.zeros(1)  # all frames alike
    z = torch.tensor([[20.0, 30.0, 40.0], [50.0, 60.0, 70.0]])[..., None]
    mask = torch.tensor([[True, True, True], [True, False, False]])
    frames, real = adapter(z, mask)
    # 2 (mean + 10 deviation) + 1; of 20, 30 and 40 these are 30 and sqrt(200 / 3).
    told = [2 * (30 + 10 * (200 / 3) ** 0.5) + 1, 101.0]
    assert frames[:, 0, 0].tolist() == pytest.approx(told, abs=0.1)
    assert real.tolist() == [[True, True, True], [True, True, False]]
    plain = Adapter(1, 2, 1)
    plain.project = adapter.project
    torch.testing.assert_close(frames[:, 1:], plain(z, mask)[0])


# The mutual information


def test_the_bound_is_the_mean_over_all_pairs():
    torch.manual_seed(0)
    club, x, y = Club(2, 5), torch.randn(6, 2), torch.randn(6, 2)
    mean, spread = club.q(x).chunk(2, -1)
    chances = Normal(mean[:, None], spread.tanh().div(2).exp()[:, None]).log_prob(y).sum(-1)
    bound, fit = club(x, y)
    torch.testing.assert_close(bound, chances.diagonal().mean() - chances.mean())
    torch.testing.assert_close(fit, -chances.diagonal().mean())


def test_the_bound_moves_the_latents_and_the_fit_moves_q():
    club = Club(2, 5)
    x, y = torch.randn(2, 6, 2, requires_grad=True).unbind()
    x.retain_grad(), y.retain_grad()
    bound, fit = club(x, y)
    bound.backward(retain_graph=True)
    assert all(weight.grad is None for weight in club.parameters())
    assert x.grad.abs().sum() > 0
    assert y.grad.abs().sum() > 0
    x.grad = y.grad = None
    fit.backward()
    assert x.grad is None
    assert y.grad is None
    assert all(weight.grad.abs().sum() > 0 for weight in club.parameters())


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_the_bound_is_that_of_correlated_gaussians(rho):
    """With the true q it is rho^2 / (1 - rho^2), above I = -ln(1 - rho^2) / 2."""
    torch.manual_seed(0)
    club = Club(1, 16)
    steps = torch.optim.Adam(club.parameters(), lr=0.01)
    x = torch.randn(4000, 1)
    y = rho * x + math.sqrt(1 - rho**2) * torch.randn(4000, 1)
    for _ in range(300):
        steps.zero_grad()
        club(x, y)[1].backward()
        steps.step()
    assert club(x, y)[0].item() == pytest.approx(rho**2 / (1 - rho**2), abs=0.06)
