"""What stands in for the part of a spectrogram that is taken away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import UnknownName

__all__ = ["FILLS", "filled"]

FILLS = ("local_mean", "mean", "noise", "silence")

_NEAR = 25
"""Frames to either side, or bands, over which the local mean goes."""


def filled(
    inputs: NDArray[np.float32], removed: NDArray[np.bool_], *, baseline: str
) -> NDArray[np.float32]:
    """The spectrogram (bands, frames) without the cells ``removed``, (frames,) or of its shape.

    In their place stands ``silence`` (the lowest value there is), the ``mean`` of the band,
    ``noise`` (normal, with mean and deviation of the band; always the same draws) or the
    ``local_mean``: of what is left of the band nearby, else of what is left of the frame.

    Raises UnknownName.
    """
    if baseline not in FILLS:
        raise UnknownName("baseline", baseline, FILLS)
    where = np.broadcast_to(removed, inputs.shape)
    if baseline == "silence":
        return np.where(where, inputs.min(), inputs)
    if baseline == "mean":
        return np.where(where, inputs.mean(1, keepdims=True), inputs)
    if baseline == "noise":
        draws = np.random.default_rng(0).standard_normal(inputs.shape, np.float32)
        noise = inputs.mean(1, keepdims=True) + inputs.std(1, keepdims=True) * draws
        return np.where(where, noise, inputs)
    near = _mean_of_kept(inputs, where)
    near = np.where(np.isnan(near), _mean_of_kept(inputs.T, where.T).T, near)
    near = np.where(np.isnan(near), inputs.mean(1, keepdims=True), near)
    return np.where(where, near, inputs).astype(np.float32)


def _mean_of_kept(inputs: NDArray[np.float32], removed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Moving average along each row over what is kept; NaN where nothing is kept nearby."""
    columns = np.arange(inputs.shape[1])
    left, right = np.maximum(columns - _NEAR, 0), np.minimum(columns + _NEAR + 1, len(columns))

    def within(values: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
        found: NDArray[np.float64] = sums[:, right] - sums[:, left]
        return found

    kept = (~removed).astype(np.float64)
    counts = within(kept)
    means: NDArray[np.float64] = np.full(inputs.shape, np.nan)
    return np.divide(within(kept * inputs), counts, out=means, where=counts > 0.5)
