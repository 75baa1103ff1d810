"""What counted: the weights of the gate over the texts, and of the routers over the experts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.models.msf import BRANCHES
from voxplain.training.predictions import Predictions
from voxplain.training.statistics import Interval, speaker_interval
from voxplain.training.studies.grid.figures import Seeds
from voxplain.training.studies.tables import Table

__all__ = ["experts", "gates"]


def gates(rows: Mapping[str, Seeds]) -> Table:
    """Mean weight of each text, over clips and seeds, in the rows whose gate has a choice."""
    told = {
        row: {
            branch: _interval(_mean_weight, _over(seeds, [f"gate_{branch}"]), seeds)
            for branch in BRANCHES
            if f"gate_{branch}" in seeds[0].columns
        }
        for row, seeds in rows.items()
    }
    return {row: columns for row, columns in told.items() if len(columns) > 1}


def experts(rows: Mapping[str, Seeds]) -> Table:
    """Of each output, how many experts are at work: exp of the entropy of their mean weights.

    1: one does it all; as many as there are: all count alike. Beside it their shares, the larger
    first: experts of different models have nothing in common but their rank in this order.
    """
    told: dict[str, dict[str, Any]] = {}
    for row, seeds in rows.items():
        for output, names in _routes(seeds[0]).items():
            weights = _over(seeds, names, ranked=True)
            columns = told.setdefault(row, {})
            columns[output] = _interval(_at_work, weights, seeds)
            columns[f"shares of {output}"] = " ".join(f"{one:.2f}" for one in weights.mean(0))
    return told


def _routes(table: Predictions) -> dict[str, list[str]]:
    """Output -> the columns of its experts."""
    found: dict[str, list[str]] = {}
    for name in table.columns:
        if match := re.fullmatch(r"route_(.+)_\d+", name):
            found.setdefault(match[1], []).append(name)
    return found


def _over(seeds: Seeds, names: Sequence[str], *, ranked: bool = False) -> NDArray[np.float64]:
    """(n, names) mean of the seeds; ``ranked``: columns of each model by their mean, falling."""
    found = []
    for one in seeds:
        columns = np.stack([one[name].astype(float) for name in names], 1)
        for fold in np.unique(one["fold"]) if ranked else ():
            own = one["fold"] == fold
            columns[own] = columns[own][:, np.argsort(-columns[own].mean(0), kind="stable")]
        found.append(columns)
    return np.mean(found, 0)


def _interval(figure: Any, weights: NDArray[np.float64], seeds: Seeds) -> Interval:
    return speaker_interval(figure, weights, weights, speakers=seeds[0].clusters)


def _mean_weight(weights: NDArray[np.float64], _: Any) -> float:
    return float(weights.mean())


def _at_work(weights: NDArray[np.float64], _: Any) -> float:
    share = weights.mean(0)
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))
