"""Fairness: is the model better or worse for some people, lengths, sentences or strengths?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from voxplain.training.assessment.figures import View
from voxplain.training.assessment.judging import Judged
from voxplain.training.assessment.recordings import Recordings
from voxplain.training.metrics.uar import unweighted_average_recall
from voxplain.training.statistics import (
    Bootstrap,
    Difference,
    Interval,
    bootstrap,
    difference,
    holm,
)

__all__ = ["FEW_CLIPS", "FEW_SPEAKERS", "Slice", "gap", "per_speaker", "slices", "traits"]

FEW_SPEAKERS, FEW_CLIPS = 5, 50
"""Below these a slice is told with a warning."""
_LEAST_CLIPS = 10
_MOST_VALUES = 20
"""Of a trait: what has more values (the words of conversations) is no trait."""
_STATED = ("Race", "Ethnicity")


@dataclass(frozen=True, slots=True)
class Slice:
    """Clips that have something in common, beside all others."""

    trait: str
    value: str
    uar: Interval
    labels: int
    """How many the slice has."""
    gap: Difference
    """UAR minus that of the others, over the labels that both have; its p is Holm's for all."""

    @property
    def few(self) -> bool:
        """Whether it stands on so little that it shows nothing."""
        return self.uar.speakers < FEW_SPEAKERS or self.uar.n < FEW_CLIPS


def traits(judged: Judged, recordings: Recordings) -> dict[str, NDArray[np.str_]]:
    """Trait -> value of each clip (n,), empty where nobody knows; only traits that differ."""
    language = recordings.card.language if recordings.card else ""
    people = [recordings.people.get(one.speaker, {}) for one in judged.utterances]
    found = {
        "sex": [one.sex for one in judged.utterances],
        "age": [_age_group(person.get("Age", "")) for person in people],
        **{name.lower(): [_stated(person, name) for person in people] for name in _STATED},
        "language": [one.language or language for one in judged.utterances],
        "duration": _durations([one.duration for one in judged.judgements]),
        "sentence": [one.sentence for one in judged.utterances],
        "strength": [one.strength for one in judged.utterances],
    }
    return {
        name: np.array(values)
        for name, values in found.items()
        if 1 < len(set(values) - {""}) <= _MOST_VALUES
    }


def _stated(person: Mapping[str, str], trait: str) -> str:
    value = person.get(trait, "")
    return "" if value.lower() == "unknown" else value


def _age_group(years: str) -> str:
    if not years.isdecimal():
        return ""
    return "under 30" if int(years) < 30 else "30 to 49" if int(years) < 50 else "50 and over"


def _durations(seconds: list[float]) -> list[str]:
    """Thirds of about equal size."""
    low, high = np.nanquantile(seconds, [1 / 3, 2 / 3])
    names = (f"0 to {low:.1f} s", f"{low:.1f} to {high:.1f} s", f"{high:.1f} s and more")
    return ["" if np.isnan(one) else names[int(one > low) + int(one > high)] for one in seconds]


def slices(view: View, traits: Mapping[str, NDArray[np.str_]]) -> list[Slice]:
    """Of each value of each trait that has ten clips or more; traits are of the view's clips.

    The two sides of a trait with two values are one test.
    """
    found: list[Slice] = []
    counted: list[float] = []  # p, NaN for the other side of the test before
    for trait, values in traits.items():
        known = sorted(set(values.tolist()) - {""})
        for number, value in enumerate(known):
            inside = values == value
            outside = ~inside & (values != "")
            if min(inside.sum(), outside.sum()) < _LEAST_CLIPS:
                continue
            other_side = number == 1 and len(known) == 2
            apart = _turned(found[-1].gap) if other_side else gap(view, inside, outside)
            counted.append(math.nan if other_side else apart.p)
            labels = len(set(view.truth[inside].tolist()))
            found.append(Slice(trait, value, _bootstrap(view, inside).interval, labels, apart))
    told: list[Slice] = []
    for one, p in zip(found, holm(counted).tolist(), strict=True):
        shared = told[-1].gap.p if math.isnan(p) and not math.isnan(one.gap.p) else p
        told.append(replace(one, gap=replace(one.gap, p=shared)))
    return told


def _turned(one: Difference) -> Difference:
    """Seen from the other side."""
    return replace(one, value=-one.value, low=-one.high, high=-one.low)


def gap(view: View, inside: NDArray[np.bool_], outside: NDArray[np.bool_]) -> Difference:
    """UAR of some clips minus that of others, over the labels that both have.

    Where some speakers are on both sides (sentences, durations), the draws of speakers serve both
    and the difference is paired. Where none is (sex, age), each side has its own draws, and the
    degrees of freedom are Welch's (1947). NaN where nothing can be said: no label on both sides, or
    a single speaker on one.
    """
    common = set(view.truth[inside].tolist()) & set(view.truth[outside].tolist())
    kept = np.isin(view.truth, list(common))
    inside, outside = inside & kept, outside & kept
    sides = set(view.table.clusters[inside].tolist()), set(view.table.clusters[outside].tolist())
    n, speakers = int(inside.sum() + outside.sum()), len(sides[0] | sides[1])
    if not common or min(map(len, sides)) < 2:
        return Difference(math.nan, math.nan, math.nan, n, speakers, math.nan)
    if sides[0] & sides[1]:
        return _paired(view, inside, outside)
    one, other = _bootstrap(view, inside), _bootstrap(view, outside, seed=1)
    value = one.value - other.value
    squares = [
        float(np.nanvar(side.draws)) * side.speakers / (side.speakers - 1) for side in (one, other)
    ]
    error = math.sqrt(sum(squares))
    parts = [
        square**2 / (side.speakers - 1) for square, side in zip(squares, (one, other), strict=True)
    ]
    freedom = sum(squares) ** 2 / sum(parts) if error else math.inf
    half = float(stats.t.ppf(0.975, freedom)) * error
    p = float(2 * stats.t.sf(abs(value) / error, freedom)) if error else float(value == 0)
    return Difference(value, value - half, value + half, n, speakers, p)


def _paired(view: View, inside: NDArray[np.bool_], outside: NDArray[np.bool_]) -> Difference:
    rows = inside | outside

    def apart(truth: NDArray[Any], found: NDArray[Any]) -> float:
        prediction, within = found[:, 0], found[:, 1] == 1
        if within.all() or not within.any():
            return math.nan
        return unweighted_average_recall(
            truth[within], prediction[within]
        ) - unweighted_average_recall(truth[~within], prediction[~within])

    found = np.stack([view.prediction, inside], 1)[rows]
    drawn = bootstrap(apart, view.truth[rows], found, speakers=view.table.clusters[rows])
    nothing = replace(drawn, value=0.0, draws=np.zeros_like(drawn.draws))
    return difference(drawn, nothing)


def _bootstrap(view: View, rows: NDArray[np.bool_], *, seed: int = 0) -> Bootstrap:
    return bootstrap(
        unweighted_average_recall,
        view.truth[rows],
        view.prediction[rows],
        speakers=view.table.clusters[rows],
        seed=seed,
    )


def per_speaker(view: View) -> dict[str, tuple[float, int]]:
    """Speaker -> UAR over the speaker's own labels, and clips; the worst first."""
    found = {}
    for speaker in np.unique(view.table.clusters).tolist():
        own = view.table.clusters == speaker
        uar = unweighted_average_recall(view.truth[own], view.prediction[own])
        found[speaker] = uar, int(own.sum())
    return dict(sorted(found.items(), key=lambda item: item[1]))
