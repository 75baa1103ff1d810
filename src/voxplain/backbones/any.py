"""Any other audio encoder that transformers knows, one recording at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.backbones import Card, read_preprocessor
from voxplain.backbones._encoder import (
    SpeechEncoder,
    configuration,
    kept_layers,
    padded,
    pretrained,
    told,
)
from voxplain.errors import ArtifactError
from voxplain.plugins import require

__all__ = ["CARD", "AnyEncoder", "load"]

CARD = Card(
    title="any audio encoder of transformers",
    licence="of the checkpoint; transformers: Apache-2.0",
    citation="Wolf et al. 2020, Transformers: state-of-the-art natural language processing, EMNLP",
    extra="train",
    model_types=(),
    trainable=True,
)


def load(folder: Path, *, layers: int | None = None) -> AnyEncoder:
    """From a folder with config.json, preprocessor_config.json and safetensors.

    Raises WeightsMissing, or ArtifactError for what gives no states over time.
    """
    return AnyEncoder(folder, layers=layers)


class AnyEncoder(SpeechEncoder):
    """What ``AutoFeatureExtractor`` and ``AutoModel`` make of a folder.

    How others mask a batch differs from model to model, and where it is wrong nothing fails; alone
    a recording needs no mask. States are ``hidden_states`` as transformers gives them: often the
    last one of all, and it alone, has passed a final norm.
    """

    def __init__(self, folder: Path, *, layers: int | None) -> None:
        read_preprocessor(folder)
        config = configuration(folder)
        network = pretrained(folder, config)
        with told(folder):
            prepare = require("transformers", extra="train").AutoFeatureExtractor.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        short, long = (_shape(network, prepare, seconds, folder) for seconds in (1, 3))
        depth, frames, width = long
        if frames <= short[1]:
            raise ArtifactError(
                f"{folder}: {config.model_type} gives {short[1]} states for 1 s and {frames} "
                "for 3 s; give an encoder whose states follow time"
            )
        kept = kept_layers(depth - 1, layers, folder)
        super().__init__(folder, width=width, depth=kept + 1, frame_shift=2 / (frames - short[1]))
        self.network, self._prepare = network, prepare

    def encode(self, waveforms: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """``hidden_states``, without those of the layers that are not kept."""
        found = [_states(self.network, self._prepare, one)[: self.depth] for one in waveforms]
        states, mask = padded([one.transpose(0, 1) for one in found])
        return states.permute(2, 0, 1, 3), mask


def _states(network: Any, prepare: Any, waveform: Tensor) -> Tensor:
    """(depth, frames, width) of one recording."""
    sound = waveform.detach().cpu().numpy()
    inputs = prepare(sound, sampling_rate=SAMPLING_RATE, return_tensors="pt").to(network.device)
    return torch.cat(network(**inputs, output_hidden_states=True).hidden_states)


def _shape(network: Any, prepare: Any, seconds: int, folder: Path) -> torch.Size:
    noise = np.random.default_rng(0).standard_normal(seconds * SAMPLING_RATE)
    try:
        with torch.inference_mode():
            shape = _states(network, prepare, torch.from_numpy(noise.astype(np.float32))).shape
    except Exception as error:  # a foreign model may raise anything
        raise ArtifactError(
            f"{folder} gives no states of sound ({type(error).__name__}: {error}); give an audio "
            "encoder, with the preprocessor_config.json of its feature extractor"
        ) from error
    if len(shape) != 3:
        raise ArtifactError(
            f"{folder} gives states of the shape {tuple(shape)}; give an encoder whose states are "
            "(frames, width)"
        )
    return shape
