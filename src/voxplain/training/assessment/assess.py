"""One model on one corpus: all that is found."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from voxplain.errors import ConfigError
from voxplain.training.assessment import figures, tables
from voxplain.training.assessment.figures import View
from voxplain.training.assessment.judging import Judge, Judged
from voxplain.training.assessment.recordings import Recordings
from voxplain.training.assessment.robustness import Curve, curves
from voxplain.training.assessment.slices import Slice, per_speaker, slices, traits
from voxplain.training.scoring import Score, scores
from voxplain.training.statistics import Interval

__all__ = ["Assessment", "assess", "plain"]

_NUMBER = re.compile(r"\d+([.,]\d+)?")


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """What was found of a model on a corpus."""

    judge: Judge
    recordings: Recordings
    judged: Judged
    heard: frozenset[str]
    """The speakers whom the model heard in training."""
    views: Sequence[View]
    recognition: Mapping[str, Mapping[str, Score]]
    """Title of the view -> metric -> score."""
    silence_missed: Mapping[str, Interval]
    """Title of the view -> UAR if clips of which nothing is said count as missed."""
    listeners: Mapping[str, Score]
    """Predicted shares of the listeners against their votes: metric -> score."""
    dimensions: Mapping[str, Score]
    basis: str
    """What the dimensions are held against."""
    slices: Sequence[Slice]
    curves: Mapping[str, Curve]
    """Kind of condition -> levels; nothing for babble where nobody else speaks."""

    @property
    def lost(self) -> frozenset[str]:
        """Those of them whom every head of the model heard."""
        return self.heard - self.judge.heads.spared.keys()

    @property
    def reasons(self) -> dict[str, int]:
        """Why no few labels are told -> of how many clips; without the numbers in it."""
        told = (one.reason for one in self.judged.judgements if one.reason)
        return dict(Counter(_NUMBER.sub("…", one.partition(":")[0]) for one in told).most_common())


def assess(
    judge: Judge,
    recordings: Recordings,
    *,
    conditions: Sequence[str] = (),
    sample: int = 120,
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[], None] = lambda: None,
) -> Assessment:
    """Judge every recording, and a sample of them through each of the conditions.

    ``progress`` is called for each recording that is judged. A model without labels is held against
    dimensions alone. Raises ConfigError, before anything is judged, where the model and the corpus
    share fewer than two labels, and for conditions without labels.
    """
    utterances = recordings.utterances
    shared = figures.shared_labels(judge.labels, utterances) if judge.labels else ()
    if conditions and not shared:
        raise ConfigError(
            f"{judge.name} gives no categories, by which conditions are judged; leave them out"
        )
    judged = judge.judge(utterances, jobs=jobs, progress=progress)
    views = figures.views(judged) if shared else []
    within = judged.some(judged.told & np.isin(judged.emotions, shared))
    voted = tables.listeners(judged)
    rated, basis = tables.dimensions(judged) or (None, "")
    return Assessment(
        judge=judge,
        recordings=recordings,
        judged=judged,
        heard=frozenset(map(judge.heads.known_as, utterances)) - {""},
        views=views,
        recognition={one.title: scores(one.table) for one in views},
        silence_missed={one.title: figures.silence_missed(one) for one in views},
        listeners=scores(voted) if voted else {},
        dimensions=scores(rated) if rated else {},
        basis=basis,
        slices=slices(views[0], traits(within, recordings)) if views else [],
        curves=curves(
            judge,
            conditions,
            judged,
            labels=shared,
            sample=sample,
            seed=seed,
            jobs=jobs,
            progress=progress,
        ),
    )


def plain(found: Assessment) -> dict[str, Any]:
    """All figures as JSON takes them."""
    judged = found.judged
    views = {
        one.title: {
            "labels": one.labels,
            "chance": one.chance,
            "figures": found.recognition[one.title],
            "UAR, silence missed": found.silence_missed[one.title],
            "recall": figures.recall(one),
            "confusion": one.confusion.tolist(),
            "reliability": figures.reliability(one),
            "risk and coverage": figures.risk(one),
        }
        for one in found.views
    }
    return _plain(
        {
            "model": {"name": found.judge.name, "sha256": found.judge.sha256},
            "corpus": found.recordings.name,
            "clips": len(judged.utterances),
            "speakers": len({one.speaker for one in judged.utterances}),
            "without a label": found.recordings.unnamed,
            "heard in training": sorted(found.heard),
            "heard by every head": sorted(found.lost),
            "said nothing": int(np.sum(~judged.told)),
            "reasons": found.reasons,
            "views": views,
            "listeners": found.listeners,
            "dimensions": {"against": found.basis, "figures": found.dimensions},
            "slices": [asdict(one) for one in found.slices],
            "speakers apart": per_speaker(found.views[0]) if found.views else {},
            "conditions": found.curves,
        }
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Score):
        return {**_plain(value.found.interval), "chance": _plain(value.chance)}
    if isinstance(value, Interval):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
