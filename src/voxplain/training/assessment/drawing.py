"""Curves as SVG: a picture by itself, and in a page that gives its classes other colours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from voxplain.reports._markup import Markup, element
from voxplain.training.statistics import Interval

__all__ = ["Point", "curves"]

Point = tuple[float, Interval]
"""x, and y with its interval; one without width has none."""

_WIDTH, _HEIGHT = 360, 230  # pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 14, 44
_ASIDE = 4
_COLOURS = ("#1a1d21", "#b0400d", "#0a6c74")
_DASHES = (None, "6 4", "2 3")
_INK, _LINE = "#1a1d21", "#dcdfda"


def curves(
    series: Mapping[str, Sequence[Point]],
    *,
    title: str,
    x: str,
    y: str,
    ticks: Sequence[tuple[float, str]],
    span: tuple[float, float] = (0.0, 1.0),
    mark: float | None = None,
    diagonal: bool = False,
) -> str:
    """Up to three curves with their intervals over an axis with named places.

    ``x`` and ``y`` name the axes, ``span`` are the ends of the latter. A dotted line marks a
    height, such as chance; the ``diagonal`` is where both axes are equal.
    """
    places = [place for place, _ in ticks]
    first, last = min(places), max(places)

    def across(value: float) -> float:
        share = (value - first) / (last - first or 1)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * share

    def up(value: float) -> float:
        share = (min(max(value, span[0]), span[1]) - span[0]) / (span[1] - span[0])
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share

    heights = [span[0] + (span[1] - span[0]) * part / 4 for part in range(5)]
    shapes = [element("rect", width=_WIDTH, height=_HEIGHT, fill="#fdfdfb", class_="paper")]
    shapes += [
        _line(_LEFT, up(one), _WIDTH - _RIGHT, up(one), class_="grid", stroke=_LINE)
        for one in heights
    ]
    shapes += [_text(f"{one:.3g}", _LEFT - 6, up(one) + 4, anchor="end") for one in heights]
    shapes += [_text(said, across(at), _HEIGHT - _BOTTOM + 16) for at, said in ticks]
    shapes += [
        _text(x, (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8),
        _text(y, 12, (_TOP + _HEIGHT - _BOTTOM) / 2, turned=True),
    ]
    if mark is not None:
        shapes.append(_line(_LEFT, up(mark), _WIDTH - _RIGHT, up(mark), stroke_dasharray="1 4"))
    if diagonal:
        ends = across(first), up(first), across(last), up(last)
        shapes.append(_line(*ends, stroke_dasharray="1 4"))
    for number, points in enumerate(series.values()):
        aside = _ASIDE * (number - (len(series) - 1) / 2)  # so that neither hides the other
        known = [(across(at) + aside, one) for at, one in points if math.isfinite(one.value)]
        path = "L".join(f"{at:.1f} {up(one.value):.1f}" for at, one in known)
        style = {"class_": f"series-{number}", "stroke": _COLOURS[number], "fill": "none"}
        for at, one in known:
            if one.high > one.low:
                shapes.append(
                    element(
                        "path",
                        d=f"M{at:.1f} {up(one.low):.1f}V{up(one.high):.1f}",
                        stroke_width=1,
                        **style,
                    )
                )
            shapes.append(
                element(
                    "circle",
                    cx=at,
                    cy=up(one.value),
                    r=2.5,
                    class_=f"dot series-{number}",
                    stroke=_COLOURS[number],
                    fill=_COLOURS[number],
                )
            )
        if known:
            dashes = {"stroke_dasharray": _DASHES[number]}
            shapes.append(element("path", d=f"M{path}", stroke_width=2, **style, **dashes))
    said = f"{title}. " + "; ".join(_spoken(name, points, ticks) for name, points in series.items())
    return element(
        "svg",
        shapes,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=said,
        class_="plot",
    )


def _spoken(name: str, points: Sequence[Point], ticks: Sequence[tuple[float, str]]) -> str:
    """The curve in words, at the places that have a name."""
    names = dict(ticks)
    told = [f"{one.value:.2f} at {names.get(at, f'{at:.2f}')}" for at, one in points]
    return f"{name}: {', '.join(told)}"


def _line(x1: float, y1: float, x2: float, y2: float, **style: str | None) -> Markup:
    stroke = {"stroke": _INK, "class_": "mark"} | style
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **stroke)


def _text(
    words: str, x: float, y: float, *, anchor: str = "middle", turned: bool = False
) -> Markup:
    turn = f"rotate(-90 {x:g} {y:g})" if turned else None
    return element(
        "text",
        words,
        x=x,
        y=y,
        text_anchor=anchor,
        transform=turn,
        fill=_INK,
        font_family="sans-serif",
        font_size=12,
    )
