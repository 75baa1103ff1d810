"""From the name of a model to the model: of the package, in a folder, or pulled from the hub."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

from voxplain import plugins
from voxplain.backbones import find_checkpoint
from voxplain.errors import UnknownName
from voxplain.models import Model
from voxplain.models.embedded import embedded_folder, embedded_models

__all__ = ["HUB_ID", "load_model"]

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
"""How the Hugging Face hub names a model: who owns it, and what it is called."""


@functools.cache
def load_model(name: str) -> Model:
    """A model by its name; each is loaded once.

    That is a model of the package, a folder, or the id of a model on the Hugging Face hub that lies
    in the local cache: nothing is downloaded here. The ``format`` of its ``card.json`` says how a
    folder is read (``models/formats/``); one without a card but with a ``config.json`` is a
    checkpoint of transformers.

    Raises UnknownName, WeightsMissing (with the command that gets it) and what the format raises.
    """
    folder = _folder(name)
    model: Model = plugins.find("formats", _format(folder)).load(folder)
    return model


def _folder(name: str) -> Path:
    if name in embedded_models():
        return embedded_folder(name)
    if Path(name).is_dir():
        return Path(name)
    if HUB_ID.fullmatch(name):
        return find_checkpoint(name)
    raise UnknownName("model", name, embedded_models())


def _format(folder: Path) -> str:
    """A folder that says nothing is one that ``voxplain train`` made for the package."""
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    except OSError:
        return "transformers" if (folder / "config.json").is_file() else "embedded"
    except ValueError:  # neither JSON nor text
        card = None
    return str(card.get("format", "embedded")) if isinstance(card, dict) else "embedded"
