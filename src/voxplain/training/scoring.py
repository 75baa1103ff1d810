"""From a table of predictions to figures: every metric that can be asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ConfigError
from voxplain.plugins import find, names
from voxplain.training.metrics import Card, Takes
from voxplain.training.predictions import DIMENSIONS, Predictions
from voxplain.training.statistics import Bootstrap, bootstrap

__all__ = ["Score", "Task", "scores", "tasks"]


_COLUMNS = {
    "labels": "the columns emotion and prediction",
    "probabilities": "the columns emotion and p_<label>",
    "values": "the columns valence and p_valence, or those of arousal or dominance",
    "distributions": "the columns votes_<label> and p_<label>",
}


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What a metric is asked: truth and prediction of the clips whose truth is known."""

    subject: str
    """valence, arousal or dominance; empty where it is the emotion."""
    truth: NDArray[Any]
    prediction: NDArray[Any]
    guess: NDArray[Any]
    """What is said who knows how often each emotion is, or the mean, but nothing of the clip."""
    rows: NDArray[np.bool_]
    """(clips of the table,) which they are."""


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """One metric of one table."""

    card: Card
    subject: str
    """valence, arousal or dominance; empty where it is the emotion."""
    found: Bootstrap
    chance: float
    """The metric of the guess of its task; NaN where it has none."""

    @property
    def title(self) -> str:
        """Such as UAR, or CCC of valence."""
        return f"{self.card.title} of {self.subject}" if self.subject else self.card.title


def scores(
    predictions: Predictions,
    *,
    metrics: Sequence[str] | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Score]:
    """By title: every metric that the table has the columns for, with draws of its speakers.

    ``metrics`` are names of plug-ins; those named must be possible. By default all that are.
    Speakers that nobody knows count as one for each file.

    Raises UnknownName for a metric, ConfigError where the table lacks what a named one takes.
    """
    found = {}
    for name in _in_order() if metrics is None else metrics:
        plugin = find("metrics", name)
        asked = tasks(predictions, plugin.CARD.takes)
        if metrics is not None and not asked:
            raise ConfigError(
                f"{name} needs {_COLUMNS[plugin.CARD.takes]}, filled for one clip at least; "
                f"these predictions have: {', '.join(predictions.columns)}"
            )
        for task in asked:
            speakers = predictions.clusters[task.rows]
            drawn = bootstrap(
                plugin.measure,
                task.truth,
                task.prediction,
                speakers=speakers,
                draws=draws,
                seed=seed,
            )
            chance = plugin.measure(task.truth, task.guess)
            score = Score(plugin.CARD, task.subject, drawn, chance)
            found[score.title] = score
    return found


def _in_order() -> list[str]:
    """All metrics, those of labels first."""
    takes = {name: find("metrics", name).CARD.takes for name in names("metrics")}
    return sorted(takes, key=lambda name: get_args(Takes).index(takes[name]))


def tasks(predictions: Predictions, takes: Takes) -> list[Task]:
    """What can be asked of a table; nothing where columns are missing or no truth is known."""
    asked = {
        "labels": _labels,
        "probabilities": _probabilities,
        "values": _values,
        "distributions": _distributions,
    }[takes](predictions)
    return [task for task in asked if task.rows.any()]


def _labels(predictions: Predictions) -> list[Task]:
    rows = (predictions["emotion"] != "") & (predictions["prediction"] != "")
    both = np.concatenate([predictions["emotion"][rows], predictions["prediction"][rows]])
    truth, found = np.unique(both, return_inverse=True)[1].reshape(2, -1)  # numbers draw faster
    most = np.bincount(truth, minlength=1).argmax()
    return [Task("", truth, found, np.full(len(truth), most), rows)]


def _probabilities(predictions: Predictions) -> list[Task]:
    if not predictions.labels:
        return []
    place = {label: index for index, label in enumerate(predictions.labels)}
    rows = predictions["emotion"] != ""
    truth = np.array([place.get(one, -1) for one in predictions["emotion"][rows]], np.intp)
    counts = np.bincount(truth[truth >= 0], minlength=len(place))
    shares = (counts + 1e-12) / (counts + 1e-12).sum()  # equal ones if no label is ever true
    guess = np.tile(shares, (len(truth), 1))
    return [Task("", truth, predictions.probabilities[rows], guess, rows)]


def _values(predictions: Predictions) -> list[Task]:
    asked = []
    for name in DIMENSIONS:
        if name in predictions.columns and f"p_{name}" in predictions.columns:
            rows = ~np.isnan(predictions[name])
            truth = predictions[name][rows]
            guess = np.full(len(truth), truth.mean() if len(truth) else np.nan)
            asked.append(Task(name, truth, predictions[f"p_{name}"][rows], guess, rows))
    return asked


def _distributions(predictions: Predictions) -> list[Task]:
    if not predictions.labels:
        return []
    rows: NDArray[np.bool_] = np.isfinite(predictions.votes[:, 0])  # all or none
    truth, found = predictions.votes[rows], predictions.probabilities[rows]
    guess = np.tile(truth.mean(0), (len(truth), 1)) if len(truth) else truth
    return [Task("", truth, found, guess, rows)]
