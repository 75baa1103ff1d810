"""How true is what is spoken: descriptors against measurements, the emotion, the words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import InputError
from voxplain.models.description import (
    ATTRIBUTES,
    Described,
    Description,
    Middle,
    leaning,
    parts,
)
from voxplain.models.levels import Labels
from voxplain.training.metrics.macro_f1 import macro_f1
from voxplain.training.metrics.uar import unweighted_average_recall
from voxplain.training.metrics.wa import accuracy
from voxplain.training.statistics import Bootstrap, Metric, bootstrap, mean

__all__ = ["agreement", "balanced", "hallucination", "surest", "unsaid", "word_error_rate"]

_ASKED: dict[str, tuple[str, Callable[..., float]]] = {
    **{attribute.name: (attribute.name, macro_f1) for attribute in ATTRIBUTES},
    "tone": ("tone", macro_f1),
    "stress": ("stress", accuracy),
    "UAR": ("emotion", unweighted_average_recall),
    "WA": ("emotion", accuracy),
}
"""Figure -> the slot of a description that it is of, and the metric."""


def agreement(
    spoken: Sequence[Description],
    truth: Sequence[Description],
    *,
    speakers: Sequence[str],
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Bootstrap]:
    """How far what is spoken of clips agrees with what is true of them.

    By attribute, and ``tone``: macro-F1 over the clips in which it is known. ``descriptors``: the
    mean over the attributes. ``stress``: the share of clips with the true word, or with none as is
    true. ``UAR`` and ``WA`` of the emotion. What is known but not spoken counts as wrong; what is
    spoken of no clip, or known of none, has no figure. All figures draw the same ``speakers``
    (``Predictions.clusters``).

    Raises InputError unless all are as many.
    """
    _as_many(clips=truth, spoken=spoken, speakers=speakers)
    filled = [{part.name: part.word for part in parts(one)} for one in (*truth, *spoken)]
    found = {}
    for name, (slot, metric) in _ASKED.items():
        words = np.array([one.get(slot, "") for one in filled])
        true, said = np.split(words != "", 2)
        if true.any() and said.any():
            numbers = np.unique(words, return_inverse=True)[1].reshape(2, -1)  # these draw faster
            drawn = bootstrap(
                _of_known(metric),
                np.where(true, numbers[0], -1),
                numbers[1],
                speakers=speakers,
                draws=draws,
                seed=seed,
            )
            found[name] = replace(drawn, n=int(true.sum()))
    if described := [found[one.name] for one in ATTRIBUTES if one.name in found]:
        found["descriptors"] = replace(mean(described), n=len(truth))
    return found


def hallucination(
    spoken: Sequence[Description],
    labels: Sequence[Labels],
    *,
    speakers: Sequence[str],
    draws: int = 1000,
    seed: int = 0,
) -> Bootstrap:
    """Share of the spoken levels that are false, of those whose truth could be measured.

    False is a level two steps from the measured one, or one step from one that is certain. NaN
    where nothing is spoken.

    Raises InputError unless all are as many.
    """
    _as_many(clips=labels, spoken=spoken, speakers=speakers)
    checked = [list(_false(*pair).values()) for pair in zip(spoken, labels, strict=True)]
    false, told = map(sum, checked), map(len, checked)
    return bootstrap(_share, list(false), list(told), speakers=speakers, draws=draws, seed=seed)


def unsaid(
    spoken: Sequence[Description],
    heard: Sequence[Description],
    *,
    speakers: Sequence[str],
    draws: int = 1000,
    seed: int = 0,
) -> Bootstrap:
    """Share of the levels that are heard, but not spoken. NaN where nothing is heard.

    Raises InputError unless all are as many.
    """
    _as_many(clips=heard, spoken=spoken, speakers=speakers)
    told = [len(one.levels) for one in heard]
    kept = [len(one.levels) - len(said.levels) for one, said in zip(heard, spoken, strict=True)]
    return bootstrap(_share, kept, told, speakers=speakers, draws=draws, seed=seed)


def balanced(heard: Sequence[Described], labels: Sequence[Labels]) -> dict[str, Middle]:
    """Where the middle of each attribute begins and ends, in what ``description.leaning`` gives.

    Each level is then spoken as often as it was measured.

    Raises InputError unless both are as many.
    """
    _as_many(clips=labels, heard=heard)
    found = {}
    for name in (one.name for one in ATTRIBUTES):
        known = [
            (leaning([*one.probabilities[name].values()]), label.measured.levels[name])
            for one, label in zip(heard, labels, strict=True)
            if name in one.probabilities and name in label.measured.levels
        ]
        if known:
            leans, levels = np.array(known).T
            shares = np.mean(levels < 0), 1 - np.mean(levels > 0)
            low, high = np.quantile(leans, shares).tolist()
            found[name] = (low, high)
    return found


def surest(heard: Sequence[Described], labels: Sequence[Labels], *, false: float) -> float:
    """The least probability of a level from which at most this share of them is false.

    0 if that holds for all of them, above 1 if for none; ``hallucination`` tells what is false.

    Raises InputError unless both are as many.
    """
    _as_many(clips=labels, heard=heard)
    chances, wrong = [], []
    for described, label in zip(heard, labels, strict=True):
        words = {part.name: part.word for part in parts(described.description)}
        for name, one in _false(described.description, label).items():
            chances.append(described.probabilities[name][words[name]])
            wrong.append(one)
    order = np.argsort(-np.array(chances), kind="stable")
    shares = np.cumsum(np.array(wrong)[order]) / np.arange(1, len(order) + 1)
    allowed = np.flatnonzero(shares <= false)
    kept = allowed[-1] + 1 if len(allowed) else 0
    if kept == len(order):
        return 0.0
    return chances[order[kept - 1]] if kept else math.nextafter(1.0, 2.0)


def word_error_rate(
    said: Sequence[str],
    heard: Sequence[str],
    *,
    speakers: Sequence[str],
    draws: int = 1000,
    seed: int = 0,
) -> Bootstrap:
    """Words put in, left out or taken for another, by the words that were said, over all clips.

    The fewest such changes (Levenshtein 1966), whatever the case and the punctuation. NaN where
    nothing was said.

    Raises InputError unless all are as many.
    """
    _as_many(clips=said, heard=heard, speakers=speakers)
    told = [_words(one) for one in said]
    wrong = [_changes(one, _words(other)) for one, other in zip(told, heard, strict=True)]
    lengths = np.array([len(one) for one in told])
    return bootstrap(_share, wrong, lengths, speakers=speakers, draws=draws, seed=seed)


def _false(said: Description, label: Labels) -> dict[str, bool]:
    """Of each spoken level that was measured: is it two steps off, or one from what is certain."""
    known = said.levels.keys() & label.measured.levels.keys()
    steps = {name: abs(said.levels[name] - label.measured.levels[name]) for name in known}
    return {name: steps[name] + (name in label.certain.levels) >= 2 for name in known}


def _of_known(metric: Callable[..., float]) -> Metric:
    """The metric over the clips whose truth is not -1; NaN if there is none."""

    def measure(true: NDArray[np.int64], said: NDArray[np.int64]) -> float:
        rows = true >= 0
        return metric(true[rows], said[rows]) if rows.any() else math.nan

    return measure


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else math.nan


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower().replace("’", "'"))


def _changes(one: Sequence[str], other: Sequence[str]) -> int:
    """Edit distance, row by row."""
    row = list(range(len(other) + 1))
    for number, word in enumerate(one, 1):
        above, row = row, [number]
        for column, heard in enumerate(other):
            row.append(min(above[column] + (word != heard), above[column + 1] + 1, row[-1] + 1))
    return row[-1]


def _as_many(**given: Sequence[object]) -> None:
    counts = {name: len(those) for name, those in given.items()}
    if len(set(counts.values())) > 1 or not all(counts.values()):
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        raise InputError(f"{told}: each clip needs one of each")
