"""The parts of a page that explain: moments, cues, the runner-up, changed voices, tests."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from voxplain.descriptors import inventory
from voxplain.labels import phrase
from voxplain.reports import _words
from voxplain.reports._charts import bar, curves, deviation, interval, swings
from voxplain.reports._markup import Markup, element, named
from voxplain.reports._parts import Section, fold, link, play, row, section, table
from voxplain.reports.text import verdict
from voxplain.types import AcousticCue, Counterfactual, Explanation, Moment, Removal

__all__ = ["why"]

_TOLD = 5
"""Cues of a table that are not folded."""
_SIGNS = {"supports": "✓", "contradicts": "✗", "neutral": "○", "not measurable": "–"}
_SIDES = {"supports": "for", "contradicts": "against"}


def why(
    explanation: Explanation, sounds: Sequence[str | None], *, heard: bool
) -> Iterator[Section | None]:
    """The sections, in their order; ``sounds`` are data URLs of the changed voices, if at hand."""
    numbers = {key: count for count, key in enumerate(_words.sources(explanation), start=1)}
    yield _moments(explanation, numbers, heard=heard)
    yield _cues(explanation, numbers)
    yield _contrast(explanation, numbers)
    yield _ranking(explanation)
    yield _counterfactuals(explanation, sounds)
    yield _faithfulness(explanation)


def _moments(
    explanation: Explanation, numbers: Mapping[str, int], *, heard: bool
) -> Section | None:
    if not explanation.moments:
        return None
    label = phrase(explanation.output)
    articles = [
        element(
            "article",
            element(
                "div",
                play(moment.start, moment.end, f"moment {count}") if heard else None,
                element(
                    "h3",
                    f"Moment {count} ",
                    element("span", f"{_words.place(moment.start, moment.end)}, {_band(moment)}"),
                ),
                class_="titled",
            ),
            element(
                "p",
                f"{_words.share(moment.share)} of all that speaks for {label}; without it the "
                f"log-odds of {label} change by {_words.number(-moment.score, signed=True)}.",
            ),
            _cue_tables(moment.cues, f"explanation.moments.{count - 1}.cues", label, numbers),
            id=f"explanation.moments.{count - 1}",
        )
        for count, moment in enumerate(explanation.moments, start=1)
    ]
    intro = (
        f"Where the sound speaks most for {label}, and what was measured there. The dot is the "
        "distance from the usual, up to four standard deviations to either side; shaded is the "
        "side on which experts expect it."
    )
    return section("explanation.moments", "Salient moments", element("p", intro), articles)


def _cues(explanation: Explanation, numbers: Mapping[str, int]) -> Section | None:
    if not explanation.cues:
        return None
    plausible = explanation.plausibility
    value, low, high = map(_words.probability, (plausible.value, plausible.low, plausible.high))
    share = element(
        "div",
        element(
            "p",
            element("b", f"Plausibility {value}"),
            f" (90 % interval {low} to {high}): of the cues in the moments, this share goes the "
            "way that experts expect, weighted by how much they agree.",
        ),
        interval(plausible.value, plausible.low, plausible.high),
        id="explanation.plausibility",
        class_="measure",
    )
    return section(
        "explanation.cues",
        "Cues",
        element("p", "Measured in the whole stretch."),
        share if math.isfinite(plausible.value + plausible.low + plausible.high) else None,
        _cue_tables(explanation.cues, "explanation.cues", phrase(explanation.output), numbers),
    )


def _contrast(explanation: Explanation, numbers: Mapping[str, int]) -> Section | None:
    if not explanation.contrast:
        return None
    label, other = phrase(explanation.output), phrase(explanation.runner_up)
    tables = _cue_tables(
        explanation.contrast,
        "explanation.contrast",
        f"{label} and of {other}",
        numbers,
        between=explanation,
    )
    said = f"Cues of the whole stretch of which experts expect more or less in {other} speech."
    title = f"{label.capitalize()} rather than {other}"
    return section("explanation.contrast", title, element("p", said), tables)


def _cue_tables(
    cues: Sequence[AcousticCue],
    path: str,
    expected: str,
    numbers: Mapping[str, int],
    *,
    between: Explanation | None = None,
) -> list[Markup]:
    """The most telling cues; the others are folded under what they say."""
    if not cues:
        return []
    ranked = _words.ranked(cues)
    caption = f"Against {cues[0].reference}, and what experts expect of {expected} speech"

    def listed(items: Sequence[tuple[int, AcousticCue]]) -> Markup:
        rows = [_cue(cue, f"{path}.{index}", numbers, between) for index, cue in items]
        head = ("Cue", "Measured", "Against the usual", "Judgement")
        return table(caption, head, rows, class_="cues")

    others = ranked[_TOLD:]
    counts = Counter(cue.judgement for _, cue in others)
    said = ", ".join(f"{counts[one]} {one}" for one in _SIGNS if counts[one])
    return [
        listed(ranked[:_TOLD]),
        *([fold(f"More cues: {said}", listed(others))] if others else []),
    ]


def _cue(
    cue: AcousticCue, path: str, numbers: Mapping[str, int], between: Explanation | None
) -> Markup:
    side = _SIDES.get(cue.judgement, "plain")
    z = element("span", _words.z_score(cue.z)) if math.isfinite(cue.z) else "–"
    expected = _words.expectation(cue.expected, explanation=between)
    measured, *beside = _words.measured(cue)
    return row(
        [cue.title, _citations(cue, numbers)],
        [element("b", measured), *(element("small", line) for line in beside)],
        [deviation(cue.z, expected=cue.expected, class_=side), z],
        [
            element("b", f"{_SIGNS.get(cue.judgement, '–')} {cue.judgement}", class_=side),
            element("small", f"expected: {expected}"),
        ],
        id=path,
    )


def _citations(cue: AcousticCue, numbers: Mapping[str, int]) -> Markup:
    links = [
        link(f"reference.{key}", str(numbers[key]), aria_label=f"Source {numbers[key]}")
        for key in _words.keys(cue)
    ]
    return element("sup", links)


def _ranking(explanation: Explanation) -> Section | None:
    """Attributions to descriptors and to words have no place in time: a table each."""
    tables = []
    for attribution in explanation.attributions:
        if attribution.axis not in ("descriptor", "word"):
            continue
        strongest = max(map(abs, attribution.scores.tolist()), default=0) or 1.0
        ranked = sorted(
            zip(attribution.names, attribution.scores.tolist(), strict=True),
            key=lambda pair: -abs(pair[1]),
        )
        rows = [
            row(
                named(_words.titled(name)),
                bar(abs(score) / strongest, class_="for" if score > 0 else "against"),
                _words.number(score, signed=True),
            )
            for name, score in ranked[:12]
        ]
        head = (attribution.axis.capitalize(), "", "Log-odds")
        caption = f"Baseline: {attribution.baseline}. Method: {attribution.method}."
        tables.append(table(caption, head, rows, class_="shares"))
    intro = (
        f"How the log-odds of {phrase(explanation.output)} divide among these parts: what each is "
        "worth on top of the baseline, averaged over the orders in which they could be added."
    )
    title = "What counts how much"
    if not tables:
        return None
    return section("explanation.attributions", title, element("p", intro), *tables)


def _counterfactuals(explanation: Explanation, sounds: Sequence[str | None]) -> Section | None:
    if not explanation.counterfactuals:
        return None
    label = explanation.output
    articles = [
        _counterfactual(one, label, index, sounds[index] if index < len(sounds) else None)
        for index, one in enumerate(explanation.counterfactuals)
    ]
    intro = (
        "The same voice, taken apart and put together with one cue changed: what that does to the "
        f"probability of {phrase(label)} is the effect of the cue on this prediction. The stroke "
        "marks the control, put together without a change. All these sounds are synthetic."
    )
    title = "Changed voices"
    return section(
        "explanation.counterfactuals",
        title,
        element("p", intro),
        element("div", articles, class_="cards"),
    )


def _counterfactual(found: Counterfactual, label: str, index: int, sound: str | None) -> Markup:
    before, after, control = (
        one.categories.get(label, math.nan) for one in (found.before, found.after, found.identity)
    )
    change = _words.changes(found.edit)
    asked = {name: one.value for name, one in found.measured.items() if name in found.edit}
    described = [
        f"{_words.titled(name)} {_words.quantity(name, one.value, one.unit)}"
        for name, one in found.measured.items()
        if name in inventory()
    ]
    again = "; ".join([*([_words.changes(asked)] if asked else []), *described])
    return element(
        "article",
        element("h3", change),
        element(
            "figure",
            element(
                "audio",
                controls=True,
                src=sound,
                preload="metadata",
                aria_label=f"Synthetic voice: {change}",
            ),
            element("figcaption", "Synthetic sound"),
        )
        if sound
        else None,
        swings(before, after, control)
        if all(map(math.isfinite, (before, after, control)))
        else None,
        element(
            "p",
            f"{phrase(label)}: {_words.probability(before)} as recorded, "
            f"{_words.probability(control)} unchanged, ",
            element("strong", f"{_words.probability(after)} changed"),
            f". {verdict(found.after)}.",
        ),
        element("p", element("small", f"Found again: {again}")) if again else None,
        id=f"explanation.counterfactuals.{index}",
    )


def _faithfulness(explanation: Explanation) -> Section:
    found = explanation.faithfulness
    label = phrase(explanation.output)
    removals = [_removal(one, index, label) for index, one in enumerate(found.removals)]
    correlations = [
        table(
            caption,
            (head, "", "Rank correlation"),
            [
                row(named(name.replace("_", " ")), bar(value), _words.number(value))
                for name, value in values.items()
            ],
            class_="shares",
        )
        for caption, head, values in (
            (
                "How alike the explanation stays when the recording is changed",
                "Change",
                found.stability,
            ),
            ("How alike other methods explain it", "Method", found.agreement),
        )
        if values
    ]
    lines = None
    if len(found.shares):
        lines = element(
            "figure",
            curves(found),
            element(
                "figcaption",
                f"Probability of {label} from 0 to 1 when the most salient 0 to 100 % of the time ",
                element("span", "is taken away", class_="deletion"),
                " or ",
                element("span", "is all there is", class_="insertion"),
                ". The earlier the first falls and the second rises, the better.",
            ),
            class_="curves",
        )
    return section(
        "explanation.faithfulness",
        "Faithfulness",
        element("p", _words.tested(found), f" Method tested: {found.method.replace('_', ' ')}."),
        element("div", removals, class_="cards"),
        element("div", lines, element("div", correlations), class_="cards"),
    )


def _removal(found: Removal, index: int, label: str) -> Markup:
    low, high = map(_words.probability, (found.random_low, found.random_high))
    rows = [
        row("nothing", bar(found.before), _words.probability(found.before)),
        row(
            "random windows",
            bar(found.random, found.random_low, found.random_high),
            [_words.probability(found.random), element("small", f"{low} to {high}")],
        ),
        row("the loudest", bar(found.loudest), _words.probability(found.loudest)),
        row(
            "the most salient",
            bar(found.salient, class_="strong"),
            _words.probability(found.salient),
        ),
    ]
    caption = (
        f"Probability of {label} when {_words.share(found.share)} of the time is taken away and "
        f"{found.fill.replace('_', ' ')} put in its place. The most salient lowers it more than "
        f"{_words.share(found.beaten)} of the random draws do."
    )
    shown = table(caption, ("Taken away", "", "Probability"), rows, class_="shares")
    return element("div", shown, id=f"explanation.faithfulness.removals.{index}")


def _band(moment: Moment) -> str:
    return f"{_words.number(moment.low_hz)}–{_words.number(moment.high_hz)} Hz"
