"""What is read of an utterance: its words, those that are emphasised, and an interpretation.

The three granularities of MSF-SER (arXiv 2510.05749): local emphasised semantics (LES), global
semantics (GS) and extended semantics (ES), as texts that any encoder can read.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from voxplain.errors import ConfigError, UnknownName
from voxplain.labels import KNOWN, phrase
from voxplain.text.emotion import TextModel
from voxplain.text.roles import embedded, roles
from voxplain.text.roles.clauses import bare
from voxplain.types import Transcript, Word

__all__ = ["MASK", "VIEWS", "WAYS", "Semantics", "emphasised", "mask_emotion", "misheard", "spoken"]

WAYS = ("prominence", "lemf", "surprisal", "random", "oracle")
"""How emphasised words can be chosen."""
VIEWS = ("whole", "descriptive", "expressive")
"""Which clauses of a text are read."""
MASK = "…"


@dataclass(frozen=True, slots=True)
class Semantics:
    """What is read of an utterance; each part may be empty."""

    text: str
    """What is said (GS)."""
    emphasised: tuple[tuple[int, int], ...]
    """Characters of ``text`` that the emphasised words take, half-open (LES)."""
    extended: str
    """What an interpreter makes of it (ES)."""


def emphasised(
    words: Sequence[Word],
    *,
    how: str,
    share: float = 0.25,
    given: Sequence[int] = (),
    seed: int = 0,
) -> tuple[int, ...]:
    """Rows of the words that are read as emphasised, in their order.

    Of n words, max(1, round(share n)) are chosen, in each of the ``WAYS`` as many:

    - ``prominence``, ``lemf``: the most prominent, by what ``text.emphasis.prominence`` gave with
      the method embedded or lemf; a word without prominence can't be chosen;
    - ``surprisal``: the rarest in English, by log2 of their rank among its words: by Zipf's law
      that is their unigram surprisal in bits, but for a constant;
    - ``random``: drawn by the words and a ``seed``;
    - ``oracle``: those ``given``, however many.

    One word alone stands out from nothing: none is chosen.

    Raises UnknownName (way), ConfigError for a share or a row that can't be.
    """
    if how not in WAYS:
        raise UnknownName("way to choose emphasised words", how, WAYS)
    if not 0 < share <= 1:
        raise ConfigError(f"the share of emphasised words must be above 0 and at most 1: {share}")
    if len(words) < 2:
        return ()
    if how == "oracle":
        if beyond := [row for row in given if not 0 <= row < len(words)]:
            raise ConfigError(f"word {beyond[0]} can't be emphasised: there are {len(words)} words")
        return tuple(sorted(set(given)))
    if how == "surprisal":
        scores = [_rarity(word.text) for word in words]
    elif how == "random":
        told = zlib.crc32(" ".join(word.text for word in words).encode())
        scores = np.random.default_rng([seed, told]).random(len(words)).tolist()
    else:
        scores = [word.prominence for word in words]
    known = [row for row, score in enumerate(scores) if not math.isnan(score)]
    ranked = sorted(known, key=lambda row: -scores[row])
    return tuple(sorted(ranked[: max(1, round(share * len(words)))]))


def spoken(
    transcript: Transcript, rows: Sequence[int], *, view: str = "whole", extended: str = ""
) -> Semantics:
    """What is read of a transcript whose words in ``rows`` are emphasised.

    Emphasised words are without the punctuation around them. Of the ``VIEWS``, descriptive and
    expressive leave only the clauses of that role (arXiv 2510.03060), and only the emphasised words
    in them.

    Raises UnknownName for another view.
    """
    if view not in VIEWS:
        raise UnknownName("view of a text", view, VIEWS)
    text, spans = transcript.text, transcript.spans
    chosen = [_inner(text, *spans[row]) for row in rows]
    if view == "whole":
        return Semantics(text, tuple(chosen), extended)
    kept, left = "", []
    for role in roles(text):
        if role.kind != view:
            continue
        part = text[role.start : role.end].strip()
        kept += f" {part}" if kept else part
        move = len(kept) - len(part) - text.index(part, role.start)
        left += [
            (start + move, end + move)
            for start, end in chosen
            if role.start <= start and end <= role.end
        ]
    return Semantics(kept, tuple(left), extended)


def mask_emotion(text: str) -> str:
    """A text with ``MASK`` for each word that names or shows an emotion.

    Those are the labels and what they are called, and the embedded segmenter's lists of words of
    joy, sadness, fear, anger, disgust and surprise, but for those that describe a voice.

    >>> mask_emotion("Such a low voice usually sounds sad or bored.")
    'Such a low voice usually sounds … or ….'
    """
    return _emotional().sub(MASK, text)


def misheard(
    transcript: Transcript,
    rows: Sequence[int],
    *,
    rate: float,
    vocabulary: Sequence[str],
    seed: int,
) -> tuple[Transcript, tuple[int, ...]]:
    """What a recogniser with a word error rate might hear, and the rows of its emphasised words.

    A word is exchanged (0.6 of the errors), left out (0.25) or followed by one that nobody said
    (0.15); what comes instead is drawn from the ``vocabulary``. Where errors meet, one can undo
    another: at a rate of 0.6 the edit distance is 0.575. What is heard in the place of an
    emphasised word is as emphasised: it has its time and its sound. The text is the words, joined
    by spaces.

    Raises ConfigError for a rate that is not in 0 to 1, or an empty vocabulary.
    """
    if not 0 <= rate <= 1:
        raise ConfigError(f"a simulated word error rate lies in 0 to 1, not {rate}")
    if not vocabulary and transcript.words:
        raise ConfigError("nothing can be misheard without a vocabulary; give some words")
    draw = np.random.default_rng(seed)
    heard = [
        one
        for row, word in enumerate(transcript.words)
        for one in _heard(word, row, rate, vocabulary, draw)
    ]
    words = tuple(word for word, _ in heard)
    text = " ".join(word.text for word in words)
    kept = tuple(place for place, (_, row) in enumerate(heard) if row in rows)
    return dataclasses.replace(transcript, text=text, words=words), kept


_ERRORS = (0.6, 0.25, 0.15)  # substitutions, deletions, insertions


def _heard(
    word: Word, row: int, rate: float, vocabulary: Sequence[str], draw: np.random.Generator
) -> Iterator[tuple[Word, int | None]]:
    """What is heard at a word, with the row of the word that is in its place."""
    kind = draw.choice(4, p=[1 - rate, *(rate * share for share in _ERRORS)])
    first, count = int(draw.integers(len(vocabulary))), len(vocabulary)
    others = (vocabulary[(first + n) % count] for n in range(count))
    other = next((one for one in others if bare(one) != bare(word.text)), word.text)
    if kind == 1:
        yield dataclasses.replace(word, text=other), row
    elif kind != 2:
        yield word, row
    if kind == 3:
        yield Word(other, math.nan, math.nan, 0.0), None


def _rarity(word: str) -> float:
    """The mean of log2 of the ranks of a word's parts; NaN of punctuation."""
    _, total, parts = TextModel.load().vocabulary.look_up(word)
    return total / parts if parts else math.nan


def _inner(text: str, start: int, end: int) -> tuple[int, int]:
    """A word's characters without the punctuation around it."""
    found = re.search(r"\w(?:.*\w)?", text[start:end])
    return (start + found.start(), start + found.end()) if found else (start, end)


_LISTS = ("joy", "sadness", "fear", "anger", "disgust", "surprise")
_OF_VOICES = """
believe bitter blue broken chill chills cold cross down empty flat gross hollow low rank shaking
shook sweet tear tears tender tenderness tense tension tremble trembled trembling warm warmed warmth
"""
_ALSO = """
anguish apathetic apathy boring calmly calmness cheerfulness contemptuously disappointed
disappointment discontent distress distressed elation emotional emotionless enthusiasm enthusiastic
euphoric excitedly exhilarated fearfully gloominess happier hostile hostility hurtful irritable
neutrality optimistic pessimistic relaxed scorn scornful serenity sleepiness tiredness unhappily
unhappiness unhappy upset wrath
"""


@functools.cache
def _emotional() -> re.Pattern[str]:
    lists = embedded.shipped().lexicon.cues
    words = set().union(*(lists[name] for name in _LISTS)) - {*_OF_VOICES.split()}
    words |= {*KNOWN, *map(phrase, KNOWN), *_ALSO.split()}
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(words)))})\b", re.IGNORECASE)
