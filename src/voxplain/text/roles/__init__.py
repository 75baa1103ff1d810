"""Semantic roles: which parts of a text tell what happened, which how the speaker takes it.

After arXiv 2510.03060; the guideline that both kinds of backends follow is that of
``recipes/semantic_roles``.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from voxplain import plugins
from voxplain.errors import ConfigError, UnknownName
from voxplain.text.roles import embedded
from voxplain.text.roles.clauses import words
from voxplain.types import Role

__all__ = ["EMBEDDED", "Weight", "backends", "roles", "weights"]

EMBEDDED = "embedded"


def backends() -> tuple[str, ...]:
    """Names of what can find roles: the embedded segmenter, and every way to a language model."""
    return (EMBEDDED, *plugins.names("llms"))


def roles(text: str, *, backend: str = EMBEDDED, **options: Any) -> tuple[Role, ...]:
    """The roles of a text: they follow each other and give it back exactly; none of a blank one.

    White space between two roles belongs to the first. The embedded segmenter knows English;
    its ``confidence`` is the chance that the words have the role. A language model is loaded with
    ``options``, such as its ``model``.

    Raises UnknownName (backend), ConfigError for options that the backend does not take, and what
    a language model raises.
    """
    if backend not in backends():
        raise UnknownName("backend of roles", backend, backends())
    load: Any = plugins.find("llms", backend).load if backend != EMBEDDED else embedded.shipped
    try:
        inspect.signature(load).bind(**options)
    except TypeError as error:
        raise ConfigError(f"the backend {backend} wants other options: {error}") from error
    if not words(text):
        return ()
    if backend == EMBEDDED:
        found: tuple[Role, ...] = load().segment(text)
        return found
    from voxplain.text.roles.llm import segment

    return segment(text, llm=load(**options))


class Weight(NamedTuple):
    """How expressive a stretch of a text is."""

    start: int
    """Characters, half-open."""
    end: int
    expressive: float
    """Chance that it is expressive, in [0, 1]; NaN of white space."""


def weights(text: str, *, spans: Sequence[tuple[int, int]] | None = None) -> tuple[Weight, ...]:
    """How expressive each word of a text is, or each of the ``spans`` of characters given.

    By the embedded segmenter. A span that holds several words, or part of one, has the mean over
    its characters.
    """
    known = words(text)
    chances = np.full(len(text), np.nan)
    for (start, end), chance in zip(known, embedded.shipped().chances(text), strict=True):
        chances[start:end] = chance
    found = []
    for start, end in known if spans is None else spans:
        inside = chances[start:end][~np.isnan(chances[start:end])]
        found.append(Weight(start, end, float(inside.mean()) if inside.size else np.nan))
    return tuple(found)
