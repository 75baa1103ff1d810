"""Networks of foreign checkpoints, from waveforms (1, samples) to outputs (1, outputs).

What a preprocessor does before such a network stands inside it, so that the whole is one function
of the sound, which can be exported as it is.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from voxplain.backbones._spectrogram import traced_log_mel

__all__ = ["DenseHead", "LogMel", "Logits", "Normalised"]


class Normalised(nn.Module):
    """Zero mean and unit variance over the waveform, as ``Wav2Vec2FeatureExtractor`` makes them."""

    def forward(self, waveforms: Tensor) -> Tensor:
        """Waveforms (1, samples) -> the same."""
        mean = waveforms.mean(1, keepdim=True)
        variance = ((waveforms - mean) ** 2).mean(1, keepdim=True)
        return (waveforms - mean) / (variance + 1e-7).sqrt()


class LogMel(nn.Module):
    """The log-mel spectrogram of ``WhisperFeatureExtractor``: 30 s, what is longer is cut off."""

    filters: Tensor

    def __init__(self, extractor: Any) -> None:
        super().__init__()
        self.samples = extractor.n_samples
        self.window, self.hop = extractor.n_fft, extractor.hop_length
        filters = torch.from_numpy(extractor.mel_filters).float().T
        self.register_buffer("filters", filters.contiguous(), persistent=False)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Waveforms (1, samples) -> spectrograms (1, bands, 3000)."""
        filled = functional.pad(waveforms, (0, self.samples))[:, : self.samples]
        return traced_log_mel(filled, self.filters, window=self.window, hop=self.hop)


class Logits(nn.Module):
    """A network of transformers with its head."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs of the network -> outputs (1, outputs)."""
        found: Tensor = self.network(inputs).logits
        return found


class DenseHead(nn.Module):
    """Mean over time, a layer with tanh, the outputs: ``Wav2Vec2ForSpeechClassification``.

    No class of transformers, but copied from model card to model card since Wagner et al. (2023),
    Dawn of the transformer era in speech emotion recognition, IEEE TPAMI 45(9).
    """

    def __init__(self, encoder: Any, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.encoder = encoder
        outputs, width = weights["out.weight"].shape
        self.dense = nn.Linear(weights["dense.weight"].shape[1], width)
        self.out = nn.Linear(width, outputs)
        for name, weight in weights.items():
            self.get_parameter(name).data.copy_(weight)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Normalised waveforms (1, samples) -> outputs (1, outputs)."""
        states = self.encoder(waveforms).last_hidden_state
        found: Tensor = self.out(torch.tanh(self.dense(states.mean(1))))
        return found
