"""What is known of a conversation: frozen values, and nothing that acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from voxplain.types import Emotion, Estimate, _Document, _Value

__all__ = [
    "SCHEMA_VERSION",
    "Conversation",
    "Curve",
    "Overlap",
    "Turn",
    "TurningPoint",
    "Voice",
]

SCHEMA_VERSION = "1.0"
"""Of ``Conversation.to_dict``: the first number changes when a reader of the old would break."""


@dataclass(frozen=True, slots=True)
class Turn(_Value):
    """A stretch of speech of one voice, no longer than 15 s: a longer turn is several."""

    start: float
    """Seconds of the recording."""
    end: float
    speaker: str | None
    """None where nobody said who speaks."""
    emotion: Emotion
    """As ``voxplain.analyze`` has it for the same cut; empty, with a reason, if not judged."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start

    @property
    def judged(self) -> bool:
        """Whether there was enough speech of one voice to say anything."""
        return bool(self.emotion.categories or self.emotion.dimensions)


@dataclass(frozen=True, slots=True)
class Overlap(_Value):
    """Where several speak at once: it is in no voice's turns."""

    start: float
    end: float
    speakers: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Curve(_Value):
    """The smoothed course of a quantity, with a point in each judged turn of a voice alone."""

    times: NDArray[np.float64]
    """(turns,) middles in seconds"""
    values: NDArray[np.float64]
    """(turns,) in [0, 1]"""
    low: NDArray[np.float64]
    """(turns,) ends of the 90 % interval"""
    high: NDArray[np.float64]
    """(turns,)"""


@dataclass(frozen=True, slots=True)
class TurningPoint(_Value):
    """From one turn on a voice sounds otherwise than until then."""

    dimension: str
    """valence or arousal"""
    last: float
    """Seconds: the end of the last turn of the old."""
    first: float
    """Seconds: the start of the first turn of the new."""
    before: float
    """Mean over the turns since the turning point before this one, weighted by their length."""
    after: float
    """Mean over the turns until the next one."""
    change: Estimate
    """``after`` - ``before``, with its 90 % interval."""
    p: float
    """Chance of a change as large anywhere among these turns in any order."""


@dataclass(frozen=True, slots=True)
class Voice(_Value):
    """All that one speaker says."""

    name: str | None
    """None where nobody said who speaks: it may be several."""
    duration: float
    """Seconds of its judged turns."""
    emotion: Emotion
    """The mean over its turns, weighted by their length."""
    curves: Mapping[str, Curve]
    """valence, arousal, dominance and each label -> its course."""
    turning_points: tuple[TurningPoint, ...]
    """In order of time."""


@dataclass(frozen=True, slots=True)
class Conversation(_Document):
    """How each voice of a recording sounds over time; its JSON is told in docs/conversation.md."""

    SCHEMA: ClassVar[str] = SCHEMA_VERSION

    source: str
    duration: float
    """Seconds of audio."""
    speakers: str | None
    """Who said who speaks when: the name of a file or of a diariser; None if nobody did."""
    voices: tuple[Voice, ...]
    """In the order in which they begin to speak."""
    turns: tuple[Turn, ...]
    """In order of time, those that were not judged too."""
    overlaps: tuple[Overlap, ...]
    warnings: tuple[str, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def of(self, voice: Voice) -> tuple[Turn, ...]:
        """The turns of a voice, those that were not judged too."""
        return tuple(turn for turn in self.turns if turn.speaker == voice.name)

    @property
    def judged(self) -> int:
        """How many turns were."""
        return sum(turn.judged for turn in self.turns)
