"""The part of a page that tells what a small model hears, beside what was measured."""

from __future__ import annotations

from voxplain.reports import _words
from voxplain.reports._markup import Markup, element
from voxplain.reports._parts import Section, fold, row, section, table
from voxplain.types import Analysis, Listening

__all__ = ["listening"]


def listening(analysis: Analysis) -> Section | None:
    """The stretch explained, or the first, word by word; of others the phrases."""
    found = _words.listened(analysis)
    if found is None:
        return None
    one, others = found
    phrases = [element("li", _words.phrased(analysis, other)) for other in others]
    return section(
        "listening",
        "Listening description",
        element("p", _words.phrased(analysis, one)),
        _table(one),
        fold("Other stretches", element("ul", phrases)) if phrases else None,
        element("p", _words.LISTENING, class_="note"),
    )


def _table(found: Listening) -> Markup:
    rows = [
        row(
            name,
            [word, element("small", chance)],
            [measured or "–", element("small", value) if value else None],
            agreement,
        )
        for name, word, chance, measured, value, agreement in _words.heard(found)
    ]
    caption = f"Words of {found.source} with their probability, beside what was measured"
    return table(caption, ("Descriptor", "Heard", "Measured", "Agreement"), rows, class_="cues")
