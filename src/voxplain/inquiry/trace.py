"""The trace of an inquiry: kept as JSON lines, and run again without a language model."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxplain.errors import BadReply, ConfigError
from voxplain.inquiry.inquiry import Inquiry, Limits, Turn, inquire
from voxplain.inquiry.tools import Recording
from voxplain.llms import Message, Schema
from voxplain.types import Claim

__all__ = ["FORM", "Replay", "dumps", "load", "replay"]

FORM = 1
"""Of a trace; changes when a reader of the old one would break."""

_HEAD = ("question", "about", "llm", "limits", "opening")


@dataclass(frozen=True, slots=True)
class Replay:
    """An inquiry run again, and what came out otherwise than before."""

    inquiry: Inquiry
    changes: tuple[str, ...]
    """Empty where tools and answer are the same."""


def dumps(inquiry: Inquiry) -> str:
    """JSON lines: the question, what the verdict was; each turn; the answer."""
    plain = dataclasses.asdict(inquiry)
    turns = plain.pop("turns")
    head = {"voxplain_inquiry": FORM, **{key: plain.pop(key) for key in _HEAD}}
    return "".join(f"{json.dumps(line, allow_nan=False)}\n" for line in (head, *turns, plain))


def load(path: Path) -> Inquiry:
    """The inquiry that was kept in a file. Raises ConfigError for what is none."""
    try:
        head, *turns, end = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        if head.pop("voxplain_inquiry") != FORM:
            raise ValueError(f"its form is another than {FORM}")
        found = {
            **head,
            **end,
            "limits": Limits(**head["limits"]),
            "turns": tuple(Turn(str(one["reply"]), one["result"]) for one in turns),
            "answer": tuple(map(_claim, end["answer"])),
            "left_out": tuple(map(_claim, end["left_out"])),
            "candidates": tuple(end["candidates"]),
        }
        return Inquiry(**found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"{path} is no trace of an inquiry ({error!r}); give a file that voxplain ask wrote"
        ) from error


def _claim(plain: Mapping[str, Any]) -> Claim:
    return Claim(plain["text"], tuple(plain["evidence"]))


def replay(trace: Inquiry, recording: Recording) -> Replay:
    """Run an inquiry again: the replies are those of the trace, the tools measure anew.

    Raises what the tools do.
    """
    again = inquire(trace.question, recording, llm=_Recorded(trace), limits=trace.limits)
    return Replay(again, tuple(_changes(trace, again)))


class _Recorded:
    """Answers as a model did."""

    def __init__(self, trace: Inquiry) -> None:
        self.name = trace.llm
        self._turns = iter(trace.turns)

    def complete(
        self, messages: Sequence[Message], *, schema: Schema | None = None, max_tokens: int = 1024
    ) -> str:
        turn = next(self._turns, None)
        if turn is None:
            raise BadReply("the trace ends here")
        if not turn.reply:
            raise BadReply(turn.result["why"])
        return turn.reply


def _changes(before: Inquiry, after: Inquiry) -> Iterator[str]:
    for key, what in (("sha256", "recording"), ("model_sha256", "model")):
        if before.about.get(key) != after.about[key]:
            yield f"the {what} is another ({key} {after.about[key]})"
    old, new = ([one.opening, *(turn.result for turn in one.turns)] for one in (before, after))
    if len(old) != len(new):
        yield f"it took {len(new) - 1} turns, not {len(old) - 1}"
    for number, (was, now) in enumerate(zip(old, new, strict=False)):
        where = f"turn {number}" if number else "the opening"
        yield from (f"{where}, {one}" for one in _differing(was, now, "result"))
    if before.answer != after.answer:
        yield "the answer is another"


def _differing(was: Any, now: Any, place: str) -> Iterator[str]:
    """Where two values differ."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*was, *now)):
            yield from _differing(was.get(key), now.get(key), f"{place}.{key}")
    elif was != now:
        yield f"{place}: {json.dumps(was)[:80]} is now {json.dumps(now)[:80]}"
