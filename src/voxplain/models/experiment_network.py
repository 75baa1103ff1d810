"""What an experiment trains: an encoder, or the states that one left, and a head on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from voxplain.backbones._encoder import SpeechEncoder
from voxplain.models.heads import Head, Heard, Known, Pooling, Summary, standardised
from voxplain.models.msf import MSFHead, Texts

__all__ = ["ExperimentNetwork", "LayerwiseHead", "Mix", "layerwise", "make_head"]


class Mix(NamedTuple):
    """Mixup (Zhang et al. 2018): each recording with another of the batch."""

    weight: float
    """Of the recording itself."""
    other: Tensor
    """(batch,) which other."""


def layerwise(states: Tensor, mask: Tensor) -> Tensor:
    """Mean and deviation over the real frames: states (depth, batch, frames, width) with a mask
    (batch, frames) -> (2 x depth, batch, 1, width), the two of the first layer first.
    """
    real = mask[None, ..., None].to(states.dtype)
    frames = real.sum(2, keepdim=True)
    mean = (states * real).sum(2, keepdim=True) / frames
    variance = ((states - mean) ** 2 * real).sum(2, keepdim=True) / frames
    return torch.stack([mean, variance.clamp_min(1e-12).sqrt()], 1).flatten(0, 1)


class LayerwiseHead(Summary):
    """A perceptron on what ``layerwise`` makes of a recording (2 x depth, batch, 1, width).

    Nothing that is learned stands before the frames are pooled, so that of each recording a few
    numbers are enough: mean and deviation are normalised as ``Head`` normalises states, and their
    mean over the layers with learned weights passes one hidden layer, or none.
    """

    def __init__(
        self,
        depth: int,
        width: int,
        *,
        hidden: int,
        dropout: float,
        labels: int,
        dimensions: int,
        usual: tuple[Tensor, Tensor] | None,
    ) -> None:
        """``usual`` are mean and mean square (2 x depth, width)."""
        super().__init__()
        mean, square = usual or (torch.zeros(2 * depth, width), torch.ones(2 * depth, width))
        self.mean = nn.Buffer(mean.clone())
        self.square = nn.Buffer(square.clone())
        self.layers = nn.Parameter(torch.zeros(depth))
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(2 * width, hidden) if hidden else None
        self._outputs(hidden or 2 * width, labels=labels, dimensions=dimensions)

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
        if speaker is None:
            speaker = Known(self.mean[None], self.square[None], torch.zeros_like(self.mean[:1, 0]))
        normal = standardised(states.transpose(0, 1), speaker, self.mean, self.square)
        pairs = normal.reshape(len(normal), -1, 2, normal.shape[-1])
        # The mean of many layers is smaller than any of them; as if they were independent.
        mixed = torch.einsum("d,bdpw->bpw", self.mix, pairs) * len(self.mix) ** 0.5
        pooled: Tensor = self.dropout(mixed.flatten(1))
        return self.dropout(functional.gelu(self.hidden(pooled))) if self.hidden else pooled


def make_head(
    *,
    pooling: Pooling | Literal["layerwise"],
    depth: int,
    width: int,
    hidden: int,
    labels: int,
    dimensions: int,
    dropout: float = 0.0,
    usual: tuple[Tensor, Tensor] | None = None,
    fusion: Mapping[str, Any] | None = None,
) -> Head | LayerwiseHead | MSFHead:
    """A head for states of ``depth`` layers; ``usual`` are the moments of the training's.

    With ``fusion``, options of ``MSFHead``, it is the trunk of one; a depth of 0 is none.
    """
    outputs: dict[str, Any] = {"labels": labels, "dimensions": dimensions, "dropout": dropout}
    if fusion is not None:
        shape: dict[str, Any] = {"depth": depth, "width": width, "hidden": hidden}
        silent: dict[str, Any] = {**outputs, "labels": 0, "dimensions": 0}
        trunk: Any = make_head(pooling=pooling, **shape, **silent, usual=usual) if depth else None
        return MSFHead(trunk, **outputs, **fusion)
    if pooling == "layerwise":
        return LayerwiseHead(depth, width, hidden=hidden, usual=usual, **outputs)
    return Head(depth, width, channels=hidden, pooling=pooling, usual=usual, **outputs)


class ExperimentNetwork(nn.Module):
    """Waveforms, or states of a frozen encoder, and texts -> what is heard in them.

    ``layers`` of the encoder's states are what the head sees.
    """

    def __init__(
        self,
        head: Head | LayerwiseHead | MSFHead,
        *,
        encoder: SpeechEncoder | None = None,
        layers: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.head = head
        self.encoder = encoder
        self.layers = None if layers is None else list(layers)

    @property
    def trunk(self) -> Head | LayerwiseHead | None:
        """What reads the states: the head, or a part of it; None where nobody listens."""
        trunk = self.head.trunk if isinstance(self.head, MSFHead) else self.head
        return trunk if isinstance(trunk, Head | LayerwiseHead) else None

    def forward(
        self,
        waveforms: Sequence[Tensor] | None = None,
        states: Tensor | None = None,
        mask: Tensor | None = None,
        speaker: Known | None = None,
        texts: Texts | None = None,
        mix: Mix | None = None,
    ) -> Heard:
        """Of ``waveforms``, each (samples,) at 16 kHz, or what ``hear`` gave of them before.

        ``texts`` are for an ``MSFHead`` alone. With ``mix``, of recordings mixed within the batch:
        their states and their profiles.
        """
        if waveforms is not None:
            states, mask = self.hear(waveforms)
        if mix is not None:
            assert states is not None
            states, mask, speaker = _mixed(states, mask, speaker, mix)
        read = {} if texts is None else {"texts": texts}
        heard: Heard = self.head(states, mask, speaker, **read)
        return heard

    def hear(self, waveforms: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """What the head sees: states (layers, batch, frames, width), mask (batch, frames)."""
        assert self.encoder is not None, "a network on states has none"
        states, mask = self.encoder(waveforms)
        chosen = states if self.layers is None else states[self.layers]
        if isinstance(self.trunk, LayerwiseHead):
            return layerwise(chosen, mask), mask[:, :1]
        return chosen, mask


def _mixed(
    states: Tensor, mask: Tensor | None, speaker: Known | None, mix: Mix
) -> tuple[Tensor, Tensor, Known | None]:
    """Where one of the two has ended, the other goes on alone."""
    weight, other = mix
    real = torch.ones_like(states[0, ..., 0]) if mask is None else mask.to(states.dtype)
    own, its = weight * real, (1 - weight) * real[other]
    share = (own / (own + its).clamp_min(1e-9))[..., None]
    together = share * states + (1 - share) * states[:, other]
    if speaker is not None:
        speaker = Known(*(weight * one + (1 - weight) * one[other] for one in speaker))
    return together, own + its > 0, speaker
