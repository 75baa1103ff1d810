"""What an audit finds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Audit", "Finding", "Summary"]

Weight = Literal["leak", "unknown", "fault", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an audit found."""

    kind: str
    """shared speakers, identical audio, silent ..."""
    weight: Weight
    """``leak``: the sides aren't apart; ``unknown``: nobody can say whether they are; ``fault``: a
    recording or a label is wrong; ``note``: good to know."""
    sides: tuple[str, ...]
    """Name of the side where it was found, or of the two that it is between."""
    count: int
    """How many, in the last of the sides."""
    of: int
    """Of how many."""
    says: str
    """In words, with the remedy where there is one."""
    examples: tuple[str, ...] = ()
    """All that were found: speakers, sentences, recordings, or pairs of them."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One side in brief."""

    name: str
    utterances: int
    speakers: int
    """Of those that are known."""
    labels: Mapping[str, int]
    """Label -> utterances."""
    heard: int
    """Utterances whose recording was there."""
    hours: float
    """Of what was heard."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The sides of a split and what was found in them, what matters most first."""

    sides: tuple[Summary, ...]
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Nothing leaks, as far as it was looked at, and all that matters is known."""
        return not any(one.weight in ("leak", "unknown") for one in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"passed": self.passed, **dataclasses.asdict(self)}
