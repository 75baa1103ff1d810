"""Whether what an attribution points at is what the model goes by: take it away and see."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voxplain.evidence.moments import most_salient, taken
from voxplain.explainers import Forward
from voxplain.explainers._fills import filled
from voxplain.types import Attribution, Removal

__all__ = ["curves", "on_frames", "rank_correlation", "removal", "without"]

_WINDOW = 12  # frames
_FIRST = 5  # frames: a grid unlike that of any explainer


def on_frames(attribution: Attribution, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scores of an attribution over time at each of the times (n,) in seconds.

    One over time and frequency is summed over the frequencies.
    """
    scores = attribution.scores if attribution.axis == "time" else attribution.scores.sum(0)
    cells = np.searchsorted(attribution.times, times, side="right") - 1
    found: NDArray[np.float64] = scores[np.clip(cells, 0, len(scores) - 1)]
    return found


def removal(
    forward: Forward,
    inputs: NDArray[np.float32],
    scores: NDArray[np.float64],
    *,
    output: int,
    fill: str,
    share: float = 0.2,
    draws: int = 10,
    seed: int = 0,
) -> Removal:
    """What is left of the output without a share of a log-mel spectrogram (bands, frames).

    ``forward`` gives log-odds, ``scores`` (frames,) are the attribution. What goes are windows of
    0.12 s: the most salient, the loudest, or random ones, ``draws`` times.

    Raises UnknownName for a fill that does not exist.
    """
    windows = _windows(inputs.shape[1])
    # The loudness of the spectrogram's own power: it is (log10(power) + 4) / 4.
    power = (10 ** (4 * inputs.astype(np.float64))).sum(0)
    random = np.random.default_rng(seed)
    removed = [
        most_salient(scores, windows, share=share),
        most_salient(power, windows, share=share),
        *(_drawn(windows, inputs.shape[1], share, random) for _ in range(draws)),
    ]
    left = [filled(inputs, mask, baseline=fill) for mask in removed]
    before, salient, loudest, *drawn = _probability(forward, [inputs, *left], output)
    low, high = np.percentile(drawn, [5, 95])
    return Removal(
        fill=fill,
        share=share,
        before=float(before),
        salient=float(salient),
        loudest=float(loudest),
        random=float(np.mean(drawn)),
        random_low=float(low),
        random_high=float(high),
        beaten=float(np.mean(np.array(drawn) > salient)),
    )


def without(
    forward: Forward,
    inputs: NDArray[np.float32],
    scores: NDArray[np.float64],
    *,
    output: int,
    fill: str,
    share: float = 0.2,
) -> float:
    """The probability that ``removal`` calls salient, alone."""
    mask = most_salient(scores, _windows(inputs.shape[1]), share=share)
    (found,) = _probability(forward, [filled(inputs, mask, baseline=fill)], output)
    return float(found)


def curves(
    forward: Forward,
    inputs: NDArray[np.float32],
    scores: NDArray[np.float64],
    *,
    output: int,
    fill: str,
    points: int = 9,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Shares, deletion and insertion, (points,) each (Petsiuk, Das & Saenko 2018).

    The probability of the output without the most salient share of the time, and with nothing but
    it. Raises UnknownName for a fill that does not exist.
    """
    windows, shares = _windows(inputs.shape[1]), np.linspace(0, 1, points)
    salient = [most_salient(scores, windows, share=share) for share in shares]
    deleted = [filled(inputs, mask, baseline=fill) for mask in salient]
    inserted = [filled(inputs, ~mask, baseline=fill) for mask in salient]
    found = _probability(forward, [*deleted, *inserted], output)
    return shares, found[:points], found[points:]


def rank_correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Spearman's, of two attributions (n,); 0 where one of them says nothing."""
    ranks = np.stack([_ranks(one), _ranks(other)])
    if (ranks.std(1) == 0).any():
        return 0.0
    return float(np.asarray(np.corrcoef(ranks))[0, 1])


def _windows(frames: int) -> list[slice]:
    edges = [0, *range(_FIRST, frames, _WINDOW), frames]
    return [slice(a, b) for a, b in itertools.pairwise(edges) if b > a]


def _drawn(
    windows: Sequence[slice], frames: int, share: float, random: np.random.Generator
) -> NDArray[np.bool_]:
    return taken([windows[i] for i in random.permutation(len(windows))], frames, share=share)


def _probability(
    forward: Forward, inputs: Sequence[NDArray[np.float32]], output: int
) -> NDArray[np.float64]:
    log_odds: NDArray[np.floating] = forward(np.stack(inputs))[:, output]
    found: NDArray[np.float64] = 1 / (1 + np.exp(-log_odds.astype(np.float64)))
    return found


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks, those of equal values their mean."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    middles: NDArray[np.float64] = np.subtract(np.cumsum(counts), (counts - 1) / 2)
    return middles[where]
