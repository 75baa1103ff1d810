"""wav2vec 2.0, from a checkpoint of Hugging Face."""

from __future__ import annotations

from pathlib import Path

from voxplain.backbones import Card
from voxplain.backbones._wav2vec import Wav2VecEncoder

__all__ = ["CARD", "load"]

CARD = Card(
    title="wav2vec 2.0",
    licence="of the checkpoint; transformers: Apache-2.0",
    citation="Baevski et al. 2020, wav2vec 2.0: a framework for self-supervised learning of speech "
    "representations, NeurIPS",
    extra="train",
    model_types=("wav2vec2",),
    trainable=True,
)


def load(folder: Path, *, layers: int | None = None) -> Wav2VecEncoder:
    """From a folder with config.json, preprocessor_config.json and safetensors.

    Raises WeightsMissing or ArtifactError.
    """
    return Wav2VecEncoder(folder, layers=layers)
