"""Integrated gradients: what the output gains along the straight way from a baseline."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxplain import plugins
from voxplain.explainers import Card, Grid
from voxplain.explainers._fills import filled
from voxplain.explainers._modules import AXES, attribution, explained, opened
from voxplain.types import Attribution

__all__ = ["CARD", "attribute_module"]

CARD = Card(
    contract="module",
    axes=AXES,
    reference="Sundararajan, Taly & Yan 2017, Axiomatic attribution for deep networks, ICML",
)


def attribute_module(
    module: Any,
    inputs: Any,
    *,
    output: int,
    label: str = "",
    axis: str = "time",
    baseline: str | float = "mean",
    steps: int = 32,
    grid: Grid = Grid(),  # noqa: B008 (frozen)
    batch: int = 16,
) -> Attribution:
    """Integrate the gradient from the baseline to the inputs (bands, frames), with captum.

    The baseline is the inputs with every cell taken away, as ``silence``, ``mean`` (of the band) or
    ``noise``, or one value for all. The ``completeness_gap`` shrinks with the ``steps`` of the
    Gauss-Legendre quadrature.

    Raises ConfigError for what is no torch module or has no gradient, for inputs of another shape
    and for an output that is not there; UnknownName for an axis or a baseline; MissingExtra.
    """
    captum = plugins.require("captum.attr", extra="train")
    network, x = opened(module, inputs)
    explained(network, x, output=output)  # or there is nothing to integrate
    if isinstance(baseline, str):
        seen = x.detach().cpu().numpy().reshape(x.shape[-2:])
        away = filled(seen, np.ones(seen.shape, bool), baseline=baseline)
        start = x.new_tensor(away).reshape(x.shape)
    else:
        start = x.new_full(x.shape, baseline)
    scores, gap = captum.IntegratedGradients(network).attribute(
        x,
        start,
        target=output,
        n_steps=steps,
        internal_batch_size=batch,
        return_convergence_delta=True,
    )
    return attribution(
        scores,
        method="integrated_gradients",
        label=label or str(output),
        axis=axis,
        baseline=str(baseline),
        grid=grid,
        completeness_gap=gap.item(),
    )
