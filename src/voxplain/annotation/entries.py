"""What is to be annotated: one recording, what somebody marked in it, and where it lies."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from voxplain.types import Segment

__all__ = ["Batch", "Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording of the list. It goes to workers and, as a line of JSON, to disk."""

    file: str
    """As it stands in the column ``file``."""
    path: str
    """Absolute, or a URL; of the archive, where it is a member of one."""
    member: str | None = None
    """Its name in the archive."""
    place: int = 0
    """Where the member is to be found: a zip's count of it, the first byte of it in a tar."""
    size: int = 0
    """Bytes of the member."""
    intervals: tuple[Segment, ...] = ()
    speaker: str | None = None
    """Of a recording that is to be taken whole."""
    kept: tuple[dict[str, Any], ...] = ()
    """What the table says in columns that are to be kept: of each interval, or of the whole."""
    problem: str | None = None
    """Why it is not even to be opened."""

    def to_json(self) -> str:
        """One line, as short as can be."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name != "intervals"}
        marked = [
            (one.start, one.end if math.isfinite(one.end) else None, one.speaker)
            for one in self.intervals
        ]
        told = {**plain, "intervals": marked}
        return json.dumps({name: value for name, value in told.items() if value})

    @classmethod
    def from_json(cls, line: str) -> Entry:
        """The entry that ``to_json`` was called on."""
        plain: dict[str, Any] = json.loads(line)
        marked = plain.pop("intervals", ())
        return cls(
            kept=tuple(plain.pop("kept", ())),
            intervals=tuple(
                Segment(start, math.inf if end is None else end, speaker)
                for start, end, speaker in marked
            ),
            **plain,
        )


Batch = list[Entry]
"""Entries that lie together in the list."""
