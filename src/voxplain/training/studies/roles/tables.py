"""The tables of the study of roles, each from what the views tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from voxplain.training.statistics import Interval
from voxplain.training.studies.roles.dissociation import (
    CATEGORIES,
    RATINGS,
    Metric,
    Told,
    Weights,
    accuracy,
    clustered,
    concordance,
    correlation,
    interaction,
    macro_f1,
    of_all_seeds,
    permutation_test,
)
from voxplain.training.studies.tables import Table
from voxplain.training.words import agreement
from voxplain.training.words.agreement import KINDS

__all__ = ["agreement_of", "differing", "primary", "ratings", "recognition", "same"]

_PRIMARY = 1 - 0.05 / 2  # two of them (Bonferroni)

Speakers = NDArray[np.str_]


def differing(
    truth: Told,
    views: Mapping[str, Told],
    speakers: Speakers,
    *,
    pair: Sequence[str] = KINDS,
    level: float = 0.95,
) -> dict[str, Interval | str]:
    """The interaction of two views with the tasks, its p, and what it is the difference of.

    That is by how much the first view, by default the descriptive one, tells each emotion better.
    """
    first, second = (views[name] for name in pair)
    found: dict[str, Interval | str] = {
        "interaction": clustered(partial(interaction, truth, first, second), speakers, level=level),
        "permutation p": f"{permutation_test(truth, first, second):.4f}",
    }
    for task in CATEGORIES:
        found[f"{task}, difference"] = _difference(macro_f1, task, truth, first, second, speakers)
    return found


def primary(truth: Told, splits: Mapping[str, Mapping[str, Told]], speakers: Speakers) -> Table:
    """The interactions with their 97.5 % intervals; those of the differences are at 95 %."""
    return {
        split: differing(truth, views, speakers, level=_PRIMARY) for split, views in splits.items()
    }


def recognition(truth: Told, views: Mapping[str, Told], speakers: Speakers) -> Table:
    """What each view tells of the emotions, beside saying always the most frequent."""
    n = len(speakers)
    common = {task: np.full((1, n), _most_frequent(truth[task])) for task in CATEGORIES}
    metrics = {"macro-F1": macro_f1, "accuracy": accuracy}
    return {
        name: _figures(truth, told, speakers, CATEGORIES, metrics)
        for name, told in {**views, "the most frequent": common}.items()
    }


def ratings(truth: Told, views: Mapping[str, Told], speakers: Speakers) -> Table:
    """What each view tells of valence and arousal, and expressive minus descriptive."""
    metrics = {"CCC": concordance, "r": correlation}
    found = {
        name: _figures(truth, told, speakers, RATINGS, metrics) for name, told in views.items()
    }
    descriptive, expressive = (views[kind] for kind in KINDS)
    found["expressive - descriptive"] = {
        f"{task}, {name}": _difference(metric, task, truth, expressive, descriptive, speakers)
        for task in RATINGS
        for name, metric in metrics.items()
    }
    return found


def same(truth: Told, speakers: Speakers) -> Table:
    """How often what was evoked is what was intended: the most that naming the latter can reach."""
    told = {"evoked": truth["intended"][None]}
    metrics = {"accuracy": accuracy, "macro-F1": macro_f1}
    return {"intended for evoked": _figures(truth, told, speakers, ("evoked",), metrics)}


def agreement_of(
    marked: Sequence[Sequence[str]],
    found: Sequence[Sequence[str]],
    speakers: Speakers,
    registers: NDArray[np.str_],
) -> Table:
    """Agreement in the kinds of words, account by account, of all registers and of each."""
    pairs = zip(marked, found, strict=True)
    counts = np.array([agreement.compared(one, other) for one, other in pairs])
    metrics = {
        "kappa": agreement.kappa,
        "macro-F1": agreement.macro_f1,
        "boundary F1": agreement.boundary_f1,
    }
    groups = {"all": np.ones(len(speakers), bool)}
    groups |= {name: registers == name for name in np.unique(registers).tolist() if name}
    return {
        group: {
            name: clustered(partial(_weighed, metric, counts[rows]), speakers[rows])
            for name, metric in metrics.items()
        }
        for group, rows in groups.items()
    }


def _figures(
    truth: Told,
    told: Told,
    speakers: Speakers,
    tasks: Sequence[str],
    metrics: Mapping[str, Metric],
) -> dict[str, Interval]:
    return {
        f"{task}, {name}": clustered(
            partial(of_all_seeds, metric, truth[task], told[task]), speakers
        )
        for task in tasks
        for name, metric in metrics.items()
    }


def _difference(
    metric: Metric, task: str, truth: Told, first: Told, second: Told, speakers: Speakers
) -> Interval:
    def gap(weights: Weights) -> NDArray[np.float64]:
        one, other = (of_all_seeds(metric, truth[task], v[task], weights) for v in (first, second))
        return one - other

    return clustered(gap, speakers)


def _weighed(
    metric: Callable[[agreement.Counts], NDArray[np.float64]],
    counts: NDArray[np.int64],
    weights: Weights,
) -> NDArray[np.float64]:
    """(draws,) a measure of agreement of accounts that count so often (draws, accounts)."""
    return metric(weights @ counts)


def _most_frequent(labels: NDArray[np.str_]) -> str:
    names, counts = np.unique(labels, return_counts=True)
    return str(names[counts.argmax()])
