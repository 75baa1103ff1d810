"""The parts of a page that tell how a voice sounds and how something is said."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

from voxplain.labels import phrase
from voxplain.reports import _words
from voxplain.reports._charts import bar, deviation, interval, strip
from voxplain.reports._markup import Child, Markup, element, named
from voxplain.reports._parts import Section, fold, play, row, section, table
from voxplain.reports.text import verdict
from voxplain.types import Analysis, Dimensions, Emotion, Segment

__all__ = [
    "SHADES",
    "Spoken",
    "descriptors",
    "emotion",
    "lanes",
    "listing",
    "over_time",
    "shades",
]

SHADES = "The darker, the more probable; blank where nothing was judged."
"""What the rows of ``shades`` mean."""


class Spoken(Protocol):
    """A stretch of speech, and how it sounds."""

    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def speaker(self) -> str | None: ...
    @property
    def emotion(self) -> Emotion: ...


def emotion(found: Emotion) -> Section | None:
    """Probabilities, shares of listeners and dimensions, each with its uncertainty."""
    if not (found.categories or found.dimensions):
        return None
    return section(
        "emotion",
        "How it sounds",
        element(
            "div",
            element("div", _shares(found), _disagreement(found)) if found.categories else None,
            _dimensions(found.dimensions) if found.dimensions else None,
            class_="beside",
        ),
    )


def _shares(found: Emotion) -> Markup:
    portrayed, perceived = found.categories, found.perceived
    ranked = sorted({**portrayed, **perceived}, key=lambda label: -portrayed.get(label, 0))
    rows = []
    for label in ranked:
        meant, heard = portrayed.get(label, math.nan), perceived.get(label, math.nan)
        kind = "strong" if label in found.verdict.labels else "plain"
        rows.append(
            row(
                named(label),
                [bar(meant, class_=kind), bar(heard, class_="hollow")],
                _words.probability(meant),
                element("span", _words.probability(heard), id=f"emotion.perceived.{label}"),
                id=f"emotion.categories.{label}",
            )
        )
    caption = (
        "Portrayed (filled): probability that it was meant to sound so. Listeners "
        "(outlined): share who would say so from the voice alone."
    )
    return table(caption, ("Emotion", "", "Portrayed", "Listeners"), rows, class_="shares")


def _disagreement(found: Emotion) -> Markup | None:
    if math.isnan(found.ambiguity):
        return None
    said = (
        f"Disagreement among listeners {_words.probability(found.ambiguity)}, from 0 (all choose "
        "the same) to 1 (all are chosen alike)."
    )
    return element("p", said, class_="note")


def _dimensions(found: Dimensions) -> Markup:
    rows = []
    for name in ("valence", "arousal", "dominance"):
        one = getattr(found, name)
        said = [f"{one.value:.2f}", element("small", f"{one.low:.2f} to {one.high:.2f}")]
        drawn = interval(one.value, one.low, one.high)
        rows.append(row(name, drawn, said, id=f"emotion.dimensions.{name}"))
    caption = _words.dimensions(found)
    return element("div", table(caption, ("Dimension", "", "Value"), rows, class_="shares"))


def over_time(analysis: Analysis, *, heard: Segment | None) -> Section | None:
    """Every stretch of a long recording; those that lie in what can be heard can be played."""
    if len(analysis.segments) < 2:
        return None
    rows = shades(analysis.segments, tuple(analysis.emotion.categories), analysis.duration)
    return section(
        "segments",
        "Over time",
        [element("p", SHADES), *lanes(rows, analysis.duration)] if rows else None,
        listing(analysis.segments, "Stretches of speech", name="segments", heard=heard),
    )


def shades(found: Sequence[Spoken], labels: Sequence[str], duration: float) -> list[list[Markup]]:
    """A row for each label: how probable it is over the time of a recording."""
    judged = [one for one in found if one.emotion.categories]
    return [
        [
            element("span", named(label)),
            strip(
                ((one.start, one.end, one.emotion.categories[label]) for one in judged), duration
            ),
        ]
        for label in labels
    ]


def lanes(rows: Child, duration: float) -> list[Markup]:
    """Rows over all the time of a recording, with a cursor and some times below them."""
    clocks = [element("span", _words.clock(duration * share)) for share in (0, 0.25, 0.5, 0.75, 1)]
    return [
        element(
            "div",
            rows,
            element("div", class_="cursor", hidden=True),
            class_="timeline strips",
            data_from=0.0,
            data_to=duration,
        ),
        element("div", clocks, class_="ends"),
    ]


def listing(found: Sequence[Spoken], caption: str, *, name: str, heard: Segment | None) -> Markup:
    """A row for each stretch, and a button where it lies in what can be heard.

    ``name`` is that of the value they are in.
    """
    rows = [_stretch(one, index, heard, name) for index, one in enumerate(found)]
    listed = table(caption, ("Stretch", "Verdict"), rows, class_="stretches")
    return element("div", listed, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _stretch(found: Spoken, index: int, heard: Segment | None, name: str) -> Markup:
    where = f"{_words.clock(found.start)}–{_words.clock(found.end)}"
    inside = heard is not None and heard.start <= found.start and found.end <= heard.end
    shares = "; ".join(
        f"{phrase(label)} {_words.probability(found.emotion.categories.get(label, math.nan))}"
        for label in found.emotion.verdict.labels
    )
    return row(
        [
            play(found.start, found.end, f"stretch {index + 1}, {where}") if inside else None,
            where,
            [" ", named(found.speaker)] if found.speaker is not None else None,
        ],
        [verdict(found.emotion), element("small", shares)],
        id=f"{name}.{index}",
    )


def descriptors(analysis: Analysis) -> Section | None:
    """Levels against the reference, the most unusual first; the rest folded."""
    found = analysis.descriptors
    if not found.levels:
        return None
    others = sorted(found.levels.keys() - set(found.prominent), key=lambda n: found.levels[n].title)
    reference = next(iter(found.levels.values())).reference
    unfolded = _levels(f"The most unusual, against {reference}", analysis, found.prominent)
    folded = fold(
        f"{len(others)} other descriptors",
        _levels(f"Other descriptors, against {reference}", analysis, others),
    )
    return section(
        "descriptors",
        "How it is said",
        unfolded if found.prominent else None,
        folded if others else None,
    )


def _levels(caption: str, analysis: Analysis, names: Iterable[str]) -> Markup:
    found = analysis.descriptors
    rows = []
    for name in names:
        level, measured = found.levels[name], found.functionals.get(name)
        doubt = measured is not None and not measured.reliable
        rows.append(
            row(
                level.title or name,
                [
                    element(
                        "span", _words.described(found, name), id=f"descriptors.functionals.{name}"
                    ),
                    element("small", "not reliable in this recording") if doubt else None,
                ],
                [deviation(level.z), element("span", _words.z_score(level.z))],
                level.word,
                id=f"descriptors.levels.{name}",
            )
        )
    head = ("Descriptor", "Measured", "Against the usual", "Level")
    return table(caption, head, rows, class_="cues")
