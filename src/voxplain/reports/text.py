"""The analysis as a summary that fits a terminal of 80 columns."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from voxplain.errors import VoxplainError
from voxplain.labels import phrase
from voxplain.reports import _words
from voxplain.types import Analysis, Dimension, Emotion, SemanticFusion

__all__ = ["SUFFIX", "line", "render", "strip", "verdict"]

SUFFIX = ".txt"

_WIDTH = 79
_BAR = 44
_STRIP = 60
_REASONS = 3
_LINES = 6
"""Of a transcript."""
_BLOCKS = " ▏▎▍▌▋▊▉█"
_SHADES = " ·░▒▓█"
_LEGEND = """\
Portrayed: how probably it was meant. Listeners: the share who would choose it.
Learned from acted speech. How a voice sounds, not what a person feels."""
_FOREIGN = """\
Portrayed: how probably it was meant. How a voice sounds, not what a person
feels."""
_TIED = re.compile(r"(?<=\bz) |(?<=\d) (?=\S{1,2}[ ,;])")  # a number stays with its unit
_IN_HZ = {"f0_mean_st": "f0_mean_hz"}  # semitones compare pitches, hertz are what people know


def render(analysis: Analysis) -> str:
    """The verdict, then what it stands on; ends with a newline."""
    parts = [_head(analysis), *_why(analysis), *_narration(analysis), *_emotion(analysis.emotion)]
    parts += [*_said(analysis), *_listening(analysis), *_descriptors(analysis)]
    if len(analysis.segments) > 1:
        parts += _over_time(analysis)
    parts += [f"\nNote: {_printable(warning)}." for warning in analysis.warnings]
    if analysis.emotion.categories:
        parts.append(f"\n{_LEGEND if analysis.emotion.perceived else _FOREIGN}")
    return "\n".join(parts) + "\n"


def line(name: str, outcome: Analysis | VoxplainError) -> str:
    """One line for one of many recordings; an error may be longer than the terminal is wide."""
    if isinstance(outcome, VoxplainError):
        return f"{_printable(name)}: error: {_printable(str(outcome))}"
    emotion = outcome.emotion
    if emotion.verdict.abstains:
        said = f"not enough evidence: {emotion.verdict.reason}"
    else:
        said = ", ".join(
            f"{label} {emotion.categories[label]:.2f}" for label in emotion.verdict.labels
        )
    shown = textwrap.shorten(_printable(name), 40, placeholder="…") if " " in name else name[-40:]
    return f"{_printable(shown):<40}  {said}"


def verdict(emotion: Emotion) -> str:
    """The verdict as a sentence without its full stop."""
    if emotion.verdict.abstains:
        return f"Not enough evidence: {emotion.verdict.reason}"
    return "Sounds " + " or ".join(phrase(label) for label in emotion.verdict.labels)


def _head(analysis: Analysis) -> str:
    length = f"{analysis.duration:.1f} s, {analysis.speech_duration:.1f} s of speech"
    name = _printable(analysis.source)
    room = _WIDTH - len(length) - 2
    if len(name) > room:
        name = "…" + name[1 - room :]
    said = textwrap.fill(f"{verdict(analysis.emotion)}.", _WIDTH)
    return f"{name}  {length}\n\n{said}"


def _why(analysis: Analysis) -> Iterator[str]:
    """The strongest reasons, and whether they may be trusted."""
    if analysis.explanation is None:
        return
    told = [
        textwrap.fill(
            _TIED.sub("\xa0", one.text), _WIDTH, initial_indent="  - ", subsequent_indent="    "
        ).replace("\xa0", " ")
        for one in analysis.claims
        if any(path.startswith("explanation.") for path in one.evidence)
    ]
    if told:
        yield "\n" + "\n".join(told[:_REASONS])
    for warning in analysis.explanation.warnings:
        yield "\n" + textwrap.fill(f"Note: {warning}.", _WIDTH)


def _narration(analysis: Analysis) -> Iterator[str]:
    """The reasons and all else in other words, and whose."""
    if analysis.narration is None:
        return
    told = " ".join(one.text for one in analysis.narration.sentences)
    if told:
        yield "\nIn other words:"
        lines = textwrap.wrap(_TIED.sub("\xa0", _printable(told)), _WIDTH - 2)
        yield "\n".join(f"  {one}" for one in lines).replace("\xa0", " ")
    yield textwrap.fill(_printable(_words.narration(analysis.narration)), _WIDTH)


def _emotion(emotion: Emotion) -> Iterator[str]:
    if emotion.categories:
        yield from _shares(emotion)
    if emotion.dimensions is not None:
        yield ""
        for name in ("valence", "arousal", "dominance"):
            dimension: Dimension = getattr(emotion.dimensions, name)
            yield (
                f"  {name:<10}{_scale(dimension)} {dimension.value:5.2f}"
                f"  ({dimension.low:.2f} to {dimension.high:.2f})"
            )


def _shares(emotion: Emotion) -> Iterator[str]:
    portrayed, perceived = emotion.categories, emotion.perceived
    yield f"\n{'portrayed':>{_BAR + 18}}{'listeners':>12}"
    for label in sorted({**portrayed, **perceived}, key=lambda name: -portrayed.get(name, 0)):
        bar = _bar(portrayed.get(label, 0))
        yield f"  {label:<10}{bar} {_share(portrayed, label):>5}{_share(perceived, label):>12}"
    said = _listeners(emotion)
    if said:
        yield f"\n{said}"


def _said(analysis: Analysis) -> Iterator[str]:
    """The transcript with its marks, the beginning of a long one, and what it says."""
    transcript, found = analysis.transcript, analysis.text_emotion
    if transcript is None:
        return
    yield "\n" + textwrap.fill(f"Said ({_words.legend(analysis)}):", _WIDTH)
    lines = textwrap.wrap(_printable(_words.marked(analysis)), _WIDTH - 2)
    more = ["…"] if len(lines) > _LINES else []
    yield "\n".join(f"  {one}" for one in (*lines[:_LINES], *more))
    if found is not None and found.reason:
        yield textwrap.fill(f"The words are left out of account: {found.reason}.", _WIDTH)
    elif found is not None and found.categories:
        ranked = sorted(found.categories.items(), key=lambda item: -item[1])[:3]
        told = ", ".join(f"{phrase(label)} {share:.2f}" for label, share in ranked)
        relation = f" {_words.RELATIONS[analysis.fusion.relation]}" if analysis.fusion else ""
        yield textwrap.fill(f"The words alone sound {told}.{relation}", _WIDTH)
    for warning in transcript.warnings:
        yield textwrap.fill(f"Note: {warning}.", _WIDTH)
    if analysis.semantic_fusion is not None:
        yield from _read(analysis.semantic_fusion)


def _read(found: SemanticFusion) -> Iterator[str]:
    """Dimensions without and with the words, and by how much each text moves them."""
    yield "\nVoice and words together, and by how much each text moves the value:"
    yield f"{'voice':>17}{'together':>10}" + "".join(f"{text:>16}" for text in found.texts)
    for name, effects in found.effects.items():
        moved = "".join(f"{effects[text]:+16.2f}" for text in found.texts)
        value = getattr(found.dimensions, name).value
        yield f"  {name:<10}{found.voice[name]:5.2f}{value:10.2f}{moved}"


def _listening(analysis: Analysis) -> Iterator[str]:
    """Of the stretch explained, or of the first."""
    found = _words.listened(analysis)
    if found is None:
        return
    one, _ = found
    yield "\nListening description (what a small model hears, not measured):"
    lines = textwrap.wrap(_printable(_words.phrased(analysis, one)), _WIDTH - 2)
    yield "\n".join(f"  {line}" for line in lines)
    against = f"Against what is measured, {_words.agreements(one)}."
    yield textwrap.fill(_printable(against), _WIDTH)


def _share(shares: Mapping[str, float], label: str) -> str:
    return f"{shares[label]:.2f}" if label in shares else "–"


def _listeners(emotion: Emotion) -> str | None:
    """What they would say, where it is not the verdict."""
    if not emotion.perceived:
        return None
    label, share = max(emotion.perceived.items(), key=lambda item: item[1])
    if share < 0.5:
        named = " or ".join(phrase(one) for one in (label, *emotion.minor))
        return f"Listeners would disagree about this voice{f': {named}' if emotion.minor else ''}."
    if label in emotion.verdict.labels:
        return None
    some = "".join(f", some {phrase(one)}" for one in emotion.minor)
    return f"Most listeners would call this voice {phrase(label)}{some}."


def _bar(share: float) -> str:
    eighths = round(share * _BAR * 8)
    bar = "█" * (eighths // 8) + _BLOCKS[eighths % 8].strip()
    return f"{bar:<{_BAR}}"


def _scale(dimension: Dimension) -> str:
    """A line from 0 to 1 with the interval drawn thick and the value as a dot."""
    places = range(_BAR)
    low, value, high = (
        round(x * (_BAR - 1)) for x in (dimension.low, dimension.value, dimension.high)
    )
    return "".join(
        "●" if place == value else "━" if low <= place <= high else "─" for place in places
    )


def _descriptors(analysis: Analysis) -> Iterator[str]:
    found = analysis.descriptors
    if not found.prominent:
        return
    reference = found.levels[found.prominent[0]].reference
    yield "\n" + textwrap.fill(f"Most unusual, against {reference}:", _WIDTH)
    for name in found.prominent:
        level, quantity = found.levels[name], found.functionals[_IN_HZ.get(name, name)]
        measured = f"{quantity.value:.3g} {quantity.unit}".strip()
        yield f"  {level.title:<34}{level.word:<11}{measured:<20}z {level.z:+.1f}"


def _over_time(analysis: Analysis) -> Iterator[str]:
    if not analysis.emotion.categories:
        return
    judged = [segment for segment in analysis.segments if segment.emotion.categories]
    count, mute = len(analysis.segments), len(analysis.segments) - len(judged)
    counted = f"{count} segments, {mute} not judged" if mute else f"{count} segments"
    yield f"\nOver time, {_clock(0)} to {_clock(analysis.duration)} ({counted}):"
    spans = [(one.start, one.end) for one in judged]
    for label in analysis.emotion.categories:
        shares = [one.emotion.categories[label] for one in judged]
        yield f"  {label:<10}{strip(spans, shares, analysis.duration)}"


def strip(
    spans: Sequence[tuple[float, float]],
    values: Sequence[float],
    duration: float,
    *,
    shades: str = _SHADES,
) -> str:
    """Values in [0, 1] over the time of a recording, blank where there is none."""
    edges = np.linspace(0, duration, _STRIP + 1)
    cells = []
    for left, right in pairwise(edges):
        here = [
            value
            for (start, end), value in zip(spans, values, strict=True)
            if start < right and end > left
        ]
        # A voice always shows at least a dot; blank is where there is none.
        most = len(shades) - 1
        cells.append(shades[min(most, 1 + int(np.mean(here) * most))] if here else " ")
    return "".join(cells)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _printable(text: str) -> str:
    """Control characters (a newline in a file name) as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
