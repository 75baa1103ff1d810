"""A conversation in words: the same in the page and in the terminal."""

from __future__ import annotations

from voxplain.conversations.results import Conversation, TurningPoint, Voice
from voxplain.reports._words import clock, number
from voxplain.reports.text import verdict

__all__ = ["CHANGED", "UNCHANGED", "called", "counted", "left_out", "summary", "turned"]

CHANGED = (
    "From here on a voice sounds otherwise than before, by more than its uncertainty and more than "
    "turns in any order would show."
)
"""What a turning point is."""
UNCHANGED = "No turning point: no voice changes by more than its uncertainty."


def called(voice: Voice) -> str:
    """The name of a voice."""
    return "speech" if voice.name is None else voice.name


def counted(found: Conversation) -> str:
    """How many voices and turns there are."""
    unknown = any(voice.name is None for voice in found.voices)
    voices = "speakers unknown" if unknown else _several(len(found.voices), "voice")
    return f"{clock(found.duration)}, {voices}, {_several(found.judged, 'turn')} judged"


def left_out(found: Conversation) -> list[str]:
    """What was not judged, and why."""
    seconds = sum(one.end - one.start for one in found.overlaps)
    said = []
    if mute := len(found.turns) - found.judged:
        said.append(f"{_several(mute, 'turn')} could not be judged")
    if seconds:
        said.append(f"{seconds:.1f} s in which several speak at once are left out")
    return said


def summary(found: Conversation, voice: Voice) -> str:
    """How long a voice speaks and what it sounds like, as a sentence."""
    told = verdict(voice.emotion)
    if voice.emotion.verdict.abstains:
        return f"{told}."
    turns = sum(turn.judged for turn in found.of(voice))
    return (
        f"{clock(voice.duration)} in {_several(turns, 'turn')}. "
        f"On the whole it {told[0].lower()}{told[1:]}."
    )


def turned(point: TurningPoint) -> str:
    """What changes at a turning point.

    >>> from voxplain.types import Estimate
    >>> turned(TurningPoint("arousal", 35.1, 38.5, 0.519, 0.902, Estimate(0.38, 0.27, 0.5), 0.001))
    'arousal 0.52 → 0.90 (+0.27 to +0.50)'
    """
    ends = f"{number(point.change.low, signed=True)} to {number(point.change.high, signed=True)}"
    return f"{point.dimension} {point.before:.2f} → {point.after:.2f} ({ends})"


def _several(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
