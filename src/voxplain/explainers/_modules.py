"""What the explainers that look into a torch module share."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from voxplain import plugins
from voxplain.errors import ConfigError, UnknownName
from voxplain.explainers import Grid
from voxplain.types import Attribution

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["AXES", "attribution", "explained", "opened", "reached"]

AXES = ("time", "frequency", "time_frequency")


def opened(module: Any, inputs: Any) -> tuple[nn.Module, Tensor]:
    """A copy of the module as it judges, free to be changed, and the inputs as a batch of one.

    ``inputs`` are a tensor or an array (bands, frames), or (1, bands, frames) for a module that
    wants channels. Raises ConfigError for other shapes and for what is no torch module.
    """
    torch = plugins.require("torch", extra="train")
    if not isinstance(module, torch.nn.Module):
        raise ConfigError(
            f"a {type(module).__name__} is no torch module and gives no gradients; "
            "'occlusion' needs no more than a function"
        )
    if not isinstance(inputs, torch.Tensor):
        inputs = torch.tensor(np.asarray(inputs))
    if inputs.ndim < 2 or inputs.shape[-2:].numel() != inputs.numel():
        raise ConfigError(f"inputs are {tuple(inputs.shape)}, they should be (bands, frames)")
    network: nn.Module = copy.deepcopy(module).eval().requires_grad_(False)
    like = next(network.parameters(), torch.zeros(()))
    return network, inputs.detach().to(like)[None].requires_grad_()


def explained(network: nn.Module, x: Tensor, *, output: int) -> Tensor:
    """The output to explain, with its gradient.

    Raises ConfigError for an output that the module does not have, or if there is no gradient.
    """
    torch = plugins.require("torch", extra="train")
    with torch.enable_grad():
        (outputs,) = network(x)
        if not 0 <= output < len(outputs):
            raise ConfigError(f"output {output} is none of the {len(outputs)}, counted from 0")
        score: Tensor = outputs[output]
    if not score.requires_grad:
        raise ConfigError(
            f"{type(network).__name__} gives no gradient for its inputs; 'occlusion' needs none"
        )
    return score


def reached(
    network: nn.Module, x: Tensor, *, output: int, layer: str
) -> tuple[Tensor, Tensor, Tensor]:
    """The output to explain, what a layer makes on the way to it, and the gradient there.

    Raises UnknownName, which lists the layers there are; ConfigError for a layer on no such way.
    """
    torch = plugins.require("torch", extra="train")
    layers: dict[str, nn.Module] = dict(network.named_modules())
    layers.pop("")  # the network itself
    if layer not in layers:
        raise UnknownName("layer", layer, layers)
    seen: list[Tensor] = []

    def keep(_: nn.Module, __: Any, made: Tensor) -> Tensor:
        seen.append(made)
        return made.clone()  # what follows may change it in place

    layers[layer].register_forward_hook(keep)
    score = explained(network, x, output=output)
    gradient = None
    if seen and seen[-1].requires_grad:
        (gradient,) = torch.autograd.grad(score, seen[-1], retain_graph=True, allow_unused=True)
    if gradient is None:
        raise ConfigError(f"layer {layer!r} lies on no way from the inputs to output {output}")
    return score, seen[-1], gradient


def attribution(
    scores: Tensor,
    *,
    method: str,
    label: str,
    axis: str,
    baseline: str,
    grid: Grid,
    completeness_gap: float = math.nan,
) -> Attribution:
    """Scores of the cells of a spectrogram, summed along the axis that is not asked for.

    Raises UnknownName for an axis.
    """
    if axis not in AXES:
        raise UnknownName(f"axis of {method}", axis, AXES)
    bands, frames = scores.shape[-2:]
    cells: NDArray[np.float64] = scores.detach().double().cpu().numpy().reshape(bands, frames)
    over: dict[str, Any] = {"time": 0, "frequency": 1, "time_frequency": ()}
    return Attribution(
        method=method,
        output=label,
        axis=axis,
        scores=cells.sum(axis=over[axis]),
        baseline=baseline,
        times=grid.times(np.arange(frames + 1)) if "time" in axis else np.empty(0),
        hz=grid.frequencies(np.arange(bands + 1)) if "frequency" in axis else np.empty(0),
        completeness_gap=completeness_gap,
    )
