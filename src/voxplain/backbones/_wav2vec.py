"""What wav2vec 2.0, HuBERT and WavLM share: convolutions over the waveform, then a transformer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.backbones import read_preprocessor
from voxplain.backbones._encoder import (
    SpeechEncoder,
    configuration,
    kept_layers,
    padded,
    pretrained,
)

__all__ = ["Wav2VecEncoder"]


class Wav2VecEncoder(SpeechEncoder):
    """A network of transformers, each recording on its own up to the transformer's layers.

    The normalisation in the convolutions of many checkpoints goes over the whole recording, and
    what is padded would count, so that only the layers see a batch.
    """

    def __init__(self, folder: Path, *, layers: int | None, attention: str = "sdpa") -> None:
        prepared = read_preprocessor(folder)
        config = configuration(folder)
        config.num_hidden_layers = kept_layers(config.num_hidden_layers, layers, folder)
        super().__init__(
            folder,
            width=config.hidden_size,
            depth=config.num_hidden_layers + 1,
            frame_shift=math.prod(config.conv_stride) / SAMPLING_RATE,
        )
        self.normalised = bool(prepared.get("do_normalize", True))
        """Whether a waveform gets zero mean and unit variance."""
        self.network = pretrained(folder, config, attn_implementation=attention)

    def encode(self, waveforms: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """The input of the first layer, and each layer's output before any final norm."""
        x, mask = padded([self._front(waveform) for waveform in waveforms])
        states = [x]
        seen = None if mask.all() else mask
        bias = None
        for layer in self.network.encoder.layers:
            x, bias = self._layer(layer, x, seen, bias)
            states.append(x)
        return torch.stack(states), mask

    def _front(self, waveform: Tensor) -> Tensor:
        """The input of the first layer (frames, width)."""
        if self.normalised:  # as the feature extractor does
            variance = waveform.var(correction=0)
            waveform = (waveform - waveform.mean()) / (variance + 1e-7).sqrt()
        features = self.network.feature_extractor(waveform[None]).transpose(1, 2)
        projected = self.network.feature_projection(features)
        x = projected[0] if isinstance(projected, tuple) else projected
        encoder = self.network.encoder
        x = x + encoder.pos_conv_embed(x)
        if not self.network.config.do_stable_layer_norm:
            x = encoder.layer_norm(x)
        return encoder.dropout(x)[0]

    def _layer(
        self, layer: nn.Module, x: Tensor, mask: Tensor | None, bias: Any
    ) -> tuple[Tensor, Any]:
        """A layer's output; ``bias`` is what one layer hands to the next, here nothing."""
        if mask is not None:
            mask = torch.zeros_like(mask, dtype=x.dtype).masked_fill(~mask, -torch.inf)
            mask = mask[:, None, None]  # (batch, heads, from, to)
        return layer(x, attention_mask=mask), bias
