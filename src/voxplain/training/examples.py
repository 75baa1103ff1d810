"""What there is to learn from: the states of utterances, what they should say, who speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voxplain.backbones.embedded import STATE_SHIFT
from voxplain.models.profile import Profile
from voxplain.training import targets
from voxplain.training.corpora._reading import Utterance
from voxplain.training.hearing import States
from voxplain.training.sounds import SOUNDS

__all__ = ["Examples", "Moments", "Targets", "gather"]

NOBODY = ""
"""The speaker of what no single voice says."""


class Targets(NamedTuple):
    """What each example should say; a row of zeros or NaN where nobody knows."""

    categories: Tensor
    """(n, labels) one-hot"""
    perceived: Tensor
    """(n, votes) shares of the votes"""
    dimensions: Tensor
    """(n, 3) in [0, 1]"""
    sound: Tensor
    """(n, sounds) one-hot"""

    def rows(self, rows: Sequence[int] | NDArray[np.int64]) -> Targets:
        """Those of some examples."""
        return Targets(*(target[rows] for target in self))

    def mixed(self, weight: float, other: Targets) -> Targets:
        """``weight`` of these and the rest of the others; what one side alone knows, counts."""
        parts = [weight * own + (1 - weight) * its for own, its in zip(self, other, strict=True)]
        mass = weight * ~self.dimensions.isnan()
        theirs = (1 - weight) * ~other.dimensions.isnan()
        total = mass * self.dimensions.nan_to_num() + theirs * other.dimensions.nan_to_num()
        return Targets(*parts)._replace(dimensions=total / (mass + theirs))


class Moments:
    """Sums of the states of every example, from which profiles are pooled."""

    def __init__(self, copies: Sequence[Sequence[States]]) -> None:
        self._frames = np.array([[len(states) for states in copy] for copy in copies])
        totals = [[s.sum(0, dtype=np.float32) for s in copy] for copy in copies]
        squares = [[np.square(s, dtype=np.float32).sum(0) for s in copy] for copy in copies]
        self._totals, self._squares = np.array(totals), np.array(squares)

    def of(
        self, rows: Sequence[int] | NDArray[np.int64], copies: Sequence[int] | int = 0
    ) -> Profile:
        """What some examples, of some copies, tell together."""
        frames = int(self._frames[copies, rows].sum())
        return Profile(
            frames * STATE_SHIFT,
            frames,
            self._totals[copies, rows].sum(0, dtype=np.float64),
            self._squares[copies, rows].sum(0, dtype=np.float64),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Utterances, and sounds that are none."""

    copies: Sequence[Sequence[States]]
    """Of each its states (frames, width): as recorded, then gone through conditions."""
    targets: Targets
    speakers: NDArray[np.str_]
    neutral: NDArray[np.bool_]
    folds: NDArray[np.int64]

    def without(self, fold: int) -> Examples:
        """All but those of a fold."""
        rows = np.flatnonzero(self.folds != fold)
        copies = [[copy[row] for row in rows.tolist()] for copy in self.copies]
        return Examples(
            copies,
            self.targets.rows(rows),
            self.speakers[rows],
            self.neutral[rows],
            self.folds[rows],
        )


def gather(
    utterances: Sequence[Utterance],
    copies: Sequence[Sequence[States | None]],
    sounds: Sequence[tuple[str, int, States]],
    *,
    labels: Sequence[str],
    votes: Sequence[str],
    folds: Mapping[str, int],
) -> Examples:
    """The utterances with speech in them, then the sounds (kind, fold, states).

    Where a condition leaves no speech, the recording stands in for its copy.
    """
    plain = {row: states for row, states in enumerate(copies[0]) if states is not None}
    spoken = [utterances[row] for row in plain]
    kept = [
        [states if (found := copy[row]) is None else found for row, states in plain.items()]
        for copy in copies
    ]
    n, m = len(spoken), len(sounds)
    sound = np.eye(len(SOUNDS))[[0] * n + [SOUNDS.index(kind) for kind, _, _ in sounds]]
    known = (
        np.eye(len(labels))[targets.portrayed(spoken, labels)],
        targets.votes(spoken, votes),
        targets.dimensions(spoken),
    )
    padded = [
        np.pad(target, ((0, m), (0, 0)), constant_values=nothing)
        for target, nothing in zip(known, (0, 0, np.nan), strict=True)
    ]
    return Examples(
        copies=[[*copy, *(states for _, _, states in sounds)] for copy in kept],
        targets=Targets(*(torch.from_numpy(t).float() for t in (*padded, sound))),
        speakers=np.array([one.speaker for one in spoken] + [NOBODY] * m),
        neutral=np.array([one.emotion == "neutral" for one in spoken] + [False] * m),
        folds=np.array([folds[one.speaker] for one in spoken] + [fold for _, fold, _ in sounds]),
    )
