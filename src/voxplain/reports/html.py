"""The analysis as one page that needs nothing else: no network, no other file."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Sequence
from importlib.resources import files

from voxplain.errors import ConfigError
from voxplain.labels import phrase
from voxplain.reports import _how, _said, _sound, _words
from voxplain.reports._figure import figure, shown
from voxplain.reports._listening import listening
from voxplain.reports._markup import Markup, element, named
from voxplain.reports._parts import Section, fold, link, section
from voxplain.reports._sound import heard
from voxplain.reports._why import why
from voxplain.reports.text import verdict
from voxplain.types import Analysis, Audio, Claim, Explanation

__all__ = ["SUFFIX", "heard", "render"]

SUFFIX = ".html"

_REASONS = 3
"""Claims on the first screen."""
_SAME = 0.1
"""Seconds by which a recording and its analysis may differ in length."""
_POINTERS = {
    "contrast": "contrast",
    "counterfactuals": "changed voice",
    "cues": "cue",
    "emotion": "probabilities",
    "faithfulness": "test",
    "fusion": "together",
    "moments": "moment",
    "plausibility": "plausibility",
    "roles": "transcript",
    "segments": "stretch",
    "semantic_fusion": "texts",
    "text_emotion": "words",
    "transcript": "word",
}
"""What is shown -> what a link to one of it says."""
_COUNTED = ("counterfactuals", "moments", "segments")


def render(
    analysis: Analysis,
    audio: Audio | None = None,
    *,
    counterfactual_sounds: Sequence[Audio | None] = (),
) -> str:
    """An HTML page that can be kept, sent and printed.

    ``audio`` is the recording analysed, or the part of it that the page holds (``heard``); without
    it there is nothing to hear, no waveform and no spectrogram. Up to 20 s of it are kept as they
    are (16-bit WAV), up to 5 minutes as MP3; of longer recordings the page holds one stretch, the
    one explained, and says so.
    ``counterfactual_sounds`` belong to the counterfactuals of the explanation, in their order; not
    each needs one.

    Raises ConfigError for sound that can't belong to the analysis.
    """
    explanation = analysis.explanation
    sound = _kept(analysis, audio) if audio is not None else None
    edits = explanation.counterfactuals if explanation else ()
    if len(counterfactual_sounds) > len(edits):
        raise ConfigError(
            f"{len(counterfactual_sounds)} counterfactual_sounds for {len(edits)} counterfactuals; "
            "give one each"
        )
    kept = heard(analysis) if audio is not None else None
    changed = [_sound.compressed(one) if one else None for one in counterfactual_sounds]
    found = [
        _listen(analysis, sound),
        _how.emotion(analysis.emotion),
        _said.said(analysis, heard=kept),
        _how.over_time(analysis, heard=kept),
        *(why(explanation, changed, heard=audio is not None) if explanation else ()),
        listening(analysis),
        _how.descriptors(analysis),
        _limits(),
        _references(explanation) if explanation else None,
        _provenance(analysis),
    ]
    sections = [one for one in found if one is not None]
    main = element("main", [one.markup for one in sections], id="main")
    links = [element("li", link(one.name, one.title)) for one in sections]
    contents = element("nav", element("ul", links), aria_label="Sections")
    places = frozenset(re.findall(r' id="([^"]+)"', main))
    return _page(analysis, [_head(analysis, places), contents, main])


def _kept(analysis: Analysis, audio: Audio) -> Audio:
    """The sound that the page holds. Raises ConfigError for that of another recording."""
    part = heard(analysis)
    if abs(audio.duration - part.duration) <= _SAME:
        return audio
    if abs(audio.duration - analysis.duration) <= _SAME:
        return _sound.cut(audio, part)
    raise ConfigError(
        f"the audio lasts {audio.duration:.2f} s, but {analysis.duration:.2f} s were analysed; "
        "give the recording that was"
    )


def _page(analysis: Analysis, body: list[Markup]) -> str:
    style, script = (
        Markup(files("voxplain").joinpath("assets/report", name).read_text(encoding="utf-8"))
        for name in ("page.css", "page.js")
    )
    script = Markup(f"{script}enliven(document);\n")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{verdict(analysis.emotion)}: {analysis.source}"),
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


def _head(analysis: Analysis, places: frozenset[str]) -> Markup:
    """What fits the first screen: the verdict, how sure it is, doubts, and the reasons."""
    emotion = analysis.emotion
    length = f"{analysis.duration:.1f} s, {analysis.speech_duration:.1f} s of speech"
    return element(
        "header",
        element(
            "div",
            element("p", named(analysis.source), f", {length}", class_="source"),
            element("h1", "Not enough evidence" if emotion.verdict.abstains else verdict(emotion)),
            element("p", _words.certainty(emotion), class_="lede"),
        ),
        [
            element("p", element("b", "Warning: "), doubt, class_="warning")
            for doubt in _words.doubts(analysis)
        ],
        _findings(analysis, places),
        _narration(analysis, places),
    )


def _findings(analysis: Analysis, places: frozenset[str]) -> Markup | None:
    """The reasons, which come first among the claims; all others are folded."""
    told = [_finding(claim, places) for claim in analysis.claims]
    if not told:
        return None
    explained = analysis.explanation is not None and analysis.explanation.moments
    rest = element("ol", told[_REASONS:], start=str(_REASONS + 1))
    return element(
        "div",
        element("h2", "Because" if explained else "What was found"),
        element("ol", told[:_REASONS]),
        fold("All that was found", rest) if len(told) > _REASONS else None,
        class_="findings",
    )


def _narration(analysis: Analysis, places: frozenset[str]) -> Markup | None:
    """The findings in the words of a language model, marked as such."""
    found = analysis.narration
    if found is None:
        return None
    told = [_finding(claim, places) for claim in found.sentences]
    return element(
        "div",
        element("h2", "In other words"),
        element("ol", told) if told else None,
        element("p", _words.narration(found), class_="note"),
        id="narration",
        class_="findings",
    )


def _finding(claim: Claim, places: frozenset[str]) -> Markup:
    """A claim, and links to what it stands on."""
    links = {
        _pointer(evidence): place
        for evidence in claim.evidence
        if (place := _nearest(evidence, places))
    }
    return element(
        "li",
        element("span", claim.text, dir="auto"),
        [[" ", link(place, said, class_="evidence")] for said, place in links.items()],
    )


def _nearest(evidence: str, places: frozenset[str]) -> str:
    """The smallest part of the page that holds a piece of evidence; empty if there is none."""
    while evidence and html.escape(evidence) not in places:
        evidence = evidence.rpartition(".")[0]
    return evidence


def _pointer(evidence: str) -> str:
    room, _, rest = evidence.removeprefix("explanation.").partition(".")
    name, number = _POINTERS.get(room, room), rest.partition(".")[0]
    return f"{name} {int(number) + 1}" if room in _COUNTED and number.isdigit() else name


def _listen(analysis: Analysis, sound: Audio | None) -> Section | None:
    drawn = figure(analysis, sound)
    if drawn is None:
        return None
    kept, stretch = heard(analysis), _sound.seen(analysis)
    notes = []
    if stretch.duration < analysis.duration:
        what = " (the stretch explained, in its context)" if analysis.explanation else ""
        notes.append(f"The picture shows {_words.place(stretch.start, stretch.end)}{what}.")
    if sound is not None and kept.duration < analysis.duration:
        notes.append(
            f"The recording lasts {_words.clock(analysis.duration)}; above "
            f"{_sound.WHOLE_HEARD / 60:.0f} minutes a page holds only the sound of this stretch."
        )
    player = None
    if sound is not None:
        encode = _sound.exact if kept.duration <= _sound.EXACT else _sound.compressed
        player = element(
            "audio",
            id="player",
            controls=True,
            preload="auto",
            src=encode(sound),
            data_start=kept.start,
            aria_label="The recording",
        )
    return section(
        "listen",
        "Sound",
        element("div", player, _overlays(analysis.explanation), class_="tools"),
        drawn,
        element("p", " ".join(notes), class_="note") if notes else None,
    )


def _overlays(explanation: Explanation | None) -> Markup | None:
    layers = shown(explanation)
    if explanation is None or not layers:
        return None
    options = [
        element("option", _words.view(layer), value=str(number))
        for number, layer in enumerate(layers)
    ]
    off = element("option", "nothing", value="")
    label = phrase(explanation.output)
    return element(
        "div",
        element("label", "Saliency ", element("select", options, off, id="overlay")),
        element("span", f"speaks for {label}", class_="key for"),
        element("span", "against", class_="key against"),
        class_="legend",
    )


def _limits() -> Section:
    return section(
        "limits", "Limits and permitted use", [element("p", said) for said in _words.LIMITS]
    )


def _references(explanation: Explanation) -> Section | None:
    listed = [
        element("li", reference, id=f"reference.{key}")
        for key, reference in _words.sources(explanation).items()
    ]
    return section("references", "Sources", element("ol", listed)) if listed else None


def _provenance(analysis: Analysis) -> Section:
    facts = [
        [element("dt", name), element("dd", named(value))]
        for name, value in _words.facts(analysis.provenance)
    ]
    return section(
        "provenance",
        "Provenance",
        element("dl", facts),
        element("p", _words.ORIGIN),
        element("p", "This file may hold the voice of a person: keep and share it as such."),
    )
