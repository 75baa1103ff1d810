"""Whisper's log-mel spectrogram in torch, written so that every exporter knows its operators."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["traced_log_mel"]


def traced_log_mel(waveforms: Tensor, filters: Tensor, *, window: int, hop: int) -> Tensor:
    """Waveforms (batch, samples) -> (batch, bands, samples // hop), as ``audio.log_mel`` makes it.

    ``filters`` (bands, window // 2 + 1). The Fourier transform is a convolution. ``window`` and
    ``hop`` are in samples.
    """
    margin = window // 2
    padded = functional.pad(waveforms[:, None], (margin, margin), mode="reflect")
    # The frame centred on the end is left out.
    real, imaginary = functional.conv1d(padded, _waves(window), stride=hop)[..., :-1].chunk(2, 1)
    mel = (filters @ (real**2 + imaginary**2)).clamp_min(1e-10).log10()
    return (torch.maximum(mel, mel.amax((1, 2), keepdim=True) - 8) + 4) / 4


@functools.cache
def _waves(size: int) -> Tensor:
    """Cosines, then sines, below a Hann window: (2 bins, 1, size)."""
    bins = torch.arange(1 + size // 2, dtype=torch.float64)
    angles = 2 * math.pi / size * torch.outer(bins, torch.arange(size, dtype=torch.float64))
    waves = torch.cat([angles.cos(), angles.sin()]) * torch.hann_window(size).double()
    return waves[:, None].float()
