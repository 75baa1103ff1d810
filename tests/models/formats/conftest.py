"""Tiny checkpoints of every kind of head, and a way to damage them."""

import json
import shutil

import pytest
from safetensors.numpy import load_file, save_file

LABELS = {
    "regression": ["arousal", "dominance", "valence"],
    "dense": ["angry", "calm", "disgust", "fearful", "happy", "neutral", "sad", "surprised"],
    "superb": ["neu", "hap", "ang", "sad"],
    "wavlm": ["contempt", "excited", "frustrated", "other"],
    "whisper": ["angry", "disgust", "fearful", "happy", "neutral", "sad", "surprised"],
}


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """Kind of head -> folder and network of transformers; made when they are asked for."""
    from voxplain.testing.checkpoints import save_checkpoint

    root, made = tmp_path_factory.mktemp("checkpoints"), {}

    def of(head):
        if head not in made:
            made[head] = root / head, save_checkpoint(root / head, head, LABELS[head])
        return made[head]

    return of


@pytest.fixture
def damaged(checkpoints, tmp_path):
    """A function: a copy of a checkpoint with keys of a JSON file, or tensors, changed.

    What is changed to None goes.
    """

    def changed(values, changes):
        kept = {**values, **changes}
        return {name: value for name, value in kept.items() if value is not None}

    def make(head, *, tensors=None, file="config.json", **changes):
        folder = tmp_path / head
        if not folder.exists():
            shutil.copytree(checkpoints(head)[0], folder)
        if changes:
            plain = json.loads((folder / file).read_text())
            (folder / file).write_text(json.dumps(changed(plain, changes)))
        if tensors:
            path = folder / "model.safetensors"
            save_file(changed(load_file(path), tensors), path, metadata={"format": "pt"})
        return folder

    return make
