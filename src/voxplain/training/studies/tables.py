"""The tables of the study, each from the findings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors import inventory
from voxplain.training.statistics import Interval
from voxplain.training.studies import maps
from voxplain.training.studies.findings import Findings, over_draws
from voxplain.training.studies.outcomes import clustered_mean, plausibility, sign_test

__all__ = [
    "PRIMARY",
    "Table",
    "agreement",
    "by_emotion",
    "further",
    "magnitudes",
    "nulls",
    "over",
    "recognition",
    "right_and_wrong",
    "rightly",
]

Table = Mapping[str, Mapping[str, Any]]
"""Row -> column -> an interval, or words; the first is an interval."""

PRIMARY = 1 - 0.05 / 4
"""Level of the intervals of the four primary outcomes (Bonferroni)."""


def over(
    findings: Findings, values: NDArray[np.float64], rows: NDArray[np.bool_], *, level: float = 0.95
) -> Interval:
    """Mean over the predicted emotions of values (n,) in some rows."""
    chosen = np.where(rows, values, np.nan)
    return clustered_mean(chosen, findings.predicted, findings.speakers, level=level)


def rightly(findings: Findings) -> NDArray[np.bool_]:
    """Clips that are recognised, in an emotion that the experts expect something of."""
    return findings.right & findings.told


def recognition(findings: Findings) -> Table:
    """How often the model is right in what was drawn."""
    return {
        "drawn clips": {
            "UAR": clustered_mean(findings.right.astype(float), findings.truth, findings.speakers),
            "right": str(int(findings.right.sum())),
            "predicted neutral": str(int((~findings.told).sum())),
            "right, and something is expected": str(int(rightly(findings).sum())),
            "wrong, and something is expected": str(int((~findings.right & findings.told).sum())),
        }
    }


def agreement(findings: Findings) -> Table:
    """Plausibility in the regions of each method, rightly recognised clips, mean over emotions."""
    rows, found = rightly(findings), {}
    ours = findings.inside(maps.OURS)
    for method in findings.methods:
        inside, random = findings.inside(method), findings.random(method)
        blind = maps.SHUFFLED_OURS if method == maps.OURS else maps.SHUFFLED
        level = PRIMARY if method == maps.OURS else 0.95
        figure = partial(over, findings, rows=rows)
        found[method] = {
            "plausibility": figure(inside),
            "beyond 0.5 SD": figure(findings.inside(method, dead_band=0.5)),
            "above random": figure(inside - random, level=level),
            "above shuffled": figure(inside - findings.inside(blind), level=level),
            "above loudest": figure(inside - findings.inside(maps.LOUDEST)),
            "ours above it": figure(ours - inside),
            "sign test against 1/2": _p(inside - 0.5, findings.speakers, rows),
            "sign test against random": _p(inside - random, findings.speakers, rows),
        }
    return found


def _p(values: NDArray[np.float64], speakers: NDArray[np.str_], rows: NDArray[np.bool_]) -> str:
    return f"p {sign_test(values[rows], speakers[rows]):.2g}"


def by_emotion(findings: Findings) -> Table:
    """The same for each emotion."""
    found = {}
    for method in findings.methods:
        inside, random = findings.inside(method), findings.random(method)
        for label in np.unique(findings.predicted[findings.told]).tolist():
            rows = rightly(findings) & (findings.predicted == label)
            found[f"{label}: {method}"] = {
                "plausibility": over(findings, inside, rows),
                "random": over(findings, random, rows),
                "above random": over(findings, inside - random, rows),
                "sign test against 1/2": _p(inside - 0.5, findings.speakers, rows),
            }
    return found


def magnitudes(findings: Findings, method: str) -> Table:
    """z of each cue against the speaker's neutral clips, in rightly recognised clips."""
    inside, rest = findings.z(method, "inside"), findings.z(method, "rest")
    random = over_draws(findings.z(method, "random"))
    found = {}
    for label in findings.labels.tolist():
        rows = findings.right & (findings.predicted == label)
        for number, cue in enumerate(findings.cues):
            signs = findings.expected.signs[rows, number]
            mark = {1: "+", -1: "-"}.get(int(signs[0]) if len(signs) else 0, "o")
            found[f"{label}: {inventory()[cue].title}"] = {
                "in regions": over(findings, inside[:, number], rows),
                "random": over(findings, random[:, number], rows),
                "rest": over(findings, rest[:, number], rows),
                "expected": mark,
            }
    return found


def further(findings: Findings) -> Table:
    """How much further than at random cues lie in the regions, in the direction expected, in SD."""
    rows, found = rightly(findings), {}
    labels = np.unique(findings.predicted[findings.told]).tolist()
    for method in findings.methods:
        values = findings.further(method)
        blind = findings.further(maps.SHUFFLED_OURS if method == maps.OURS else maps.SHUFFLED)
        found[method] = {
            "mean over emotions": over(findings, values, rows),
            "above shuffled": over(findings, values - blind, rows),
        }
        for label in labels:
            found[method][label] = over(findings, values, rows & (findings.predicted == label))
    return found


def right_and_wrong(findings: Findings) -> Table:
    """Plausibility of right and of wrong predictions, mean over what was predicted."""
    found = {}
    for method in findings.methods:
        inside = findings.inside(method)
        right = np.where(findings.told & findings.right, inside, np.nan)
        wrong = np.where(findings.told & ~findings.right, inside, np.nan)
        figure = partial(clustered_mean, kinds=findings.predicted, speakers=findings.speakers)
        found[method] = {
            "right": figure(right),
            "wrong": figure(wrong),
            "difference": figure(right, minus=wrong),
        }
    return found


_TABLES = 200


def nulls(findings: Findings) -> Table:
    """What must show nothing: random against random; and how often other signs do as well."""
    rows = rightly(findings)
    drawn = findings.plausibility(findings.z(maps.OURS, "random"))
    one = drawn[:, 0] - over_draws(drawn[:, 1:])
    z, random = (findings.z(maps.OURS, part)[rows] for part in ("inside", "random"))
    weights, signs = findings.expected.weights[rows], findings.expected.signs[rows]
    labels = findings.predicted[rows]

    def above_random(signs: NDArray[np.float64]) -> float:
        chance = over_draws(plausibility(random, signs[:, None], weights[:, None]))
        found = plausibility(z, signs, weights) - chance
        known = np.isfinite(found)
        kinds = np.unique(labels[known])
        return float(np.mean([found[known & (labels == kind)].mean() for kind in kinds] or np.nan))

    generator, place = np.random.default_rng(0), np.unique(labels, return_inverse=True)[1]
    shape = (_TABLES, place.max(initial=0) + 1, len(findings.cues))
    turned = generator.choice([-1.0, 1.0], shape)
    found = np.array([above_random(signs * one[place]) for one in turned])
    low, high = np.quantile(found, [0.025, 0.975])
    speakers = len(np.unique(findings.speakers[rows]))
    dealt = Interval(float(found.mean()), float(low), float(high), int(rows.sum()), speakers)
    return {
        "random against random": {"above random": over(findings, one, rows)},
        "signs dealt out anew": {
            "above random": dealt,
            "share that reaches the true ones": f"{np.mean(found >= above_random(signs)):.3f}",
        },
    }
