"""The network that is learned on the encoder's states: one trunk, four things heard."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SpeechHead", "Spoken"]


class Spoken(NamedTuple):
    """What the head says of each stretch."""

    categories: Tensor
    """(batch, labels) logits of the portrayed emotion."""
    perceived: Tensor
    """(batch, votes) logits of the shares of the listeners' votes."""
    dimensions: Tensor
    """(batch, 3, 3): low, value and high of valence, arousal and dominance."""
    sound: Tensor
    """(batch, sounds) logits of one voice against what is none."""


class SpeechHead(nn.Module):
    """Encoder states -> what is heard in them, through attentive statistics (Okabe et al. 2018).

    ``states`` (batch, frames, width), ``mask`` (batch, frames) True where a frame is real. The
    states are normalised by ``mean`` and ``square`` (batch, width), first and second moment of the
    speaker's other states, as far as they are to be trusted (``trust`` (batch,) in [0, 1]), and for
    the rest by those of the training's speakers: with a trust of 0 nothing else matters.
    """

    def __init__(
        self,
        *,
        mean: Tensor,
        square: Tensor,
        channels: int,
        labels: int,
        votes: int,
        sounds: int,
        dropout: float,
    ) -> None:
        """``mean`` and ``square`` (width,) of the states of the training's speakers."""
        super().__init__()
        width = len(mean)
        self.mean = nn.Buffer(mean)
        self.variance = nn.Buffer((square - mean**2).clamp_min(_LEAST))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)  # squeeze has weights enough
        self.squeeze = nn.Linear(width, channels)
        self.convolve = nn.Conv1d(channels, channels, 3, padding=1)
        self.attend = nn.Sequential(nn.Linear(channels, 64), nn.Tanh(), nn.Linear(64, channels))
        self.dropout = nn.Dropout(dropout)
        self.categories = nn.Linear(2 * channels, labels)
        self.perceived = nn.Linear(2 * channels, votes) if votes else None
        self.dimensions = nn.Linear(2 * channels, 9)
        self.sound = nn.Linear(2 * channels, sounds)

    def forward(
        self,
        states: Tensor,
        mean: Tensor,
        square: Tensor,
        trust: Tensor,
        mask: Tensor | None = None,
    ) -> Spoken:
        """Everything that is heard."""
        if mask is None:
            mask = torch.ones_like(states[..., 0], dtype=torch.bool)
        return self.judge(self.normalise(states, mean, square, trust), mask)

    def judge(self, states: Tensor, mask: Tensor) -> Spoken:
        """What is heard in states that are normalised."""
        pooled = self.dropout(self._pool(states, mask))
        low, value, high = self.dimensions(pooled).unflatten(-1, (3, 3)).unbind(1)
        interval = (value - functional.softplus(low), value, value + functional.softplus(high))
        return Spoken(
            self.categories(pooled),
            self.perceived(pooled) if self.perceived else pooled[:, :0],
            torch.stack(interval, -1),
            self.sound(pooled),
        )

    def normalise(self, states: Tensor, mean: Tensor, square: Tensor, trust: Tensor) -> Tensor:
        """The states as far from usual as they are for the speaker."""
        trusted = trust[:, None]
        variance = (square - mean**2).clamp_min(_LEAST)
        centre = trusted * mean + (1 - trusted) * self.mean
        spread = trusted * variance + (1 - trusted) * self.variance
        return (states - centre[:, None]) / spread.sqrt()[:, None]

    def _pool(self, states: Tensor, mask: Tensor) -> Tensor:
        real = mask[..., None].to(states.dtype)
        x = self.dropout(functional.gelu(self.squeeze(self.norm(states)))) * real
        x = x + functional.gelu(self.convolve(x.transpose(1, 2)).transpose(1, 2))
        # A logit of -1e4 gives a padded frame no weight and, unlike -inf, never NaN.
        weight = (self.attend(x) - 1e4 * (1 - real)).softmax(1)
        average = (weight * x).sum(1)
        variance = (weight * (x - average[:, None]) ** 2).sum(1)
        return torch.cat([average, (variance + 1e-5).sqrt()], 1)


_LEAST = 1e-6
"""Of a variance."""
