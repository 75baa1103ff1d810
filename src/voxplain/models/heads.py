"""The small network that is learned on the states of an encoder's layers."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Head", "Heard", "Known", "Pooling", "Summary", "standardised", "weighted_statistics"]

Pooling = Literal["mean", "statistics", "attentive"]
"""Of the frames: their mean; mean and deviation; or the same with learned weights."""


class Known(NamedTuple):
    """How the states of each recording's speaker lie otherwise."""

    mean: Tensor
    """(batch, depth, width)"""
    square: Tensor
    """(batch, depth, width) mean of the squares"""
    trust: Tensor
    """(batch,) in [0, 1]: how far they replace what is usual among all speakers"""


class Heard(NamedTuple):
    """What a head says of each recording; (batch, 0) what it was not made for."""

    categories: Tensor
    """(batch, labels) logits."""
    dimensions: Tensor
    """(batch, dimensions) in [0, 1]."""
    perceived: Tensor
    """(batch, votes) logits of the shares of the listeners' votes."""
    gates: Tensor
    """(batch, branches) how much each kind of text counts in the gate of ``models.msf``."""
    routes: Tensor
    """(batch, outputs, experts) how much each expert of ``models.msf`` counts for each output."""


class Summary(nn.Module):
    """Linear outputs on what a subclass makes of a recording's states."""

    def _outputs(self, pooled: int, *, labels: int, dimensions: int, votes: int = 0) -> None:
        """Outputs on a summary of that width; those of size 0 are left out."""
        self.pooled = pooled
        self.categories = nn.Linear(pooled, labels) if labels else None
        self.dimensions = nn.Linear(pooled, dimensions) if dimensions else None
        self.perceived = nn.Linear(pooled, votes) if votes else None

    def forward(
        self,
        states: Tensor,
        mask: Tensor | None = None,
        speaker: Known | None = None,
    ) -> Heard:
        """Everything that is heard.

        ``states`` (depth, batch, frames, width), ``mask`` (batch, frames) True where a frame is
        real. A ``speaker`` whose trust is 0 changes nothing.
        """
        pooled = self.summary(states, mask, speaker)
        nothing = pooled[:, :0]
        return Heard(
            self.categories(pooled) if self.categories else nothing,
            self.dimensions(pooled).sigmoid() if self.dimensions else nothing,
            self.perceived(pooled) if self.perceived else nothing,
            nothing,
            nothing,
        )

    def summary(self, states: Tensor, mask: Tensor | None, speaker: Known | None) -> Tensor:
        """What the outputs are read from, of what ``forward`` takes: (batch, ``pooled``)."""
        raise NotImplementedError


class Head(Summary):
    """States of all layers -> what is heard in them.

    The states of each layer are normalised by the moments of the speaker, as far as they are
    known, and for the rest by the ``usual`` ones of the training's speakers, and brought to one
    scale. Their mean with learned weights (Peters et al. 2018) passes a hidden layer of
    ``channels`` and is pooled over the frames: "attentive" are attentive statistics (Okabe et al.
    2018).
    """

    def __init__(
        self,
        depth: int,
        width: int,
        *,
        channels: int = 256,
        pooling: Pooling = "attentive",
        labels: int = 0,
        dimensions: int = 0,
        votes: int = 0,
        dropout: float = 0.0,
        usual: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        """``usual`` are mean and mean square (depth, width); without, states stay as they are.

        Outputs of size 0 are left out. ``dimensions`` is 3: valence, arousal and dominance.
        """
        super().__init__()
        mean, square = usual or (torch.zeros(depth, width), torch.ones(depth, width))
        self.mean = nn.Buffer(mean.clone())
        self.square = nn.Buffer(square.clone())
        self.norm = nn.LayerNorm(width, elementwise_affine=False)  # squeeze has weights enough
        self.layers = nn.Parameter(torch.zeros(depth))
        self.squeeze = nn.Linear(width, channels)
        self.pooling = pooling
        self.attend = (
            nn.Sequential(nn.Linear(channels, 64), nn.Tanh(), nn.Linear(64, channels))
            if pooling == "attentive"
            else None
        )
        self.dropout = nn.Dropout(dropout)
        pooled = channels if pooling == "mean" else 2 * channels
        self._outputs(pooled, labels=labels, dimensions=dimensions, votes=votes)

    @property
    def mix(self) -> Tensor:
        """(depth,) the weight of each layer; together 1."""
        return self.layers.softmax(0)

    def summary(
        self,
        states: Tensor,
        mask: Tensor | None = None,
        speaker: Known | None = None,
    ) -> Tensor:
        """What the outputs are read from, of what ``forward`` takes: (batch, ``pooled``)."""
        if mask is None:
            mask = torch.ones_like(states[0, ..., 0], dtype=torch.bool)
        layers = self._normalised(states.transpose(0, 1), speaker)
        mixed = torch.einsum("d,bdfw->bfw", self.mix, self.norm(layers))
        squeezed = self.dropout(functional.gelu(self.squeeze(mixed)))
        pooled: Tensor = self.dropout(self._pool(squeezed, mask))
        return pooled

    def _normalised(self, states: Tensor, speaker: Known | None) -> Tensor:
        if speaker is None:
            speaker = Known(self.mean[None], self.square[None], torch.zeros_like(self.mean[:1, 0]))
        return standardised(states, speaker, self.mean, self.square)

    def _pool(self, x: Tensor, mask: Tensor) -> Tensor:
        logits = self.attend(x) if self.attend else torch.zeros_like(x)
        weight = logits.masked_fill(~mask[..., None], -torch.inf).softmax(1)
        return (weight * x).sum(1) if self.pooling == "mean" else weighted_statistics(x, weight)


def standardised(states: Tensor, known: Known, usual_mean: Tensor, usual_square: Tensor) -> Tensor:
    """States (batch, ..., frames, width) as far from usual as they are for the speaker.

    Moments are (batch, ..., width): with a trust of 0 nothing of the speaker's counts, with 1
    nothing else.
    """
    trust = known.trust.reshape(-1, *(1,) * (known.mean.ndim - 1))
    centre = trust * known.mean + (1 - trust) * usual_mean
    spread = trust * _variance(known.mean, known.square)
    spread = spread + (1 - trust) * _variance(usual_mean, usual_square)
    return (states - centre[..., None, :]) / spread.sqrt()[..., None, :]


def weighted_statistics(x: Tensor, weight: Tensor) -> Tensor:
    """Mean and deviation (batch, 2 x channels) of frames (batch, frames, channels).

    The weights of a channel's frames sum to 1.
    """
    average = (weight * x).sum(1)
    variance = (weight * (x - average[:, None]) ** 2).sum(1)
    return torch.cat([average, (variance + 1e-5).sqrt()], 1)


def _variance(mean: Tensor, square: Tensor) -> Tensor:
    return (square - mean**2).clamp_min(1e-6)
