"""HuBERT, from a checkpoint of Hugging Face."""

from __future__ import annotations

from pathlib import Path

from voxplain.backbones import Card
from voxplain.backbones._wav2vec import Wav2VecEncoder

__all__ = ["CARD", "load"]

CARD = Card(
    title="HuBERT",
    licence="of the checkpoint; transformers: Apache-2.0",
    citation="Hsu et al. 2021, HuBERT: self-supervised speech representation learning by masked "
    "prediction of hidden units, IEEE/ACM TASLP 29",
    extra="train",
    model_types=("hubert",),
    trainable=True,
)


def load(folder: Path, *, layers: int | None = None) -> Wav2VecEncoder:
    """From a folder with config.json, preprocessor_config.json and safetensors.

    Raises WeightsMissing or ArtifactError.
    """
    return Wav2VecEncoder(folder, layers=layers)
