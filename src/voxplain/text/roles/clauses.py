"""Words of a text, and where a clause may begin, with punctuation or without."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["CLOSERS", "OPENERS", "bare", "may_begin", "words"]

CLOSERS = ".,;:!?)]}\"'”’»—–…。！？，-"
"""What may stand after a word."""
OPENERS = "([{\"'“‘«—–-"
"""What may stand before a word."""

# A dash, an ellipsis or a full stop of Chinese and Japanese ends a word without a space after it.
_ENDS = r"(?:--+|\.\.+(?=\w)|[—–…。！？]+)"
_WORD = re.compile(rf"(?:(?!{_ENDS})\S)+{_ENDS}?|{_ENDS}")

# Closed classes of English that begin a clause where nothing else says so.
_BEGINNERS = """
and but or so because cause cos cuz coz as since though although while whilst yet when whenever
where who whom whose which that if unless until till before after once how why whether what then
than like except plus
i i'm im i've ive i'd i'll you you're youre we we're we've he she they it he's she's they're hes
shes theyre it's that's thats this these those there there's theres here here's one
my his her their our your its me a an the some every each all both no not nothing never
oh ah aw ugh wow god gosh jesus christ blimey man honestly anyway well um uh er hmm yeah yes nope
okay ok please thank thanks sorry
"""
_BEGINS = frozenset(_BEGINNERS.split())


def words(text: str) -> tuple[tuple[int, int], ...]:
    """Characters (start, end) of each word, with the punctuation around it; half-open.

    >>> words("Oh no… he fell—twice!")
    ((0, 2), (3, 6), (7, 9), (10, 15), (15, 21))
    """
    return tuple(match.span() for match in _WORD.finditer(text))


def bare(word: str) -> str:
    """A word in lower case, without what stands around it; empty where nothing is left.

    >>> bare("“Don’t!”")
    "don't"
    """
    return re.sub(r"^[\W_]+|[\W_]+$", "", word.lower().replace("’", "'"))


def may_begin(words: Sequence[str]) -> list[bool]:
    """Whether a clause may begin at each word: after punctuation, or with a word that begins one.

    >>> may_begin("he hit me and i cried".split())
    [True, False, True, True, True, False]
    """
    ended = [True, *(word[-1] in CLOSERS for word in words)]
    return [
        after or word[0] in OPENERS or bare(word) in _BEGINS
        for after, word in zip(ended, words, strict=False)
    ]
