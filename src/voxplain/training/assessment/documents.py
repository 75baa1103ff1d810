"""What a report is made of, whether it becomes a page or Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voxplain.reports._words import number
from voxplain.training.statistics import Interval

__all__ = ["Cell", "Document", "Figure", "Link", "Part", "Section", "Shade", "Spread", "Table"]


@dataclass(frozen=True, slots=True)
class Shade:
    """Words on a ground that is the darker, the larger a share."""

    said: str
    share: float
    """0 to 1."""
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with its quartiles."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{number(self.middle)} ({number(self.low)} to {number(self.high)})"


Cell = str | Interval | Shade | Spread


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, the first of which names the row."""

    caption: str
    head: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    axis: tuple[float, float] | None = None
    """If there is one, the first interval or spread of each row is drawn on it."""
    mark: float | None = None
    """A place on the axis: chance, nothing."""
    name: str = ""
    """Of the file of its drawing."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing."""

    name: str
    """Of its file."""
    caption: str
    svg: str


@dataclass(frozen=True, slots=True)
class Link:
    """To another report."""

    said: str
    place: str


Part = str | Link | Table | Figure
"""A paragraph, a link, a table or a drawing."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document with a heading; what is ``folded`` need not be read at once."""

    name: str
    title: str
    parts: Sequence[Part]
    folded: Sequence[Part] = ()
    folded_title: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A report."""

    title: str
    source: str
    lede: str
    warnings: tuple[str, ...]
    sections: Sequence[Section]
    facts: Sequence[tuple[str, str]]
    """What it was made with."""
