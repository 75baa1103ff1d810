"""Successive occlusion: take away what costs most, then what costs most of what is left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ConfigError
from voxplain.explainers import Card, Forward, Grid, occlusion
from voxplain.explainers._fills import filled
from voxplain.types import Attribution

__all__ = ["CARD", "attribute"]

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

    A sound says many things twice: without one syllable another one tells as much, and occlusion
    takes both for worthless. Here the window whose removal costs most is taken away, then the one
    that costs most in addition, until a ``share`` of the time is gone. Those score what they cost
    when they went, all others what they would cost in addition when last tried. At each step the
    ``candidates`` that promise most by then are tried. Costs are means over what stands in, one
    ``baseline`` after the other.

    Raises ConfigError without a baseline, and what ``occlusion.attribute`` raises.
    """
    if not baseline:
        raise ConfigError("successive occlusion needs at least one baseline, such as 'mean'")
    alone = [
        occlusion.attribute(
            forward, inputs, output=output, label=label, baseline=fill,
            window=(len(inputs), window), hop=(len(inputs), window), grid=grid, batch=batch,
        )
        for fill in baseline
    ]  # fmt: skip
    cost = np.mean([one.scores for one in alone], axis=0)
    cells = np.minimum(np.arange(inputs.shape[1]) // window, len(cost) - 1)
    gone = [int(np.argmax(cost))]
    (whole,) = forward(inputs[None])[:, output]
    lost = cost[gone[0]]
    for _ in range(1, round(share * len(cost))):
        promising = [c for c in np.argsort(-cost).tolist() if c not in gone][:candidates]
        without = [
            filled(inputs, np.isin(cells, [*gone, cell]), baseline=fill)
            for cell in promising
            for fill in baseline
        ]
        left = np.concatenate(
            [
                forward(np.stack(without[i : i + batch]))[:, output]
                for i in range(0, len(without), batch)
            ]
        )
        joint = whole - left.reshape(len(promising), len(baseline)).mean(1)
        cost[promising] = joint - lost
        best = int(np.argmax(joint))
        gone.append(promising[best])
        lost = joint[best]
    return Attribution(
        method="successive_occlusion",
        output=label or str(output),
        axis="time",
        scores=cost,
        baseline=", ".join(baseline),
        times=alone[0].times,
    )
