"""The same question in two corpora: writers and readers of sentences, actors and listeners."""

from __future__ import annotations

import csv
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from voxplain.errors import CorpusNotFound
from voxplain.text.roles.clauses import words
from voxplain.training.corpora import cremad
from voxplain.training.statistics import Interval
from voxplain.training.studies.outcomes import clustered_mean
from voxplain.training.studies.roles.dissociation import (
    Weights,
    clustered,
    correlation,
    scattered,
)
from voxplain.training.studies.roles.views import Segment
from voxplain.training.studies.tables import Table
from voxplain.types import Role

__all__ = ["acted_and_heard", "written_and_read"]

Tell = Callable[[str], Mapping[str, float]]

_SHUFFLES = 20
_FILES = ("emobank.csv", "writer.csv", "reader.csv")

SENTENCES = {
    "DFA": "Don't forget a jacket.",
    "IEO": "It's eleven o'clock.",
    "IOM": "I'm on my way to the meeting.",
    "ITH": "I think I have a doctor's appointment.",
    "ITS": "I think I've seen this before.",
    "IWL": "I would like a new alarm clock.",
    "IWW": "I wonder what this is about.",
    "MTI": "Maybe tomorrow it will be cold.",
    "TAI": "The airplane is almost full.",
    "TIE": "That is exactly what happened.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
"""Of CREMA-D, by their codes (Cao et al. 2014, table 1)."""


def written_and_read(root: Path, segment: Segment) -> Table:
    """EmoBank: does the expressive share of a sentence go with how much more the writer shows?

    Spearman's correlation, with a bootstrap by sentence, of the share with |V - 3| + |A - 3| of the
    writer's rating minus that of the reader's; test and dev split.

    Raises CorpusNotFound.
    """
    texts, writer, reader = (_table(root, name) for name in _FILES)
    chosen = sorted(
        name
        for name, row in texts.items()
        if row["split"] in ("test", "dev") and name in writer and name in reader
    )
    sentences = [texts[name]["text"] for name in chosen]
    shares = rankdata([_share(text, segment(text)) for text in sentences])
    length = rankdata([len(words(text)) for text in sentences])
    more = rankdata([_strength(writer[name]) - _strength(reader[name]) for name in chosen])

    def beyond_length(weights: Weights) -> NDArray[np.float64]:
        pairs = ((shares, more), (shares, length), (more, length))
        found, one, other = (correlation(x, y, weights) for x, y in pairs)
        return (found - one * other) / np.sqrt((1 - one**2) * (1 - other**2))

    generator, once = np.random.default_rng(0), np.ones((1, len(chosen)))
    nothing = [correlation(generator.permutation(shares), more, once)[0] for _ in range(_SHUFFLES)]
    return {
        "expressive share": {
            "correlation": clustered(partial(correlation, shares, more), chosen),
            "partial on length": clustered(beyond_length, chosen),
            "shares shuffled": scattered(nothing, chosen),
        }
    }


def acted_and_heard(root: Path, tell: Tell) -> Table:
    """CREMA-D: how often listeners hear what was portrayed, and what the words tell of either.

    Clips that most listeners agree on. ``tell`` gives the probability of each label for a sentence;
    every emotion was portrayed with every sentence, so that there is chance alone to find.

    Raises CorpusNotFound.
    """
    clips = [(one, _majority(one.ratings.votes)) for one in cremad.read(root) if one.ratings]
    found = [(one, label) for one, label in clips if label]
    if not found:
        raise CorpusNotFound(
            f"{root} holds no votes; give a folder with the clips and tabulatedVotes.csv below it"
        )
    speakers = np.array([one.speaker for one, _ in found])
    portrayed = np.array([one.emotion for one, _ in found])
    heard = np.array([label for _, label in found])
    labels = np.unique(portrayed).tolist()
    told = {code: tell(sentence) for code, sentence in SENTENCES.items()}
    best = {code: max(labels, key=lambda one: p.get(one, 0.0)) for code, p in told.items()}
    worded = np.array([best[one.sentence] for one, _ in found])
    figure = partial(_recognised, speakers=speakers)
    return {
        "listeners' majority, of what was portrayed": figure(portrayed, heard),
        "words alone, of what was portrayed": figure(portrayed, worded),
        "words alone, of the listeners' majority": figure(heard, worded),
    }


def _recognised(
    truth: NDArray[np.str_], told: NDArray[np.str_], *, speakers: NDArray[np.str_]
) -> dict[str, Interval]:
    right = (truth == told).astype(float)
    return {
        "UAR": clustered_mean(right, truth, speakers),
        "accuracy": clustered_mean(right, np.full(len(truth), "any"), speakers),
    }


def _majority(votes: Mapping[str, int]) -> str | None:
    """The label with most votes, unless another has as many."""
    first, *others = sorted(votes, key=lambda label: -votes[label])
    return None if others and votes[others[0]] == votes[first] else first


def _share(text: str, roles: Sequence[Role]) -> float:
    """Of the words, as far as they are expressive, in [0, 1]."""
    ends = [role.end for role in roles]
    chances = [r.confidence if r.kind == "expressive" else 1 - r.confidence for r in roles]
    return fmean(chances[bisect(ends, start)] for start, _ in words(text))


def _strength(row: Mapping[str, str]) -> float:
    """How emotional a rating from 1 to 5 is."""
    return abs(float(row["V"]) - 3) + abs(float(row["A"]) - 3)


def _table(root: Path, name: str) -> dict[str, dict[str, str]]:
    for path in sorted(root.rglob(name))[:1]:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["id"]: row for row in csv.DictReader(file)}
    raise CorpusNotFound(
        f"{root} holds no {name}; emobank=DIR is the folder of github.com/JULIELab/EmoBank"
    )
