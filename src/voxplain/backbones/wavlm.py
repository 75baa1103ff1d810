"""WavLM, from a checkpoint of Hugging Face."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from transformers.models.wavlm.modeling_wavlm import WavLMAttention

from voxplain.backbones import Card
from voxplain.backbones._wav2vec import Wav2VecEncoder

__all__ = ["CARD", "WavLMEncoder", "load"]

CARD = Card(
    title="WavLM",
    licence="of the checkpoint; transformers: Apache-2.0",
    citation="Chen et al. 2022, WavLM: large-scale self-supervised pre-training for full stack "
    "speech processing, IEEE JSTSP 16(6)",
    extra="train",
    model_types=("wavlm",),
    trainable=True,
)


def load(folder: Path, *, layers: int | None = None) -> WavLMEncoder:
    """From a folder with config.json, preprocessor_config.json and safetensors.

    Raises WeightsMissing or ArtifactError.
    """
    return WavLMEncoder(folder, layers=layers)


class WavLMEncoder(Wav2VecEncoder):
    """Like wav2vec 2.0, but attention knows how far apart two frames are."""

    def __init__(self, folder: Path, *, layers: int | None) -> None:
        super().__init__(folder, layers=layers, attention="eager")
        for layer in self.network.encoder.layers:
            layer.attention.__class__ = _Attention

    def _layer(
        self, layer: nn.Module, x: Tensor, mask: Tensor | None, bias: Any
    ) -> tuple[Tensor, Any]:
        """The first layer has the biases of all distances, and hands them on."""
        return layer(x, attention_mask=mask, position_bias=bias)[:2]


class _Attention(WavLMAttention):  # type: ignore[misc]
    """The attention of transformers, but for its core, which reads weights past their modules.

    An adapter (LoRA) on a projection would do nothing there.
    """

    def torch_multi_head_self_attention(
        self, x: Tensor, mask: Tensor | None, bias: Tensor, *_: Any
    ) -> tuple[Tensor, None]:
        """Of (batch, frames, width), with the gated biases (batch * heads, frames, frames)."""

        def split(y: Tensor) -> Tensor:
            return y.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

        bias = bias.unflatten(0, (-1, self.num_heads))
        if mask is not None:
            bias = bias.masked_fill(~mask[:, None, None], -float("inf"))
        mixed = functional.scaled_dot_product_attention(
            split(self.q_proj(x)),
            split(self.k_proj(x)),
            split(self.v_proj(x)),
            attn_mask=bias,
            dropout_p=self.dropout if self.training else 0.0,
        )
        return self.out_proj(mixed.transpose(1, 2).flatten(-2)), None
