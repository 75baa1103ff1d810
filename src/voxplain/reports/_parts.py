"""What every part of a page is made of: sections and tables that can be read aloud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from voxplain.reports._markup import Attribute, Child, Markup, element

__all__ = ["Section", "fold", "link", "play", "row", "section", "table"]


@dataclass(frozen=True, slots=True)
class Section:
    """A landmark of the page."""

    name: str
    title: str
    markup: Markup


def section(name: str, title: str, *content: Child) -> Section:
    """A section with its heading; ``name``, its id, is that of the value it shows."""
    heading = element("h2", title, id=f"{name}-title")
    markup = element("section", heading, content, id=name, aria_labelledby=f"{name}-title")
    return Section(name, title, markup)


def table(caption: Child, head: Sequence[str], rows: Sequence[Markup], *, class_: str) -> Markup:
    """A table that stays one to a screen reader, whatever becomes of it on a narrow screen."""
    titles = [
        element("th", title, scope="col", role="columnheader")
        if title
        else element("td", role="cell")
        for title in head
    ]
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", titles, role="row"), role="rowgroup"),
        element("tbody", rows, role="rowgroup"),
        class_=class_,
        role="table",
    )


def link(place: str, said: str, **attributes: Attribute) -> Markup:
    """To a part of the page, by its id."""
    return element("a", said, href=f"#{quote(place, safe='')}", **attributes)


def row(title: Child, *cells: Child, **attributes: Attribute) -> Markup:
    """A row of a table that is about its first cell."""
    first = element("th", title, scope="row", role="rowheader")
    rest = [element("td", cell, role="cell") for cell in cells]
    return element("tr", first, rest, role="row", **attributes)


def fold(summary: str, content: Child) -> Markup:
    """What need not be read at once; printed, it is unfolded."""
    return element("details", element("summary", summary), content)


def play(start: float, end: float, name: str) -> Markup:
    """A button that plays a stretch of the recording."""
    triangle = element("path", d="M2 1l9 5-9 5z")
    return element(
        "button",
        element("svg", triangle, viewBox="0 0 12 12", aria_hidden="true"),
        type="button",
        class_="play",
        data_start=start,
        data_end=end,
        aria_label=f"Play {name}",
    )
