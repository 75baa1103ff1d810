"""The embedded segmenter: cue words, word vectors and a small convolutional CRF, in numpy alone."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ArtifactError, ChecksumMismatch, WeightsMissing
from voxplain.text.roles.clauses import CLOSERS, OPENERS, bare, may_begin, words
from voxplain.types import Role

__all__ = ["DILATIONS", "KINDS", "PARTS", "Lexicon", "Scores", "Segmenter", "shipped"]

KINDS = ("descriptive", "expressive")
DILATIONS = (1, 2, 4, 8)
"""Words between the taps of each convolution: 15 words are heard to either side."""
PARTS = ("pieces.txt", "weights.npz")
"""Files whose bytes, one after the other, the card's SHA-256 is of."""

_ENDINGS = ("ed", "ing", "ly", "n't", "s")
_PUNCTUATION = (",", ".", "!", "?", ":;", "-—–…", "\"”»'’")
_LONGEST_PIECE = 20


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What is known of words, whatever stands around them."""

    cues: Mapping[str, frozenset[str]]
    """List -> the words that hint at a role."""
    frequent: Mapping[str, int]
    """Word -> its row among those that the network knows by themselves; 0 is any other."""
    pieces: Mapping[str, int]
    """Piece of a word -> its row among the vectors; ``##`` stands before what begins no word."""
    vectors: NDArray[np.float32]
    """(pieces, width)."""

    def look_up(self, text: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Marks (words, width), the vectors first, and rows (words,) of a text's words."""
        stems = [bare(word) for word in text]
        known = {stem: self._known(stem) for stem in set(stems)}
        marks = np.array([known[stem] for stem in stems], np.float32)
        shapes = np.array(list(map(_shape, text, may_begin(text))), np.float32)
        rows = np.array([self.frequent.get(stem, 0) for stem in stems])
        return np.concatenate([marks, shapes], axis=1), rows

    def _known(self, stem: str) -> NDArray[np.float32]:
        rows = [self.pieces[piece] for piece in self._cut(stem)]
        vector = self.vectors[rows].mean(0) if rows else np.zeros(self.vectors.shape[1])
        marks = [stem in cue for cue in self.cues.values()]
        marks += [stem.endswith(ending) for ending in _ENDINGS]
        return np.concatenate([vector, [*marks, not rows, len(stem) > 7]])

    def _cut(self, stem: str) -> Iterator[str]:
        """The longest pieces that are known, from the left (WordPiece, arXiv 1609.08144)."""
        for part in re.findall(r"[^\W\d_]+", stem):
            start: int | None = 0
            while start is not None and start < len(part):
                mark = "##" if start else ""
                ends = range(min(len(part), start + _LONGEST_PIECE), start, -1)
                end = next((end for end in ends if mark + part[start:end] in self.pieces), None)
                if end is not None:
                    yield mark + part[start:end]
                start = end


def _shape(word: str, begins: bool) -> list[bool]:
    """What stands around a word, and how it is written."""
    tail = word[len(word.rstrip(CLOSERS)) :]
    return [
        *(any(mark in tail for mark in marks) for marks in _PUNCTUATION),
        not tail,
        word[0] in OPENERS,
        word[:1].isupper(),
        len(word) > 1 and word.isupper(),
        any(character.isdigit() for character in word),
        begins,
    ]


class Scores(NamedTuple):
    """What a linear-chain CRF of two roles says of n words, in log-odds (Lafferty et al. 2001)."""

    expressive: NDArray[np.float64]
    """(n,) that a word is expressive."""
    turns: NDArray[np.float64]
    """(n, 2) that the role turns with a word, to expressive and to descriptive; 0 at the first."""

    def best(self) -> NDArray[np.bool_]:
        """(n,) whether a word is expressive in the most probable sequence (Viterbi)."""
        return self._odds(max) > 0

    def chances(self, *, temperature: float = 1.0) -> NDArray[np.float64]:
        """(n,) that a word is expressive, over all sequences (forward-backward)."""
        softer = Scores(self.expressive / temperature, self.turns / temperature)
        chances: NDArray[np.float64] = 1 / (1 + np.exp(-softer._odds(_log_add)))
        return chances

    def _odds(self, either: Callable[[float, float], float]) -> NDArray[np.float64]:
        """(n,) log-odds of a word, over what goes before and after it; ``either`` joins two ways.

        With the maximum, these are max-marginals, whose signs are the most probable sequence.
        """
        steps = list(zip(self.expressive.tolist(), self.turns.tolist(), strict=True))
        before, after = [], []
        odds = 0.0
        for emission, (rise, fall) in steps:
            odds = emission + either(odds, rise) - either(0.0, odds + fall)
            before.append(odds)
        odds = 0.0
        for emission, (rise, fall) in reversed(steps):
            after.append(odds)
            odds = either(emission + odds, fall) - either(0.0, emission + odds + rise)
        found: NDArray[np.float64] = np.array(before) + np.array(after[::-1])
        return found


def _log_add(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


@dataclass(frozen=True, slots=True, eq=False)
class Segmenter:
    """Networks of one form that were trained on different accounts, and are asked together.

    Each sees 15 words to either side, the CRF all of them.
    """

    lexicon: Lexicon
    networks: Mapping[str, NDArray[np.floating]]
    """Name of a weight -> (networks, ...)."""
    temperature: float = 1.0
    """What scores are divided by for their chances."""

    @classmethod
    def read(cls, folder: Path) -> Segmenter:
        """Of ``segmenter.json``, ``weights.npz`` and ``pieces.txt`` in a folder.

        Raises WeightsMissing, ChecksumMismatch or, for a card that is none, ArtifactError.
        """
        place = folder / "segmenter.json"
        try:
            card = json.loads(place.read_text(encoding="utf-8"))
            pieces, weights = ((folder / part).read_bytes() for part in PARTS)
        except OSError as error:
            raise WeightsMissing(
                f"{folder} holds no segmenter: {error.filename} can't be read; "
                "reinstall voxplain or give a folder made by 'voxplain train'"
            ) from error
        except ValueError as error:  # neither JSON nor text
            raise ArtifactError(f"{place} is no card: {error}") from error
        try:
            promised, temperature = card["sha256"], card["temperature"]
            cues = {name: frozenset(cue) for name, cue in card["cues"].items()}
            frequent = {word: row for row, word in enumerate(card["frequent"], start=1)}
        except (KeyError, TypeError) as error:
            raise ArtifactError(f"{place} is no card: it lacks {error}") from error
        found = hashlib.sha256(pieces + weights).hexdigest()
        if found != promised:
            raise ChecksumMismatch(
                f"{folder} holds weights with SHA-256 {found[:12]}…, its card says "
                f"{promised[:12]}…; reinstall voxplain or train the segmenter again"
            )
        with np.load(io.BytesIO(weights)) as stored:
            networks = {name: stored[name].astype(np.float32) for name in stored.files}
        rows = {piece: row for row, piece in enumerate(pieces.decode().split())}
        vectors = networks.pop("vectors") * networks.pop("scale")
        return cls(Lexicon(cues, frequent, rows, vectors), networks, temperature)

    def alone(self, network: int) -> Segmenter:
        """One of the networks: for figures on the accounts that it left out."""
        one = {name: weight[network : network + 1] for name, weight in self.networks.items()}
        return replace(self, networks=one)

    def scores(self, text: Sequence[str]) -> Scores:
        """Of a text's words (n,), the mean over the networks."""
        marks, rows = self.lexicon.look_up(text)
        w = self.networks
        states = np.tanh(marks @ w["marks"] + w["frequent"][:, rows] + w["marks_bias"])
        for layer, distance in enumerate(DILATIONS):
            padded = np.pad(states, ((0, 0), (distance, distance), (0, 0)))
            taps = (padded[:, start : start + len(text)] for start in (0, distance, 2 * distance))
            heard = sum(tap @ w["taps"][:, layer, k] for k, tap in enumerate(taps))
            states = states + np.maximum(heard + w["taps_bias"][:, layer], 0)
        found = (states @ w["out"] + w["out_bias"]).mean(0, dtype=np.float64)
        found[0, 1:] = 0
        return Scores(found[:, 0], found[:, 1:])

    def segment(self, text: str) -> tuple[Role, ...]:
        """The roles of a text; none of a blank one."""
        spans = words(text)
        if not spans:
            return ()
        scores = self.scores([text[start:end] for start, end in spans])
        best, chances = scores.best(), scores.chances(temperature=self.temperature)
        turns = [0, *(np.flatnonzero(np.diff(best)) + 1), len(best)]
        edges = [0, *(spans[turn][0] for turn in turns[1:-1]), len(text)]
        roles = []
        for first, last, start, end in zip(turns, turns[1:], edges, edges[1:], strict=False):
            expressive = best[first]
            chance = float(chances[first:last].mean())
            kind = KINDS[int(expressive)]
            roles.append(Role(kind, start, end, chance if expressive else 1 - chance))
        return tuple(roles)

    def chances(self, text: str) -> NDArray[np.float64]:
        """(words,) that a word of the text, as ``clauses.words`` cuts them, is expressive."""
        found = [text[start:end] for start, end in words(text)]
        return self.scores(found).chances(temperature=self.temperature) if found else np.zeros(0)


@functools.cache
def shipped() -> Segmenter:
    """The segmenter of the package, loaded once."""
    return Segmenter.read(Path(str(files("voxplain") / "assets/models/roles")))
