"""Does plausibility tell wrong predictions, beyond what confidence tells?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from voxplain.training.statistics import Interval
from voxplain.training.studies import maps
from voxplain.training.studies.findings import Findings
from voxplain.training.studies.outcomes import clustered_auroc, detected
from voxplain.training.studies.tables import PRIMARY, Table

__all__ = ["errors"]


def errors(findings: Findings) -> Table:
    """AUROC of detecting wrong predictions, by confidence and by the plausibility of each method.

    Over the clips of whose predicted label something is expected.
    """
    found = {}
    for method in findings.methods:
        inside = findings.inside(method)
        rows = findings.told & np.isfinite(inside)
        if method != maps.EVERY_BAND and len(set(findings.right[rows].tolist())) == 2:
            level = PRIMARY if method == maps.OURS else 0.95
            found[method] = _by_method(findings, inside, rows, level=level)
    if maps.OURS in found:
        found["null: plausibility dealt out anew"] = {"gain": _dealt_anew(findings)}
    return found


def _by_method(
    findings: Findings, inside: NDArray[np.float64], rows: NDArray[np.bool_], *, level: float
) -> dict[str, Interval]:
    wrong, confidence = ~findings.right, findings.log_odds.max(1)
    surely = _scores(findings, rows, confidence)
    scores = {
        "confidence": surely,
        "plausibility": _scores(findings, rows, inside),
        "both": _scores(findings, rows, confidence, inside),
    }
    figure = partial(clustered_auroc, wrong=wrong, speakers=findings.speakers)
    found = {name: figure(score) for name, score in scores.items()}
    return found | {"gain": figure(scores["both"], minus=surely, level=level)}


_DEALS = 20


def _dealt_anew(findings: Findings) -> Interval:
    """What is gained by the plausibility of other clips with the same prediction."""
    wrong, confidence = ~findings.right, findings.log_odds.max(1)
    inside, generator = findings.inside(maps.OURS), np.random.default_rng(0)
    known = findings.told & np.isfinite(inside)
    rows = np.flatnonzero(known)
    surely = _scores(findings, known, confidence)
    gains = []
    for _ in range(_DEALS):
        dealt = inside.copy()
        for label in np.unique(findings.predicted[rows]):
            own = rows[findings.predicted[rows] == label]
            dealt[own] = generator.permutation(inside[own])
        both = _scores(findings, known, confidence, dealt)
        gains.append(clustered_auroc(both, wrong, findings.speakers, minus=surely))
    low, high = np.quantile([gain.value for gain in gains], [0.025, 0.975])
    value = float(np.mean([gain.value for gain in gains]))
    return replace(gains[0], value=value, low=float(low), high=float(high))


def _scores(
    findings: Findings, rows: NDArray[np.bool_], *features: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) how wrong some rows look; NaN in the others."""
    found = np.full(len(rows), np.nan)
    given = np.stack(features, 1)[rows]
    found[rows] = detected(given, ~findings.right[rows], findings.speakers[rows])
    return found
