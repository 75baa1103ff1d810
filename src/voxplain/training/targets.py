"""What utterances should sound like: the portrayed emotion, listeners' votes, the dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voxplain.models.judgement import DIMENSIONS, coordinates
from voxplain.training.corpora._reading import Utterance

__all__ = ["dimensions", "portrayed", "votes"]


def portrayed(utterances: Sequence[Utterance], labels: Sequence[str]) -> NDArray[np.int64]:
    """(n,) index of the label."""
    return np.array([labels.index(utterance.emotion) for utterance in utterances])


def votes(utterances: Sequence[Utterance], labels: Sequence[str]) -> NDArray[np.float64]:
    """(n, labels) shares of the votes, zero where nobody was asked."""
    counts = _of_ratings(utterances, labels, "votes")
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)


def dimensions(utterances: Sequence[Utterance]) -> NDArray[np.float64]:
    """(n, 3) valence, arousal and dominance in [0, 1], NaN where nothing tells.

    As they were rated, where they were. Else a proxy: the coordinates of Russell & Mehrabian
    (1977) of what listeners voted for, each as far from neutral as they found it strong, 1 for a
    strength that is usual; without such votes, those of the portrayed emotion.
    """
    named = coordinates()
    points = np.array([[point[name] for name in DIMENSIONS] for point in named.values()])
    labels = list(named)
    nothing = dict.fromkeys(DIMENSIONS, np.nan)
    found = np.array([[named.get(u.emotion, nothing)[d] for d in DIMENSIONS] for u in utterances])
    counts = _of_ratings(utterances, labels, "votes")
    strength = _of_ratings(utterances, labels, "intensity")
    voted = (counts * strength).any(1)
    if voted.any():
        counts, strength = counts[voted], strength[voted]
        emotional = counts * (np.array(labels) != "neutral")
        usual = (emotional * strength).sum() / emotional.sum() if emotional.any() else 1.0
        shares = counts / counts.sum(1, keepdims=True)
        found[voted] = np.clip(shares * strength / usual @ points, -1, 1)
    rated = np.array(
        [[(u.dimensions or nothing).get(d, np.nan) for d in DIMENSIONS] for u in utterances]
    )
    return np.where(np.isnan(rated), (found + 1) / 2, rated)


def _of_ratings(
    utterances: Sequence[Utterance], labels: Sequence[str], what: str
) -> NDArray[np.float64]:
    """(n, labels), zero where nobody chose the label."""
    found = [getattr(one.ratings, what) if one.ratings else {} for one in utterances]
    return np.array([[one.get(label, 0) for label in labels] for one in found], float)
