"""The exported model is the network, in a quarter of the bytes."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from voxplain.backbones.embedded import session
from voxplain.training.export import store_in_8_bits

INPUTS = {"states": [1, "frames", 32], "mean": [1, 32], "square": [1, 32], "trust": [1]}
OUTPUTS = {"categories": [1, 3], "perceived": [1, 4], "dimensions": [1, 3, 3], "sound": [1, 3]}


def log_mel(frames):
    return np.random.default_rng(frames).normal(0, 0.5, (1, 80, frames)).astype(np.float32)


@pytest.fixture(scope="module")
def encode(tiny_model):
    """Log-mel -> states, as the file computes them."""
    network = session((tiny_model.folder / "encoder.onnx").read_bytes())
    return lambda mel: network.run(None, {"log_mel": mel})[0]


@pytest.mark.parametrize("frames", [10, 11, 12, 13, 300, 999, 1500])
def test_the_file_computes_what_the_network_computes(tiny_model, encode, frames):
    with torch.inference_mode():
        expected = tiny_model.encoder(torch.from_numpy(log_mel(frames))).numpy()
    np.testing.assert_allclose(encode(log_mel(frames)), expected, atol=1e-3)


def test_states_differ_by_more_than_the_tolerance(encode):
    # Otherwise the test above would show nothing.
    assert encode(log_mel(300)).std((0, 1)).min() > 0.05


def test_a_session_gives_the_same_bits_every_time(encode):
    first = encode(log_mel(300))
    encode(log_mel(77))
    np.testing.assert_array_equal(encode(log_mel(300)), first)


@pytest.mark.parametrize(("file", "part"), [("encoder.onnx", "encoder"), ("head.onnx", "head")])
def test_matrices_are_stored_in_8_bits(tiny_model, file, part):
    graph = onnx.load(tiny_model.folder / file).graph
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for name, weight in getattr(tiny_model, part).named_parameters():
        if weight.ndim > 1:
            integers, scale = stored[f"{name}.int8"], stored[f"{name}.scale"]
            assert integers.dtype == np.int8
            assert integers.shape == weight.shape
            assert scale.shape == integers.shape[:1]
    assert not [name for name, t in stored.items() if t.ndim > 1 and t.dtype != np.int8]


@pytest.mark.parametrize(
    ("file", "inputs", "outputs"),
    [
        ("encoder.onnx", {"log_mel": [1, 80, "frames"]}, {"states": [1, None, 32]}),
        ("head.onnx", INPUTS, OUTPUTS),
    ],
)
def test_the_files_take_any_number_of_frames(tiny_model, file, inputs, outputs):
    network = onnxruntime.InferenceSession(tiny_model.folder / file)
    assert {given.name: given.shape for given in network.get_inputs()} == inputs
    found = {wanted.name: wanted.shape for wanted in network.get_outputs()}
    assert [*found] == [*outputs]
    for name, shape in outputs.items():
        named = [size if isinstance(size, int) else None for size in found[name]]
        assert named == shape, name


def test_a_weight_moves_by_half_a_step_at_most(tiny_model):
    for name, weight in tiny_model.head.named_parameters():
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
