"""The embedded model: log-mel in, logits out, through ONNX Runtime and nothing else."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ArtifactError, ChecksumMismatch, UnknownName, WeightsMissing
from voxplain.models.calibration import softmax
from voxplain.models.log_mel import log_mel
from voxplain.types import Audio

__all__ = ["EmbeddedModel", "embedded_models"]

_ASSETS = "assets/models"
_CARD = ("name", "labels", "temperature", "sha256")


def embedded_models() -> tuple[str, ...]:
    """Names of the models that lie in the package."""
    folder = files("voxplain") / _ASSETS
    entries = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(entry.name for entry in entries if (entry / "card.json").is_file()))


class EmbeddedModel:
    """A model folder: ``model.onnx`` and ``card.json``.

    One recording at a time on one thread, so that a result depends on neither the company a
    recording keeps nor the number of cores.
    """

    def __init__(self, folder: Path) -> None:
        """Raises WeightsMissing, ChecksumMismatch or, for a card that is none, ArtifactError."""
        import onnxruntime

        try:
            card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
            weights = (folder / "model.onnx").read_bytes()
        except OSError as error:
            raise WeightsMissing(
                f"{folder} is no model folder: {error.filename} can't be read; "
                "reinstall voxplain or give a folder made by 'voxplain train'"
            ) from error
        except ValueError as error:  # neither JSON nor text
            raise ArtifactError(f"{folder / 'card.json'} is no card: {error}") from error
        lacking = [key for key in _CARD if key not in card]
        if lacking:
            raise ArtifactError(f"{folder / 'card.json'} is no card: it lacks {', '.join(lacking)}")
        self.sha256 = hashlib.sha256(weights).hexdigest()
        if self.sha256 != card["sha256"]:
            raise ChecksumMismatch(
                f"{folder / 'model.onnx'} has SHA-256 {self.sha256[:12]}…, its card says "
                f"{card['sha256'][:12]}…; reinstall voxplain or train the model again"
            )
        self.card: Mapping[str, Any] = card
        self.name: str = card["name"]
        self.labels: tuple[str, ...] = tuple(card["labels"])
        self.temperature: float = card["temperature"]

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        # Weights are stored in 8 bits; this unpacks them once at load, and sums stay in float32.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        self._session = onnxruntime.InferenceSession(
            weights, options, providers=["CPUExecutionProvider"]
        )
        classes = self._session.get_outputs()[0].shape[-1]
        if classes != len(self.labels):
            raise ArtifactError(
                f"{folder / 'card.json'} has {len(self.labels)} labels, its model {classes} outputs"
            )

    @classmethod
    def load(cls, name: str) -> EmbeddedModel:
        """A model of the package by name, or of a folder by path; each is loaded once.

        Raises UnknownName, WeightsMissing or ChecksumMismatch.
        """
        return _load(name)

    def logits(self, log_mel: NDArray[np.floating]) -> NDArray[np.float32]:
        """(classes,) of a log-mel spectrogram (80, frames)."""
        (logits,) = self._session.run(None, {"log_mel": log_mel.astype(np.float32)[None]})
        found: NDArray[np.float32] = logits[0]
        return found

    def categories(self, audio: Audio) -> dict[str, float]:
        """Calibrated probability of each portrayed emotion."""
        probabilities = softmax(self.logits(log_mel(audio.waveform)), temperature=self.temperature)
        return dict(zip(self.labels, probabilities.tolist(), strict=True))


@functools.cache
def _load(name: str) -> EmbeddedModel:
    if name in embedded_models():
        return EmbeddedModel(Path(str(files("voxplain") / _ASSETS / name)))
    if Path(name).is_dir():
        return EmbeddedModel(Path(name))
    raise UnknownName("model", name, embedded_models())
