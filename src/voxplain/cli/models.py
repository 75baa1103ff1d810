"""Models beyond the package: list them, or pull one from the Hugging Face hub.

examples:
  voxplain models list
  voxplain models pull whisper-small
  voxplain models pull superb/hubert-large-superb-er

Nothing else in voxplain ever downloads a model. Those of the list go to
$VOXPLAIN_MODELS, or to the user's cache folder; any other of the hub goes to
the cache of Hugging Face, where --model and --encoder find it by its id.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import tempfile
from pathlib import Path

from voxplain.errors import ChecksumMismatch, UnknownName, WeightsMissing
from voxplain.models.loading import HUB_ID
from voxplain.plugins import find, names, require
from voxplain.text.transcribers import Weights, models_folder

__all__ = ["add", "run"]

# What runs nothing when it is loaded: safetensors, CTranslate2's numbers, and texts.
_TEXTS = ["*.json", "*.txt", "LICENSE*", "README.md"]
_PATTERNS = ["*.safetensors", "model.bin", *_TEXTS]


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    actions = parser.add_subparsers(required=True, metavar="list|pull", dest="action")
    actions.add_parser("list", help="what can be pulled, and what is there")
    pull = actions.add_parser("pull", help="download a model")
    pull.add_argument("name", help=f"{', '.join(_known())}, or an id of the Hugging Face hub")


def run(arguments: argparse.Namespace) -> int:
    """List, or pull."""
    if arguments.action == "pull":
        pull = _pull_checkpoint if HUB_ID.fullmatch(arguments.name) else _pull
        pull(arguments.name)
        return 0
    for name, weights in _known().items():
        there = " (here)" if (models_folder() / name).is_dir() else ""
        print(f"{name}: {weights.megabytes} MB, {weights.licence}, {weights.repository}{there}")
    print(f"pulled models lie in {models_folder()}")
    return 0


def _known() -> dict[str, Weights]:
    """Every model that the card of a transcriber names."""
    cards = (find("transcribers", name).CARD for name in names("transcribers"))
    return {name: weights for card in cards for name, weights in card.weights.items()}


def _pull(name: str) -> None:
    if name not in _known():
        raise UnknownName("model", name, _known())
    weights, folder = _known()[name], models_folder() / name
    if folder.is_dir():
        print(f"{folder} is there already")
        return
    hub = require("huggingface_hub", extra="asr")
    print(
        f"{name}: {weights.megabytes} MB from huggingface.co/{weights.repository}, licence "
        f"{weights.licence}, into {folder}",
        flush=True,
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place until it is whole and checked, so that half a model is never loaded.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as place:
        try:
            hub.snapshot_download(
                weights.repository,
                revision=weights.revision,
                local_dir=place,
                allow_patterns=_PATTERNS,
            )
        except (OSError, hub.errors.EntryNotFoundError) as error:
            raise WeightsMissing(
                f"{weights.repository} could not be pulled: {error}; try again with a network, or "
                f"copy its files from another machine into {folder}"
            ) from error
        _check(Path(place) / weights.file, weights)
        shutil.rmtree(Path(place) / ".cache", ignore_errors=True)
        Path(place).rename(folder)
        Path(place).mkdir()  # for the context to remove
    print(f"pulled {folder}")


def _pull_checkpoint(name: str) -> None:
    """Any checkpoint, of which nothing is known but what its page says."""
    hub = require("huggingface_hub", extra="train")
    page = f"huggingface.co/{name}"
    try:
        folder = Path(hub.snapshot_download(name, allow_patterns=_TEXTS, ignore_patterns="*/*"))
        print(
            f"{name}: from {page}, into the cache of Hugging Face\nlicence: {_licence(folder)}; "
            "whoever uses the model must have accepted it, and nobody has checked it here",
            flush=True,
        )
        hub.snapshot_download(name, allow_patterns="*.safetensors", ignore_patterns="*/*")
    except (OSError, hub.errors.EntryNotFoundError) as error:
        raise WeightsMissing(
            f"{page} could not be pulled: {error}; check the id, and whether the model asks for a "
            "login (hf auth login), or try again with a network"
        ) from error
    if not any(folder.glob("*.safetensors")):
        raise WeightsMissing(
            f"{page} has no safetensors, and no other weights are pulled: a pickle can run code "
            "when it is opened; docs/models.md says how to convert one that you trust"
        )
    print(f"pulled {name} at revision {folder.name}; use it with: --model {name}")


def _licence(folder: Path) -> str:
    """As the head of the model card gives it."""
    page = folder / "README.md"
    data = (
        require("huggingface_hub", extra="train").ModelCard.load(page).data
        if page.is_file()
        else {}
    )
    return str(data.get("license") or "not stated")


def _check(file: Path, weights: Weights) -> None:
    if not file.is_file():
        raise WeightsMissing(f"{weights.repository} has no {file.name}; nothing was pulled")
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != weights.sha256:
        raise ChecksumMismatch(
            f"{file.name} of {weights.repository} has SHA-256 {found}, not {weights.sha256}; "
            "nothing was pulled: try again, and tell the authors if it stays so"
        )
