"""What each recording should say, and how far a batch is from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voxplain.errors import ConfigError
from voxplain.models.heads import Heard
from voxplain.models.judgement import DIMENSIONS
from voxplain.models.msf import load_balance
from voxplain.training import targets
from voxplain.training.corpora._reading import Utterance
from voxplain.training.experiment.recipe import Tasks

__all__ = ["Goals", "concordance_loss", "gather_goals", "label_weights", "loss"]


class Goals(NamedTuple):
    """Rows of zeros, or NaN, where nobody knows."""

    categories: Tensor
    """(n, labels) shares that add to 1"""
    dimensions: Tensor
    """(n, 3) valence, arousal and dominance in [0, 1]"""

    def rows(self, rows: NDArray[np.int64] | Tensor) -> Goals:
        """Those of some recordings."""
        return Goals(self.categories[rows], self.dimensions[rows])

    def mixed(self, weight: float, other: Goals) -> Goals:
        """``weight`` of these and the rest of the others; NaN where one side is not known."""
        pairs = zip(self, other, strict=True)
        return Goals(*(weight * own + (1 - weight) * its for own, its in pairs))


def gather_goals(utterances: Sequence[Utterance], *, labels: Sequence[str], tasks: Tasks) -> Goals:
    """What the tasks ask for.

    Raises ConfigError for a rating that is no number in [0, 1], or a task without any rating.
    """
    n = len(utterances)
    categories = np.zeros((n, len(labels)))
    if tasks.categories:
        categories[np.arange(n), targets.portrayed(utterances, labels)] = 1.0
    if tasks.soft:
        shares = targets.votes(utterances, labels)
        voted = shares.sum(1) > 0
        if not voted.any():
            raise ConfigError(
                "targets.soft asks for listeners' votes, but no recording has any; give a --root "
                "that holds them beside the clips (CREMA-D: tabulatedVotes.csv)"
            )
        categories[voted] = shares[voted]
    dimensions = np.full((n, len(DIMENSIONS)), np.nan)
    if tasks.dimensions:
        for row, one in enumerate(utterances):
            for place, name in enumerate(DIMENSIONS):
                if one.dimensions and name in one.dimensions:
                    dimensions[row, place] = _rating(one, name)
        if np.isnan(dimensions).all():
            raise ConfigError(
                "targets.dimensions asks for ratings of valence, arousal and dominance, but no "
                "recording has any"
            )
    return Goals(torch.from_numpy(categories).float(), torch.from_numpy(dimensions).float())


def _rating(utterance: Utterance, name: str) -> float:
    value = (utterance.dimensions or {})[name]
    if math.isnan(value) or not 0 <= value <= 1:
        raise ConfigError(
            f"{utterance.path}: {name} is rated {value}; ratings are numbers in [0, 1], and one "
            "that is missing is left out"
        )
    return value


def label_weights(goals: Goals) -> Tensor:
    """(labels,) weights with which each label counts the same in the sum over the recordings.

    A label weighs as the mean share of all labels over its own share.
    """
    mass = goals.categories.sum(0)
    return mass.mean() / mass.clamp_min(1e-9) if len(mass) else mass


def loss(
    found: Heard, goals: Goals, *, tasks: Tasks, weights: Tensor, balance: float = 0.0
) -> Tensor:
    """The tasks' losses over a whole batch, weighted.

    ``weights`` (labels,) is what each label counts, ``balance`` what it costs to use some experts
    more than others. Categories: cross-entropy with the shares, averaged over what they weigh.
    """
    total = found.categories.sum() * 0 + found.dimensions.sum() * 0
    if tasks.categories:
        mass = goals.categories * weights
        entropy = -(mass * found.categories.log_softmax(-1)).sum() / mass.sum().clamp_min(1e-9)
        total = total + tasks.categories * entropy
    if tasks.dimensions:
        total = total + tasks.dimensions * concordance_loss(found.dimensions, goals.dimensions)
    if balance and found.routes.numel():
        total = total + balance * load_balance(found.routes)
    return total


def concordance_loss(found: Tensor, truth: Tensor) -> Tensor:
    """1 - CCC (Lin 1989), mean over the dimensions (n, 3) with two known values or more.

    CCC = 2 cov / (var + var + (difference of the means)^2), with moments of the population. Truth
    that is NaN doesn't count.
    """
    parts = []
    for values, true in zip(found.unbind(1), truth.unbind(1), strict=True):
        known = ~true.isnan()
        if known.sum() < 2:
            continue
        x, y = values[known], true[known]
        shared = ((x - x.mean()) * (y - y.mean())).mean()
        spread = x.var(correction=0) + y.var(correction=0) + (x.mean() - y.mean()) ** 2
        parts.append(1 - 2 * shared / spread.clamp_min(1e-9))
    return torch.stack(parts).mean() if parts else found.sum() * 0
