"""Byte-level byte pair encoding (Sennrich et al. 2016; Radford et al. 2019).

The same tokens as the ``tokenizers`` library gives, for which a decoder was trained, without it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Self

__all__ = ["BytePairs"]

# What is merged at most: a word with the space before it, digits, or other signs.
_PIECES = re.compile(
    r"'(?:[stmd]|re|ve|ll)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+", re.UNICODE
)


def _letters() -> dict[int, str]:
    """Byte -> the letter that stands for it: itself where it can be seen, else one above 255."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {byte: chr(byte) for byte in shown} | {
        byte: chr(256 + place) for place, byte in enumerate(hidden)
    }


_LETTERS = _letters()


class BytePairs:
    """Text -> numbers of tokens."""

    def __init__(self, vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> None:
        """``merges`` in the order in which they were learned."""
        self._vocabulary = vocabulary
        self._ranks = {(left, right): rank for rank, (left, right) in enumerate(merges)}

    @classmethod
    def of_tokenizer(cls, content: str) -> Self:
        """Of a ``tokenizer.json`` with a byte-level BPE."""
        model = json.loads(content)["model"]
        return cls(model["vocab"], [(left, right) for left, right in model["merges"]])

    def tokens(self, text: str) -> list[int]:
        """Numbers of the tokens of a text."""
        return [
            self._vocabulary[token]
            for piece in _PIECES.findall(text)
            for token in self._merged([_LETTERS[byte] for byte in piece.encode()])
        ]

    def _merged(self, parts: list[str]) -> list[str]:
        """The pair that was learned first is merged first, wherever it stands."""
        while len(parts) > 1:
            ranks = [self._ranks.get(pair, len(self._ranks)) for pair in pairwise(parts)]
            first = min(ranks)
            if first == len(self._ranks):
                break
            at = ranks.index(first)
            parts[at : at + 2] = ["".join(parts[at : at + 2])]
        return parts
