"""The exported model is the network, in a quarter of the bytes."""

import hashlib
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from voxplain.models.embedded import EmbeddedModel
from voxplain.training.export import store_in_8_bits


def log_mel(frames):
    return np.random.default_rng(frames).normal(0, 0.5, (80, frames)).astype(np.float32)


@pytest.fixture(scope="module")
def model(tiny_model):
    return EmbeddedModel(tiny_model.folder)


@pytest.mark.parametrize("frames", [10, 11, 12, 13, 300, 999, 1500])
def test_the_file_computes_what_the_network_computes(tiny_model, model, frames):
    with torch.inference_mode():
        expected = tiny_model.network(torch.from_numpy(log_mel(frames))[None])[0].numpy()
    np.testing.assert_allclose(model.logits(log_mel(frames)), expected, atol=1e-4)


def test_networks_differ_by_more_than_the_tolerance(model):
    # Otherwise the test above would show nothing.
    assert np.abs(model.logits(log_mel(300)) - model.logits(log_mel(999))).max() > 0.01


def test_a_session_gives_the_same_bits_every_time(tiny_model, model):
    first = model.logits(log_mel(300))
    model.logits(log_mel(77))
    np.testing.assert_array_equal(model.logits(log_mel(300)), first)
    np.testing.assert_array_equal(EmbeddedModel(tiny_model.folder).logits(log_mel(300)), first)


def test_matrices_are_stored_in_8_bits(tiny_model):
    graph = onnx.load(tiny_model.folder / "model.onnx").graph
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    matrices = {name for name, weight in tiny_model.before.items() if weight.ndim > 1}
    for name in matrices:
        integers, scale = stored[f"{name}.int8"], stored[f"{name}.scale"]
        assert integers.dtype == np.int8
        assert integers.shape == tiny_model.before[name].shape
        assert scale.shape == integers.shape[:1]
    assert not [name for name, t in stored.items() if t.ndim > 1 and t.dtype != np.int8]


def test_the_file_takes_any_number_of_frames(tiny_model):
    session = onnxruntime.InferenceSession(tiny_model.folder / "model.onnx")
    (given,), (wanted,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape) == ("log_mel", [1, 80, "frames"])
    assert (wanted.name, wanted.shape) == ("logits", [1, 3])


def test_the_card_gains_the_checksum(tiny_model):
    card = json.loads((tiny_model.folder / "card.json").read_text(encoding="utf-8"))
    weights = (tiny_model.folder / "model.onnx").read_bytes()
    assert card == {
        "name": "tiny",
        "labels": ["angry", "neutral", "sad"],
        "temperature": 1.5,
        "sha256": hashlib.sha256(weights).hexdigest(),
    }


def test_a_weight_moves_by_half_a_step_at_most(tiny_model):
    for name, weight in tiny_model.network.named_parameters():
        before = tiny_model.before[name]
        if weight.ndim == 1:
            assert torch.equal(weight, before)
            continue
        step = before.flatten(1).abs().amax(1) / 127
        moved = (weight.detach() - before).flatten(1).abs().amax(1)
        assert torch.all(moved <= step / 2 * 1.0001)
        assert moved.max() > 0


def test_rounding_by_hand():
    layer = torch.nn.Linear(2, 3)
    layer.weight.data = torch.tensor([[127.0, 0.6], [-1.27, 0.004], [0.0, 0.0]])
    bias = layer.bias.detach().clone()
    stored = store_in_8_bits(layer)
    assert stored.keys() == {"weight"}
    integers, scale = stored["weight"]
    assert integers.tolist() == [[127, 1], [-127, 0], [0, 0]]
    assert scale[:2].tolist() == pytest.approx([1.0, 0.01])
    expected = torch.tensor([[127.0, 1.0], [-1.27, 0.0], [0.0, 0.0]])
    torch.testing.assert_close(layer.weight.detach(), expected)
    assert torch.equal(layer.bias, bias)


def test_rounding_twice_changes_nothing():
    layer = torch.nn.Conv1d(4, 5, 3)
    first, _ = store_in_8_bits(layer)["weight"]
    again, _ = store_in_8_bits(layer)["weight"]
    np.testing.assert_array_equal(first, again)
