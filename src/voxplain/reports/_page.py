"""What every page has: its shell, which needs nothing else, and what it must say about itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from voxplain.reports import _words
from voxplain.reports._markup import Markup, element, named
from voxplain.reports._parts import Section, link, section

__all__ = ["contents", "limits", "page", "provenance"]


def page(title: str, body: list[Markup], *, media: str = "data:") -> str:
    """A page with our style and script, which its policy forbids to ask for more.

    ``media`` is where its sound may come from.
    """
    style, script = (
        Markup(files("voxplain").joinpath("assets/report", name).read_text(encoding="utf-8"))
        for name in ("page.css", "page.js")
    )
    script = Markup(f"{script}enliven(document);\n")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; media-src {media}; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("link", rel="icon", href="data:,"),
        element("style", style),
    )
    body = [
        element("a", "Skip to the content", href="#main", class_="skip"),
        *body,
        element("p", id="said", role="status", class_="unseen"),
        element("script", script, type="module"),
    ]
    return f"<!DOCTYPE html>\n{element('html', head, element('body', body), lang='en')}\n"


def contents(sections: Sequence[Section]) -> Markup:
    """Links to the sections."""
    links = [element("li", link(one.name, one.title)) for one in sections]
    return element("nav", element("ul", links), aria_label="Sections")


def limits() -> Section:
    """What the page does not say, and what it may not be used for."""
    return section(
        "limits", "Limits and permitted use", [element("p", said) for said in _words.LIMITS]
    )


def provenance(values: Mapping[str, Any]) -> Section:
    """What the page was made with."""
    facts = [
        [element("dt", name), element("dd", named(value))] for name, value in _words.facts(values)
    ]
    return section(
        "provenance",
        "Provenance",
        element("dl", facts),
        element("p", _words.ORIGIN),
        element("p", "This file may hold the voice of a person: keep and share it as such."),
    )
