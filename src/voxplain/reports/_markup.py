"""Markup in which text stays text: whatever is not Markup already is escaped on its way in."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

from voxplain.reports._words import printable

__all__ = ["Markup", "element", "named"]

_VOID = {"br", "col", "hr", "img", "input", "link", "meta"}


class Markup(str):
    """HTML or SVG that needs no escaping any more."""

    __slots__ = ()


Child = str | Iterable["Child"] | None
Attribute = str | float | bool | None


def element(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """``<name attributes>children</name>``; None and False are left out, True is a bare word.

    An underscore in the name of an attribute is a hyphen, one at its end is dropped.

    >>> element("p", "a < b", element("br"), class_="note", hidden=False)
    '<p class="note">a &lt; b<br></p>'
    """
    opening = f"<{name}{_attributes(attributes)}>"
    return Markup(opening if name in _VOID else f"{opening}{_markup(children)}</{name}>")


def named(text: str) -> Markup:
    """A name that somebody gave, which may be written from right to left: it turns nothing else."""
    return element("bdi", text)


def _markup(child: Child) -> str:
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return html.escape(printable(child))
    return "".join(map(_markup, child or ()))


def _attributes(attributes: Mapping[str, Attribute]) -> str:
    return "".join(
        f" {name.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{_value(value)}"')
        for name, value in attributes.items()
        if value is not None and value is not False
    )


def _value(value: str | float) -> str:
    return _markup(str(value)) if isinstance(value, str) else f"{value:.6g}"
