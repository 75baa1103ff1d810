"""Formats of model folders: one file each, with a CARD and ``load(folder) -> Model``."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Card"]


@dataclass(frozen=True, slots=True)
class Card:
    """A format in brief."""

    title: str
    """What a folder of this format is."""
    extra: str = ""
    """What it needs installed, voxplain[extra]; empty: nothing more than the package."""
