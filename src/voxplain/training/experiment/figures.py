"""The figures of a run: per fold, per seed and pooled, beside what knows nothing of emotion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from voxplain.audio.log_mel import log_mel
from voxplain.models.calibration import softmax
from voxplain.models.judgement import DIMENSIONS
from voxplain.plugins import find
from voxplain.training import baselines, scoring, targets
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.experiment.loop import Found
from voxplain.training.hearing import of_each
from voxplain.training.predictions import Predictions
from voxplain.training.splits import Split
from voxplain.training.statistics import Bootstrap, Interval, mean

__all__ = ["Figures", "controls", "figures", "joined", "mean_of_seeds", "plain", "table"]

Figures = Mapping[str, Bootstrap]
"""Title of the metric -> figure."""


def table(
    utterances: Sequence[Utterance],
    found: Found,
    *,
    fold: str,
    labels: Sequence[str],
    temperature: float = 1.0,
    branches: Sequence[str] = (),
) -> dict[str, NDArray[Any]]:
    """The columns of ``Predictions`` for recordings that are tested.

    Beside them, where there are any, the weights in the gate (gate_<branch>) and the router
    (route_<output>_<expert>, the categories being one output) of ``models.msf``.
    """
    columns: dict[str, Any] = {
        "file": [str(one.path) for one in utterances],
        "start": [one.start for one in utterances],
        "end": [np.nan if one.end is None else one.end for one in utterances],
        "corpus": [one.corpus for one in utterances],
        "speaker": [one.speaker for one in utterances],
        "sex": [one.sex for one in utterances],
        "fold": [fold] * len(utterances),
    }
    if labels:
        probabilities = softmax(found.categories, temperature=temperature)
        columns["emotion"] = [one.emotion for one in utterances]
        columns["prediction"] = np.array(labels)[probabilities.argmax(1)]
        columns |= {f"p_{label}": probabilities[:, n] for n, label in enumerate(labels)}
        shares = targets.votes(utterances, labels)
        voted = shares.sum(1, keepdims=True) > 0
        if voted.any():
            shares = np.where(voted, shares, np.nan)
            columns |= {f"votes_{label}": shares[:, n] for n, label in enumerate(labels)}
    for place, name in enumerate(DIMENSIONS[: found.dimensions.shape[1]]):
        columns[name] = [(one.dimensions or {}).get(name, np.nan) for one in utterances]
        columns[f"p_{name}"] = found.dimensions[:, place]
    columns |= {f"gate_{one}": its for one, its in zip(branches, found.gates.T, strict=False)}
    outputs = [*DIMENSIONS[: found.dimensions.shape[1]], "categories"]
    for output, routes in zip(outputs, found.routes.swapaxes(0, 1), strict=False):
        columns |= {f"route_{output}_{expert}": its for expert, its in enumerate(routes.T)}
    return {name: np.array(column) for name, column in columns.items()}


_TOLD = ("uar", "wa", "macro_f1", "ece", "jensen_shannon", "ccc")


def figures(predictions: Predictions) -> Figures:
    """UAR, accuracy, macro-F1 and, of probabilities, their calibration; distance from the votes;
    CCC of the dimensions.
    """
    names = [name for name in _TOLD if scoring.tasks(predictions, find("metrics", name).CARD.takes)]
    return {title: one.found for title, one in scoring.scores(predictions, metrics=names).items()}


def mean_of_seeds(seeds: Sequence[Figures]) -> dict[str, Interval]:
    """The mean over seeds of each figure; the same speakers are drawn for all seeds."""
    return {name: mean([one[name] for one in seeds]).interval for name in seeds[0]}


def controls(
    utterances: Sequence[Utterance],
    splits: Sequence[Split],
    *,
    labels: Sequence[str],
    heard: bool,
    cache: Path,
    jobs: int,
) -> dict[str, Figures]:
    """Always the most frequent label and, where recordings are ``heard``, a logistic regression on
    loudness alone: same splits.
    """
    truth = targets.portrayed(utterances, labels)
    models, loudness = {"majority": baselines.majority()}, np.zeros((len(utterances), 1))
    if heard:
        models["energy alone"] = baselines.probe()
        loudness = np.array(of_each(_energy, utterances, cache=cache, jobs=jobs))
    found: dict[str, Figures] = {}
    for name, model in models.items():
        columns = []
        for split in splits:
            fitted = clone(model).fit(loudness[split.train], truth[split.train])
            said = np.eye(len(labels))[fitted.predict(loudness[split.test])]
            tested = [utterances[row] for row in split.test.tolist()]
            nothing = np.empty((len(tested), 0), np.float32)
            own = Found((1e3 * said).astype(np.float32), nothing, nothing, nothing)
            columns.append(table(tested, own, fold=split.name, labels=labels))
        every = figures(joined(columns))
        found[name] = {title: every[title] for title in ("UAR", "WA", "macro-F1")}
    return found


def joined(parts: Sequence[Mapping[str, NDArray[Any]]]) -> Predictions:
    """One table of those of several folds; votes may be missing in some."""
    names = dict.fromkeys(name for one in parts for name in one)
    columns = {
        name: np.concatenate([one.get(name, np.full(len(one["file"]), np.nan)) for one in parts])
        for name in names
    }
    return Predictions(columns)


def _energy(utterance: Utterance) -> NDArray[np.float64]:
    """(2,): mean and standard deviation over frames of the log-mel energy."""
    frames = log_mel(sound(utterance).waveform).mean(0)
    return np.array([frames.mean(), frames.std()], float)


def plain(found: Mapping[str, Bootstrap | Interval]) -> dict[str, Any]:
    """As JSON takes it."""
    return {
        name: asdict(one if isinstance(one, Interval) else one.interval)
        for name, one in found.items()
    }
