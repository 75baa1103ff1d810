"""A document as one page that needs nothing else: no network, no other file, no script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.resources import files
from itertools import groupby
from urllib.parse import quote

from voxplain.reports import _words
from voxplain.reports._charts import percent, picture
from voxplain.reports._markup import Markup, element, named
from voxplain.reports._parts import fold, link, row, section, table
from voxplain.reports._words import number
from voxplain.training.assessment.documents import (
    Cell,
    Document,
    Figure,
    Link,
    Part,
    Section,
    Shade,
    Spread,
    Table,
)
from voxplain.training.statistics import Difference, Interval

__all__ = ["render"]

_NARROW = 7
"""Columns of a table that can stand beside another; what is drawn takes three."""
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)


def render(document: Document) -> str:
    """An HTML page that can be kept, sent and printed, light or dark as its reader likes."""
    limits = Section("limits", "Limits and permitted use", _words.LIMITS)
    sections = (*document.sections, limits)
    links = [element("li", link(one.name, one.title)) for one in sections]
    made = element(
        "dl",
        [[element("dt", name), element("dd", named(value))] for name, value in document.facts],
    )
    style = "".join(
        files("voxplain").joinpath("assets/report", name).read_text(encoding="utf-8")
        for name in ("page.css", "figures.css")
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", document.title),
        element("link", rel="icon", href="data:,"),
        element("style", Markup(style)),
    )
    body = element(
        "body",
        element("a", "Skip to the content", href="#main", class_="skip"),
        element(
            "header",
            element(
                "div",
                element("p", named(document.source), class_="source"),
                element("h1", document.title),
                element("p", document.lede, class_="lede"),
            ),
            [
                element("p", element("b", "Warning: "), one, class_="warning")
                for one in document.warnings
            ],
            class_="single",
        ),
        element("nav", element("ul", links), aria_label="Sections"),
        element(
            "main",
            [_section(one) for one in sections],
            section("made", "Made with", made).markup,
            id="main",
        ),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _section(one: Section) -> Markup:
    folded = fold(one.folded_title, _parts(one.folded)) if one.folded else None
    return section(one.name, one.title, _parts(one.parts), folded).markup


def _parts(parts: Sequence[Part]) -> list[Markup]:
    """Drawings and narrow tables that follow each other stand side by side."""
    found: list[Markup] = []
    for narrow, several in groupby(parts, _narrow):
        drawn = [_part(one) for one in several]
        found += [element("div", drawn, class_="beside tiles")] if narrow else drawn
    return found


def _narrow(part: Part) -> bool:
    if isinstance(part, Table):
        return len(part.head) + (3 if part.axis else 0) <= _NARROW
    return isinstance(part, Figure)


def _part(part: Part) -> Markup:
    if isinstance(part, Figure):
        return element("figure", Markup(part.svg), element("figcaption", part.caption))
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Link):
        return element("p", element("a", part.said, href=quote(part.place)))
    return element("p", part)


def _table(given: Table) -> Markup:
    head = [given.head[0], *([""] if given.axis else []), *given.head[1:]]
    rows = []
    for first, *cells in given.rows:
        drawn = [_dot(cells, given.axis, given.mark)] if given.axis else []
        rows.append(row(named(str(first)), *drawn, *map(_cell, cells)))
    kind = "shares" if given.axis else "numbers"
    shaded = any(isinstance(cell, Shade) for line in given.rows for cell in line)
    drawing = table(given.caption, head, rows, class_="shades" if shaded else kind)
    return element(
        "div", drawing, class_="wide", tabindex="0", role="region", aria_label=given.caption
    )


def _cell(cell: Cell) -> Markup | str | list[Markup | str]:
    if isinstance(cell, Interval):
        if not math.isfinite(cell.value):
            return "–"
        form = "+.3f" if isinstance(cell, Difference) else ".3f"
        said = [f"{one:{form}}".replace("-", "−") for one in (cell.value, cell.low, cell.high)]
        return [said[0], element("small", f"{said[1]} to {said[2]}")]
    if isinstance(cell, Spread):
        spread = element("small", f"{number(cell.low)} to {number(cell.high)}")
        return [number(cell.middle), spread]
    if isinstance(cell, Shade):
        tint = f"--share:{percent(cell.share)}"
        return element(
            "span", cell.said, class_="shade marked" if cell.marked else "shade", style=tint
        )
    return cell


def _dot(cells: Sequence[Cell], axis: tuple[float, float], mark: float | None) -> Markup | None:
    """The first interval, or spread, of a row on the axis of its table."""
    one = next((cell for cell in cells if isinstance(cell, Interval | Spread)), None)
    if one is None:
        return None
    middle = one.middle if isinstance(one, Spread) else one.value
    if not math.isfinite(middle):
        return None
    value, low, high, at = (
        1000 * min(1.0, max(0.0, (place - axis[0]) / (axis[1] - axis[0])))
        for place in (middle, one.low, one.high, axis[0] if mark is None else mark)
    )
    return picture(
        element("line", x1=0, x2=1000, y1=50, y2=50, class_="rail"),
        *([] if mark is None else [element("line", x1=at, x2=at, y1=0, y2=100, class_="zero")]),
        element("line", x1=low, x2=high, y1=50, y2=50, class_="spread plain"),
        element("path", d=f"M{value:.1f} 50h.01", class_="dot plain"),
        class_="dots",
    )
