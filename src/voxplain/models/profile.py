"""Speaker profile: how the encoder's states of one speaker usually lie, from unlabelled speech."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxplain.types import Embedding

__all__ = ["HALF_TRUSTED", "Profile"]

HALF_TRUSTED = 5.0
"""Seconds of speech after which a speaker's own moments count as much as those of all speakers."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Sums (width,) of a speaker's states and of their squares, and for how long they were heard.

    Profiles of the same speaker add up; what is subtracted again is as if it had not been heard.
    """

    seconds: float
    frames: int
    total: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(cls, embedding: Embedding) -> Profile:
        """What one stretch of speech tells."""
        frames = embedding.frames.astype(np.float64)
        return cls(embedding.duration, len(frames), frames.sum(0), np.square(frames).sum(0))

    @classmethod
    def empty(cls, width: int) -> Profile:
        """Nothing known."""
        return cls(0.0, 0, np.zeros(width), np.zeros(width))

    def __add__(self, other: Profile) -> Profile:
        return Profile(
            self.seconds + other.seconds,
            self.frames + other.frames,
            self.total + other.total,
            self.squares + other.squares,
        )

    def __sub__(self, other: Profile) -> Profile:
        if self.frames == other.frames:
            return Profile.empty(len(self.total))  # no trace of rounding
        return Profile(
            self.seconds - other.seconds,
            self.frames - other.frames,
            self.total - other.total,
            self.squares - other.squares,
        )

    @property
    def mean(self) -> NDArray[np.float64]:
        """(width,) zero where nothing is known."""
        return self.total / max(self.frames, 1)

    @property
    def square(self) -> NDArray[np.float64]:
        """(width,) mean of the squares."""
        return self.squares / max(self.frames, 1)

    @property
    def trust(self) -> float:
        """In [0, 1): how far it replaces what is usual among all speakers."""
        return self.seconds / (self.seconds + HALF_TRUSTED)
