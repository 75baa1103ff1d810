"""What a client asks for: the fields of a form, as values that travel to a worker."""
# Annotations are read when a request comes, so they must be more than text.

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Form

from voxplain.evidence.voice import AXES, Edit

__all__ = ["Change", "Options"]

_MOST_TEXT = 100_000
"""Characters of a transcript; two hours of talk."""


@dataclass(frozen=True, slots=True)
class Options:
    """Of an analysis; the defaults are those of ``voxplain analyze --json``."""

    explain: Annotated[
        Literal["none", "quick", "full"] | None,
        Form(description="why it sounds so; by default none, and quick with `why`"),
    ] = None
    why: Annotated[
        str | None,
        Form(max_length=40, description="explain this emotion, not the most probable one"),
    ] = None
    transcript: Annotated[
        str | None,
        Form(max_length=_MOST_TEXT, description="what is said, as plain text"),
    ] = None
    asr: Annotated[
        str | None,
        Form(max_length=40, description="what hears the words: a transcriber, auto or none"),
    ] = None
    language: Annotated[
        str | None, Form(max_length=20, description="of the words, such as en or de")
    ] = None
    reference_group: Annotated[
        Literal["adults", "child", "female", "male"],
        Form(description="whose voices levels compare with"),
    ] = "adults"
    relative: Annotated[
        bool, Form(description="judge each stretch against the speaker's other ones")
    ] = False
    tracks: Annotated[bool, Form(description="also descriptors over time, every 10 ms")] = False

    @property
    def effort(self) -> str | None:
        """Of the explanation, as ``Analyzer.analyze`` takes it."""
        effort = self.explain or ("quick" if self.why else "none")
        return None if effort == "none" else effort


def _axis(name: str) -> object:
    axis = AXES[name]
    unit = f" {axis.unit}" if axis.unit else ""
    return Form(ge=axis.low, le=axis.high, description=f"{axis.same:g}{unit} changes nothing")


@dataclass(frozen=True, slots=True)
class Change:
    """Of a voice, as in ``voxplain.Edit``."""

    f0_shift_st: Annotated[float, _axis("f0_shift_st")] = 0.0
    f0_range: Annotated[float, _axis("f0_range")] = 1.0
    tempo: Annotated[float, _axis("tempo")] = 1.0
    gain_db: Annotated[float, _axis("gain_db")] = 0.0
    tilt_db: Annotated[float, _axis("tilt_db")] = 0.0
    breathiness: Annotated[float, _axis("breathiness")] = 0.0

    @property
    def edit(self) -> Edit:
        """Raises ConfigError for what no voice allows."""
        return Edit(**dataclasses.asdict(self))
