"""Encoders: sound in, states out. One way to reach an encoder a file.

A plug-in has a ``CARD`` and ``load(folder)``. What can be trained on gives a ``SpeechEncoder`` (see
``_encoder``) and takes ``layers``; which file reads a checkpoint of Hugging Face is told by the
``model_type`` of its ``config.json``, and ``any`` reads what no other claims. Only safetensors are
read, no code of a checkpoint is run, and nothing is fetched. What trains encoders brings torch
along.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.errors import ArtifactError, WeightsMissing
from voxplain.plugins import find, names, require

if TYPE_CHECKING:
    from voxplain.backbones._encoder import SpeechEncoder

__all__ = [
    "Card",
    "digest",
    "find_checkpoint",
    "load",
    "plugin_of",
    "read_config",
    "read_preprocessor",
    "weight_files",
]


@dataclass(frozen=True, slots=True)
class Card:
    """An encoder in brief."""

    title: str
    licence: str
    citation: str
    extra: str
    """What it needs installed, voxplain[extra]; empty where nothing is needed."""
    model_types: tuple[str, ...]
    """Of the ``config.json`` of its checkpoints."""
    trainable: bool
    """Whether ``load`` gives a SpeechEncoder."""


def load(name: str | Path, *, layers: int | None = None) -> SpeechEncoder:
    """The encoder of a checkpoint folder, or of a hub id that was fetched before.

    ``layers`` keeps only so many of its layers, from the bottom.

    Raises MissingExtra, WeightsMissing, or ArtifactError for a checkpoint that can't be used.
    """
    for package in ("torch", "transformers", "safetensors"):
        require(package, extra="train")
    folder = find_checkpoint(name)
    encoder: SpeechEncoder = plugin_of(folder).load(folder, layers=layers)
    encoder.name = folder.name if Path(name).is_dir() else str(name)
    return encoder


def plugin_of(folder: Path) -> ModuleType:
    """The plug-in that reads a checkpoint.

    Raises what ``read_config`` raises.
    """
    config = read_config(folder)
    for name in names("backbones"):
        plugin = find("backbones", name)
        if config["model_type"] in plugin.CARD.model_types:
            return plugin
    return find("backbones", "any")


def find_checkpoint(name: str | Path) -> Path:
    """The folder of a checkpoint: a path, or a hub id in the local cache of Hugging Face.

    Raises MissingExtra or WeightsMissing.
    """
    if Path(name).is_dir():
        return Path(name)
    hub = require("huggingface_hub", extra="train")
    try:
        # Of a snapshot that was pulled without its pickles, all files is more than there is.
        found = hub.snapshot_download(
            str(name), local_files_only=True, allow_patterns="config.json"
        )
        return Path(found)
    except (OSError, ValueError) as error:  # ValueError: what can't be an id
        raise WeightsMissing(
            f"{name} is neither a folder nor in the cache of Hugging Face; get it with: "
            f"voxplain models pull {name}"
        ) from error


def read_config(folder: Path) -> dict[str, Any]:
    """``config.json`` of a checkpoint.

    Raises WeightsMissing if there is none, or ArtifactError if it names no model type, or if the
    model would need code of its own.
    """
    config = _json(folder / "config.json")
    if config is None:
        raise WeightsMissing(
            f"{folder} holds no checkpoint: it has no config.json; give a folder with config.json "
            "and model.safetensors, as from save_pretrained"
        )
    if "auto_map" in config:
        raise ArtifactError(
            f"{folder / 'config.json'} asks for code of its own (auto_map: {config['auto_map']}), "
            "which is never run; give a model that transformers knows"
        )
    if not isinstance(config.get("model_type"), str):
        raise ArtifactError(
            f"{folder / 'config.json'} has the model_type {config.get('model_type')!r}; it must "
            "say which model this is, e.g. 'wav2vec2'"
        )
    return config


def read_preprocessor(folder: Path) -> dict[str, Any]:
    """How the input is to be prepared: ``preprocessor_config.json`` of a checkpoint.

    Raises WeightsMissing if there is none, or ArtifactError for another rate than 16 kHz.
    """
    path = folder / "preprocessor_config.json"
    found = _json(path)
    if found is None:  # where a processor was saved as one
        path = folder / "processor_config.json"
        found = (_json(path) or {}).get("feature_extractor")
    if found is None:
        raise WeightsMissing(
            f"{folder} has no preprocessor_config.json, so that nobody knows how its input is to "
            "be prepared; copy it from where the checkpoint comes from"
        )
    rate = found.get("sampling_rate")
    if rate != SAMPLING_RATE:
        raise ArtifactError(
            f"{path} has the sampling_rate {rate!r}, but sound is heard at {SAMPLING_RATE} Hz; "
            "give a model of 16 kHz, or correct the file if the model is one"
        )
    return found


def weight_files(folder: Path) -> list[Path]:
    """The safetensors of a checkpoint: one file, or those that its index names.

    Raises WeightsMissing, which says what else lies there.
    """
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if single.is_file():
        return [single]
    listed = (_json(index) or {}).get("weight_map")
    if listed is not None:
        found = [folder / name for name in sorted(set(listed.values()))]
        for path in found:
            if not path.is_file():
                raise WeightsMissing(f"{index} names {path.name}, which is not there; copy it too")
        return found
    pickles = sorted(path.name for path in folder.glob("*.bin"))
    if pickles:
        raise WeightsMissing(
            f"{folder} holds its weights in {pickles[0]}, a pickle, which may run code when it is "
            "opened; take a revision with safetensors, or where you trust it, convert it tensor by "
            "tensor (docs/models.md)"
        )
    raise WeightsMissing(
        f"{folder} holds no weights: it has no model.safetensors; give a folder as from "
        "save_pretrained"
    )


def digest(folder: Path) -> str:
    """SHA-256 of all that a checkpoint's states depend on: configuration and weights."""
    settings = [folder / f"{name}config.json" for name in ("", "preprocessor_", "processor_")]
    total = hashlib.sha256()
    for path in [*filter(Path.is_file, settings), *weight_files(folder)]:
        with path.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} can't be read as JSON ({error}); copy it again") from error
    if not isinstance(found, dict):
        raise ArtifactError(f"{path} must hold an object, not {type(found).__name__}")
    return found
