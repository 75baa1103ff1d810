"""What an engine says about itself."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Card"]


@dataclass(frozen=True, slots=True)
class Card:
    """Constant facts."""

    title: str
    extra: str | None = None
    """What installs the package that has its name, where it needs one."""
    joins: bool = False
    """Whether ``run`` takes the ``address`` of a cluster."""
