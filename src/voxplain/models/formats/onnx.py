"""What ``voxplain export`` writes: a model in ONNX with its card, read without torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.backbones.embedded import session
from voxplain.errors import ArtifactError, ChecksumMismatch, WeightsMissing
from voxplain.models.calibration import Calibration
from voxplain.models.formats import Card
from voxplain.models.waveform import Outputs, WaveformModel

__all__ = ["CARD", "load"]

CARD = Card("an exported model in ONNX")


def load(folder: Path) -> WaveformModel:
    """``model.onnx`` (waveform (1, samples) -> outputs (1, outputs)) and ``card.json``.

    Raises WeightsMissing, ChecksumMismatch or, for a card that is none, ArtifactError.
    """
    place = folder / "card.json"
    try:
        card = json.loads(place.read_text(encoding="utf-8"))
        weights = (folder / "model.onnx").read_bytes()
    except OSError as error:
        raise WeightsMissing(
            f"{folder} is not whole: {error.filename} can't be read; export the model again"
        ) from error
    try:
        name, promised, notes = card["name"], card["sha256"], tuple(card["notes"])
        outputs = Outputs(tuple(card["outputs"]), tuple(card["scale"]))
        calibration = Calibration(**_plain(card["calibration"]))
    except (KeyError, TypeError) as error:
        raise ArtifactError(f"{place} is no card of an exported model: {error}") from error
    found = hashlib.sha256(weights).hexdigest()
    if found != promised:
        raise ChecksumMismatch(
            f"{folder / 'model.onnx'} has SHA-256 {found[:12]}…, its card says {promised[:12]}…; "
            "export the model again"
        )
    network = session(weights)
    (given,) = (output.shape[-1] for output in network.get_outputs())
    if given != len(outputs.names):
        raise ArtifactError(
            f"{place} names {len(outputs.names)} outputs, its model has {given}; export it again"
        )

    def run(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        told: NDArray[np.float32] = network.run(None, {"waveform": waveform[None]})[0][0]
        return told

    return WaveformModel(
        run, outputs, name=name, sha256=found, calibration=calibration, notes=notes
    )


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(one) if isinstance(one, list) else one for name, one in told.items()}
