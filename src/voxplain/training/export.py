"""From a trained network to an ONNX file, with matrices in 8 bits or as they are."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["export", "store_in_8_bits", "trace"]

_OPSET = 18


def store_in_8_bits(network: nn.Module) -> dict[str, tuple[NDArray[np.int8], NDArray[np.float32]]]:
    """Round every weight matrix to 8 bits a channel, in place: name -> (integers, scales).

    The network then computes with exactly the numbers that the stored model unpacks.
    """
    stored = {}
    for name, weight in network.named_parameters():
        if weight.ndim < 2:
            continue
        rows = weight.detach().flatten(1)
        scale = rows.abs().amax(1).clamp_min(1e-12) / 127
        integers = (rows / scale[:, None]).round().clamp(-127, 127)
        weight.data.copy_((integers * scale[:, None]).reshape(weight.shape))
        stored[name] = (
            integers.reshape(weight.shape).to(torch.int8).numpy(),
            scale.numpy(),
        )
    return stored


def export(
    network: nn.Module,
    path: Path,
    *,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    frames_axis: int,
) -> None:
    """Write an ONNX file.

    ``inputs`` are examples in the order of the network's arguments, of the first of which
    ``frames_axis`` may have any length. Rounds the network's weights to 8 bits in place.
    """
    import onnx
    from onnx import numpy_helper

    stored = store_in_8_bits(network)
    trace(network, path, inputs=inputs, outputs=outputs, frames_axis=frames_axis)
    model = onnx.load(path)
    graph = model.graph
    unpacked = []
    for tensor in list(graph.initializer):
        if tensor.name not in stored:
            continue
        integers, scale = stored[tensor.name]
        graph.initializer.remove(tensor)
        graph.initializer.extend(
            [
                numpy_helper.from_array(integers, f"{tensor.name}.int8"),
                numpy_helper.from_array(scale, f"{tensor.name}.scale"),
            ]
        )
        unpacked.append(
            onnx.helper.make_node(
                "DequantizeLinear",
                [f"{tensor.name}.int8", f"{tensor.name}.scale"],
                [tensor.name],
                axis=0,
            )
        )
    for node in reversed(unpacked):
        graph.node.insert(0, node)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def trace(
    network: nn.Module,
    path: Path,
    *,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    frames_axis: int,
) -> None:
    """The same with the weights as they are, each under the name it has in the network."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # Of torch's two exporters the older is deprecated; the newer needs two more packages.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network.eval(),
            tuple(inputs.values()),
            path,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={next(iter(inputs)): {frames_axis: "frames"}},
            opset_version=_OPSET,
            do_constant_folding=False,  # it would rename the weights
            dynamo=False,
        )
