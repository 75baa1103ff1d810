"""A state is whole or not there, and comes back as it was."""

import pytest
import torch

from voxplain.errors import ArtifactError
from voxplain.training.experiment.checkpoint import load_state, save_state


def test_tensors_and_facts_come_back(tmp_path):
    tensors = {"a/b": torch.randn(3, 4).T, "c": torch.tensor(7), "d": torch.ones(2).bfloat16()}
    save_state(tmp_path / "deep/state.safetensors", tensors, {"step": 3, "losses": [0.1]})
    found, told = load_state(tmp_path / "deep/state.safetensors")
    assert told == {"step": 3, "losses": [0.1]}
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


@pytest.mark.parametrize("content", [None, b"", b"no tensors at all"])
def test_another_file_is_refused(tmp_path, content):
    place = tmp_path / "state.safetensors"
    if content is not None:
        place.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"is no state of a training .*delete it to begin"):
        load_state(place)


def test_tensors_without_facts_are_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(1)}, tmp_path / "state.safetensors")
    with pytest.raises(ArtifactError, match="is no state of a training"):
        load_state(tmp_path / "state.safetensors")
