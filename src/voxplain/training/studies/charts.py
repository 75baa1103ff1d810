"""Figures as SVG: points in their intervals, row by row."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from voxplain.reports._markup import Markup, element
from voxplain.training.statistics import Interval

__all__ = ["dots"]

_COLOURS = ("#b3372f", "#4a6fa5", "#8a8f98")
_LABELS, _PLOT, _ROW = 330, 430, 22  # pixels
_TOP, _BOTTOM = 56, 26


def dots(
    rows: Mapping[str, Sequence[Interval]],
    *,
    title: str,
    series: Sequence[str],
    span: tuple[float, float],
    chance: float,
) -> str:
    """An SVG with a row for each name, and in it a point with its interval for each series.

    ``span`` are the ends of the axis; a line marks what ``chance`` would give.
    """
    low, high = span
    height = _TOP + _ROW * len(rows) + _BOTTOM

    def x(value: float) -> float:
        return _LABELS + _PLOT * (min(max(value, low), high) - low) / (high - low)

    shapes = [
        element("rect", width=_LABELS + _PLOT + 30, height=height, fill="#ffffff"),
        _text(title, 10, 18, font_weight="bold"),
        element(
            "line", x1=x(chance), x2=x(chance), y1=_TOP - 8, y2=height - _BOTTOM, stroke="#555555"
        ),
    ]
    for number, name in enumerate(series):
        shapes += [
            element("circle", cx=16 + 150 * number, cy=36, r=4, fill=_COLOURS[number]),
            _text(name, 26 + 150 * number, 40),
        ]
    for place, (name, intervals) in enumerate(rows.items()):
        y = _TOP + _ROW * (place + 0.5)
        shapes.append(_text(name, _LABELS - 12, y + 4, text_anchor="end"))
        for number, one in enumerate(intervals):
            if math.isfinite(one.value):
                shapes += _point(x, one, y + 5 * (number - (len(intervals) - 1) / 2), number)
    shapes += [
        _text(f"{value:g}", x(value), height - 8, text_anchor="middle")
        for value in (low, chance, high)
    ]
    view = f"0 0 {_LABELS + _PLOT + 30} {height}"
    namespace = "http://www.w3.org/2000/svg"
    return element("svg", shapes, xmlns=namespace, viewBox=view, role="img", aria_label=title)


def _point(x: Callable[[float], float], one: Interval, y: float, number: int) -> list[Markup]:
    colour = _COLOURS[number]
    return [
        element("line", x1=x(one.low), x2=x(one.high), y1=y, y2=y, stroke=colour, stroke_width=1.5),
        element("circle", cx=x(one.value), cy=y, r=3, fill=colour),
    ]


def _text(words: str, x: float, y: float, **style: str) -> Markup:
    return element("text", words, x=x, y=y, font_family="sans-serif", font_size=12, **style)
