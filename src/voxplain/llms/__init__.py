"""Language models: one file for each way to reach one, and the same questions to all.

A plug-in has a ``CARD`` and ``load(*, ...) -> LLM``. Models answer greedily (temperature 0), so
that the same question gets the same answer. What is asked is the business of who asks: see
``voxplain.text.roles.llm``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import BackendError, BadReply
from voxplain.plugins import require

__all__ = [
    "LLM",
    "Card",
    "Message",
    "Schema",
    "ScoringLLM",
    "checked",
    "complete_each",
    "spelled_out",
]

Message = Mapping[str, str]
"""``role`` (system, user or assistant) and ``content``."""
Schema = Mapping[str, Any]
"""A JSON schema; an object at its root, which is what servers take."""


@dataclass(frozen=True, slots=True)
class Card:
    """A place to ask a model at, in brief."""

    title: str
    licence: str
    citation: str
    extra: str
    """What installs it; empty where nothing is needed."""
    sends: bool
    """Whether text may leave the machine."""


class LLM(Protocol):
    """A model that can be asked."""

    @property
    def name(self) -> str:
        """Which model it is and where; for provenance, and part of every key of the cache."""

    def complete(
        self, messages: Sequence[Message], *, schema: Schema | None = None, max_tokens: int = 1024
    ) -> str:
        """The answer to a conversation; with a schema, a JSON text that fits it.

        Say in the messages, too, what the JSON is to be: not every server heeds a schema.

        Raises BackendTimeout, BackendRefused or BadReply.
        """


class ScoringLLM(LLM, Protocol):
    """A model that also tells how likely an answer is; servers don't."""

    def likelihoods(
        self, messages: Sequence[Message], continuations: Sequence[str]
    ) -> NDArray[np.float64]:
        """(continuations,) log-probability of each as the beginning of the answer.

        Raises BackendRefused.
        """


def complete_each(
    llm: LLM,
    conversations: Iterable[Sequence[Message]],
    *,
    schema: Schema | None = None,
    max_tokens: int = 1024,
    jobs: int = 4,
) -> list[str | BackendError]:
    """The answer to each conversation in their order, or its error; ``jobs`` asked at once."""

    def ask(messages: Sequence[Message]) -> str | BackendError:
        try:
            return llm.complete(messages, schema=schema, max_tokens=max_tokens)
        except BackendError as error:
            return error

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(ask, conversations))


def checked(reply: str, schema: Schema) -> str:
    """The JSON text in a reply, free of the fence and the thoughts that models put around it.

    Raises BadReply if it is no JSON or does not fit the schema.
    """
    jsonschema = require("jsonschema", extra="llm")
    text = reply.strip()
    if not text.startswith(("{", "```")):
        text = (text.partition("</think>")[2] or text).strip()
    if text.startswith("```"):
        text = text.removesuffix("```").partition("\n")[2].strip()
    try:
        jsonschema.validate(json.loads(text), schema)
    except (ValueError, RecursionError) as error:
        raise BadReply(f"the reply is no JSON ({error}): {_cut(reply)!r}") from error
    except jsonschema.ValidationError as error:
        raise BadReply(
            f"the reply does not fit at {error.json_path}: {_cut(error.message)}"
        ) from error
    return text


def spelled_out(messages: Sequence[Message], schema: Schema) -> list[Message]:
    """The conversation with the schema in words, for where none can be enforced."""
    first, *rest = messages
    asked = f"Answer with JSON alone, which fits this JSON schema:\n{json.dumps(schema)}"
    return [{**first, "content": f"{first['content']}\n\n{asked}"}, *rest]


def _cut(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"
