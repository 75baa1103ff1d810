"""The analysis in Markdown, for notebooks of a laboratory."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from voxplain.evidence.grounds import TEXTS
from voxplain.labels import phrase
from voxplain.reports import _words
from voxplain.reports._words import printable
from voxplain.reports.text import verdict
from voxplain.types import (
    AcousticCue,
    Analysis,
    Emotion,
    Explanation,
    Faithfulness,
    SemanticFusion,
)

__all__ = ["SUFFIX", "render"]

SUFFIX = ".md"

_ACTIVE = re.compile(r"[\\`*_\[\]<|~$]|&(?=#?\w+;)")
_BLOCK = re.compile(r"^(\d*)(>|[-+=#.)](?=[-=#\s]|$))")


def render(analysis: Analysis) -> str:
    """One document with a table for each part; ends with a newline."""
    explanation, length = analysis.explanation, f"{analysis.duration:.1f} s"
    parts = [
        f"# {_text(verdict(analysis.emotion))}",
        f"{_text(analysis.source)}, {length}, {analysis.speech_duration:.1f} s of speech",
        _text(_words.certainty(analysis.emotion)),
        *(f"> **Warning:** {_text(doubt)}" for doubt in _words.doubts(analysis)),
        *_claims(analysis),
        *_narration(analysis),
        *_emotion(analysis.emotion),
        *(_explanation(explanation) if explanation else ()),
        *_said(analysis),
        *_over_time(analysis),
        *_listening(analysis),
        *_descriptors(analysis),
        "## Limits and permitted use",
        *_words.LIMITS,
        *(_sources(explanation) if explanation else ()),
        "## Provenance",
        _table(("", ""), list(_words.facts(analysis.provenance))),
        _words.ORIGIN,
    ]
    return "\n\n".join(parts) + "\n"


def _claims(analysis: Analysis) -> Iterator[str]:
    if analysis.claims:
        yield "## What was found"
        yield "\n".join(f"1. {_text(claim.text)}" for claim in analysis.claims)


def _narration(analysis: Analysis) -> Iterator[str]:
    found = analysis.narration
    if found is not None:
        yield "## In other words"
        if found.sentences:
            yield _text(" ".join(claim.text for claim in found.sentences))
        yield f"*{_text(_words.narration(found))}*"


def _emotion(emotion: Emotion) -> Iterator[str]:
    if emotion.categories or emotion.dimensions:
        yield "## How it sounds"
    if emotion.categories:
        both = emotion.categories, emotion.perceived
        ranked = sorted({**both[0], **both[1]}, key=lambda label: -both[0].get(label, 0))
        rows = [
            (label, *(_words.probability(one.get(label, math.nan)) for one in both))
            for label in ranked
        ]
        yield _table(("emotion", "portrayed", "listeners"), rows)
    if emotion.dimensions is not None:
        dimensions = (
            (name, getattr(emotion.dimensions, name))
            for name in ("valence", "arousal", "dominance")
        )
        rows = [
            (name, f"{one.value:.2f}", f"{one.low:.2f} to {one.high:.2f}")
            for name, one in dimensions
        ]
        yield _table(("dimension", "value", "90 % interval"), rows)
        yield f"{_text(_words.dimensions(emotion.dimensions))}."


def _explanation(found: Explanation) -> Iterator[str]:
    label = phrase(found.output)
    for count, moment in enumerate(found.moments, start=1):
        place = _words.place(moment.start, moment.end)
        band = f"{_words.number(moment.low_hz)} to {_words.number(moment.high_hz)} Hz"
        yield f"## Moment {count}: {place}"
        yield f"{_words.share(moment.share)} of all that speaks for {_text(label)}, {band}."
        yield _cues(moment.cues)
    yield "## Cues of the whole stretch"
    one = found.plausibility
    value, low, high = map(_words.probability, (one.value, one.low, one.high))
    yield f"Plausibility {value}, 90 % interval {low} to {high}."
    yield _cues(found.cues)
    if found.contrast:
        yield f"## {_text(label.capitalize())} rather than {_text(phrase(found.runner_up))}"
        yield _cues(found.contrast, between=found)
    if found.counterfactuals:
        yield "## Changed voices (synthetic)"
        rows = [
            (
                _words.changes(one.edit),
                *(
                    _words.probability(emotion.categories.get(found.output, math.nan))
                    for emotion in (one.before, one.identity, one.after)
                ),
                verdict(one.after),
            )
            for one in found.counterfactuals
        ]
        yield _table((f"change of {label}", "as recorded", "unchanged", "changed", "verdict"), rows)
    yield from _faithfulness(found.faithfulness, label)


def _cues(cues: Sequence[AcousticCue], *, between: Explanation | None = None) -> str:
    rows = [
        (
            cue.title,
            "; ".join(_words.measured(cue)),
            _words.z_score(cue.z),
            _words.expectation(cue.expected, explanation=between),
            cue.judgement,
            cue.citation,
        )
        for _, cue in _words.ranked(cues)
    ]
    head = ("cue", "measured", "against the usual", "expected", "judgement", "sources")
    return _table(head, rows)


def _faithfulness(found: Faithfulness, label: str) -> Iterator[str]:
    yield "## Faithfulness"
    yield _words.tested(found)
    rows = [
        (
            f"{_words.share(one.share)}, {one.fill.replace('_', ' ')}",
            *map(_words.probability, (one.before, one.random, one.loudest, one.salient)),
            _words.share(one.beaten),
        )
        for one in found.removals
    ]
    head = (f"{label} without", "nothing", "random", "loudest", "most salient", "draws beaten")
    yield _table(head, rows)
    correlations = [*found.stability.items(), *found.agreement.items()]
    if correlations:
        rows = [(name.replace("_", " "), _words.number(value)) for name, value in correlations]
        yield _table(("change or other method", "rank correlation"), rows)


def _over_time(analysis: Analysis) -> Iterator[str]:
    if len(analysis.segments) < 2:
        return
    yield "## Over time"
    rows = [
        (_words.place(one.start, one.end), one.speaker or "", verdict(one.emotion))
        for one in analysis.segments
    ]
    yield _table(("stretch", "speaker", "verdict"), rows)


def _said(analysis: Analysis) -> Iterator[str]:
    transcript, words, fusion = analysis.transcript, analysis.text_emotion, analysis.fusion
    if transcript is None:
        return
    yield "## What is said"
    yield _text(_words.marked(analysis))
    sure = _words.probability(transcript.confidence)
    yield _text(f"{_words.legend(analysis)}. {transcript.source}, confidence {sure}.")
    yield from (_text(f"Note: {one}.") for one in transcript.warnings)
    if words is not None and words.reason:
        yield _text(f"The words are left out of account: {words.reason}.")
    elif words is not None:
        ranked = sorted(words.categories, key=lambda label: -words.categories[label])
        both = fusion.categories if fusion else {}
        rows = [
            (
                label,
                _words.probability(words.categories[label]),
                _words.probability(both.get(label, math.nan)),
            )
            for label in ranked
        ]
        yield _table(("emotion", "words alone", "voice and words together"), rows)
    if fusion is not None:
        yield _words.RELATIONS[fusion.relation]
    if analysis.semantic_fusion is not None:
        yield _read(analysis.semantic_fusion)
        yield from map(_text, _words.read(analysis))


def _read(found: SemanticFusion) -> str:
    """Dimensions without and with the words, and what each text does to them."""
    rows = []
    for name, effects in found.effects.items():
        one = getattr(found.dimensions, name)
        rows.append(
            (
                name,
                f"{found.voice[name]:.2f}",
                f"{one.value:.2f}",
                f"{one.low:.2f} to {one.high:.2f}",
                *(_words.effect(effects[text], found.shares[name][text]) for text in found.texts),
            )
        )
    titles = (TEXTS[text] for text in found.texts)
    head = ("dimension", "voice alone", "voice and words together", "90 % interval", *titles)
    return _table(head, rows)


def _listening(analysis: Analysis) -> Iterator[str]:
    """Of the stretch explained, or of the first, word by word; of others the phrases."""
    found = _words.listened(analysis)
    if found is None:
        return
    one, others = found
    yield "## Listening description"
    yield _text(_words.phrased(analysis, one))
    head = ("descriptor", "heard", "probability", "measured", "value", "agreement")
    yield _table(head, [*_words.heard(one)])
    if others:
        yield "\n".join(f"- {_text(_words.phrased(analysis, other))}" for other in others)
    yield f"*{_text(_words.LISTENING)}*"


def _descriptors(analysis: Analysis) -> Iterator[str]:
    found = analysis.descriptors
    if not found.prominent:
        return
    yield "## How it is said"
    rows = []
    for name in found.prominent:
        level, measured = found.levels[name], _words.described(found, name)
        rows.append((level.title, measured, _words.z_score(level.z), level.word))
    yield _table(("descriptor", "measured", "against the usual", "level"), rows)


def _sources(explanation: Explanation) -> Iterator[str]:
    listed = _words.sources(explanation)
    if listed:
        yield "## Sources"
        yield "\n".join(f"- {_text(key)}: {_text(said)}" for key, said in listed.items())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [[_inline(cell) for cell in line] for line in (head, *rows)]
    lines.insert(1, ["---"] * len(head))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(text: str) -> str:
    """A paragraph, which nothing in it makes a heading, a list or a quotation."""
    return _BLOCK.sub(r"\1\\\2", _inline(text))


def _inline(text: str) -> str:
    """Shown as it is: nothing in it is taken for Markdown or HTML."""
    return _ACTIVE.sub(r"\\\g<0>", " ".join(printable(text).split()))
