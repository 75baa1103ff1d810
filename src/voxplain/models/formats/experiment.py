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
from voxplain.audio.log_mel import log_mel
from voxplain.errors import ArtifactError, ChecksumMismatch, HeadNotLoaded, WeightsMissing
from voxplain.explainers import Forward
from voxplain.models.calibration import Calibration, log_odds
from voxplain.models.experiment_network import ExperimentNetwork, make_head
from voxplain.models.formats import Card
from voxplain.models.heads import Known
from voxplain.models.judgement import DIMENSIONS, Readings
from voxplain.models.profile import Profile
from voxplain.models.resynthesis import changed
from voxplain.models.waveform import Outputs, WaveformModel
from voxplain.types import Audio, Embedding

__all__ = ["CARD", "ProfiledModel", "load"]

CARD = Card("a run folder of an experiment, or one of the models in it", extra="train")


def load(folder: Path) -> WaveformModel | ProfiledModel:
    """Of a run folder the model of its first split and seed.

    The encoder of a model whose encoder was frozen is the checkpoint that it was trained with.

    Raises WeightsMissing, ChecksumMismatch for another encoder or head than those that were
    trained, HeadNotLoaded, and ArtifactError for a card that is none.
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
        profiled = card["profile"]
        dimensions = DIMENSIONS[: card["head"]["dimensions"]]
    except KeyError as error:
        raise ArtifactError(f"{folder / 'card.json'} is no card: it lacks {error}") from error
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


class ProfiledModel:
    """A model that compares a voice with how the speaker sounds otherwise."""

    knows_speakers = True

    def __init__(
        self,
        network: ExperimentNetwork,
        *,
        name: str,
        sha256: str,
        calibration: Calibration,
        notes: tuple[str, ...],
    ) -> None:
        self.network = network
        self.name = name
        self.sha256 = sha256
        self.calibration = calibration
        self.notes = notes

    def embed(self, audio: Audio) -> Embedding:
        """What the head sees of 16 kHz sound: (frames, layers x width)."""
        with torch.inference_mode():
            states, _ = self.network.hear([torch.tensor(audio.waveform)])
        frames = states[:, 0].transpose(0, 1).flatten(1).numpy()
        return Embedding(frames, audio.duration / len(frames), self.name)

    def read(self, embedding: Embedding, profile: Profile | None = None) -> Readings:
        """What the states say, beside those of a ``profile`` as far as it is to be trusted."""
        depth, width = self.network.head.mean.shape
        known = profile or Profile.empty(depth * width)

        def tensor(values: NDArray[Any]) -> Tensor:
            return torch.tensor(values).float()

        mean, square = (tensor(one).reshape(1, depth, width) for one in (known.mean, known.square))
        states = tensor(embedding.frames).reshape(-1, depth, width).transpose(0, 1)[:, None]
        with torch.inference_mode():
            trust = tensor(np.array([known.trust]))
            heard = self.network(states=states, speaker=Known(mean, square, trust))
        values = heard.dimensions[0].numpy()
        return Readings(
            categories=heard.categories[0].numpy(),
            perceived=np.empty(0, np.float32),
            dimensions=np.repeat(values[:, None], 3, 1),
            sound=np.empty(0, np.float32),
            trust=np.array(known.trust),
            strangeness=np.array(0.0),
        )

    def hearing(self, audio: Audio, profile: Profile | None = None) -> Forward:
        """The change of each cell becomes a change of the sound (``resynthesis``)."""
        original = log_mel(audio.waveform)
        trust = profile.trust if profile else 0.0
        temperature = self.calibration.temperature_at(trust)

        def outputs(spectrograms: NDArray[np.float32]) -> NDArray[np.float64]:
            sounds = (changed(audio.waveform, one - original) for one in spectrograms)
            heard = (Audio(sound, audio.sampling_rate, audio.source) for sound in sounds)
            read = [self.read(self.embed(one), profile).categories for one in heard]
            return log_odds(np.array(read) / temperature)

        return outputs


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


def _network(folder: Path, card: Mapping[str, Any]) -> ExperimentNetwork:
    hearing, shape = card["encoder"], card["head"]
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
    if hashlib.sha256(weights + encoder.sha256.encode()).hexdigest() != card["sha256"]:
        raise ChecksumMismatch(
            f"{folder / 'head.safetensors'} is not the head that its card describes; train the "
            "model again"
        )
    head = make_head(**shape)
    try:
        head.load_state_dict(tensors_of(weights))
    except (RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[-1].strip()
        raise HeadNotLoaded(
            f"{folder / 'head.safetensors'} does not fit its card ({reason}); train the model again"
        ) from error
    return ExperimentNetwork(head, encoder=encoder, layers=hearing["layers"]).eval()
