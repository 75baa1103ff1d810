"""What the network hears of recordings: states that are kept, or found out anew in every step."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from voxplain import backbones
from voxplain.audio.listening import Listener
from voxplain.backbones._encoder import SpeechEncoder
from voxplain.models.embedded import EmbeddedModel, embedded_folder, embedded_models
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.experiment.encoders import deepest
from voxplain.training.experiment.material import Material
from voxplain.training.experiment.sources import SoundSource, StateSource, hear
from voxplain.training.hearing import States, backbone, of_each
from voxplain.training.vib_sed.recipe import VibSedRecipe

__all__ = ["LiveSource", "checkpoint_digest", "hear_layers", "shape"]

Rows = NDArray[np.int64]


class LiveSource:
    """A frozen encoder that hears the sound in every step: slower, and little is kept in memory."""

    def __init__(
        self, sound: SoundSource, encoder: SpeechEncoder, *, layers: tuple[int, ...] | None
    ) -> None:
        self.sound = sound
        self.encoder = encoder.eval().requires_grad_(False)
        self.layers = list(layers or range(encoder.depth))
        self.lengths = sound.lengths

    def inputs(self, rows: Rows, generator: np.random.Generator | None) -> dict[str, Any]:
        """States (layers, batch, frames, width) and their mask, as a ``StateSource`` has them."""
        with torch.no_grad():
            states, mask = self.encoder(self.sound.inputs(rows, generator)["waveforms"])
        return {"states": states[self.layers].float(), "mask": mask}


def hear_layers(
    recipe: VibSedRecipe, material: Material, *, device: torch.device, cache: Path, jobs: int
) -> StateSource | LiveSource:
    """The states of all recordings, frame by frame; an encoder that is kept lives on ``device``.

    The encoder of a model of the package is told by the model's name. It hears what ``analyze``
    would judge: the first stretch of speech.
    """
    plan = recipe.experiment.encoder
    if plan.checkpoint in embedded_models():
        layers = EmbeddedModel.load(plan.checkpoint).card["recipe"]["layers"] - 1
        network = _network(plan.checkpoint)
        found = of_each(_stretch, material.utterances, cache=cache, jobs=jobs, network=network)
        return StateSource(
            [[_by_layer(one, layers) for one in found]],
            speakers=[one.speaker for one in material.utterances],
            seconds=material.seconds,
            profiles=False,
        )
    if recipe.encoder.cached:
        heard = hear(recipe.experiment, material, cache=cache, jobs=jobs)
        assert isinstance(heard, StateSource)
        return heard
    sound = SoundSource([material.utterances], seconds=material.seconds, jobs=jobs)
    encoder = backbones.load(plan.checkpoint, layers=deepest(plan)).to(device)
    return LiveSource(sound, encoder, layers=plan.layers)


def checkpoint_digest(checkpoint: str) -> str:
    """SHA-256 of an encoder. Raises what ``backbones.find_checkpoint`` and others there raise."""
    if checkpoint in embedded_models():
        return hashlib.sha256(_network(checkpoint).read_bytes()).hexdigest()
    place = backbones.find_checkpoint(checkpoint)
    backbones.read_config(place)
    return backbones.digest(place)


def shape(source: StateSource | LiveSource) -> tuple[int, int]:
    """Number and width of the layers that are heard."""
    if isinstance(source, LiveSource):
        return len(source.layers), source.encoder.width
    depth, _, width = source.copies[0][0].shape
    return depth, width


def _network(model: str) -> Path:
    return embedded_folder(model) / "encoder.onnx"


def _stretch(utterance: Utterance, *, network: str) -> States:
    """Of what is speech in a recording the first; where there is none, all of it."""
    audio = sound(utterance)
    for _, speech in Listener().stretches([audio.waveform], source=audio.source):
        audio = speech
        break
    return backbone(network).embed(audio).frames


def _by_layer(states: States, layers: int) -> States:
    """(layers, frames, width) of layers that lie side by side."""
    return states.reshape(len(states), layers, -1).swapaxes(0, 1)
