"""The analysis as one JSON document (docs/schema.md)."""

from __future__ import annotations

import json

from voxplain.errors import VoxplainError
from voxplain.types import Analysis

__all__ = ["SUFFIX", "render", "render_error"]

SUFFIX = ".json"


def render(analysis: Analysis, *, tracks: bool = False, indent: int | None = 2) -> str:
    """One JSON document, ASCII only so that every terminal and file system takes it."""
    return json.dumps(analysis.to_dict(tracks=tracks), indent=indent, allow_nan=False)


def render_error(source: str, error: VoxplainError, *, exit_code: int) -> str:
    """The row of a recording that could not be analysed."""
    found = {"type": type(error).__name__, "message": str(error), "exit_code": exit_code}
    return json.dumps({"source": source, "error": found})
