"""Occlusion: what the output loses when a part of the input is taken away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ConfigError, TooShort, UnknownName
from voxplain.explainers import Card, Forward, Grid
from voxplain.explainers._fills import filled
from voxplain.types import Attribution

__all__ = ["CARD", "attribute"]

CARD = Card(
    contract="forward",
    axes=("time", "frequency", "time_frequency"),
    reference="Zeiler & Fergus 2014, Visualizing and understanding convolutional networks, ECCV",
)


def attribute(
    forward: Forward,
    inputs: NDArray[np.float32],
    *,
    output: int,
    label: str = "",
    axis: str = "time",
    baseline: str = "mean",
    window: tuple[int, int] = (10, 20),
    hop: tuple[int, int] = (10, 10),
    grid: Grid = Grid(),  # noqa: B008 (frozen)
    batch: int = 16,
) -> Attribution:
    """Slide a window over a spectrogram (bands, frames) and see what the output loses without it.

    ``window`` and ``hop`` are in bands and frames; along an axis that is not asked for the window
    goes over everything. Each cell scores the mean loss over the windows that cover it, as in
    captum's Occlusion; the last window may be cut short. ``baseline`` is what stands in: silence,
    mean, local_mean or noise.

    Raises TooShort for an input shorter than a window, ConfigError for a hop that would leave gaps
    between windows, UnknownName for an axis or a baseline.
    """
    if axis not in CARD.axes:
        raise UnknownName("axis of occlusion", axis, CARD.axes)
    bands, frames = inputs.shape
    rows = _windows(bands, window[0], hop[0], "bands") if axis != "time" else [slice(0, bands)]
    columns = (
        _windows(frames, window[1], hop[1], "frames") if axis != "frequency" else [slice(0, frames)]
    )
    places = [(row, column) for row in rows for column in columns]
    (whole,) = forward(inputs[None])[:, output]
    lost, covered = np.zeros(inputs.shape), np.zeros(inputs.shape)
    for first in range(0, len(places), batch):
        some = places[first : first + batch]
        left = forward(np.stack([_without(inputs, place, baseline) for place in some]))
        for place, value in zip(some, left[:, output], strict=True):
            lost[place] += whole - value
            covered[place] += 1
    row_edges, column_edges = _edges(rows), _edges(columns)
    # Between two edges, at which windows begin or end, all cells score the same.
    scores = (lost / covered)[np.ix_(row_edges[:-1], column_edges[:-1])]
    return Attribution(
        method="occlusion",
        output=label or str(output),
        axis=axis,
        scores=scores if axis == "time_frequency" else scores.ravel(),
        baseline=baseline,
        times=grid.times(column_edges) if axis != "frequency" else np.empty(0),
        hz=grid.frequencies(row_edges) if axis != "time" else np.empty(0),
    )


def _windows(length: int, window: int, hop: int, unit: str) -> list[slice]:
    if length < window:
        raise TooShort(f"{length} {unit} are less than a window of {window}; take a smaller window")
    if not 0 < hop <= window:
        raise ConfigError(f"a hop of {hop} {unit} must be 1 to {window}, the length of a window")
    starts = range(0, length - window + hop, hop)
    return [slice(start, min(start + window, length)) for start in starts]


def _edges(windows: list[slice]) -> NDArray[np.int64]:
    found: NDArray[np.int64] = np.unique(
        [edge for one in windows for edge in (one.start, one.stop)]
    )
    return found


def _without(
    inputs: NDArray[np.float32], place: tuple[slice, slice], baseline: str
) -> NDArray[np.float32]:
    removed = np.zeros(inputs.shape, bool)
    removed[place] = True
    return filled(inputs, removed, baseline=baseline)
