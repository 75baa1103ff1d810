"""Emotions and ratings told from a view, by models that never met the speaker, or the clip."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from voxplain.training.splits import speaker_folds

__all__ = [
    "Features",
    "Folds",
    "States",
    "Texts",
    "Vectors",
    "clip_numbers",
    "crossed",
    "held_out",
    "known",
    "unseen",
]

_FOLDS = 5

Rows = NDArray[np.int64]
Folds = list[tuple[Rows, Rows]]
"""Rows to learn from, and rows to judge."""
Vectors = Callable[[Sequence[str]], NDArray[np.floating]]
"""Texts -> (n, width)."""
Task = TypeVar("Task", bound=Hashable)


class Features(Protocol):
    """A view of n accounts in numbers."""

    def split(self, train: Rows, test: Rows) -> tuple[Any, Any]:
        """Features (rows, width) of both; nothing of ``test`` has a part in how they are made."""
        ...


class Texts:
    """Unigrams and bigrams by TF-IDF, beside a vector of each text, both of unit length."""

    def __init__(self, texts: Sequence[str], vectors: Vectors | None = None) -> None:
        counter = CountVectorizer(ngram_range=(1, 2))
        # Counted once for all folds; in a blank view there is nothing to count.
        if any(map(re.compile(counter.token_pattern).search, texts)):
            self._counts = sparse.csr_array(counter.fit_transform(texts))
        else:
            self._counts = sparse.csr_array((len(texts), 0))
        self._vectors = _unit(np.asarray(vectors(texts), np.float64)) if vectors else None

    def split(self, train: Rows, test: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """See Features; nothing but zeros where there is no word to learn from."""
        seen = np.flatnonzero(self._counts[train].sum(0))
        if not len(seen):
            return np.zeros((len(train), 1)), np.zeros((len(test), 1))
        weigh = TfidfTransformer().fit(self._counts[train][:, seen])
        both = [weigh.transform(self._counts[rows][:, seen]) for rows in (train, test)]
        if self._vectors is not None:
            both = [
                sparse.hstack([words, self._vectors[rows]], format="csr")
                for words, rows in zip(both, (train, test), strict=True)
            ]
        return _turned(*both)


class States:
    """What an encoder makes of the accounts: (n, width), NaN where there was nothing to encode."""

    def __init__(self, rows: NDArray[np.floating]) -> None:
        self._rows = np.asarray(rows, np.float64)

    def split(self, train: Rows, test: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """See Features; z of the rows to learn from."""
        scale = StandardScaler().fit(self._rows[train])
        learned, judged = (
            np.nan_to_num(scale.transform(self._rows[rows])) for rows in (train, test)
        )
        return learned, judged


def held_out(
    features: Features, targets: Mapping[Task, NDArray[Any]], folds: Folds
) -> dict[Task, NDArray[Any]]:
    """What is told (n,) of each target (n,): labels by logistic regression, numbers by ridge."""
    found = {task: np.empty_like(truth) for task, truth in targets.items()}
    with threadpool_limits(1):  # more threads than one only wait for each other
        for train, test in folds:
            learned, judged = features.split(train, test)
            for task, truth in targets.items():
                model = _learner(truth[train])
                found[task][test] = model.fit(learned, truth[train]).predict(judged)
    return found


def known(speakers: NDArray[np.str_], *, seed: int) -> Folds:
    """Five folds in which no speaker is on both sides; fewer if there are fewer speakers."""
    fold = _speaker_fold(speakers, seed)
    return _some((fold != one, fold == one) for one in range(fold.max() + 1))


def clip_numbers(stimuli: Sequence[str], intended: Sequence[str]) -> Rows:
    """(n,) the place of each clip among those of its intended emotion, in the order of the names.

    It starts again from 0 after as many as the emotion with the fewest has.
    """
    clips: dict[str, list[str]] = defaultdict(list)
    for emotion, stimulus in sorted(set(zip(intended, stimuli, strict=True))):
        clips[emotion].append(stimulus)
    count = min(map(len, clips.values()))
    number = {one: place % count for own in clips.values() for place, one in enumerate(own)}
    return np.array([number[one] for one in stimuli])


def unseen(speakers: NDArray[np.str_], clips: Rows) -> Folds:
    """A fold for each number of a clip, learned from the other clips and by other speakers.

    No folds where an emotion has but one clip, or every speaker told of a clip of each number.
    """
    told = np.asarray(speakers)
    return _some(
        ((clips != one) & ~np.isin(told, told[clips == one]), clips == one)
        for one in range(clips.max() + 1)
    )


def crossed(speakers: NDArray[np.str_], clips: Rows, *, seed: int) -> Folds:
    """The same with more to learn from: for a fifth of the speakers at a time, from the others."""
    fold = _speaker_fold(speakers, seed)
    return _some(
        ((clips != one) & (fold != part), (clips == one) & (fold == part))
        for one in range(clips.max() + 1)
        for part in range(fold.max() + 1)
    )


def _some(sides: Iterable[tuple[NDArray[np.bool_], NDArray[np.bool_]]]) -> Folds:
    """Those with something to judge; none if one of them leaves nothing to learn from."""
    found = [(np.flatnonzero(train), np.flatnonzero(test)) for train, test in sides if test.any()]
    return found if all(len(train) for train, _ in found) else []


def _speaker_fold(speakers: NDArray[np.str_], seed: int) -> Rows:
    names = [f"accounts_{speaker}" for speaker in speakers]  # of one corpus
    fold = speaker_folds(names, folds=min(_FOLDS, len(set(names))), seed=seed)
    return np.array([fold[name] for name in names])


def _learner(truth: NDArray[Any]) -> Any:
    if truth.dtype.kind == "f":
        return Ridge(alpha=1.0)
    if len(set(truth.tolist())) == 1:  # there is nothing to tell apart
        return DummyClassifier()
    return LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1.0)


def _turned(train: Any, test: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sparse rows in as many dense columns as there are rows to learn from.

    All that a model with a penalty of squared weights can learn lies in the span of these rows, and
    turning it changes no prediction; it is ten times faster.
    """
    own = (train @ train.T).toarray()
    values, axes = np.linalg.eigh(own)
    kept = values > 1e-9 * values[-1]
    turn = axes[:, kept] / np.sqrt(values[kept])
    return own @ turn, (test @ train.T).toarray() @ turn
