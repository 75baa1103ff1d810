"""Shapley values: what each feature adds, on average over the orders in which they may come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ConfigError, UnknownName
from voxplain.explainers import Card, Forward
from voxplain.types import Attribution

__all__ = ["CARD", "EXACT", "attribute"]

CARD = Card(
    contract="forward",
    axes=("descriptor", "word"),
    reference="Shapley 1953, A value for n-person games; sampled as in Mitchell et al. 2022, "
    "Sampling permutations for Shapley value estimation, JMLR 23",
)

_Value = Callable[[NDArray[np.bool_]], NDArray[np.float64]]
"""Subsets (..., features) -> what they are worth (...)."""

EXACT = 10
"""Up to so many features every subset is asked for, at most 2 ** 10 = 1,024."""


def attribute(
    forward: Forward,
    inputs: NDArray[Any],
    *,
    output: int,
    baseline: NDArray[Any],
    names: Sequence[str],
    label: str = "",
    axis: str = "descriptor",
    permutations: int = 32,
    seed: int = 0,
    batch: int = 256,
) -> Attribution:
    """Share the output's difference from that of the ``baseline`` among the features (features,).

    A feature that is out has the value of the baseline. For a game, give ``inputs`` all True and a
    ``baseline`` all False: ``forward`` then gets who plays, (batch, features). No input is asked
    for twice. Beyond EXACT features the scores are means over random orders, each of them also
    walked backwards: their sum is exact, their error falls with the root of ``permutations``.

    Raises ConfigError where inputs, baseline and names don't match, UnknownName for an axis.
    """
    if axis not in CARD.axes:
        raise UnknownName("axis of shapley", axis, CARD.axes)
    if not (names and inputs.shape == baseline.shape == (len(names),)):
        raise ConfigError(
            f"inputs {inputs.shape}, baseline {baseline.shape} and {len(names)} names: "
            "each feature needs one of each, and there must be one"
        )

    def value(present: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Outputs of subsets (..., features)."""
        asked, place = np.unique(
            np.where(present, inputs, baseline).reshape(-1, len(names)), axis=0, return_inverse=True
        )
        found = np.concatenate(
            [forward(asked[i : i + batch])[:, output] for i in range(0, len(asked), batch)]
        )
        return found.astype(np.float64)[place].reshape(present.shape[:-1])

    if len(names) <= EXACT:
        scores, whole = _exact(value, len(names))
    else:
        scores, whole = _sampled(value, len(names), permutations, np.random.default_rng(seed))
    return Attribution(
        method="shapley",
        output=label or str(output),
        axis=axis,
        scores=scores,
        baseline="given",
        names=tuple(names),
        completeness_gap=float(scores.sum() - whole),
    )


def _exact(value: _Value, features: int) -> tuple[NDArray[np.float64], float]:
    """Shapley's formula, gathered by subset; the second is what all features add together."""
    present = np.arange(2**features)[:, None] >> np.arange(features) & 1 == 1
    values, size = value(present), present.sum(1, keepdims=True)
    before = [factorial(n) * factorial(features - n - 1) for n in range(features)]
    # How often n others come first; the last zero is for a subset that nothing can join or leave.
    weight = np.array([*before, 0]) / factorial(features)
    scores = values @ np.where(present, weight[size - 1], -weight[size])
    return scores, values[-1] - values[0]


def _sampled(
    value: _Value, features: int, permutations: int, random: np.random.Generator
) -> tuple[NDArray[np.float64], float]:
    """Mean gains along random orders, each of them there and back."""
    there = random.permuted(np.tile(np.arange(features), (permutations, 1)), axis=1)
    place = np.concatenate([there, features - 1 - there])  # (orders, features)
    values = value(place[:, None] < np.arange(features + 1)[:, None])
    gains = np.take_along_axis(np.diff(values), place, axis=1)
    return gains.mean(0), values[0, -1] - values[0, 0]
