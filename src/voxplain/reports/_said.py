"""The parts of a page that tell what is said: words, their stress, their roles, what they say."""

from __future__ import annotations

import math
from collections.abc import Iterator

from voxplain.evidence.grounds import STRESS, TEXTS
from voxplain.labels import phrase
from voxplain.reports import _words
from voxplain.reports._charts import across, bar, interval
from voxplain.reports._markup import Markup, element, named
from voxplain.reports._parts import Section, fold, row, section, table
from voxplain.types import Analysis, Fusion, Segment, SemanticFusion, TextEmotion, Transcript, Word

__all__ = ["lane", "said"]

_TABLED = 200
"""Words that have a row of their own; of a longer transcript the first."""


def said(analysis: Analysis, *, heard: Segment | None) -> Section | None:
    """The transcript, in which words within ``heard`` can be played, and what it tells."""
    transcript = analysis.transcript
    if transcript is None:
        return None
    notes = [*transcript.warnings]
    if analysis.text_emotion is not None and analysis.text_emotion.reason:
        notes.append(f"the words are left out of account: {analysis.text_emotion.reason}")
    sure = f"confidence {_words.probability(transcript.confidence)}"
    return section(
        "transcript",
        "What is said",
        element("p", list(_running(analysis, heard)), class_="said", dir="auto"),
        element("p", _legend(analysis), class_="note", id="roles"),
        element("p", f"Transcript: {transcript.source}, {sure}.", class_="note"),
        [element("p", element("b", "Note: "), f"{one}.", class_="warning") for one in notes],
        _meaning(analysis.text_emotion, analysis.fusion),
        _read(analysis.semantic_fusion) if analysis.semantic_fusion else None,
        [element("p", one, class_="note") for one in _words.read(analysis)],
        fold("Every word", _table(transcript)) if transcript.words else None,
    )


def lane(analysis: Analysis, stretch: Segment, *, heard: Segment | None) -> Markup | None:
    """The words over the picture of a stretch, each where it is spoken.

    Narrow and a second time: for eyes and a pointer alone.
    """
    words = [
        _word(word, heard, style=across(word.start, word.end, stretch), tabindex="-1")
        for word in (analysis.transcript.words if analysis.transcript else ())
        if word.start < stretch.end and word.end > stretch.start
    ]
    return element("div", words, class_="panel words", aria_hidden="true") if words else None


def _running(analysis: Analysis, heard: Segment | None) -> Iterator[Markup | str]:
    """The text as it is, its words marked."""
    transcript, place = analysis.transcript, 0
    assert transcript is not None
    for number, (word, (start, end)) in enumerate(
        zip(transcript.words, transcript.spans, strict=True)
    ):
        yield transcript.text[place:start]
        kind = next((one.kind for one in analysis.roles if one.start <= start < one.end), "")
        yield _word(word, heard, kind=kind, id=f"transcript.words.{number}")
        place = end
    yield transcript.text[place:]


def _word(word: Word, heard: Segment | None, *, kind: str = "", **attributes: str) -> Markup:
    """A button where the word can be played."""
    stressed = "stressed" if _words.stressed(word) else ""
    unsure = "unsure" if _words.unsure(word) else ""
    look = " ".join(filter(None, ("word", kind, stressed, unsure)))
    played = heard is not None and heard.start <= word.start and word.end <= heard.end
    if not played:
        return element("span", word.text, class_=look, **attributes)
    told = f"Play {word.text}" + "".join(f", {one}" for one in (stressed, unsure) if one)
    return element(
        "button",
        word.text,
        type="button",
        class_=look,
        data_start=word.start,
        data_end=word.end,
        aria_label=told,
        **attributes,
    )


def _legend(analysis: Analysis) -> list[Markup | str]:
    """What the marks in the text mean."""
    marks: list[Markup | str] = [element("span", "stressed", class_="word stressed"), " "]
    if analysis.roles and analysis.transcript is not None:
        share = _words.share(analysis.transcript.share("expressive", analysis.roles))
        told = f"the speaker's own reaction ({share} of the words)"
        marks += [element("span", told, class_="word expressive"), " what happened "]
    return [*marks, element("span", "not surely recognised", class_="word unsure")]


def _meaning(found: TextEmotion | None, fusion: Fusion | None) -> Markup | None:
    """The emotion of the words alone, beside that of both together."""
    if found is None or not found.categories:
        return None
    both = fusion.categories if fusion else {}
    ranked = sorted({**found.categories, **both}, key=lambda one: -found.categories.get(one, 0))
    rows = [
        row(
            named(label),
            [
                bar(found.categories.get(label, math.nan), class_="plain"),
                bar(both.get(label, math.nan), class_="hollow"),
            ],
            _words.probability(found.categories.get(label, math.nan)),
            _words.probability(both.get(label, math.nan)),
            id=f"text_emotion.categories.{label}",
        )
        for label in ranked
    ]
    caption = "Words alone (filled): calibrated probability. Voice and words together (outlined)."
    shares = table(caption, ("Emotion", "", "Words", "Together"), rows, class_="shares")
    return element(
        "div",
        element("div", shares, _together(fusion) if fusion else None),
        element("div", *_perspectives(found), _telling(found)),
        class_="beside",
    )


def _together(fusion: Fusion) -> Markup:
    said = f"{_words.RELATIONS[fusion.relation]} {_words.share(fusion.shares['words'])} of the "
    said += "label on top comes from the words, by a fixed rule that nothing was trained for."
    return element("p", said, class_="note", id="fusion")


def _read(found: SemanticFusion) -> Markup:
    """Dimensions of voice and words together, and what each text does to them."""
    rows = []
    for name, effects in found.effects.items():
        before, one = found.voice[name], getattr(found.dimensions, name)
        moved = [
            element("div", f"{TEXTS[text]} {_words.effect(effect, found.shares[name][text])}")
            for text, effect in effects.items()
        ]
        drawn = interval(one.value, one.low, one.high, before=before)
        rows.append(
            row(
                name,
                moved,
                [drawn, f"{one.value:.2f}", element("small", f"{one.low:.2f} to {one.high:.2f}")],
                f"voice alone {before:.2f}",
                id=f"semantic_fusion.effects.{name}",
            )
        )
    caption = (
        "Voice and words together with 90 % intervals, and the voice alone (grey): by how much "
        "each text moves a dimension, and its share of what all of them do"
    )
    return table(caption, ("Dimension", "Moved by", "Together", "Before"), rows, class_="cues")


def _perspectives(found: TextEmotion) -> Iterator[Markup]:
    """Dimensions as the writer would mean them and as they strike a reader."""
    for title, one in (("Who says it", found.writer), ("Who reads it", found.reader)):
        if one is None:
            continue
        rows = []
        for name in ("valence", "arousal", "dominance"):
            point = getattr(one, name)
            drawn = interval(point.value, point.low, point.high)
            rows.append(row(name, drawn, f"{point.value:.2f}"))
        caption = f"{title}: dimensions of the words from 0 to 1, {one.proxy}"
        yield table(caption, ("Dimension", "", "Value"), rows, class_="shares")


def _telling(found: TextEmotion) -> Markup | None:
    """The words that say most for the label on top."""
    one = found.attribution
    if one is None or not one.scores.size:
        return None
    strongest = sorted(zip(one.scores.tolist(), one.names, strict=True), key=lambda x: -abs(x[0]))
    told = ", ".join(f"{word} {_words.number(score, signed=True)}" for score, word in strongest[:5])
    said = f"For {phrase(one.output)}, in log-odds: {told}."
    return element("p", said, class_="note", id="text_emotion.attribution")


def _table(transcript: Transcript) -> Markup:
    rows = []
    for word in transcript.words[:_TABLED]:
        cues = ", ".join(
            f"{STRESS.get(name, name)} {_words.z_score(z)}"
            for name, z in word.cues.items()
            if math.isfinite(z)
        )
        rows.append(
            row(
                named(word.text),
                _words.place(word.start, word.end) if math.isfinite(word.start) else "–",
                _words.probability(word.confidence),
                [_words.probability(word.prominence), element("small", cues)],
                _words.probability(word.expressive),
            )
        )
    more = len(transcript.words) - len(rows)
    caption = "How much a word stands out, from 0 to 1, and what lifts it; chance that it "
    caption += "tells the speaker's own reaction" + (
        f". {more} more words are in the JSON" if more else ""
    )
    head = ("Word", "Spoken", "Confidence", "Stressed", "Expressive")
    return table(caption, head, rows, class_="cues")
