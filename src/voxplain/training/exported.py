"""A whole model in one ONNX file that runs without torch, and the proof that it is the same."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.errors import ArtifactError, ConfigError
from voxplain.models import Model
from voxplain.models.formats import onnx as format_onnx
from voxplain.models.waveform import WaveformModel
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.export import export, trace
from voxplain.training.metrics.uar import unweighted_average_recall
from voxplain.training.statistics import Interval, speaker_interval
from voxplain.types import Audio

__all__ = ["LARGEST", "Agreement", "Exported", "export_model"]

LARGEST = {"float32": 1e-3, "int8": 0.1}
"""Precision of the weights -> how far any output may lie from that of the original."""

_MOST_BYTES = 2**31 - 2**24  # a file of ONNX is a message of less than 2 GiB


@dataclass(frozen=True, slots=True)
class Agreement:
    """The original and the file on the same corpus."""

    original: Interval
    """UAR"""
    exported: Interval
    same: float
    """Share of the recordings that get the same label."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and what was checked."""

    folder: Path
    megabytes: float
    recordings: int
    difference: float
    """The largest of any output on any of the recordings."""
    agreement: Mapping[str, Agreement]
    """Corpus -> what the models make of its labels, as far as they have them."""


def export_model(
    model: Model,
    folder: Path,
    *,
    clips: Sequence[Audio] = (),
    corpora: Mapping[str, Sequence[Utterance]] | None = None,
    precision: str = "float32",
) -> Exported:
    """Write ``model.onnx`` and ``card.json``, which ``models.formats.onnx`` reads.

    Both models hear the clips (16 kHz) and all recordings of the corpora. Nothing is written where
    an output differs by more than ``LARGEST``. ``precision`` float32 keeps the weights, int8 stores
    matrices in 8 bits a channel, a quarter of the bytes; sums are in float32 either way.

    Raises ConfigError (a model without a network, no recordings, a folder that exists, a network of
    more than 2 GiB) and ArtifactError for a network that ONNX has no words for, or a file that does
    not compute the same.
    """
    corpora = corpora or {}
    if not isinstance(model, WaveformModel) or model.network is None:
        raise ConfigError(f"{model.name} lies in ONNX already and runs without torch as it is")
    if not clips and not corpora:
        raise ConfigError("an export is checked on real recordings: give --clips or --corpus")
    if folder.exists():
        raise ConfigError(f"{folder} exists already; give a new folder")
    size = sum(4 * parameter.numel() for parameter in model.network.parameters())
    if size > _MOST_BYTES:
        raise ConfigError(
            f"{model.name} has {size / 1e9:.1f} GB of weights, and a file of ONNX holds 2; "
            "use it as it is"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place until it is checked, so that nobody meets a model that differs.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as place:
        found = _checked(model, Path(place), clips, corpora, precision)
        Path(place).chmod(0o755)  # made for one user alone
        Path(place).rename(folder)
        Path(place).mkdir()  # for the context to remove
    return Exported(folder, *found)


def _checked(
    model: WaveformModel,
    place: Path,
    clips: Sequence[Audio],
    corpora: Mapping[str, Sequence[Utterance]],
    precision: str,
) -> tuple[float, int, float, dict[str, Agreement]]:
    _write_network(model, place / "model.onnx", precision)
    card = _card(model, place / "model.onnx", precision)
    _write_card(place, card)
    other = format_onnx.load(place)
    pairs = [_pair(model, other, clip) for clip in clips]
    agreement = {}
    for name, utterances in corpora.items():
        heard = [_pair(model, other, sound(one)) for one in utterances]
        pairs += heard
        if model.outputs.labels:
            agreement[name] = _agreement(model, heard, utterances)
    difference = float(max(np.abs(one - two).max() for one, two in pairs))
    if not difference <= LARGEST[precision]:
        raise ArtifactError(
            f"the exported {model.name} differs from the original by up to {difference:.2g} on "
            f"{len(pairs)} recordings, more than {LARGEST[precision]:g}; nothing was written"
        )
    card["checked"] = {
        "recordings": len(pairs),
        "largest_difference": difference,
        "corpora": {name: asdict(one) for name, one in agreement.items()},
    }
    _write_card(place, card)
    megabytes = (place / "model.onnx").stat().st_size / 1e6
    return megabytes, len(pairs), difference, agreement


def _write_network(model: WaveformModel, path: Path, precision: str) -> None:
    write = {"float32": trace, "int8": export}[precision]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what tracing may get wrong shows in the comparison
        try:
            write(
                copy.deepcopy(model.network),  # export rounds its weights
                path,
                inputs={"waveform": torch.zeros(1, 2 * SAMPLING_RATE)},
                outputs=["outputs"],
                frames_axis=1,
            )
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
            raise ArtifactError(
                f"{model.name} can't be written as ONNX ({reason}); use it as it is"
            ) from error
    if not onnx.load(path).graph.input:
        raise ArtifactError(
            f"{model.name} can't be written as ONNX: part of it, such as the spectrogram of its "
            "encoder, is not computed in torch; use it as it is"
        )


def _card(model: WaveformModel, weights: Path, precision: str) -> dict[str, Any]:
    calibration = asdict(model.calibration).items()
    return {
        "format": "onnx",
        "name": model.name,
        "input": f"waveform (1, samples), mono, {SAMPLING_RATE} Hz",
        "outputs": model.outputs.names,
        "scale": model.outputs.scale,
        "calibration": {name: one for name, one in calibration if one != math.inf},  # no JSON
        "notes": model.notes,
        "weights": precision,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "source_sha256": model.sha256,
    }


def _write_card(place: Path, card: dict[str, Any]) -> None:
    (place / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _pair(one: WaveformModel, other: WaveformModel, audio: Audio) -> NDArray[np.float32]:
    """(2, outputs)"""
    return np.stack([one.run(audio.waveform), other.run(audio.waveform)])


def _agreement(
    model: WaveformModel, heard: Sequence[NDArray[np.float32]], utterances: Sequence[Utterance]
) -> Agreement:
    """On the utterances whose emotion the model has a label for."""
    labels = model.outputs.labels
    columns = [model.outputs.names.index(label) for label in labels]
    chosen = np.array(labels)[np.stack(heard)[..., columns].argmax(-1)]  # (n, 2)
    known = np.array([one.emotion in labels for one in utterances])
    truth = np.array([one.emotion for one in utterances])[known]
    speakers = np.array([one.speaker for one in utterances])[known]
    original, exported = (
        speaker_interval(unweighted_average_recall, truth, one, speakers=speakers)
        for one in chosen[known].T
    )
    return Agreement(original, exported, float(np.mean(chosen[:, 0] == chosen[:, 1])))
