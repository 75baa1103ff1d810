"""What a client asks for, as values that travel to a worker.

What the field of a form may hold stands in the metadata of each: workers need no FastAPI, which
takes a second to import.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from voxplain.evidence.voice import AXES, Edit

__all__ = ["Change", "Options"]

_MOST_TEXT = 100_000
"""Characters of a transcript; two hours of talk."""


def _field(default: Any, **allowed: Any) -> Any:
    return field(default=default, metadata=allowed)


@dataclass(frozen=True, slots=True)
class Options:
    """Of an analysis; the defaults are those of ``voxplain analyze --json``."""

    explain: Literal["none", "quick", "full"] | None = _field(
        None, description="why it sounds so; by default none, and quick with `why`"
    )
    why: str | None = _field(
        None, max_length=40, description="explain this emotion, not the most probable one"
    )
    transcript: str | None = _field(
        None, max_length=_MOST_TEXT, description="what is said, as plain text"
    )
    asr: str | None = _field(
        None, max_length=40, description="what hears the words: a transcriber, auto or none"
    )
    language: str | None = _field(None, max_length=20, description="of the words, such as en or de")
    reference_group: Literal["adults", "child", "female", "male"] = _field(
        "adults", description="whose voices levels compare with"
    )
    relative: bool = _field(
        False, description="judge each stretch against the speaker's other ones"
    )
    tracks: bool = _field(False, description="also descriptors over time, every 10 ms")

    @property
    def effort(self) -> str | None:
        """Of the explanation, as ``Analyzer.analyze`` takes it."""
        effort = self.explain or ("quick" if self.why else "none")
        return None if effort == "none" else effort


def _axis(name: str) -> Any:
    axis = AXES[name]
    unit = f" {axis.unit}" if axis.unit else ""
    told = f"{axis.same:g}{unit} changes nothing"
    return _field(axis.same, ge=axis.low, le=axis.high, description=told)


@dataclass(frozen=True, slots=True)
class Change:
    """Of a voice, as in ``voxplain.Edit``."""

    f0_shift_st: float = _axis("f0_shift_st")
    f0_range: float = _axis("f0_range")
    tempo: float = _axis("tempo")
    gain_db: float = _axis("gain_db")
    tilt_db: float = _axis("tilt_db")
    breathiness: float = _axis("breathiness")

    @property
    def edit(self) -> Edit:
        """Raises ConfigError for what no voice allows."""
        return Edit(**dataclasses.asdict(self))
