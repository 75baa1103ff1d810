"""How far two segmentations of the same text agree, by words and by boundaries."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voxplain.text.roles.clauses import words
from voxplain.text.roles.embedded import KINDS
from voxplain.types import Role

__all__ = ["KINDS", "boundary_f1", "compared", "kappa", "kinds", "macro_f1"]

Counts = NDArray[np.float64]


def kinds(text: str, roles: Sequence[Role]) -> list[str]:
    """Of each word the kind of the role that it begins in.

    >>> kinds("He fell. Oh!", [Role("descriptive", 0, 9, 1.0), Role("expressive", 9, 12, 1.0)])
    ['descriptive', 'descriptive', 'expressive']
    """
    ends = [role.end for role in roles]
    return [roles[bisect(ends, start)].kind for start, _ in words(text)]


def compared(truth: Sequence[str], found: Sequence[str], *, tolerance: int = 1) -> Counts:
    """(7,) counts of one text, from the kind of each of its words; counts of texts add up.

    The words that are descriptive in both, expressive in ``found`` alone, in ``truth`` alone, in
    both; then the boundaries that match, those of ``truth`` and those of ``found``. Boundaries
    match one to one, in their order, where they lie no more than ``tolerance`` words apart.
    """
    pairs = Counter(zip(truth, found, strict=True))
    shared = [pairs[one, other] for one in KINDS for other in KINDS]
    true, seen = _boundaries(truth), _boundaries(found)
    matched = row = 0
    for place in true:
        while row < len(seen) and seen[row] < place - tolerance:
            row += 1
        if row < len(seen) and seen[row] <= place + tolerance:
            matched, row = matched + 1, row + 1
    return np.array([*shared, matched, len(true), len(seen)], np.float64)


def kappa(counts: Counts) -> NDArray[np.float64]:
    """(...,) Cohen's kappa (1960) of words, from sums of counts (..., 7).

    >>> round(float(kappa(np.array([20.0, 5, 10, 15, 0, 0, 0]))), 3)
    0.4
    """
    both = _shares(counts)
    chance = (both.sum(-1) * both.sum(-2)).sum(-1)
    agreed = np.trace(both, axis1=-2, axis2=-1)
    return _ratio(agreed - chance, 1 - chance)


def macro_f1(counts: Counts) -> NDArray[np.float64]:
    """(...,) mean F1 of the two kinds of words, from sums of counts (..., 7).

    >>> round(float(macro_f1(np.array([20.0, 5, 10, 15, 0, 0, 0]))), 3)
    0.697
    """
    both = _shares(counts)
    hits = np.diagonal(both, axis1=-2, axis2=-1)
    return _ratio(2 * hits, both.sum(-1) + both.sum(-2)).mean(-1)


def boundary_f1(counts: Counts) -> NDArray[np.float64]:
    """(...,) F1 of boundaries, from sums of counts (..., 7); NaN where there are none.

    >>> round(float(boundary_f1(np.array([0.0, 0, 0, 0, 3, 5, 4]))), 3)
    0.667
    """
    return _ratio(2 * counts[..., 4], counts[..., 5] + counts[..., 6])


def _boundaries(found: Sequence[str]) -> list[int]:
    """Words that are of another kind than the one before."""
    return [row for row in range(1, len(found)) if found[row] != found[row - 1]]


def _shares(counts: Counts) -> NDArray[np.float64]:
    """(..., 2, 2) of all words, by truth and found."""
    both = counts[..., :4]
    return (both / both.sum(-1, keepdims=True)).reshape(*both.shape[:-1], 2, 2)


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)
