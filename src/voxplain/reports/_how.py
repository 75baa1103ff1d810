"""The parts of a page that tell how a voice sounds and how something is said."""

from __future__ import annotations

import math
from collections.abc import Iterable

from voxplain.labels import phrase
from voxplain.reports import _words
from voxplain.reports._charts import bar, deviation, interval, strip
from voxplain.reports._markup import Markup, element, named
from voxplain.reports._parts import Section, fold, play, row, section, table
from voxplain.reports.text import verdict
from voxplain.types import Analysis, Dimensions, Emotion, Segment, SegmentAnalysis

__all__ = ["descriptors", "emotion", "over_time"]


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
    rows = [_stretch(one, index, heard) for index, one in enumerate(analysis.segments)]
    listing = table("Stretches of speech", ("Stretch", "Verdict"), rows, class_="stretches")
    return section(
        "segments",
        "Over time",
        _strips(analysis) if analysis.emotion.categories else None,
        element(
            "div",
            listing,
            class_="scroll",
            tabindex="0",
            role="region",
            aria_label="Stretches of speech",
        ),
    )


def _strips(analysis: Analysis) -> list[Markup]:
    rows = [
        [element("span", named(label)), strip(analysis, label)]
        for label in analysis.emotion.categories
    ]
    cursor = element("div", class_="cursor", hidden=True)
    clocks = [element("span", _words.clock(second)) for second in (0, analysis.duration)]
    return [
        element("p", "The darker, the more probable; blank where nothing was judged."),
        element(
            "div",
            rows,
            cursor,
            class_="timeline strips",
            data_from=0.0,
            data_to=analysis.duration,
        ),
        element("div", clocks, class_="ends"),
    ]


def _stretch(found: SegmentAnalysis, index: int, heard: Segment | None) -> Markup:
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
        id=f"segments.{index}",
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
