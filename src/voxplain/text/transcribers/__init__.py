"""Transcribers: what is said in a recording, with the time of each word.

One file each, with a ``CARD`` and ``load(model=None, *, language=None)``, which gives a function
from an Audio to its Transcript. ``model`` is a folder or the name of a model that was pulled (a
name of ``CARD.weights``); nothing is ever downloaded but by ``voxplain models pull``. ``language``
is two letters, such as en; None lets the recogniser find out. ``load`` raises MissingExtra where
its package is absent, WeightsMissing where the model is, ConfigError for a language or a model
that it can't take.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voxplain.errors import ConfigError, MissingExtra, WeightsMissing
from voxplain.plugins import find, names
from voxplain.types import Audio, Transcript

__all__ = ["Card", "Transcriber", "Weights", "choose", "find_weights", "models_folder"]

Transcriber = Callable[[Audio], Transcript]


@dataclass(frozen=True, slots=True)
class Weights:
    """A model that can be pulled from the Hugging Face hub."""

    repository: str
    revision: str
    """Of the repository: a commit."""
    file: str
    """That holds the numbers."""
    sha256: str
    """Of that file."""
    megabytes: int
    licence: str


@dataclass(frozen=True, slots=True)
class Card:
    """A recogniser in brief."""

    title: str
    licence: str
    citation: str
    extra: str
    """What it needs installed: voxplain[extra]."""
    languages: str
    weights: Mapping[str, Weights] = field(default_factory=dict)
    """Name -> what can be pulled, the best first; such a recogniser is good."""


def models_folder() -> Path:
    """Where pulled models lie: $VOXPLAIN_MODELS, or the user's cache folder."""
    if chosen := os.environ.get("VOXPLAIN_MODELS"):
        return Path(chosen)
    home = Path.home()
    if sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
    elif sys.platform == "darwin":
        cache = home / "Library/Caches"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return cache / "voxplain/models"


def find_weights(model: str | None, card: Card) -> Path:
    """The folder of a model: a path, a name that was pulled, or by default the best that was.

    Raises WeightsMissing, which names the folder and how to fill it.
    """
    if model is not None and Path(model).is_dir():
        return Path(model)
    for name in card.weights if model is None else (model,):
        if (models_folder() / name).is_dir():
            return models_folder() / name
    pulled = [model] if model in card.weights else card.weights
    remedy = " or ".join(f"voxplain models pull {name}" for name in pulled)
    raise WeightsMissing(
        f"no model {'' if model is None else f'{model!r} '}for {card.title}, neither as a folder "
        f"nor in {models_folder()}; "
        + (f"get one with: {remedy}" if remedy else "give the folder of one as the model")
    )


def choose(
    name: str, *, model: str | None = None, language: str | None = None
) -> tuple[Transcriber | None, str]:
    """A recogniser by its name, loaded.

    "auto" is a good one if its weights lie here; else there is none, and a sentence that says how
    to get one. Raises UnknownName, ConfigError, MissingExtra and WeightsMissing.
    """
    if name != "auto":
        transcribe: Transcriber = find("transcribers", name).load(model, language=language)
        return transcribe, ""
    if model is not None:
        raise ConfigError(
            f"the model {model!r} needs the name of its recogniser, not auto; "
            f"there are {', '.join(names('transcribers'))}"
        )
    reason = ""
    for candidate in names("transcribers"):
        plugin = find("transcribers", candidate)
        if not plugin.CARD.weights:
            continue
        try:
            return plugin.load(language=language), ""
        except (WeightsMissing, MissingExtra) as error:
            reason = f"the words were left out: {error}"
    return None, reason
