"""What an engine says about itself."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Card"]


@dataclass(frozen=True, slots=True)
class Card:
    """Constant facts."""

    title: str
    extra: str | None = None
    """What must be installed for it."""
