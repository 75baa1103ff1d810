"""The models of a run, the clips that they are tested on, and what they hear of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from voxplain.training.corpora._reading import Utterance
from voxplain.training.experiment import account
from voxplain.training.experiment.material import Material, gather
from voxplain.training.experiment.said import Said, listen
from voxplain.training.vib_sed.recipe import VibSedRecipe
from voxplain.training.vib_sed.sources import hear_layers
from voxplain.training.vib_sed.trained import Heard, Trained

__all__ = ["Hear", "Tested", "hear", "models", "tested"]

Hear = Callable[[Sequence[Utterance]], Heard]
"""Sounds -> their states."""


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


def models(run: Path, recipe: VibSedRecipe, split: str) -> Iterator[Trained]:
    """Of each seed, one after the other."""
    for seed in recipe.train.seeds:
        yield Trained(run / account.place(split, seed))
