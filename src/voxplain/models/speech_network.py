"""The network behind the embedded model: a shortened Whisper encoder under a small head."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from voxplain.backbones.whisper import WhisperEncoder

__all__ = ["AttentiveHead", "SpeechNetwork", "encode"]


def encode(encoder: WhisperEncoder, log_mel: Tensor) -> Tensor:
    """Log-mel (1, 80, frames) -> (1, frames / 4, (layers - 1) x width), a state every 40 ms.

    The outputs of the layers from the second on side by side, averaged over pairs of frames: how a
    voice sounds changes more slowly than its phones.
    """
    states = torch.cat(encoder(log_mel)[1:], -1)
    pairs = functional.avg_pool1d(states.transpose(1, 2), 2, ceil_mode=True)
    return pairs.transpose(1, 2)


class AttentiveHead(nn.Module):
    """Encoder states -> logits through attentive statistics (Okabe et al. 2018).

    ``states`` (batch, frames, width), ``mask`` (batch, frames) True where a frame is real
    -> (batch, classes).
    """

    def __init__(self, width: int, *, channels: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.squeeze = nn.Linear(width, channels)
        self.convolve = nn.Conv1d(channels, channels, 3, padding=1)
        self.attend = nn.Sequential(nn.Linear(channels, 64), nn.Tanh(), nn.Linear(64, channels))
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(2 * channels, classes)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Logits."""
        real = mask[..., None].to(states.dtype)
        x = self.dropout(functional.gelu(self.squeeze(self.norm(states)))) * real
        x = x + functional.gelu(self.convolve(x.transpose(1, 2)).transpose(1, 2))
        # A logit of -1e4 gives a padded frame no weight and, unlike -inf, never NaN.
        weight = (self.attend(x) - 1e4 * (1 - real)).softmax(1)
        mean = (weight * x).sum(1)
        variance = (weight * (x - mean[:, None]) ** 2).sum(1)
        pooled = torch.cat([mean, (variance + 1e-5).sqrt()], 1)
        return self.classify(self.dropout(pooled))


class SpeechNetwork(nn.Module):
    """Log-mel (1, 80, frames) -> logits (1, classes): what is exported and shipped."""

    def __init__(self, encoder: WhisperEncoder, head: AttentiveHead) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, log_mel: Tensor) -> Tensor:
        """Logits."""
        states = encode(self.encoder, log_mel)
        return self.head(states, torch.ones_like(states[..., 0], dtype=torch.bool))
