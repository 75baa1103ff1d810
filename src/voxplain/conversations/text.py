"""A conversation as a summary that fits a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from voxplain.conversations import words
from voxplain.conversations.results import Conversation, Voice
from voxplain.models.judgement import DIMENSIONS
from voxplain.reports._words import clock, printable
from voxplain.reports.text import strip

__all__ = ["render"]

_WIDTH = 79
_LEVELS = " ▁▂▃▄▅▆▇█"
_LEGEND = """\
The darker, the more probable; the higher, the more; blank where it is silent.
Learned from acted speech. How a voice sounds, not what a person feels."""


def render(found: Conversation) -> str:
    """Each voice over time, then the turning points; ends with a newline."""
    parts = [_wrapped(f"{found.source}  {words.counted(found)}")]
    parts += [_wrapped(f"Note: {one}.") for one in (*words.left_out(found), *found.warnings)]
    for voice in found.voices:
        parts += ["", *_voice(found, voice)]
    parts += ["", *_turning_points(found), "", _LEGEND]
    return "\n".join(parts) + "\n"


def _voice(found: Conversation, voice: Voice) -> Iterator[str]:
    yield _wrapped(f"{words.called(voice)}: {words.summary(found, voice)}")
    judged = [turn for turn in found.of(voice) if turn.judged]
    spans = [(turn.start, turn.end) for turn in judged]
    for label in voice.emotion.categories:
        shares = [turn.emotion.categories[label] for turn in judged]
        yield f"  {label:<10}{strip(spans, shares, found.duration)}".rstrip()
    for name in DIMENSIONS:
        if name in voice.curves:
            values = voice.curves[name].values.tolist()
            row = strip(spans, values, found.duration, shades=_LEVELS)
            yield f"  {name:<10}{row}".rstrip()


def _turning_points(found: Conversation) -> Iterator[str]:
    points = [(point, voice) for voice in found.voices for point in voice.turning_points]
    if not points:
        yield words.UNCHANGED
        return
    yield "Turning points:"
    for point, voice in sorted(points, key=lambda pair: pair[0].first):
        yield _wrapped(
            f"  {clock(point.first):>7}  {words.called(voice)}: {words.turned(point)}", indent=11
        )


def _wrapped(text: str, *, indent: int = 0) -> str:
    return textwrap.fill(printable(text), _WIDTH, subsequent_indent=" " * indent)
