"""The analysis as a summary that fits a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import numpy as np

from voxplain.errors import VoxplainError
from voxplain.labels import phrase
from voxplain.types import Analysis, Dimension, Emotion

__all__ = ["line", "render", "verdict"]

_WIDTH = 79
_BAR = 44
_STRIP = 60
_BLOCKS = " ▏▎▍▌▋▊▉█"
_SHADES = " ·░▒▓█"
_IN_HZ = {"f0_mean_st": "f0_mean_hz"}  # semitones compare pitches, hertz are what people know


def render(analysis: Analysis) -> str:
    """The verdict, then what it stands on; ends with a newline."""
    parts = [_head(analysis), *_categories(analysis.emotion), *_descriptors(analysis)]
    if len(analysis.segments) > 1:
        parts += _over_time(analysis)
    parts += [f"\nNote: {warning}." for warning in analysis.warnings]
    if analysis.emotion.categories:
        parts.append("\nLearned from acted speech. How a voice sounds, not what a person feels.")
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


def _categories(emotion: Emotion) -> Iterator[str]:
    if not emotion.categories:
        return
    yield ""
    for label, probability in sorted(emotion.categories.items(), key=lambda item: -item[1]):
        yield f"  {label:<10}{_bar(probability)} {probability:5.2f}"
    if emotion.dimensions is not None:
        yield ""
        for name in ("valence", "arousal", "dominance"):
            dimension: Dimension = getattr(emotion.dimensions, name)
            yield (
                f"  {name:<10}{_scale(dimension)} {dimension.value:5.2f}"
                f"  ({dimension.low:.2f} to {dimension.high:.2f})"
            )


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
    edges = np.linspace(0, analysis.duration, _STRIP + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    half = analysis.duration / _STRIP / 2
    count = len(analysis.segments)
    yield f"\nOver time, {_clock(0)} to {_clock(analysis.duration)} ({count} segments):"
    for label in analysis.emotion.categories:
        cells = []
        for middle in middles:
            here = [
                segment.emotion.categories[label]
                for segment in analysis.segments
                if segment.start < middle + half and segment.end > middle - half
            ]
            # Speech always shows at least a dot; blank is where nobody speaks.
            cells.append(_SHADES[min(5, 1 + int(np.mean(here) * 5))] if here else " ")
        yield f"  {label:<10}{''.join(cells)}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _printable(text: str) -> str:
    """Control characters (a newline in a file name) as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
