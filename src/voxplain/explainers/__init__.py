"""Explainers: how much each part of an input speaks for an output. One method per file.

Two contracts. ``attribute(forward, inputs, *, output, ...)`` asks nothing but a function from a
batch of inputs to a batch of outputs, and needs no torch; ``attribute_module(module, inputs, *,
output, ...)`` looks into a torch module. Both give an ``Attribution``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Card", "Forward", "Grid"]

Forward = Callable[[NDArray[np.float32]], NDArray[np.floating]]
"""Inputs (batch, ...) -> outputs (batch, outputs)."""


@dataclass(frozen=True, slots=True)
class Card:
    """A method in brief."""

    contract: str
    """forward, or module for what needs torch and the extra [train]"""
    axes: tuple[str, ...]
    """What it can attribute to: time, frequency, time_frequency, descriptor, word."""
    reference: str
    """The paper it comes from."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the rows and columns of a spectrogram lie in the recording.

    By default times are counted in frames and frequencies in bands.
    """

    start: float = 0.0
    """Seconds at which the first frame begins."""
    frame_shift: float = 1.0
    """Seconds."""
    hz: tuple[float, ...] = ()
    """Edges of the bands, one more than there are bands."""

    def times(self, frames: ArrayLike) -> NDArray[np.float64]:
        """Seconds of edges that are counted in frames."""
        found: NDArray[np.float64] = self.start + np.asarray(frames) * self.frame_shift
        return found

    def frequencies(self, bands: ArrayLike) -> NDArray[np.float64]:
        """Hz of edges that are counted in bands."""
        edges = np.asarray(bands)
        return np.array(self.hz)[edges] if self.hz else edges.astype(np.float64)
