"""Emotion in the words: what a text says, however it is spoken.

Two small networks read the words. One learned how people label comments (GoEmotions), one how
people rate sentences, for the writer and as readers (EmoBank). Both look up a vector for each word,
look at three words at a time so that "not happy" counts, and draw what they find together by
attention and by the strongest of each feature (after Kim 2014, EMNLP).
"""

from __future__ import annotations

import bisect
import functools
import hashlib
import io
import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import accumulate, chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ArtifactError, ChecksumMismatch, TextError, WeightsMissing
from voxplain.labels import EMBEDDED
from voxplain.types import Attribution, Dimension, Dimensions, TextEmotion, Word

__all__ = [
    "DIMENSIONS",
    "LABELS",
    "LONGEST",
    "PARTS",
    "SIDES",
    "TextModel",
    "TextReadings",
    "Vocabulary",
    "parts",
    "read",
]

LABELS = (*EMBEDDED, "surprise")
"""Order of the categories."""
DIMENSIONS = ("valence", "arousal", "dominance")
SIDES = ("writer", "reader")
"""Whom the dimensions are for."""
LONGEST = 30
"""Words read at once: the comments that were learned from are hardly ever longer."""
PARTS = ("vocabulary.txt", "categories.npz", "dimensions.npz")
"""Files of a model folder that its ``model.json`` holds the SHA-256 of, in this order."""

_BATCH = 256  # passages read at once
_SENTENCE_END = re.compile(r"[.!?…][\W_]*$")
_PART = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]|_")
_PIECE = re.compile(r"[^\W_]+|[^\w\s]|_")
_SYMBOLS = "$+<=>^`|~"
_UNHEARD = ("Mn", "Cf", "Sk")  # accents, joiners and marks of direction, skin tones
_LONGEST_PART = 50  # letters; nothing longer is a word

# A text is strange whose words are rare in English: the mean of log2 of their ranks, with two usual
# words added, so that one rare word is not yet strange.
_STRANGE, _USUAL, _ADDED, _UNKNOWN = 11.5, 9.0, 2, 18.0


def parts(text: str) -> list[str]:
    """Words, numbers, marks and emoji of a text, in lower case, without accents and skin tones.

    >>> parts("Don't! Très bien…")
    ["don't", '!', 'tres', 'bien', '…']
    """
    plain = text.lower().replace("’", "'")
    if not plain.isascii():
        letters = unicodedata.normalize("NFD", plain)
        plain = "".join(one for one in letters if unicodedata.category(one) not in _UNHEARD)
    return _PART.findall(plain)


class Vocabulary:
    """Words and pieces of words, and their places in a table of vectors.

    The first entry stands for all that is unknown. Then come the whole words, the most frequent
    first, then pieces that continue a word (``##ing``).
    """

    def __init__(self, entries: Sequence[str]) -> None:
        self.entries = tuple(entries)
        self._places = {entry: place for place, entry in enumerate(entries)}
        self.look_up = functools.lru_cache(maxsize=1 << 16)(self._look_up)
        """Of a word with its punctuation: the places of its pieces, and how rare its parts are.

        The latter as the sum of log2 of their ranks and their number; punctuation is none.
        """

    def encode(self, text: str) -> list[int]:
        """The places of all pieces of a text."""
        return [place for word in text.split() for place in self.look_up(word)[0]]

    def _look_up(self, word: str) -> tuple[tuple[int, ...], float, int]:
        places: list[int] = []
        rarity, count = 0.0, 0
        for part in parts(word):
            found = self._pieces(part)
            places += found
            if unicodedata.category(part[0])[0] == "P" or part in _SYMBOLS:
                continue
            known = len(found) == 1 and found[0] > 0
            rarity += math.log2(found[0]) if known else _UNKNOWN
            count += 1
        return tuple(places), rarity, count

    def _pieces(self, part: str) -> list[int]:
        if part in self._places:
            return [self._places[part]]
        return [place for piece in _PIECE.findall(part) for place in self._greedy(piece)]

    def _greedy(self, part: str) -> list[int]:
        """The longest entries from the left, as WordPiece (Wu et al. 2016); [0] if that fails."""
        places, start = [], 0
        while start < len(part) <= _LONGEST_PART:
            mark = "##" if start else ""
            for end in range(len(part), start, -1):
                place = self._places.get(mark + part[start:end])
                if place is not None:
                    break
            else:
                return [0]
            places.append(place)
            start = end
        return places or [0]


class _Network:
    """Vectors of pieces, a convolution over three, attention and maximum, linear outputs."""

    def __init__(self, table: NDArray[np.float32], weights: Mapping[str, NDArray[Any]]) -> None:
        """``table`` has the vectors that are not among the weights."""
        self.table = table.copy()
        self.table[weights["places"]] = weights["table"] * weights["scale"][:, None]
        self._convolution, self._bias = weights["convolution"], weights["bias"]
        self._attention = weights["attention"]
        self._outputs, self._offsets = weights["outputs"], weights["offsets"]

    def __call__(self, passages: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """(n, outputs) of passages as places of pieces; an empty one gives the offsets."""
        found = [
            self._read(passages[first : first + _BATCH])
            for first in range(0, len(passages) or 1, _BATCH)
        ]
        return np.concatenate(found).astype(np.float64)

    def _read(self, passages: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        # One row between passages keeps the convolution of each to itself.
        begins = np.array(list(accumulate((len(one) + 1 for one in passages), initial=0)))
        inside = np.ones(begins[-1] + 1, bool)
        inside[begins] = False
        places = np.full(len(inside), len(self.table) - 1)
        places[inside] = list(chain.from_iterable(passages))
        vectors = self.table[places]
        before, here, after = self._convolution
        features = vectors @ here + self._bias
        features[1:] += vectors[:-1] @ before
        features[:-1] += vectors[1:] @ after
        np.maximum(features, 0, out=features)
        features[~inside] = 0
        width = vectors.shape[1]
        attention = np.exp(vectors @ self._attention[:width] + features @ self._attention[width:])
        attention[~inside] = 0
        starts = begins[:-1]
        total = np.maximum(np.add.reduceat(attention, starts), 1e-30)[:, None]
        pooled = np.hstack(
            [
                np.add.reduceat(vectors * attention[:, None], starts) / total,
                np.add.reduceat(features * attention[:, None], starts) / total,
                np.maximum.reduceat(features, starts),
            ]
        )
        read: NDArray[np.float32] = pooled @ self._outputs + self._offsets
        return read


@dataclass(frozen=True, slots=True, eq=False)
class TextReadings:
    """What many texts say, a row each; whether it may be said is in ``strange``."""

    categories: NDArray[np.float64]
    """(n, 7) calibrated probabilities of ``LABELS``."""
    writer: NDArray[np.float64]
    """(n, 3) valence, arousal and dominance in [0, 1]."""
    reader: NDArray[np.float64]
    """(n, 3)"""
    strange: NDArray[np.bool_]
    """(n,) texts without words, or whose words are hardly English."""


class TextModel:
    """A model folder: ``model.json``, ``vocabulary.txt``, ``categories.npz``, ``dimensions.npz``.

    The numbers of a text do not depend on the company it keeps but for rounding.
    """

    def __init__(self, folder: Path) -> None:
        """Raises WeightsMissing, ChecksumMismatch or, for a card that is none, ArtifactError."""
        try:
            card = (folder / "model.json").read_bytes()
            stored = [(folder / part).read_bytes() for part in PARTS]
        except OSError as error:
            raise WeightsMissing(
                f"{folder} is no model of words: {error.filename} can't be read; reinstall "
                "voxplain, or make one with: voxplain train recipes/words/emotion.yaml"
            ) from error
        try:
            promised = json.loads(card)["sha256"]
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{folder / 'model.json'} is no card: {error!r}") from error
        self.sha256 = hashlib.sha256(b"".join(stored)).hexdigest()
        if self.sha256 != promised:
            raise ChecksumMismatch(
                f"{folder} holds weights with SHA-256 {self.sha256[:12]}…, its card says "
                f"{promised[:12]}…; reinstall voxplain or train the model again"
            )
        vocabulary, *weights = stored
        self.vocabulary = Vocabulary(vocabulary.decode("utf-8").split("\n"))
        categories, dimensions = (np.load(io.BytesIO(one)) for one in weights)
        width = categories["table"].shape[1]
        # The last row, of zeros, stands between texts.
        nothing = np.zeros((len(self.vocabulary.entries) + 1, width), np.float32)
        self._categories = _Network(nothing, categories)
        self._dimensions = _Network(self._categories.table, dimensions)
        self.reach: NDArray[np.float64] = dimensions["reach"]
        """(2, 3) of the intervals of ``SIDES`` to each side."""

    @classmethod
    def load(cls, folder: Path | None = None) -> TextModel:
        """The model of the package, or of a folder; each is loaded once.

        Raises WeightsMissing, ChecksumMismatch or ArtifactError.
        """
        return _load(folder or Path(str(files("voxplain") / "assets/models/words")))

    def read_many(self, texts: Sequence[str]) -> TextReadings:
        """What many texts say, without reasons and intervals.

        A text of more than 30 words is read in passages that end with a sentence where they can,
        and is their mean, weighted by their words.
        """
        found = [[self.vocabulary.look_up(word) for word in text.split()] for text in texts]
        spans = [_passages(text.split()) for text in texts]
        passages = [
            _joined(looked[span]) for looked, own in zip(found, spans, strict=True) for span in own
        ]
        owner = np.repeat(np.arange(len(texts)), [len(own) for own in spans])
        shares = np.array([share for own in spans for share in _shares(own)])[:, None]
        categories, sides = np.zeros((len(texts), len(LABELS))), np.zeros((len(texts), 6))
        np.add.at(categories, owner, shares * self._probabilities(passages))
        np.add.at(sides, owner, shares * self._ratings(passages))
        strange = np.array([_reason(looked) is not None for looked in found], bool)
        return TextReadings(categories, sides[:, :3], sides[:, 3:], strange)

    def read(self, text: str | Sequence[str | Word]) -> TextEmotion:
        """What a text, or the words of a transcript, say; see ``read_many`` for long ones.

        The attribution leaves out one word at a time: by how much the log-odds of the most probable
        label fall. Intervals hold nine in ten ratings of the sentences that they were fitted on
        (split conformal prediction), of one sentence each. Nothing is said, for a ``reason``, of
        texts without words or in words that are rare in English.

        Raises TextError for what is neither a text nor words.
        """
        words = _words(text)
        looked = [self.vocabulary.look_up(word) for word in words]
        if reason := _reason(looked):
            return TextEmotion({}, None, None, None, reason)
        spans = _passages(words)
        shares = _shares(spans)
        passages = [_joined(looked[span]) for span in spans]
        each = self._probabilities(passages)
        probabilities = shares @ each
        writer, reader = (shares @ self._ratings(passages)).reshape(2, 3)
        top = int(probabilities.argmax())
        without = self._probabilities(
            [
                _joined(looked[span.start : place] + looked[place + 1 : span.stop])
                for span in spans
                for place in range(span.start, span.stop)
            ]
        )
        owner = np.repeat(np.arange(len(spans)), [span.stop - span.start for span in spans])
        left = probabilities[top] + shares[owner] * (without[:, top] - each[owner, top])
        attribution = Attribution(
            method="occlusion",
            output=LABELS[top],
            axis="word",
            scores=_logit(probabilities[top]) - _logit(left),
            baseline="the text without the word",
            names=words,
        )
        return TextEmotion(
            categories=dict(zip(LABELS, probabilities.tolist(), strict=True)),
            writer=self._dimensions_of(writer, "writer"),
            reader=self._dimensions_of(reader, "reader"),
            attribution=attribution,
        )

    def _probabilities(self, passages: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """(n, 7)"""
        logits = self._categories(passages)
        powers = np.exp(logits - logits.max(1, keepdims=True))
        found: NDArray[np.float64] = powers / powers.sum(1, keepdims=True)
        return found

    def _ratings(self, passages: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """(n, 6) of writer and reader, in [0, 1]."""
        return self._dimensions(passages).clip(0, 1)

    def _dimensions_of(self, values: NDArray[np.float64], side: str) -> Dimensions:
        reach = self.reach[SIDES.index(side)]
        low, high = (values - reach).clip(0, 1), (values + reach).clip(0, 1)
        rows = zip(DIMENSIONS, values.tolist(), low.tolist(), high.tolist(), strict=True)
        return Dimensions(
            **{name: Dimension(*row) for name, *row in rows},
            proxy=f"as the raters of EmoBank judge for the {side} of a sentence",
        )


def read(text: str | Sequence[str | Word]) -> TextEmotion:
    """What a text says by the model of the package; see ``TextModel.read``.

    Raises TextError for what is neither a text nor words.
    """
    return TextModel.load().read(text)


@functools.cache
def _load(folder: Path) -> TextModel:
    return TextModel(folder)


def _words(text: str | Sequence[str | Word]) -> tuple[str, ...]:
    found: list[Any] = text.split() if isinstance(text, str) else [None]
    if isinstance(text, Sequence) and not isinstance(text, str):
        found = [one.text if isinstance(one, Word) else one for one in text]
    if not all(isinstance(word, str) for word in found):
        raise TextError(f"emotion is read from a text or from words, not from {text!r:.60}")
    return tuple(found)


def _joined(looked: Sequence[tuple[tuple[int, ...], float, int]]) -> list[int]:
    return [place for places, _, _ in looked for place in places]


def _reason(looked: Sequence[tuple[tuple[int, ...], float, int]]) -> str | None:
    """Why nothing is said of words."""
    count = sum(number for _, _, number in looked)
    if not count:
        return "there are none"
    rarity = sum(rarity for _, rarity, _ in looked)
    if (rarity + _ADDED * _USUAL) / (count + _ADDED) > _STRANGE:
        return "they are hardly English, the language that they could be understood in"
    return None


def _passages(words: Sequence[str]) -> list[slice]:
    """Sentences together up to 30 words; a longer sentence in parts."""
    if len(words) <= LONGEST:
        return [slice(0, len(words))]
    ends = [place + 1 for place, word in enumerate(words) if _SENTENCE_END.search(word)]
    found, start = [], 0
    while start < len(words):
        limit = start + LONGEST
        last = bisect.bisect_right(ends, limit) - 1
        if len(words) <= limit:
            end = len(words)
        elif last >= 0 and ends[last] > start:
            end = ends[last]
        else:
            end = limit
        found.append(slice(start, end))
        start = end
    return found


def _shares(spans: Sequence[slice]) -> NDArray[np.float64]:
    """(passages,) of the words of a text; 1 where there are no words."""
    lengths = np.array([span.stop - span.start for span in spans], float)
    return lengths / lengths.sum() if lengths.sum() else np.ones(1)


def _logit(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    safe = np.clip(probability, 1e-12, 1 - 1e-12)
    return np.log(safe / (1 - safe))
