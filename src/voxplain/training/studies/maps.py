"""The methods under study: from what a model sees to the regions that speak for its label."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor, nn

from voxplain.evidence.moments import salient_regions
from voxplain.explainers import grad_cam, lrp, occlusion
from voxplain.models.saliency_cnn import SaliencyCNN
from voxplain.training.studies.regions import on_cells, top_windows
from voxplain.training.studies.subjects import Seen
from voxplain.types import Attribution, Segment

__all__ = [
    "EVERY_BAND",
    "GRADIENTS",
    "LOUDEST",
    "LOUD_FILL",
    "OURS",
    "PUBLISHED",
    "SHUFFLED",
    "SHUFFLED_OURS",
    "WHOLE",
    "Options",
    "pointed_at",
    "salient_band",
]

PUBLISHED = "occlusion in time"
EVERY_BAND = "occlusion, published"
LOUD_FILL = "occlusion in time, filled with 0 dB"
GRADIENTS = ("Grad-CAM", "LRP", "LRP, one channel")
OURS = "ours"
LOUDEST = "loudest"
WHOLE = "the whole sound"
SHUFFLED = "shuffled weights, occlusion in time"
SHUFFLED_OURS = "shuffled weights, ours"

_CHANNEL = 35
"""The one that was looked at, of the first convolution of the first block."""
_BANDS = 10
"""Windows over frequency."""


@dataclass(frozen=True, slots=True)
class Options:
    """How maps are made and cut up, in seconds."""

    cues: tuple[str, ...]
    """Descriptors."""
    patch: float
    """What the published occlusion covers at once."""
    stride: float
    """By how much it moves."""
    width: float
    """Of a published window."""
    window: float
    """Of our occlusion, one beside the other."""
    draws: int
    """Of random stretches."""
    seed: int


def pointed_at(
    seen: Seen, blind: Seen, output: int, options: Options, *, every_band: bool
) -> Iterator[tuple[str, tuple[Segment, ...]]]:
    """What each method points at in a clip, as the model sees it and one of shuffled weights.

    With ``every_band`` the published occlusion of one band at a time is among them.
    """
    width = _frames(options.width, seen)

    def windows(attribution: Attribution) -> tuple[Segment, ...]:
        return top_windows(on_cells(attribution, seen.grid), seen.grid, width=width)

    yield PUBLISHED, windows(_sliding(seen, output, options))
    yield OURS, salient_regions(_side_by_side(seen, output, options, axis="time"))
    yield LOUDEST, top_windows(seen.power, seen.grid, width=width)
    yield WHOLE, (seen.sound,)
    yield SHUFFLED, windows(_sliding(blind, output, options))
    yield SHUFFLED_OURS, salient_regions(_side_by_side(blind, output, options, axis="time"))
    if seen.network is None:
        return
    yield LOUD_FILL, windows(_sliding(_upside_down(seen), output, options))
    if every_band:
        yield EVERY_BAND, windows(_sliding(_upside_down(seen), output, options, every_band=True))
    given: Any = {"inputs": seen.inputs[None], "output": output, "grid": seen.grid}
    given["axis"] = "time_frequency"
    one = _through(seen.network, _CHANNEL)
    cam, all_channels, channel = GRADIENTS
    yield cam, windows(grad_cam.attribute_module(seen.network, layer="layer2", **given))
    yield all_channels, windows(lrp.attribute_module(seen.network, **given))
    yield channel, windows(lrp.attribute_module(one, **given))


def salient_band(seen: Seen, output: int, options: Options) -> tuple[float, float]:
    """Hz between which the label is spoken for: around the best band those half as good."""
    found = _side_by_side(seen, output, options, axis="frequency")
    weak = np.flatnonzero(found.scores < found.scores.max() / 2)
    best = int(found.scores.argmax())
    first = weak[weak < best].max(initial=-1) + 1
    last = weak[weak > best].min(initial=len(found.scores))
    return float(found.hz[first]), float(found.hz[last])


def _sliding(seen: Seen, output: int, options: Options, *, every_band: bool = False) -> Attribution:
    return occlusion.attribute(
        seen.forward,
        seen.inputs,
        output=output,
        axis="time_frequency" if every_band else "time",
        baseline="silence",
        window=(1, _frames(options.patch, seen)),
        hop=(1, _frames(options.stride, seen)),
        grid=seen.grid,
    )


def _side_by_side(seen: Seen, output: int, options: Options, *, axis: str) -> Attribution:
    window = (len(seen.inputs) // _BANDS, _frames(options.window, seen))
    return occlusion.attribute(
        seen.forward,
        seen.inputs,
        output=output,
        axis=axis,
        baseline="mean",
        window=window,
        hop=window,
        grid=seen.grid,
    )


def _upside_down(seen: Seen) -> Seen:
    """So that the fill, the lowest value there is, becomes 0 dB: the loudest, as published."""
    return replace(seen, inputs=-seen.inputs, forward=lambda batch: seen.logits(-batch))


def _through(network: SaliencyCNN, channel: int) -> SaliencyCNN:
    """A copy of the network whose first convolutions hand relevance on through one channel alone.

    As published: what leads past them through the shortcut stays.
    """

    def close(_: nn.Module, __: object, made: Tensor) -> Tensor:
        found = made.detach().clone()
        found[:, channel] = made[:, channel]
        return found

    found = copy.deepcopy(network)
    found.layer1.relu1.register_forward_hook(close)
    return found


def _frames(seconds: float, seen: Seen) -> int:
    return round(seconds / seen.grid.frame_shift)
