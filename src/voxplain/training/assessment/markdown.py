"""A document in Markdown, with its drawings as files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from voxplain.reports import _words
from voxplain.training.assessment.documents import (
    Cell,
    Document,
    Figure,
    Link,
    Part,
    Shade,
    Spread,
    Table,
)
from voxplain.training.statistics import Interval
from voxplain.training.studies.charts import dots

__all__ = ["drawings", "render"]

_ACTIVE = re.compile(r"[\\`*_\[\]<|~]")


def render(document: Document) -> str:
    """One text; the drawings that it shows lie in ``figures/`` (see ``drawings``)."""
    parts = [f"# {_text(document.title)}", _text(document.source), _text(document.lede)]
    parts += [f"> **Warning:** {_text(one)}" for one in document.warnings]
    for section in document.sections:
        parts.append(f"## {_text(section.title)}")
        for part in (*section.parts, *section.folded):
            parts += _part(part)
    parts += ["## Limits and permitted use", *_words.LIMITS, "## Made with"]
    parts.append(_table(("", ""), document.facts))
    return "\n\n".join(parts) + "\n"


def drawings(document: Document) -> dict[str, str]:
    """Name of the file -> SVG, of every figure and of every table that is drawn."""
    found = {}
    for section in document.sections:
        for part in (*section.parts, *section.folded):
            if isinstance(part, Figure):
                found[f"{part.name}.svg"] = part.svg
            elif isinstance(part, Table) and part.axis and part.name:
                found[f"{part.name}.svg"] = _drawn(part)
    return found


def _drawn(table: Table) -> str:
    """The first interval, or spread, of each row."""
    assert table.axis
    rows: dict[str, list[Interval]] = {}
    title = ""
    for row in table.rows:
        for name, cell in zip(table.head, row, strict=True):
            if isinstance(cell, Spread):
                cell = Interval(cell.middle, cell.low, cell.high, 0, 0)
            if isinstance(cell, Interval):
                title = name
                rows[str(row[0])] = [cell]
                break
    chance = table.axis[0] if table.mark is None else table.mark
    return dots(rows, title=table.caption, series=[title], span=table.axis, chance=chance)


def _part(part: Part) -> Iterator[str]:
    if isinstance(part, str):
        yield _text(part)
        return
    if isinstance(part, Link):
        yield f"[{_text(part.said)}]({quote(part.place)})"
        return
    if isinstance(part, Figure) or (part.axis and part.name):
        yield f"![{_text(part.caption)}](figures/{quote(part.name)}.svg)"
    if isinstance(part, Table):
        yield f"**{_text(part.caption)}**"
        yield _table(part.head, part.rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    lines = [[_text(_said(cell)) for cell in line] for line in (head, *rows)]
    lines.insert(1, ["---"] * len(head))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _said(cell: Cell) -> str:
    return cell.said if isinstance(cell, Shade) else str(cell)


def _text(text: str) -> str:
    return _ACTIVE.sub(r"\\\g<0>", " ".join(_words.printable(text).split()))
