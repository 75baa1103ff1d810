"""The folders of ``voxplain train recipes/embedded/``: an encoder and a small head, in ONNX."""

from __future__ import annotations

from pathlib import Path

from voxplain.models.embedded import EmbeddedModel
from voxplain.models.formats import Card

__all__ = ["CARD", "load"]

CARD = Card("an encoder and a small head in ONNX, as they lie in the package")


def load(folder: Path) -> EmbeddedModel:
    """Raises WeightsMissing, ChecksumMismatch or, for a card that is none, ArtifactError."""
    return EmbeddedModel(folder)
