"""Tables of a grid for the terminal, 80 columns wide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from voxplain.training.statistics import Difference, Interval
from voxplain.training.studies.grid.figures import Corrected
from voxplain.training.studies.tables import Table

__all__ = ["WIDTH", "terminal"]

WIDTH = 80


def terminal(tables: Mapping[str, Table]) -> str:
    """Every table; a figure stands above its interval, columns that find no room stand below."""
    return "\n\n".join(_told(title, table) for title, table in tables.items() if table)


def _told(title: str, table: Table) -> str:
    basis = next(iter(next(iter(table.values())).values()))
    head = f"{title} (n {basis.n}, speakers {basis.speakers})"
    columns = list(dict.fromkeys(name for row in table.values() for name in row))
    cells = {
        row: {name: _lines(one.get(name, "")) for name in columns} for row, one in table.items()
    }
    names = max(map(len, cells))
    widths = {
        name: max(len(name), *(len(line) for row in cells.values() for line in row[name]))
        for name in columns
    }
    blocks: list[list[str]] = []
    room = 0
    for name in columns:
        if widths[name] + 2 > room:
            blocks.append([])
            room = WIDTH - names
        blocks[-1].append(name)
        room -= widths[name] + 2
    lines = [head, "=" * len(head)]
    for block in blocks:
        lines.append(_line("", block, block, names, widths))
        for row, own in cells.items():
            for number in range(max(len(own[name]) for name in block)):
                parts = [own[name][number] if number < len(own[name]) else "" for name in block]
                lines.append(_line("" if number else row, parts, block, names, widths))
        lines.append("")
    return "\n".join(lines).rstrip()


def _line(
    row: str, parts: Sequence[str], block: Sequence[str], names: int, widths: Mapping[str, int]
) -> str:
    cells = (f"{part:<{widths[name]}}" for part, name in zip(parts, block, strict=True))
    return "  ".join([f"{row:<{names}}", *cells]).rstrip()


def _lines(cell: Any) -> list[str]:
    if isinstance(cell, Corrected):
        p = "p<.001" if cell.holm < 0.001 else f"p {cell.holm:.3f}".replace(" 0.", " .")
        return [f"{cell.value:+.3f} {p}", f"{cell.low:+.3f} {cell.high:+.3f}"]
    if isinstance(cell, Interval):
        sign = "+" if isinstance(cell, Difference) else ""
        return [f"{cell.value:{sign}.3f}", f"{cell.low:{sign}.3f} {cell.high:{sign}.3f}"]
    return [str(cell)]
