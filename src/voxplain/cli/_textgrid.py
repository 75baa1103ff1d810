"""What was measured in one recording, as tiers for Praat."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from voxplain.cli._results import replacing

__all__ = ["write_textgrid"]

_TEXT = ("file", "start", "end", "label", "speaker", "unreliable", "error")


def write_textgrid(path: Path, rows: Mapping[str, Sequence[Any]], *, duration: float) -> None:
    """One interval tier with the labels (or numbers) of the rows, one with each column's values.

    Raises OutputError.
    """
    from praatio import textgrid

    places = list(zip(rows["start"], rows["end"], strict=True))
    labels = rows.get("label") or [str(number) for number in range(1, len(places) + 1)]
    grid = textgrid.Textgrid(0.0, duration)
    tiers = {"segments": labels} | {
        name: [f"{value:.4g}" if math.isfinite(value) else "" for value in values]
        for name, values in rows.items()
        if name not in _TEXT
    }
    for name, texts in tiers.items():
        entries = [(*place, text) for place, text in zip(places, texts, strict=True) if text]
        grid.addTier(textgrid.IntervalTier(name, entries, 0.0, duration))
    with replacing(path) as temporary:
        grid.save(str(temporary), format="long_textgrid", includeBlankSpaces=True)
