"""The models of a run, the clips that they are tested on, and what they hear of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from voxplain.models import decoder
from voxplain.models.description import Description
from voxplain.models.levels import Thresholds
from voxplain.models.vib_sed import TASKS, VibSed
from voxplain.training.corpora._reading import Utterance
from voxplain.training.experiment import account
from voxplain.training.experiment.material import Material, gather
from voxplain.training.experiment.said import Said, listen
from voxplain.training.experiment.sources import StateSource
from voxplain.training.vib_sed.recipe import VibSedRecipe
from voxplain.training.vib_sed.sources import LiveSource, hear_layers

__all__ = ["LATENTS", "Hear", "Heard", "Model", "Tested", "hear", "models", "tested"]

LATENTS = ("content", "descriptors")
"""In the order of ``TASKS``, which teach them; not disentangled, they are one and the same."""

Heard = StateSource | LiveSource
Hear = Callable[[Sequence[Utterance]], Heard]
"""Sounds -> their states."""

_BATCH = 16


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """The clips of the learned corpora that the first of a run's splits tests."""

    material: Material
    """Of these clips alone, without splits."""
    said: Sequence[Said]
    split: str

    @property
    def utterances(self) -> Sequence[Utterance]:
        """The clips."""
        return self.material.utterances


def tested(recipe: VibSedRecipe, *, roots: Mapping[str, Path], cache: Path, jobs: int) -> Tested:
    """What was said in the clips is taken from ``cache``. Raises what a training raises."""
    whole = gather(recipe.experiment, roots=roots)
    split = next(one for one in whole.splits if not recipe.only or one.name in recipe.only)
    rows = [
        row for row in split.test.tolist() if whole.utterances[row].corpus not in recipe.data.tested
    ]
    utterances = [whole.utterances[row] for row in rows]
    seconds = [whole.seconds[row] for row in rows]
    plan = recipe.tasks
    said = listen(
        utterances,
        transcripts=plan.transcripts,
        model=plan.transcriber_model,
        cache=cache,
        jobs=jobs,
    )
    material = replace(whole, utterances=utterances, seconds=seconds, splits=())
    return Tested(material, said, split.name)


def hear(
    recipe: VibSedRecipe, clips: Tested, sounds: Sequence[Utterance], *, cache: Path, jobs: int
) -> Heard:
    """The states of the clips, some of them, or what was made of them."""
    material = replace(clips.material, utterances=sounds, seconds=[0.0] * len(sounds))
    return hear_layers(recipe, material, device=torch.device("cpu"), cache=cache, jobs=jobs)


def models(run: Path, recipe: VibSedRecipe, split: str) -> Iterator[Model]:
    """Of each seed, one after the other."""
    for seed in recipe.train.seeds:
        yield Model(run / account.place(split, seed))


class Model:
    """A model folder, as a training leaves it."""

    def __init__(self, folder: Path) -> None:
        card: dict[str, Any] = json.loads((folder / "card.json").read_bytes())
        self.labels: tuple[str, ...] = tuple(card["labels"])
        self.slots: tuple[str, ...] = tuple(card["slots"])
        self.thresholds = Thresholds.load(folder / "labels.json")
        speaker = decoder.load(folder / "llm")
        self.network = VibSed(speaker.llm, speaker.tokenizer, **card["network"])
        own = load_file(folder / "network.safetensors")
        self.network.load_state_dict({**self.network.state_dict(), **own})
        self.network.eval()

    def latents(self, heard: Heard) -> dict[str, NDArray[np.float32]]:
        """Of each of ``LATENTS`` the mean of its mu over the frames of a clip (n, latent)."""
        found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in LATENTS}
        for rows in _batches(len(heard.lengths)):
            inputs = heard.inputs(rows, None)
            latents = self.network.latents(**inputs)
            frames = inputs["mask"].sum(1, keepdim=True)
            for name, task in zip(LATENTS, TASKS, strict=True):
                own = latents[self.network.heard[task][-1]]
                found[name].append((own.sum(1) / frames).numpy())
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def describe(self, heard: Heard, words: Sequence[Sequence[str]]) -> list[Description]:
        """How each clip sounds; ``words`` are those of its transcript."""
        found: list[Description] = []
        for rows in _batches(len(heard.lengths)):
            told = self.network.describe(
                **heard.inputs(rows, None),
                words=[words[row] for row in rows.tolist()],
                labels=self.labels,
                taught=self.slots,
            )
            found += [one.description for one in told]
        return found


def _batches(clips: int) -> list[NDArray[np.int64]]:
    return [np.arange(at, min(at + _BATCH, clips)) for at in range(0, clips, _BATCH)]
