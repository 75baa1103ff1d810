"""What becomes of the outcomes with words misheard, and with labels that belong to others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.training.studies.roles.dissociation import (
    CATEGORIES,
    clustered,
    concordance,
    interaction,
    macro_f1,
    of_all_seeds,
    scattered,
)
from voxplain.training.studies.roles.learners import Features, held_out
from voxplain.training.studies.roles.subject import KNOWN, Subject, Views
from voxplain.training.studies.roles.views import Segment, Told, misheard, views
from voxplain.training.studies.tables import Table
from voxplain.training.words.agreement import KINDS

__all__ = ["Made", "nulls", "word_errors"]

_SHUFFLES = 20
_ERRORS = (0.0, 0.1, 0.2, 0.4, 0.6)
_METRICS = {
    "intended": macro_f1,
    "evoked": macro_f1,
    "valence": concordance,
    "arousal": concordance,
}

Made = Callable[[Mapping[str, Sequence[str]]], dict[str, Features]]
"""Texts by view -> features by view."""


def word_errors(subject: Subject, told: Sequence[Told], *, made: Made, segment: Segment) -> Table:
    """The interactions with words struck, exchanged and added.

    By the roles that the words had, and by those that ``segment`` finds in what is left.
    """

    def parts(rate: float, again: Segment | None, seed: int) -> Views:
        wrong = misheard(told, rate=rate, seed=seed)
        if again:
            wrong = [(text, again(text)) for text, _ in wrong]
        seen = views(wrong, seed=seed)
        return made({kind: seen[kind] for kind in KINDS})

    truth, found = subject.truth, {}
    for rate in _ERRORS:
        for way, again in {"": None, ", segmented anew": segment}.items():
            splits = subject.told(partial(parts, rate, again))
            first, second = KINDS
            row = {
                f"interaction, {split}": clustered(
                    partial(interaction, truth, seen[first], seen[second]), subject.speakers
                )
                for split, seen in splits.items()
            }
            for kind, task in zip(KINDS, CATEGORIES, strict=True):
                values = splits[KNOWN][kind][task]
                row[f"{task} by {kind}, macro-F1"] = clustered(
                    partial(of_all_seeds, macro_f1, truth[task], values), subject.speakers
                )
            found[f"{rate:.0%}{way}"] = row
    return found


def nulls(subject: Subject, seen: Views, *, within_speakers: bool) -> Table:
    """The interactions and what each view tells, with labels and ratings of other accounts.

    Of the same speaker's or of anybody's. The mean of 20 shuffles, and where 95 % of them lie:
    about 0, and about chance. Within speakers something of the truth stays: of six accounts one
    keeps its own label, and others get the same one from each other.
    """
    generator, once = np.random.default_rng(0), np.ones((1, len(subject.speakers)))
    groups = subject.speakers if within_speakers else np.zeros(len(subject.speakers))
    orders = [_shuffled(groups, generator) for _ in range(_SHUFFLES)]
    truth = {(t, n): v[o] for t, v in subject.truth.items() for n, o in enumerate(orders)}
    first, second = KINDS
    found = {}
    for split, folds in subject.folds(0).items():
        told = {view: held_out(features, truth, folds) for view, features in seen.items()}
        gaps, figures = [], defaultdict(list)
        for n in range(_SHUFFLES):
            own = {task: truth[task, n] for task in _METRICS}
            runs = {view: {t: run[t, n][None] for t in _METRICS} for view, run in told.items()}
            gaps.append(interaction(own, runs[first], runs[second], once)[0])
            for view, run in runs.items():
                for task, metric in _METRICS.items():
                    figures[view, task].append(metric(own[task], run[task][0], once)[0])
        found[split] = {"interaction": scattered(gaps, subject.speakers)}
        for view in seen:
            found[f"{view}, {split}"] = {
                task: scattered(figures[view, task], subject.speakers) for task in _METRICS
            }
    return found


def _shuffled(groups: NDArray[Any], generator: np.random.Generator) -> NDArray[np.int64]:
    """Rows (n,), those of each group in another order."""
    order = np.arange(len(groups))
    for name in np.unique(groups):
        own = np.flatnonzero(groups == name)
        order[own] = generator.permutation(own)
    return order
