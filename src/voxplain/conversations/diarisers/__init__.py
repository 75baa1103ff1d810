"""Diarisers: who speaks when, found out by a library. One file each.

A file has a ``CARD`` and ``load(folder)``, which gives a function from an Audio of 16 kHz to its
turns: Segments with a ``speaker`` (a name of its own making), which may overlap. Weights lie in a
folder that the user gives; nothing is ever downloaded. ``load`` raises MissingExtra where its
package is absent and WeightsMissing where a file is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voxplain.errors import ConfigError
from voxplain.plugins import find
from voxplain.types import Audio, Segment

__all__ = ["Card", "Diariser", "load_diariser"]

Diariser = Callable[[Audio], list[Segment]]


@dataclass(frozen=True, slots=True)
class Card:
    """Constant facts."""

    title: str
    licence: str
    citation: str
    extra: str
    """What it needs installed: voxplain[extra]."""
    files: dict[str, str]
    """Name in the folder of weights -> what it is, and where to get it."""


def load_diariser(name: str, folder: str | os.PathLike[str] | None) -> Diariser:
    """Raises UnknownName, ConfigError without a folder, MissingExtra and WeightsMissing."""
    plugin = find("diarisers", name)
    if folder is None:
        files = "; ".join(f"{file}: {what}" for file, what in plugin.CARD.files.items())
        raise ConfigError(f"the diariser {name} needs the folder of its weights ({files})")
    diariser: Diariser = plugin.load(Path(folder))
    return diariser
