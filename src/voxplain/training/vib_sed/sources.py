"""What the network hears of recordings: states that are kept, or found out anew in every step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from voxplain import backbones
from voxplain.backbones._encoder import SpeechEncoder
from voxplain.training.experiment.encoders import deepest
from voxplain.training.experiment.material import Material
from voxplain.training.experiment.sources import SoundSource, StateSource, hear
from voxplain.training.vib_sed.recipe import VibSedRecipe

__all__ = ["LiveSource", "hear_layers", "shape"]

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
    """The states of all recordings, frame by frame; an encoder that is kept lives on ``device``."""
    plan = recipe.experiment.encoder
    if recipe.encoder.cached:
        heard = hear(recipe.experiment, material, cache=cache, jobs=jobs)
        assert isinstance(heard, StateSource)
        return heard
    sound = SoundSource([material.utterances], seconds=material.seconds, jobs=jobs)
    encoder = backbones.load(plan.checkpoint, layers=deepest(plan)).to(device)
    return LiveSource(sound, encoder, layers=plan.layers)


def shape(source: StateSource | LiveSource) -> tuple[int, int]:
    """Number and width of the layers that are heard."""
    if isinstance(source, LiveSource):
        return len(source.layers), source.encoder.width
    depth, _, width = source.copies[0][0].shape
    return depth, width
