"""What passes from a speech encoder to a language model: layers mixed, compressed, stacked.

The bottleneck is that of Alemi et al. 2017 (ICLR, deep variational information bottleneck), for
speech emotion descriptors as in VIB-Emo (Chen et al. 2025, arXiv 2505.23236).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from voxplain.errors import ConfigError
from voxplain.models.heads import weighted_statistics

__all__ = [
    "Adapter",
    "Block",
    "Bottleneck",
    "Club",
    "Compression",
    "Latent",
    "kl",
    "kl_per_clip",
    "kl_per_frame",
]

Compression = Literal["vib", "mi", "none"]
"""Of a latent: the KL to a standard normal; mutual information with the other one; nothing."""

_FIRST_LOG_SIGMA = -4.0
_ATTENTION = 64  # units between a latent and what its frames weigh in a summary


class Latent(NamedTuple):
    """What a block makes of states, (batch, frames, latent) each."""

    z: Tensor
    mu: Tensor
    log_sigma: Tensor | None
    """None of a deterministic block."""


class Bottleneck(nn.Module):
    """A stochastic encoder: a Gaussian for each frame, from a perceptron with one hidden layer."""

    def __init__(self, width: int, latent: int, hidden: int) -> None:
        super().__init__()
        self.encode = _perceptron(width, hidden, 2 * latent)
        # As much noise as a standard normal has would drown what there is to learn at first.
        nn.init.constant_(self.encode.get_parameter("2.bias")[latent:], _FIRST_LOG_SIGMA)

    def forward(self, x: Tensor) -> Latent:
        """Of x (batch, frames, width): z = mu + sigma eps in training, mu at test."""
        mu, log_sigma = self.encode(x).float().chunk(2, -1)
        z = mu + log_sigma.exp() * torch.randn_like(mu) if self.training else mu
        return Latent(z, mu, log_sigma)


class Block(nn.Module):
    """The mean of the layers with learned weights, and a latent of it."""

    def __init__(
        self,
        depth: int,
        width: int,
        latent: int,
        *,
        hidden: int,
        stochastic: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.layers = nn.Parameter(torch.zeros(depth))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.dropout = nn.Dropout(dropout)
        self.compress = (
            Bottleneck(width, latent, hidden) if stochastic else _perceptron(width, hidden, latent)
        )

    @property
    def mix(self) -> Tensor:
        """(depth,) the weight of each layer; together 1."""
        return self.layers.softmax(0)

    def forward(self, states: Tensor) -> Latent:
        """Of states (depth, batch, frames, width)."""
        mixed = self.dropout(torch.einsum("d,dbfw->bfw", self.mix, self.norm(states)))
        found = self.compress(mixed)
        return found if isinstance(found, Latent) else Latent(found, found, None)


class Adapter(nn.Module):
    """Latents as what an LLM reads instead of words: ``stack`` frames make one.

    With a ``summary``, one more comes first: of attentive statistics (Okabe et al. 2018) of all
    frames of a clip, which a small LLM would have to learn to form.
    """

    def __init__(self, latent: int, stack: int, width: int, *, summary: bool = False) -> None:
        super().__init__()
        self.stack = stack
        self.project = _perceptron(stack * latent, width, width)
        self.attend = (
            nn.Sequential(nn.Linear(latent, _ATTENTION), nn.Tanh(), nn.Linear(_ATTENTION, latent))
            if summary
            else None
        )
        self.sum_up = _perceptron(2 * latent, width, width) if summary else None

    def forward(self, z: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, ceil(frames / stack), width) and its mask, of z (batch, frames, latent), mask.

        Where a clip has ended, zeros fill its last stack; a summary is one more in front.
        """
        missing = -z.shape[1] % self.stack
        z = functional.pad(z * mask[..., None], (0, 0, 0, missing))
        there = functional.pad(mask, (0, missing))
        real = there.reshape(len(z), -1, self.stack).any(2)
        read = self.project(z.reshape(*real.shape, -1))
        if self.attend is not None:
            read = torch.cat([self.summary(z, there)[:, None], read], 1)
            real = torch.cat([real.new_ones(len(real), 1), real], 1)
        return read, real

    def summary(self, z: Tensor, mask: Tensor) -> Tensor:
        """(batch, width) of all frames together.

        Raises ConfigError without a ``summary``.
        """
        if self.attend is None or self.sum_up is None:
            raise ConfigError("the network makes no summary of a clip; make it with summary=True")
        logits = self.attend(z).masked_fill(~mask[..., None], -torch.inf)
        found: Tensor = self.sum_up(weighted_statistics(z, logits.softmax(1)))
        return found


class Club(nn.Module):
    """An upper bound of mutual information: vCLUB (Cheng et al. 2020, ICML, section 3.2)."""

    def __init__(self, latent: int, hidden: int) -> None:
        super().__init__()
        self.q = _perceptron(latent, hidden, 2 * latent)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Bound of I(x; y), and what q(y | x) is fitted by, of frames (n, latent) of both.

        The bound, mean of log q(y_i | x_i) - log q(y_j | x_i) over all i and j, has no gradient in
        q, and the fit, mean of -log q(y_i | x_i), none in x and y. q is a Gaussian whose log
        variance is held in [-1, 1], as in the authors' code.
        """
        fixed = {name: weight.detach() for name, weight in self.q.named_parameters()}
        mean, log_variance = _gaussian(functional_call(self.q, fixed, (x,)))
        others = y.square().mean(0) - 2 * mean * y.mean(0) + mean**2  # (y_j - mean_i)^2 over j
        bound = ((others - (y - mean) ** 2) / (2 * log_variance.exp())).sum(1).mean()
        mean, log_variance = _gaussian(self.q(x.detach()))
        spread = log_variance.exp()
        fit = functional.gaussian_nll_loss(mean, y.detach(), spread, full=True) * y.shape[1]
        return bound, fit


def kl_per_frame(mu: Tensor, log_sigma: Tensor) -> Tensor:
    """KL of N(mu, sigma^2) to N(0, I) in nats, summed over the latent: (..., latent) -> (...)."""
    return _kl(mu, log_sigma).sum(-1)


def kl_per_clip(mu: Tensor, log_sigma: Tensor, mask: Tensor) -> Tensor:
    """(batch,) nats: the sum over the real frames of a clip, of what ``kl`` takes."""
    return (kl_per_frame(mu, log_sigma) * mask).sum(1)


def kl(mu: Tensor, log_sigma: Tensor, mask: Tensor, *, free_bits: float = 0.0) -> Tensor:
    """Nats per frame: mean over a clip's real frames, mean over clips, sum over the latent.

    Of mu and log_sigma (batch, frames, latent) and mask (batch, frames). Each dimension counts at
    least ``free_bits`` nats, so that nothing is gained below (Kingma et al. 2016, free bits).
    """
    real = mask[..., None].to(mu.dtype)
    of_clips = (_kl(mu, log_sigma) * real).sum(1) / real.sum(1)
    return of_clips.mean(0).clamp_min(free_bits).sum()


def _kl(mu: Tensor, log_sigma: Tensor) -> Tensor:
    return (mu**2 + (2 * log_sigma).exp() - 1) / 2 - log_sigma


def _perceptron(width: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, outputs))


def _gaussian(x: Tensor) -> tuple[Tensor, Tensor]:
    mean, log_variance = x.chunk(2, -1)
    return mean, log_variance.tanh()
