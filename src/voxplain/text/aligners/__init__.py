"""Aligners: where in a recording each word of its text is spoken."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Found"]


class Found(NamedTuple):
    """Where a word was found."""

    start: float
    """Seconds."""
    end: float
    confidence: float
    """That the word was said there: in [0, 1]."""
