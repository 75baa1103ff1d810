"""Where a map points at: the published windows, and what they are held against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voxplain.explainers import Grid
from voxplain.types import Attribution, Segment

__all__ = [
    "frames_in",
    "on_cells",
    "outside",
    "overlap",
    "random_stretches",
    "top_windows",
    "within",
]


def on_cells(attribution: Attribution, grid: Grid) -> NDArray[np.float64]:
    """The scores (rows, frames) of an attribution in time, or in time and frequency."""
    frames = np.rint(np.diff(attribution.times) / grid.frame_shift).astype(int)
    return np.repeat(np.atleast_2d(attribution.scores), frames, axis=1)


def top_windows(
    scores: NDArray[np.floating], grid: Grid, *, width: int, most: int = 5
) -> tuple[Segment, ...]:
    """The published regions of a map (rows, frames): the windows with the highest sum.

    What lies below the mean of the map counts as 0. Windows do not overlap; the highest first.
    """
    kept = np.where(scores < scores.mean(), 0, scores)
    starts = np.arange(0, scores.shape[1], width)
    sums = np.add.reduceat(kept.sum(0), starts)
    best = starts[np.argsort(-sums, kind="stable")[:most]]
    return tuple(
        Segment(*grid.times([start, min(start + width, scores.shape[1])]).tolist())
        for start in best.tolist()
    )


def frames_in(times: NDArray[np.float64], regions: Sequence[Segment]) -> NDArray[np.bool_]:
    """(frames,) which of the times lie in one of the regions."""
    found = np.zeros(len(times), bool)
    for region in regions:
        found |= (times >= region.start) & (times < region.end)
    return found


def within(regions: Sequence[Segment], sound: Segment) -> tuple[Segment, ...]:
    """What of some regions lies in the sound."""
    cut = [Segment(max(r.start, sound.start), min(r.end, sound.end)) for r in regions]
    return tuple(region for region in cut if region.duration > 0)


def outside(regions: Sequence[Segment], sound: Segment) -> tuple[Segment, ...]:
    """The sound but for some regions, which do not overlap."""
    found, start = [], sound.start
    for region in sorted(regions, key=lambda region: region.start):
        found.append(Segment(start, region.start))
        start = region.end
    return within([*found, Segment(start, sound.end)], sound)


def overlap(regions: Sequence[Segment], others: Sequence[Segment]) -> float:
    """The share of some regions' time that others share; NaN without regions."""
    total = sum(region.duration for region in regions)
    shared = sum(part.duration for region in regions for part in within(others, region))
    return shared / total if total else float("nan")


def random_stretches(
    regions: Sequence[Segment], sound: Segment, generator: np.random.Generator
) -> tuple[Segment, ...]:
    """Stretches of the same lengths anywhere in the sound, without overlap."""
    lengths = generator.permutation([region.duration for region in regions])
    room = max(sound.duration - lengths.sum(), 0.0)
    gaps = np.sort(generator.uniform(0, room, len(lengths)))
    starts = sound.start + gaps + np.append(0, lengths.cumsum()[:-1])
    return tuple(
        Segment(start, start + length)
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
    )
