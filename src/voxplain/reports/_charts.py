"""Small pictures beside numbers: each says nothing that the words around it don't say."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from voxplain.reports._markup import Markup, element
from voxplain.reports._words import probability
from voxplain.types import Faithfulness, Segment

__all__ = [
    "across",
    "bar",
    "curves",
    "deviation",
    "interval",
    "percent",
    "picture",
    "strip",
    "swings",
]

_MOST_Z = 4.0
"""Standard deviations at the ends of an axis; what lies beyond is drawn there."""


def picture(
    *shapes: Markup | list[Markup] | None, label: str = "", class_: str | None = None
) -> Markup:
    """An SVG of 1000 x 100 that fills its box; without a label only an ornament beside numbers."""
    said = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    return element(
        "svg", shapes, viewBox="0 0 1000 100", preserveAspectRatio="none", class_=class_, **said
    )


def percent(share: float) -> str:
    """For a style."""
    return f"{100 * share:.2f}%"


def across(start: float, end: float, stretch: Segment) -> str:
    """The style of a box that covers a part of a stretch."""
    left, right = (
        min(1.0, max(0.0, (second - stretch.start) / stretch.duration)) for second in (start, end)
    )
    return f"left:{percent(left)};width:{percent(right - left)}"


def bar(share: float, *spread: float, class_: str = "plain") -> Markup:
    """A share of 1, perhaps with the ends of its interval."""
    width = 1000 * min(1.0, max(0.0, share)) if math.isfinite(share) else 0.0
    low, high = spread or (math.nan, math.nan)
    line = element("line", x1=1000 * low, x2=1000 * high, y1=50, y2=50, class_="spread")
    return picture(
        element("rect", width=1000, height=100, class_="rail"),
        element("rect", width=f"{width:.1f}", height=100, class_=class_),
        *([line] if math.isfinite(low + high) else []),
        class_="bar",
    )


def interval(
    value: float, low: float, high: float, *, before: float | None = None, class_: str = "plain"
) -> Markup:
    """A point in its interval, from 0 to 1, and perhaps where it was before."""
    return picture(
        element("line", x1=0, x2=1000, y1=50, y2=50, class_="rail"),
        element("line", x1=1000 * low, x2=1000 * high, y1=50, y2=50, class_=f"spread {class_}"),
        None if before is None else _dot(1000 * before, "hollow"),
        _dot(1000 * value, class_),
        class_="dots",
    )


def swings(before: float, after: float, control: float) -> Markup:
    """From one probability to another, and where the control stands."""
    moved = "for" if after > before else "against"
    return picture(
        element("line", x1=0, x2=1000, y1=50, y2=50, class_="rail"),
        element("line", x1=1000 * before, x2=1000 * after, y1=50, y2=50, class_=f"spread {moved}"),
        element("line", x1=1000 * control, x2=1000 * control, y1=10, y2=90, class_="tick"),
        _dot(1000 * before, "hollow"),
        _dot(1000 * after, moved),
        class_="dots",
    )


def deviation(z: float, *, expected: float = math.nan, class_: str = "plain") -> Markup | None:
    """A z on its axis, over the side on which it is expected."""
    if not math.isfinite(z):
        return None
    x = 500 + 500 * max(-1.0, min(1.0, z / _MOST_Z))
    # Where no change is expected: half a standard deviation to either side.
    left, width = (437.5, 125) if expected == 0 else (500 if expected > 0 else 0, 500)
    tint = element("rect", x=left, width=width, height=100, class_="expected")
    return picture(
        *(() if math.isnan(expected) else (tint,)),
        element("line", x1=0, x2=1000, y1=50, y2=50, class_="rail"),
        element("line", x1=500, x2=500, y1=0, y2=100, class_="zero"),
        element("line", x1=500, x2=f"{x:.1f}", y1=50, y2=50, class_=f"spread {class_}"),
        _dot(x, class_),
        class_="dots",
    )


def curves(faithfulness: Faithfulness) -> Markup:
    """Probability against the share of time that is taken away, or left alone."""
    lines = {"deletion": faithfulness.deletion, "insertion": faithfulness.insertion}
    spoken = [
        f"{name}: "
        + ", ".join(
            f"{probability(p)} at {share:.0%}"
            for share, p in zip(faithfulness.shares, values, strict=True)
        )
        for name, values in lines.items()
    ]
    paths = [
        element(
            "path",
            d="M" + "L".join(f"{1000 * x:.0f} {100 - 100 * y:.1f}" for x, y in points),
            class_=name,
        )
        for name, values in lines.items()
        if (points := list(zip(faithfulness.shares, np.nan_to_num(values), strict=True)))
    ]
    return picture(*paths, label="Probability by share of time; " + "; ".join(spoken))


def strip(shares: Iterable[tuple[float, float, float]], duration: float) -> Markup:
    """How probable something is over the time of a recording: starts, ends and probabilities."""
    scale = 1000 / duration
    cells = (
        element(
            "rect",
            x=f"{scale * start:.2f}",
            width=f"{scale * (end - start):.2f}",
            height=100,
            fill_opacity=f"{0.06 + 0.94 * share:.2f}",
        )
        for start, end, share in shares
    )
    return picture(*cells, class_="strip")


def _dot(x: float, class_: str) -> Markup:
    """A line without length with round ends: it stays round however the picture is stretched."""
    return element("path", d=f"M{x:.1f} 50h.01", class_=f"dot {class_}")
