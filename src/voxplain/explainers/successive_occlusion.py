"""Successive occlusion: take away what costs most, then what costs most of what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ConfigError
from voxplain.explainers import Card, Forward, Grid, occlusion
from voxplain.explainers._fills import filled
from voxplain.types import Attribution

__all__ = ["CARD", "attribute", "further"]

CARD = Card(
    contract="forward",
    axes=("time",),
    reference="own; greedy backward search over the occlusions of Zeiler & Fergus 2014",
)


def attribute(
    forward: Forward,
    inputs: NDArray[np.float32],
    *,
    output: int,
    label: str = "",
    baseline: Sequence[str] = ("mean", "silence"),
    window: int = 10,
    share: float = 0.2,
    candidates: int = 5,
    grid: Grid = Grid(),  # noqa: B008 (frozen)
    batch: int = 16,
) -> Attribution:
    """What the windows of a spectrogram (bands, frames) cost one after the other.

    A sound says many things twice: without one syllable another one tells nearly as much, and is
    worthless to occlusion, which never misses both. Here the window whose removal costs most is
    taken away, then the one that costs most in addition, until a ``share`` of the time is gone.
    Those score what they cost when they went, all others what they would cost in addition when
    last tried. At each step the ``candidates`` that promise most by then are tried. Costs are means
    over what stands in, one ``baseline`` after the other.

    Raises ConfigError without a baseline, and what ``occlusion.attribute`` raises.
    """
    if not baseline:
        raise ConfigError("successive occlusion needs at least one baseline, such as 'mean'")
    bands = len(inputs)
    alone = [
        occlusion.attribute(
            forward, inputs, output=output, label=label, baseline=fill,
            window=(bands, window), hop=(bands, window), grid=grid, batch=batch,
        )
        for fill in baseline
    ]  # fmt: skip
    return further(forward, inputs, alone, output=output, share=share, candidates=candidates)


def further(
    forward: Forward,
    inputs: NDArray[np.float32],
    alone: Sequence[Attribution],
    *,
    output: int,
    share: float = 0.2,
    candidates: int = 5,
) -> Attribution:
    """The same, from occlusions over time without overlap that are there already."""
    cost = np.mean([one.scores for one in alone], axis=0)
    places = np.linspace(0, 1, inputs.shape[1], endpoint=False) + 0.5 / inputs.shape[1]
    edges = (alone[0].times - alone[0].times[0]) / np.ptp(alone[0].times)
    cells = np.searchsorted(edges, places) - 1
    (whole,) = forward(inputs[None])[:, output]
    gone, lost = [int(np.argmax(cost))], float(cost.max())
    for _ in range(1, round(share * len(cost))):
        promising = [c for c in np.argsort(-cost).tolist() if c not in gone][:candidates]
        without = [
            filled(inputs, np.isin(cells, [*gone, cell]), baseline=one.baseline)
            for cell in promising
            for one in alone
        ]
        left = forward(np.stack(without))[:, output].reshape(len(promising), len(alone))
        joint = whole - left.mean(1)
        cost[promising] = joint - lost
        gone.append(promising[int(np.argmax(joint))])
        lost = float(joint.max())
    return replace(
        alone[0],
        method="successive_occlusion",
        scores=cost,
        baseline=", ".join(one.baseline for one in alone),
    )
