"""What is to be told of the accounts, and who learns from whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from voxplain.training.studies.roles.accounts import Account
from voxplain.training.studies.roles.dissociation import CATEGORIES, RATINGS, Told
from voxplain.training.studies.roles.learners import (
    Features,
    Folds,
    clip_numbers,
    crossed,
    held_out,
    known,
    unseen,
)

__all__ = ["CROSSED", "KNOWN", "PLANNED", "UNSEEN", "Splits", "Subject", "Views"]

KNOWN, UNSEEN = "known clips", "held-out clips"
CROSSED = "held-out clips, crossed"
PLANNED = (KNOWN, UNSEEN)
_SEEDS = (0, 1, 2)

Views = Mapping[str, Features]
Splits = Mapping[str, Mapping[str, Told]]
"""Split -> view -> what it tells."""


class Subject:
    """The emotions, ratings, speakers and clips of n accounts."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        tasks = (*CATEGORIES, *RATINGS)
        self.truth = {task: np.array([getattr(one, task) for one in accounts]) for task in tasks}
        self.speakers = np.array([one.speaker for one in accounts])
        self.registers = np.array([one.register for one in accounts])
        stimuli = [one.stimulus for one in accounts]
        self._clips = clip_numbers(stimuli, self.truth["intended"].tolist())

    def folds(self, seed: int, of: Sequence[str] = PLANNED) -> dict[str, Folds]:
        """Of some splits, as far as the accounts allow them."""
        found = {
            KNOWN: known(self.speakers, seed=seed),
            UNSEEN: unseen(self.speakers, self._clips),
            CROSSED: crossed(self.speakers, self._clips, seed=seed),
        }
        return {split: folds for split, folds in found.items() if folds and split in of}

    def told(self, made: Callable[[int], Views], *, of: Sequence[str] = PLANNED) -> Splits:
        """What the views tell of some splits; they are made anew for each of three seeds."""
        found: dict[str, dict[str, list[Told]]] = defaultdict(lambda: defaultdict(list))
        for seed in _SEEDS:
            seen = made(seed)
            for split, folds in self.folds(seed, of).items():
                for view, features in seen.items():
                    found[split][view].append(held_out(features, self.truth, folds))
        return {
            split: {
                view: {task: np.array([run[task] for run in runs]) for task in self.truth}
                for view, runs in by_view.items()
            }
            for split, by_view in found.items()
        }
