"""What was said of each clip, as the table that all systems write; and of which nothing was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.models.judgement import DIMENSIONS, coordinates
from voxplain.training import targets
from voxplain.training.assessment.judging import Judged
from voxplain.training.corpora._reading import Utterance
from voxplain.training.predictions import Predictions

__all__ = ["dimensions", "listeners", "over", "predictions", "silences"]


def predictions(judged: Judged) -> Predictions:
    """Of every clip of which something is said."""
    told = judged.some(judged.told)
    columns = _clips(told.utterances)
    columns["fold"] = ["" if one.fold is None else str(one.fold) for one in told.judgements]
    if told.labels:
        columns |= _said(told.labels, told.probabilities)
        columns |= _votes(told.utterances, told.labels)
    points = _rated(told.utterances)
    for axis, name in enumerate(DIMENSIONS):
        if np.isfinite(points[:, axis]).any():
            columns[name] = points[:, axis]
        if np.isfinite(told.dimensions[:, axis]).all():
            columns[f"p_{name}"] = told.dimensions[:, axis]
    return Predictions(columns)


def over(table: Predictions, labels: Sequence[str]) -> Predictions:
    """The clips that have one of some labels, and the most probable of these.

    Probabilities are those given that it is one of them; a label that the model does not know has
    none.
    """
    rows = np.isin(table["emotion"], labels)
    known = dict(zip(table.labels, table.probabilities[rows].T, strict=True))
    shares = np.stack([known.get(one, np.zeros(rows.sum())) for one in labels], axis=1)
    kept = {name: table[name][rows] for name in ("file", "start", "end", "speaker", "emotion")}
    return Predictions(kept | _said(labels, shares / shares.sum(1, keepdims=True)))


def listeners(judged: Judged) -> Predictions | None:
    """Predicted shares of the listeners and their votes; None without either.

    A model that does not tell them is taken by its probabilities.
    """
    asked = np.array([bool(one.ratings and one.ratings.votes) for one in judged.utterances])
    rows = judged.some(asked & judged.told)
    if not (judged.labels and rows.utterances):
        return None
    first = rows.judgements[0].emotion
    labels = tuple(first.perceived) if first and first.perceived else rows.labels
    shares = rows.perceived(labels) if first and first.perceived else rows.probabilities
    votes = _votes(rows.utterances, labels)
    unlabelled = _clips(rows.utterances) | {"emotion": [""] * len(rows.utterances)}
    return Predictions(unlabelled | _said(labels, shares) | votes) if votes else None


def dimensions(judged: Judged) -> tuple[Predictions, str] | None:
    """Valence, arousal and dominance beside ratings, and what these are; None without either.

    Where nobody rated any, beside the proxies of ``targets.dimensions``, made of votes and labels.
    """
    told = judged.some(np.flatnonzero(np.isfinite(judged.dimensions).all(1)))
    points, basis = _rated(told.utterances), "mean ratings of people"
    if not np.isfinite(points).any():
        known = np.isin(told.emotions, list(coordinates()))
        if not known.any():
            return None
        points[known] = targets.dimensions(told.some(known).utterances)
        basis = "a proxy made of votes or labels: nobody rated them"
    columns = _clips(told.utterances)
    for axis, name in enumerate(DIMENSIONS):
        columns |= {name: points[:, axis], f"p_{name}": told.dimensions[:, axis]}
    return Predictions(columns), basis


def silences(judged: Judged) -> Mapping[str, Sequence[Any]]:
    """Column -> values: the clips of which nothing is said, or no few labels, and why."""
    left_open = judged.some(np.array([bool(one.reason) for one in judged.judgements], bool))
    told = ["yes" if one else "no" for one in left_open.told]
    reasons = [one.reason for one in left_open.judgements]
    return {**_clips(left_open.utterances), "in predictions": told, "reason": reasons}


def _clips(utterances: Sequence[Utterance]) -> dict[str, Any]:
    return {
        "file": [str(one.path) for one in utterances],
        "start": [one.start for one in utterances],
        "end": [one.end for one in utterances],
        "corpus": [one.corpus for one in utterances],
        "speaker": [one.speaker for one in utterances],
        "sex": [one.sex for one in utterances],
        "emotion": [one.emotion for one in utterances],
    }


def _said(labels: Sequence[str], shares: NDArray[np.float64]) -> dict[str, Any]:
    names = [labels[place] for place in shares.argmax(1)]
    return {
        "prediction": names,
        **{f"p_{label}": shares[:, place] for place, label in enumerate(labels)},
    }


def _votes(utterances: Sequence[Utterance], labels: Sequence[str]) -> dict[str, Any]:
    """Shares of the votes; nothing where one is for a label that is not among them."""
    cast = {label for one in utterances if one.ratings for label in one.ratings.votes}
    if not cast or not cast <= set(labels):
        return {}
    shares = targets.votes(utterances, labels)
    shares[shares.sum(1) == 0] = np.nan
    return {f"votes_{label}": shares[:, place] for place, label in enumerate(labels)}


def _rated(utterances: Sequence[Utterance]) -> NDArray[np.float64]:
    """(n, 3), NaN where nobody rated."""
    rows = [[(one.dimensions or {}).get(name, np.nan) for name in DIMENSIONS] for one in utterances]
    return np.array(rows).reshape(-1, len(DIMENSIONS))
