"""Layer-wise relevance propagation: the output, handed back to what it was made from.

The rules are those of the composite EpsilonPlusFlat: epsilon for linear layers, z-plus for
convolutions, flat for the first convolution. Batch norms are merged into the convolutions before.

A rule shares relevance out in proportion to contributions z. So a layer may keep its output y and
answer gradients as z does: y = z * (y / z), with the bracket held constant. Then an activation
times its gradient is its relevance (Montavon et al. 2019), and the sums of residual networks need
no rule. captum's rules know neither flat nor channels, and want a module in place of every sum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxplain import plugins
from voxplain.errors import ConfigError
from voxplain.explainers import Card, Grid
from voxplain.explainers._modules import AXES, attribution, explained, opened, reached
from voxplain.types import Attribution

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["CARD", "Concepts", "attribute_module", "concepts"]

CARD = Card(
    contract="module",
    axes=AXES,
    reference="Bach et al. 2015, On pixel-wise explanations for non-linear classifier decisions by "
    "layer-wise relevance propagation, PLoS ONE 10; for concepts Achtibat et al. 2023, From "
    "attribution maps to human-understandable explanations through concept relevance propagation, "
    "Nature Machine Intelligence 5",
)

_LEAST = 1e-6
"""Added to a denominator, away from zero."""


def attribute_module(
    module: Any,
    inputs: Any,
    *,
    output: int,
    label: str = "",
    layer: str | None = None,
    axis: str = "time",
    grid: Grid = Grid(),  # noqa: B008 (frozen)
) -> Attribution:
    """Relevance of every cell of the inputs (bands, frames); of a layer, what passes through it.

    The ``completeness_gap`` is what biases keep, what z-plus loses where nothing is positive, and
    what comes of operations without a rule: those that are no layer, ReLU, pooling or sum.

    Raises UnknownName for a layer or an axis; ConfigError for a layer without relevance, for what
    is no torch module or has no gradient, for inputs of another shape, also at the first
    convolution, and for an output that is not there; MissingExtra.
    """
    passed = _propagate(module, inputs, output=output, layer=layer)
    found = passed.on_inputs(passed.gradient)
    return attribution(
        found,
        method="lrp",
        label=label or str(output),
        axis=axis,
        baseline="none",
        grid=grid,
        completeness_gap=(found.sum() - passed.score).item(),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Concepts:
    """What the channels of a layer add to an output."""

    layer: str
    relevance: NDArray[np.float64]
    """(channels,) in the unit of the output."""
    strongest: tuple[int, ...]
    """Channels of most relevance for or against, most first."""
    attributions: tuple[Attribution, ...]
    """Where in the inputs the relevance of each of the strongest comes from."""


def concepts(
    module: Any,
    inputs: Any,
    *,
    output: int,
    layer: str,
    label: str = "",
    strongest: int = 5,
    axis: str = "time_frequency",
    grid: Grid = Grid(),  # noqa: B008 (frozen)
) -> Concepts:
    """Relevance by channel of a layer, with the maps of the ``strongest`` channels.

    The maps of all channels add up to ``attribute_module`` with that layer, and to that without it
    where nothing leads past the layer. Raises what ``attribute_module`` raises.
    """
    passed = _propagate(module, inputs, output=output, layer=layer)
    cells = passed.reached * passed.gradient  # (1, channels, ...)
    relevance = cells.reshape(cells.shape[1], -1).sum(1)
    order = relevance.abs().argsort(descending=True, stable=True)[:strongest].tolist()

    def of_channel(channel: int) -> Attribution:
        alone = passed.gradient.new_zeros(passed.gradient.shape)
        alone[:, channel] = passed.gradient[:, channel]
        return attribution(
            passed.on_inputs(alone),
            method="lrp",
            label=label or str(output),
            axis=axis,
            baseline="none",
            grid=grid,
        )

    return Concepts(
        layer=layer,
        relevance=relevance.detach().double().cpu().numpy(),
        strongest=tuple(order),
        attributions=tuple(map(of_channel, order)),
    )


@dataclass(frozen=True, slots=True)
class _Propagated:
    """A pass through the network; any activation times its gradient is relevance."""

    score: Tensor
    """The output explained."""
    reached: Tensor
    """Activations of the layer, of no layer the score."""
    gradient: Tensor
    """Of the score for ``reached``."""
    sources: tuple[Tensor, ...]
    """What relevance ends on, each of the inputs' shape: the inputs, and ones for the flat rule."""

    def on_inputs(self, gradient: Tensor) -> Tensor:
        """Relevance (bands, frames) that comes through a gradient for ``reached``."""
        torch = plugins.require("torch", extra="train")
        found = torch.autograd.grad(
            self.reached, self.sources, gradient, retain_graph=True, materialize_grads=True
        )
        shape = self.sources[0].shape[-2:]
        total: Tensor = sum(
            (source * one).reshape(shape) for source, one in zip(self.sources, found, strict=True)
        )
        return total.detach()


def _propagate(module: Any, inputs: Any, *, output: int, layer: str | None) -> _Propagated:
    torch = plugins.require("torch", extra="train")
    network, x = opened(module, inputs)
    calls = _calls(network, x, output=output)
    _merge_batch_norms(network, calls)
    sources = (x, *_apply_rules(x, calls))
    if layer is not None:
        return _Propagated(*reached(network, x, output=output, layer=layer), sources)
    score = explained(network, x, output=output)
    return _Propagated(score, score, torch.ones_like(score), sources)


class _Call(NamedTuple):
    layer: nn.Module
    given: tuple[Tensor, ...]
    made: Tensor


def _calls(network: nn.Module, x: Tensor, *, output: int) -> list[_Call]:
    """What the innermost layers are given and make, in order."""
    calls: list[_Call] = []
    hooks = [
        one.register_forward_hook(lambda *call: calls.append(_Call(*call)))
        for one in network.modules()
        if not list(one.children())
    ]
    explained(network, x, output=output)
    for hook in hooks:
        hook.remove()
    return calls


def _merge_batch_norms(network: nn.Module, calls: list[_Call]) -> None:
    """Let each convolution do the work of the batch norm that takes what it makes."""
    torch = plugins.require("torch", extra="train")
    names = {one: name for name, one in network.named_modules()}
    makers: dict[int, Any] = {}
    for layer, given, made in calls:
        maker = makers.get(id(given[0])) if given else None
        norm = isinstance(layer, torch.nn.modules.batchnorm._BatchNorm)
        if norm and isinstance(maker, _convolutions()):
            merged = torch.nn.utils.fuse_conv_bn_eval(maker, layer)
            maker.weight, maker.bias = merged.weight, merged.bias
            network.set_submodule(names[layer], torch.nn.Identity())
        makers[id(made)] = layer


def _apply_rules(x: Tensor, calls: list[_Call]) -> list[Tensor]:
    """Hang a rule on every layer with weights; the ones that a flat rule shares relevance among."""
    torch = plugins.require("torch", extra="train")
    rules: dict[nn.Module, Callable[..., Tensor]] = {}
    ones: list[Tensor] = []
    for layer, given, _ in calls:
        if isinstance(layer, torch.nn.Linear):
            rules[layer] = _epsilon
        elif isinstance(layer, _convolutions()) and rules:
            rules[layer] = _plus
        elif isinstance(layer, _convolutions()):
            (seen,) = given
            if seen.shape[-2:] != x.shape[-2:] or seen.numel() != x.numel():
                raise ConfigError(
                    f"the first convolution sees {tuple(seen.shape[1:])}, not the inputs "
                    f"{tuple(x.shape[1:])}; explain the part of the module that takes what it sees"
                )
            ones.append(torch.ones_like(seen).requires_grad_())
            rules[layer] = partial(_flat, ones[0])
    for layer, rule in rules.items():
        layer.register_forward_hook(rule)
    return ones


def _convolutions() -> tuple[type[nn.Module], ...]:
    torch = plugins.require("torch", extra="train")
    return torch.nn.Conv1d, torch.nn.Conv2d


def _epsilon(_: nn.Module, __: Any, made: Tensor) -> Tensor:
    return _answering(made, made)


def _plus(layer: Any, given: tuple[Tensor], made: Tensor) -> Tensor:
    (x,), weight, bias = given, layer.weight, layer.bias
    high = layer._conv_forward(
        x.clamp(min=0), weight.clamp(min=0), bias if bias is None else bias.clamp(min=0)
    )
    low = layer._conv_forward(x.clamp(max=0), weight.clamp(max=0), None)
    return _answering(made, high + low)


def _flat(ones: Tensor, layer: Any, _: Any, made: Tensor) -> Tensor:
    equal = layer._conv_forward(ones, layer.weight.new_ones(layer.weight.shape), None)
    return _answering(made, equal)


def _answering(made: Tensor, z: Tensor) -> Tensor:
    """The output of a layer, with the gradients of the contributions z."""
    stable = z + _LEAST * (2 * (z >= 0) - 1)
    return stable * (made / stable).detach()
