"""Where a training stands, in one file that is whole or not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from voxplain.errors import ArtifactError
from voxplain.files import write

__all__ = ["load_state", "save_state"]


def save_state(path: Path, tensors: Mapping[str, Tensor], told: Mapping[str, Any]) -> None:
    """Tensors by name, and beside them what is no tensor, as JSON: one safetensors file."""
    own = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write(path, save(own, metadata={"told": json.dumps(told)}))


def load_state(path: Path) -> tuple[dict[str, Tensor], Any]:
    """What ``save_state`` wrote. Raises ArtifactError for another file."""
    try:
        with safe_open(path, framework="pt") as file:
            told = json.loads((file.metadata() or {})["told"])
            return {name: file.get_tensor(name) for name in file.keys()}, told  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ArtifactError(
            f"{path} is no state of a training ({error}); delete it to begin this fold anew"
        ) from error
