"""What was asked of the tools about a recording, and the evidence that has come of it."""

from __future__ import annotations

import functools
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from voxplain.errors import ConfigError, UnknownName, VoxplainError
from voxplain.evidence.checking import check
from voxplain.inquiry.tools import Finding, Recording, fitting
from voxplain.types import Analysis, Claim

__all__ = ["Ledger"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Fact:
    claim: Claim
    """As said of ``analysis``; its evidence are places in that."""
    analysis: Analysis
    call: int
    lead: str
    """How a sentence must begin that stands on it; empty: as it likes."""

    @property
    def scope(self) -> tuple[int, str]:
        """Facts of the same may be said in one sentence: their numbers can't be mistaken."""
        place = self.claim.evidence[0].split(".")
        return self.call, ".".join(place[: 3 if place[1:2] in (["moments"], ["words"]) else 2])

    @property
    def text(self) -> str:
        said = self.claim.text
        return f"{self.lead}{said[0].lower()}{said[1:]}" if self.lead else said


class Ledger:
    """Calls of tools, each once and in limited time, and what may be said of their results.

    Each sentence that a tool offers gets an id (``e1``, ``e2`` ...), which other sentences may
    cite. The checker sees to it that numbers, names and words are those of what is cited, but not
    that each is said of its own time or of its own judge (the voice, the words, both): a sentence
    may cite facts of one kind, from one call, about one time.
    """

    def __init__(self, recording: Recording, *, seconds: float) -> None:
        """``seconds`` are what a tool is given for an answer."""
        self.recording, self._seconds = recording, seconds
        self._facts: dict[str, _Fact] = {}
        self._calls: dict[str, tuple[str, ...]] = {}  # what was asked -> ids of its facts

    def call(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """What a tool found: ``facts``, id -> sentence, and ``values``.

        Or else ``fault``, what kind of thing went wrong (unknown tool, bad arguments, asked before,
        out of time, refused), and ``why``.
        """
        asked = _key(name, arguments)
        if asked in self._calls:
            known = ", ".join(self._calls[asked]) or "none"
            return _fault("asked before", f"nothing new can come of it; its facts: {known}")
        self._calls[asked] = ()
        try:
            tool = fitting(name, arguments)
        except UnknownName as error:
            return _fault("unknown tool", error)
        except ConfigError as error:
            return _fault("bad arguments", error)
        try:
            found = _in_time(
                functools.partial(tool.find, self.recording, **arguments), self._seconds
            )
        except TimeoutError:
            return _fault("out of time", f"{name} took more than {self._seconds:g} s; ask for less")
        except VoxplainError as error:
            return _fault("refused", error)
        self._calls[asked] = tuple(self._entered(found))
        facts = {number: self.text(number) for number in self._calls[asked]}
        return {"facts": facts, "values": found.values}

    def _entered(self, found: Finding) -> list[str]:
        """The ids of its facts."""
        part, call, ids = found.part, len(self._calls), []
        lead = f"From {part.start:.1f} to {part.end:.1f} s, " if part else ""
        for claim in found.claims:
            ids.append(f"e{len(self._facts) + 1}")
            self._facts[ids[-1]] = _Fact(claim, found.analysis, call, lead)
        return ids

    def problems(self, sentence: Claim) -> tuple[str, ...]:
        """What in a sentence the facts that it cites do not bear out; empty when all is true."""
        missing = [one for one in sentence.evidence if one not in self._facts]
        if missing:
            return (f"there is no evidence {', '.join(missing)[:80]}",)
        facts = [self._facts[one] for one in sentence.evidence]
        if not facts:
            return ("no evidence is cited",)
        if len({one.scope for one in facts}) > 1:
            return ("what it cites is not of one kind, call and time; say it one by one",)
        lead, analysis = facts[0].lead, facts[0].analysis
        if not sentence.text.startswith(lead):
            return (f"what it cites is of a part of the recording; begin with {lead!r}",)
        wider = _wider(sentence.text).difference(*(_wider(one.text) for one in facts))
        if wider:
            return (f"{wider.pop()!r} is wider than what it cites",)
        places = dict.fromkeys(place for one in facts for place in one.claim.evidence)
        return check(Claim(sentence.text.removeprefix(lead), tuple(places)), analysis)

    def said(self, name: str, arguments: Mapping[str, Any], *places: str) -> tuple[Claim, ...]:
        """What a tool says, asked now or before, each sentence citing itself; none after a fault.

        With ``places`` of an Analysis only what is first of all about one of them.
        """
        self.call(name, arguments)
        return tuple(
            Claim(self.text(one), (one,))
            for one in self._calls[_key(name, arguments)]
            if not places or self._facts[one].claim.evidence[0] in places
        )

    def text(self, number: str) -> str:
        """A fact as its tool says it."""
        return self._facts[number].text


def _key(name: str, arguments: Mapping[str, Any]) -> str:
    return json.dumps([name, arguments], sort_keys=True)


def _wider(text: str) -> set[str]:
    """Words, of those that the checker lets stand, for more than a part of the recording."""
    return set(re.findall(r"\b(?:overall|recording)\b", text.lower()))


def _fault(kind: str, why: object) -> dict[str, Any]:
    return {"fault": kind, "why": str(why)}


def _in_time(work: Callable[[], T], seconds: float) -> T:
    """What comes of some work. Raises TimeoutError, and leaves the work to end by itself."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # handed over to who asked
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError
    if failed:
        raise failed[0]
    return done[0]
