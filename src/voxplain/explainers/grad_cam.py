"""Grad-CAM: where the maps of a layer are active that speak for the output."""

from __future__ import annotations

from typing import Any

from voxplain import plugins
from voxplain.errors import ConfigError
from voxplain.explainers import Card, Grid
from voxplain.explainers._modules import AXES, attribution, opened, reached
from voxplain.types import Attribution

__all__ = ["CARD", "attribute_module"]

CARD = Card(
    contract="module",
    axes=AXES,
    reference="Selvaraju et al. 2017, Grad-CAM: visual explanations from deep networks via "
    "gradient-based localization, ICCV",
)


def attribute_module(
    module: Any,
    inputs: Any,
    *,
    output: int,
    layer: str,
    label: str = "",
    axis: str = "time",
    grid: Grid = Grid(),  # noqa: B008 (frozen)
) -> Attribution:
    """Weigh the maps of a layer by their mean gradients and keep what is positive.

    The map is stretched evenly over the inputs (bands, frames): it is as fine as the layer's stride
    and may lie half of that off. Its scores tell more from less, they don't add up to the output.

    Raises UnknownName for a layer or an axis; ConfigError for a layer without maps or on no way to
    the output, for what is no torch module or has no gradient, for inputs of another shape and for
    an output that is not there; MissingExtra.
    """
    torch = plugins.require("torch", extra="train")
    network, x = opened(module, inputs)
    _, maps, gradient = reached(network, x, output=output, layer=layer)
    if maps.ndim != 4:
        raise ConfigError(
            f"layer {layer!r} gives {tuple(maps.shape[1:])}, no maps (channels, bands, frames)"
        )
    weight = gradient.mean((2, 3), keepdim=True)
    found = (weight * maps).sum(1, keepdim=True).relu()
    return attribution(
        torch.nn.functional.interpolate(found, x.shape[-2:], mode="bilinear"),
        method="grad_cam",
        label=label or str(output),
        axis=axis,
        baseline="none",
        grid=grid,
    )
