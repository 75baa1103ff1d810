"""From a trained network to the model folder that ``EmbeddedModel`` loads."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from voxplain.models.log_mel import BANDS

__all__ = ["export", "store_in_8_bits"]

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


def export(network: nn.Module, folder: Path, card: Mapping[str, Any]) -> None:
    """Write ``model.onnx`` (``log_mel`` (1, 80, frames) -> ``logits``) and ``card.json``.

    Rounds the network's weights to 8 bits in place. The card gains the model's SHA-256.
    """
    import onnx
    from onnx import numpy_helper

    folder.mkdir(parents=True, exist_ok=True)
    stored = store_in_8_bits(network)
    path = folder / "model.onnx"
    with warnings.catch_warnings():
        # Of torch's two exporters the older is deprecated; the newer needs two more packages.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network.eval(),
            (torch.randn(1, BANDS, 300),),
            path,
            input_names=["log_mel"],
            output_names=["logits"],
            dynamic_axes={"log_mel": {2: "frames"}},
            opset_version=_OPSET,
            do_constant_folding=False,  # it would rename the weights
            dynamo=False,
        )
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
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    text = json.dumps({**card, "sha256": sha256}, indent=2) + "\n"
    (folder / "card.json").write_text(text, encoding="utf-8")
