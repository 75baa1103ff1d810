"""The run folders of ``voxplain train recipes/experiments/``, or one of the models in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as tensors_of
from torch import Tensor, nn

from voxplain import backbones
from voxplain.errors import ArtifactError, ChecksumMismatch, HeadNotLoaded, WeightsMissing
from voxplain.models.calibration import Calibration
from voxplain.models.experiment_network import ExperimentNetwork, make_head
from voxplain.models.formats import Card
from voxplain.models.judgement import DIMENSIONS
from voxplain.models.msf_model import MSFModel, Reader
from voxplain.models.profiled import ProfiledModel
from voxplain.models.text_encoder import TextEncoder
from voxplain.models.waveform import Outputs, WaveformModel

__all__ = ["CARD", "load"]

CARD = Card("a run folder of an experiment, or one of the models in it", extra="train")


def load(folder: Path) -> WaveformModel | ProfiledModel:
    """Of a run folder the model of its first split and seed; one that reads texts is an MSFModel.

    The encoder of a model whose encoder was frozen is the checkpoint that it was trained with, and
    so is that of the texts.

    Raises WeightsMissing, ChecksumMismatch for another encoder or head than those that were
    trained, HeadNotLoaded, and ArtifactError for a card that is none, or of a model that only
    reads.
    """
    card = _card(folder)
    if "default" in card:
        return load(folder / card["default"])
    try:
        network = _network(folder, card)
        calibration = Calibration.of_card(card)
        told: dict[str, Any] = {
            "name": card["name"],
            "sha256": card["sha256"],
            "calibration": calibration,
            "notes": tuple(card["notes"]),
        }
        profiled, texts = card["profile"], card.get("texts", {})
        dimensions = DIMENSIONS[: card["head"]["dimensions"]]
    except KeyError as error:
        raise ArtifactError(f"{folder / 'card.json'} is no card: it lacks {error}") from error
    if texts.get("encoder") and texts["branches"]:
        if "es" in texts["branches"] and texts["es"] != "rules":
            told["notes"] += (f"{texts['es']} interpreted in training; here rules take its place",)
        reader = _reader(folder, texts)
        return MSFModel(network, reader=reader, knows_speakers=profiled, **told)
    if profiled:
        return ProfiledModel(network, **told)
    whole = _Whole(network)

    def run(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            found: NDArray[np.float32] = whole(torch.tensor(waveform)[None])[0].numpy()
        return found

    outputs = Outputs((*calibration.labels, *dimensions))
    return WaveformModel(run, outputs, network=whole, **told)


class _Whole(nn.Module):
    """Waveforms (batch, samples) -> outputs (batch, labels + dimensions)."""

    def __init__(self, network: ExperimentNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, waveforms: Tensor) -> Tensor:
        heard = self.network(waveforms=waveforms.unbind())
        return torch.cat([heard.categories, heard.dimensions], 1)


def _card(folder: Path) -> Mapping[str, Any]:
    place = folder / "card.json"
    try:
        card: Mapping[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsMissing(
            f"{folder} holds no finished model: {error.filename} can't be read; run the same "
            "'voxplain train' again, which goes on where it stopped"
        ) from error
    except ValueError as error:
        raise ArtifactError(f"{place} is no card: {error}") from error
    return card


def _reader(folder: Path, texts: Mapping[str, Any]) -> Reader:
    encoder = TextEncoder(texts["encoder"])
    if encoder.sha256 != texts["sha256"]:
        raise ChecksumMismatch(
            f"{texts['encoder']} is not the text encoder that {folder} was trained with: its "
            f"SHA-256 is {encoder.sha256[:12]}…, the card says {texts['sha256'][:12]}…"
        )
    told = {name: texts[name] for name in ("les", "share", "isolated", "gs", "masked")}
    return Reader(encoder, **told)


def _network(folder: Path, card: Mapping[str, Any]) -> ExperimentNetwork:
    hearing, shape = card["encoder"], card["head"]
    if hearing is None:
        raise ArtifactError(f"{folder} judges texts alone: it hears nothing that could be analysed")
    place = folder / "encoder" if hearing["tuned"] else hearing["checkpoint"]
    encoder = backbones.load(place, layers=hearing["deepest"])
    if encoder.sha256 != hearing["sha256"]:
        raise ChecksumMismatch(
            f"{place} is not the encoder that {folder} was trained with: its SHA-256 is "
            f"{encoder.sha256[:12]}…, the card says {hearing['sha256'][:12]}…"
        )
    try:
        weights = (folder / "head.safetensors").read_bytes()
    except OSError as error:
        raise WeightsMissing(f"{error.filename} can't be read; train the model again") from error
    sha256s = encoder.sha256 + (card.get("texts", {}).get("sha256") or "")
    if hashlib.sha256(weights + sha256s.encode()).hexdigest() != card["sha256"]:
        raise ChecksumMismatch(
            f"{folder / 'head.safetensors'} is not the head that its card describes; train the "
            "model again"
        )
    head = make_head(**shape, fusion=card.get("fusion"))
    try:
        head.load_state_dict(tensors_of(weights))
    except (RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[-1].strip()
        raise HeadNotLoaded(
            f"{folder / 'head.safetensors'} does not fit its card ({reason}); train the model again"
        ) from error
    return ExperimentNetwork(head, encoder=encoder, layers=hearing["layers"]).eval()
