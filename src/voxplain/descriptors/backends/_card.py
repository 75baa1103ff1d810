"""What every backend states about itself."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Card"]


@dataclass(frozen=True, slots=True)
class Card:
    """An instrument in brief."""

    title: str
    licence: str
    citation: str
    tracks: tuple[str, ...]
    """Names of the tracks it gives; names and units are those of ``voxplain.descriptors``."""
    functionals: tuple[str, ...]
