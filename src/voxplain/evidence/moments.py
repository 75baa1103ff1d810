"""From an attribution over time to the stretches that speak for a label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voxplain.types import Attribution, Segment

__all__ = ["LONGEST_SHARE", "most_salient", "salient_regions"]

LONGEST_SHARE = 0.3
"""Of the time that may be called salient; more would single nothing out."""

_MASS = 0.8  # of all that speaks for the label: enough of it to stop
_SHORTEST = 0.2  # seconds: about a syllable, and enough frames for a mean
_GAP = 0.1  # seconds between regions that are one


def salient_regions(attribution: Attribution, *, most: int = 5) -> tuple[Segment, ...]:
    """Where an attribution over time speaks for its label, in order of time.

    Cells are taken from the highest score down until they hold 80 % of what speaks for the label,
    or fill 30 % of the time. Cells side by side, or 0.1 s apart, are one region; one below 0.2 s
    grows towards its better neighbour. Of more than ``most`` regions the strongest stay. Nothing
    is salient where nothing speaks for the label.
    """
    edges, scores = attribution.times, attribution.scores
    lengths = np.diff(edges)
    chosen = np.zeros(len(scores), bool)
    positive = np.maximum(scores, 0)
    for cell in np.argsort(-scores):
        told, filled = positive[chosen].sum(), lengths[chosen].sum()
        full = filled + lengths[cell] > LONGEST_SHARE * lengths.sum()
        if positive[cell] == 0 or told >= _MASS * positive.sum() or (full and chosen.any()):
            break
        chosen[cell] = True
    regions = _joined([_grown(run, scores, edges) for run in _runs(chosen)], edges)
    regions.sort(key=lambda run: -(positive * lengths)[run].sum())
    times = edges.tolist()
    return tuple(Segment(times[r.start], times[r.stop]) for r in sorted(regions[:most], key=_first))


def most_salient(
    scores: NDArray[np.float64], windows: Sequence[slice], *, share: float
) -> NDArray[np.bool_]:
    """(frames,) the windows with the highest mean score that together fill a share of the time.

    ``scores`` (frames,); the last window is taken in part.
    """
    order = sorted(windows, key=lambda window: -scores[window].mean())
    return taken(order, len(scores), share=share)


def taken(windows: Sequence[slice], frames: int, *, share: float) -> NDArray[np.bool_]:
    """(frames,) the first windows that together fill a share of the time."""
    found = np.zeros(frames, bool)
    for window in windows:
        missing = round(share * frames) - int(found.sum())
        found[window.start : min(window.stop, window.start + missing)] = True
    return found


def _runs(chosen: NDArray[np.bool_]) -> list[slice]:
    borders = np.flatnonzero(np.diff(np.pad(chosen.astype(np.int8), 1)))
    return [slice(int(a), int(b)) for a, b in zip(borders[::2], borders[1::2], strict=True)]


def _grown(run: slice, scores: NDArray[np.float64], edges: NDArray[np.float64]) -> slice:
    start, stop = run.start, run.stop
    while edges[stop] - edges[start] < _SHORTEST - 1e-9 and stop - start < len(scores):
        left = scores[start - 1] if start > 0 else -np.inf
        right = scores[stop] if stop < len(scores) else -np.inf
        start, stop = (start - 1, stop) if left > right else (start, stop + 1)
    return slice(start, stop)


def _joined(runs: list[slice], edges: NDArray[np.float64]) -> list[slice]:
    found: list[slice] = []
    for run in runs:
        if found and edges[run.start] - edges[found[-1].stop] < _GAP + 1e-9:
            found[-1] = slice(found[-1].start, max(found[-1].stop, run.stop))
        else:
            found.append(run)
    return found


def _first(run: slice) -> int:
    start: int = run.start
    return start
