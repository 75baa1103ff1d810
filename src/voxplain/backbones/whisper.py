"""Whisper's encoder (Radford et al. 2022) for recordings of any length, from a Hugging Face folder.

The encoder of ``transformers`` refuses anything but 30 s of (padded) input. Emotion is heard in
segments of 3-15 s, so this one takes every length and gives the output of every layer.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from voxplain.errors import WeightsMissing

__all__ = ["StateEncoder", "WhisperEncoder"]


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
        self.embed_positions = nn.Embedding(1500, width)
        self.layers = nn.ModuleList(_Layer(width, heads, hidden) for _ in range(layers))

    @classmethod
    def from_folder(cls, folder: Path, *, layers: int) -> WhisperEncoder:
        """Load ``config.json`` and ``model.safetensors``.

        Raises WeightsMissing if the folder holds no checkpoint or one without these weights.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            tensors = load_file(folder / "model.safetensors")
        except (OSError, ValueError, SafetensorError) as error:
            raise WeightsMissing(
                f"{folder} holds no Whisper checkpoint ({error}); "
                "give a folder with config.json and model.safetensors"
            ) from error
        encoder = cls(
            width=config["d_model"],
            heads=config["encoder_attention_heads"],
            hidden=config["encoder_ffn_dim"],
            layers=layers,
            bands=config["num_mel_bins"],
        )
        own = {name.rpartition("encoder.")[2]: tensor.float() for name, tensor in tensors.items()}
        wanted = encoder.state_dict()
        missing = sorted(wanted.keys() - own.keys())
        if missing:
            raise WeightsMissing(f"{folder} lacks {len(missing)} weights, first {missing[0]!r}")
        encoder.load_state_dict({name: own[name] for name in wanted})
        return encoder

    def front(self, log_mel: Tensor) -> Tensor:
        """The convolutions and the positions: (batch, frames / 2, width)."""
        x = functional.gelu(self.conv1(log_mel))
        x = functional.gelu(self.conv2(x)).transpose(1, 2)
        return x + self.embed_positions.weight[: x.shape[1]]

    def forward(self, log_mel: Tensor) -> list[Tensor]:
        """Hidden states, from the first layer up."""
        x = self.front(log_mel)
        states = []
        for layer in self.layers:
            x = layer(x)
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

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.self_attn_layer_norm(x))
        return x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        def split(y: Tensor) -> Tensor:
            return y.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        q, k, v = split(self.q_proj(x)), split(self.k_proj(x)), split(self.v_proj(x))
        mixed = functional.scaled_dot_product_attention(q, k, v)
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
