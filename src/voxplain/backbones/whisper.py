"""Whisper's encoder (Radford et al. 2022) for recordings of any length, from a Hugging Face folder.

The encoder of ``transformers`` refuses anything but 30 s of (padded) input. Emotion is heard in
segments of 3-15 s, so this one takes every length and gives the output of every layer.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from voxplain.audio.log_mel import FRAME_SHIFT, HOP, WINDOW, _filters, log_mel
from voxplain.backbones import Card, read_config, read_preprocessor
from voxplain.backbones._encoder import SpeechEncoder, kept_layers, load_weights, padded
from voxplain.backbones._spectrogram import traced_log_mel
from voxplain.errors import ArtifactError

__all__ = ["CARD", "StateEncoder", "Whisper", "WhisperEncoder", "load"]

CARD = Card(
    title="Whisper's encoder",
    licence="of the checkpoint; OpenAI's: MIT or Apache-2.0",
    citation="Radford et al. 2022, Robust speech recognition via large-scale weak supervision, "
    "arXiv 2212.04356",
    extra="train",
    model_types=("whisper",),
    trainable=True,
)

_STRIDE = 2  # frames of a state
_POSITIONS = 1500  # 30 s


def load(folder: Path, *, layers: int | None = None) -> Whisper:
    """From a folder with config.json, preprocessor_config.json and safetensors.

    The weights of a decoder are left where they are.

    Raises WeightsMissing or ArtifactError.
    """
    return Whisper(folder, layers=layers)


class Whisper(SpeechEncoder):
    """The encoder with its front end; what is longer than 30 s is heard in equal parts."""

    def __init__(self, folder: Path, *, layers: int | None) -> None:
        read_preprocessor(folder)
        encoder = WhisperEncoder.from_folder(folder, layers=layers)
        super().__init__(
            folder,
            width=encoder.conv1.out_channels,
            depth=len(encoder.layers) + 1,
            frame_shift=_STRIDE * FRAME_SHIFT,
        )
        self.encoder = encoder

    def encode(self, waveforms: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """The input of the first layer, and each layer's output before the final norm."""
        parts = [self._parts(waveform) for waveform in waveforms]
        x, mask = padded([part for recording in parts for part in recording])
        states = torch.stack([x, *self.encoder.encode(x, None if mask.all() else mask)])
        if len(x) == len(waveforms):
            return states, mask
        rows = iter(states.transpose(0, 1))
        joined = [
            torch.cat([next(rows)[:, : len(part)] for part in recording], 1).transpose(0, 1)
            for recording in parts
        ]
        states, mask = padded(joined)
        return states.permute(2, 0, 1, 3), mask

    def _parts(self, waveform: Tensor) -> list[Tensor]:
        """The input of the first layer (frames, width) of each part."""
        if torch.onnx.is_in_onnx_export():  # no numpy, no lengths but those of the input
            filters = torch.from_numpy(_filters(self.encoder.bands)).T
            traced = traced_log_mel(waveform[None], filters, window=WINDOW, hop=HOP)
            return [self.encoder.front(traced)[0]]
        sound = waveform.detach().cpu().numpy()
        spectrogram = torch.from_numpy(log_mel(sound, bands=self.encoder.bands)).to(waveform.device)
        frames = spectrogram.shape[1]
        states = math.ceil(frames / _STRIDE)
        number = math.ceil(states / _POSITIONS)
        edges = [_STRIDE * (states * part // number) for part in range(number)] + [frames]
        return [
            self.encoder.front(spectrogram[None, :, start:end])[0]
            for start, end in itertools.pairwise(edges)
        ]


class WhisperEncoder(nn.Module):
    """Log-mel (batch, 80, frames) -> hidden states, one (batch, frames / 2, width) a layer.

    Parameter names are those of the Hugging Face checkpoint. ``layers`` shortens the encoder: only
    its first layers are built and loaded.
    """

    def __init__(
        self, *, width: int, heads: int, hidden: int, layers: int, bands: int = 80
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(bands, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(_POSITIONS, width)
        self.layers = nn.ModuleList(_Layer(width, heads, hidden) for _ in range(layers))

    @classmethod
    def from_folder(cls, folder: Path, *, layers: int | None = None) -> WhisperEncoder:
        """Load a checkpoint, with all its layers or the first so many.

        Raises WeightsMissing if the folder holds no checkpoint or one without these weights, or
        ArtifactError if it holds another model.
        """
        config = read_config(folder)
        if config["model_type"] not in CARD.model_types:
            raise ArtifactError(
                f"{folder} holds a model of the type {config['model_type']!r}; give a Whisper "
                "checkpoint"
            )
        try:
            encoder = cls(
                width=config["d_model"],
                heads=config["encoder_attention_heads"],
                hidden=config["encoder_ffn_dim"],
                layers=kept_layers(config["encoder_layers"], layers, folder),
                bands=config["num_mel_bins"],
            )
        except KeyError as error:
            raise ArtifactError(
                f"{folder / 'config.json'} lacks {error}; copy it again from where it comes from"
            ) from error
        load_weights(encoder, folder, inside="encoder.")
        return encoder

    @property
    def bands(self) -> int:
        """Of the spectrogram."""
        return self.conv1.in_channels

    def front(self, log_mel: Tensor) -> Tensor:
        """The convolutions and the positions: (batch, frames / 2, width)."""
        x = functional.gelu(self.conv1(log_mel))
        x = functional.gelu(self.conv2(x)).transpose(1, 2)
        return x + self.embed_positions.weight[: x.shape[1]]

    def forward(self, log_mel: Tensor) -> list[Tensor]:
        """Hidden states, from the first layer up."""
        return self.encode(self.front(log_mel))

    def encode(self, x: Tensor, mask: Tensor | None = None) -> list[Tensor]:
        """The same of what ``front`` gives; only frames of the ``mask`` (batch, frames) count."""
        states = []
        for layer in self.layers:
            x = layer(x, mask)
            states.append(x)
        return states


class _Layer(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = _Attention(width, heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.self_attn(self.self_attn_layer_norm(x), mask)
        return x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        def split(y: Tensor) -> Tensor:
            return y.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        q, k, v = split(self.q_proj(x)), split(self.k_proj(x)), split(self.v_proj(x))
        seen = None if mask is None else mask[:, None, None]  # (batch, heads, from, to)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        return self.out_proj(mixed.transpose(1, 2).flatten(-2))


class StateEncoder(nn.Module):
    """Log-mel (1, 80, frames) -> (1, frames / 4, (layers - 1) x width), a state every 40 ms.

    The outputs of the layers from the second on side by side, averaged over pairs of frames: how a
    voice sounds changes more slowly than its phones.
    """

    def __init__(self, encoder: WhisperEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, log_mel: Tensor) -> Tensor:
        """States."""
        states = torch.cat(self.encoder(log_mel)[1:], -1)
        pairs = functional.avg_pool1d(states.transpose(1, 2), 2, ceil_mode=True)
        return pairs.transpose(1, 2)
