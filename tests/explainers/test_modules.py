"""What all explainers of torch modules take and refuse."""

import numpy as np
import pytest
import torch

from voxplain.errors import ConfigError
from voxplain.explainers import grad_cam, integrated_gradients, lrp

INPUTS = np.random.default_rng(0).normal(size=(24, 32)).astype(np.float32)
EXPLAINERS = {
    "integrated_gradients": integrated_gradients.attribute_module,
    "grad_cam": lambda *given, **options: grad_cam.attribute_module(
        *given, layer="layer2", **options
    ),
    "lrp": lrp.attribute_module,
}


@pytest.fixture(params=EXPLAINERS)
def explain(request):
    """One of the three."""
    return EXPLAINERS[request.param]


def test_tensors_arrays_and_channels_are_the_same(explain, residual):
    expected = explain(residual, INPUTS, output=1).scores
    for inputs in (torch.tensor(INPUTS), INPUTS.astype(np.float64)[None], INPUTS.tolist()):
        np.testing.assert_array_equal(explain(residual, inputs, output=1).scores, expected)


def test_dropout_has_no_part_in_it(explain, residual):
    expected = explain(residual, INPUTS, output=1).scores
    np.testing.assert_array_equal(explain(residual.train(), INPUTS, output=1).scores, expected)


def test_neither_have_frozen_weights_or_a_caller_without_gradients(explain, residual):
    expected = explain(residual, INPUTS, output=1).scores
    with torch.no_grad():
        found = explain(residual.requires_grad_(False), INPUTS, output=1).scores
    np.testing.assert_array_equal(found, expected)


def test_time_and_frequency_are_sums_over_the_other(explain, residual):
    whole = explain(residual, INPUTS, output=1, axis="time_frequency").scores
    time = explain(residual, INPUTS, output=1, axis="time").scores
    frequency = explain(residual, INPUTS, output=1, axis="frequency").scores
    np.testing.assert_allclose(time, whole.sum(0), rtol=1e-9)
    np.testing.assert_allclose(frequency, whole.sum(1), rtol=1e-9)


def test_an_output_without_a_label_is_a_number(explain, residual):
    assert explain(residual, INPUTS, output=1).output == "1"
    assert explain(residual, INPUTS, output=1, label="sad").output == "sad"


def test_what_only_hangs_on_weights_is_refused(explain, residual):
    residual.register_forward_pre_hook(lambda _, given: (torch.zeros_like(given[0]),))
    with pytest.raises(ConfigError, match=r"^Residual gives no gradient for its inputs"):
        explain(residual, INPUTS, output=0)


@pytest.mark.parametrize("output", [-1, 3])
def test_an_output_that_is_not_there_is_refused(explain, residual, output):
    with pytest.raises(ConfigError, match=rf"^output {output} is none of the 3, counted from 0$"):
        explain(residual, INPUTS, output=output)


@pytest.mark.parametrize("shape", [(24,), (2, 24, 32)])
def test_inputs_of_another_shape_are_refused(explain, residual, shape):
    with pytest.raises(ConfigError) as caught:
        explain(residual, np.zeros(shape, np.float32), output=0)
    assert str(caught.value) == f"inputs are {shape}, they should be (bands, frames)"


def test_a_function_is_refused(explain):
    with pytest.raises(ConfigError, match=r"^a builtin_function_or_method is no torch module and"):
        explain(len, INPUTS, output=0)


def test_a_module_without_gradients_is_refused(explain, residual):
    residual.register_forward_hook(lambda _, __, outputs: outputs.detach())
    expected = "^Residual gives no gradient for its inputs; 'occlusion' needs none$"
    with pytest.raises(ConfigError, match=expected):
        explain(residual, INPUTS, output=0)
