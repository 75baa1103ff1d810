"""The views of an account: all of it, its parts by role, and runs of words as long as these."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from voxplain.text.roles.clauses import words
from voxplain.training.words.agreement import KINDS, kinds
from voxplain.types import Role

__all__ = ["RANDOM", "Segment", "Told", "marked", "misheard", "views"]

RANDOM = tuple(f"random, as long as {kind}" for kind in KINDS)
_SEPARATOR = " [SEP] "

Told = tuple[str, tuple[Role, ...]]
"""A text and the roles of it."""
Segment = Callable[[str], tuple[Role, ...]]


def views(told: Sequence[Told], *, seed: int) -> dict[str, list[str]]:
    """View -> the text of each account: ``full``, each of ``KINDS``, ``both``, each of ``RANDOM``.

    Random runs have as many words as the parts of that kind have together.
    """
    draw = np.random.default_rng(seed)
    found = {"full": [text for text, _ in told]}
    for kind in KINDS:
        found[kind] = [
            " ".join(text[role.start : role.end].strip() for role in roles if role.kind == kind)
            for text, roles in told
        ]
    both = zip(*(found[kind] for kind in KINDS), strict=True)
    found["both"] = [_SEPARATOR.join(pair) for pair in both]
    for kind, name in zip(KINDS, RANDOM, strict=True):
        found[name] = [_run(text, kinds(text, roles).count(kind), draw) for text, roles in told]
    return found


def marked(text: str, starts: Sequence[int], found: Sequence[str]) -> tuple[Role, ...]:
    """Roles of a text from the kind of each word and the character that it starts with.

    White space belongs to the part before it.

    >>> [role.end for role in marked("He fell. Poor boy!", [0, 3, 9, 14], [*"ddee"])]
    [9, 18]
    """
    turns = [n for n in range(1, len(starts)) if found[n] != found[n - 1]]
    edges = [0, *(starts[turn] for turn in turns), len(text)]
    parts = zip([0, *turns], itertools.pairwise(edges), strict=True)
    return tuple(Role(found[turn], start, end, 1.0) for turn, (start, end) in parts)


def misheard(told: Sequence[Told], *, rate: float, seed: int) -> list[Told]:
    """Accounts with so much word error: words struck, exchanged and added, a third each.

    What is put in is drawn from all words of all accounts, and has the role of the place.
    """
    draw = np.random.default_rng(seed)
    heard = [text[start:end] for text, _ in told for start, end in words(text)]
    return [_misheard(one, rate, heard, draw) for one in told]


def _misheard(told: Told, rate: float, heard: Sequence[str], draw: np.random.Generator) -> Told:
    text, roles = told
    left: list[tuple[str, str]] = []
    for (start, end), kind in zip(words(text), kinds(text, roles), strict=True):
        said, other = text[start:end], heard[int(draw.integers(len(heard)))]
        ways: list[list[str]] = [[], [other], [said, other]]
        way = ways[draw.integers(3)] if draw.random() < rate else [said]
        left += [(word, kind) for word in way]
    joined = " ".join(word for word, _ in left)
    starts = [start for start, _ in words(joined)]
    return joined, marked(joined, starts, [kind for _, kind in left]) if left else ()


def _run(text: str, count: int, draw: np.random.Generator) -> str:
    """So many words of a text that follow each other."""
    spans = words(text)
    first = draw.integers(len(spans) - count + 1)
    return text[spans[first][0] : spans[first + count - 1][1]] if count else ""
