"""The figures of judged recordings, over the labels that model and corpus share and over all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ConfigError
from voxplain.training.assessment import tables
from voxplain.training.assessment.judging import Judged
from voxplain.training.corpora._reading import Utterance
from voxplain.training.metrics.uar import unweighted_average_recall
from voxplain.training.predictions import Predictions
from voxplain.training.statistics import Interval, confusion, speaker_interval

__all__ = [
    "View",
    "recall",
    "reliability",
    "risk",
    "shared_labels",
    "silence_missed",
    "view",
    "views",
]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The clips of which something is said, over some labels; n of them."""

    title: str
    labels: tuple[str, ...]
    table: Predictions
    silent: Judged
    """The clips with these labels of which nothing is said."""

    @property
    def truth(self) -> NDArray[np.int64]:
        """(n,) columns of the labels."""
        return np.array([self.labels.index(one) for one in self.table["emotion"].tolist()])

    @property
    def prediction(self) -> NDArray[np.int64]:
        """(n,) columns of the most probable labels."""
        return self.table.probabilities.argmax(1)

    @property
    def spoken(self) -> list[str]:
        """The labels that its clips have."""
        return [self.labels[column] for column in np.unique(self.truth).tolist()]

    @property
    def chance(self) -> float:
        """UAR of guessing."""
        return 1 / len(self.spoken)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(labels, labels) counts: a row for each true label."""
        truth, found = (self.table[one].tolist() for one in ("emotion", "prediction"))
        return confusion(truth, found, labels=self.labels)

    @property
    def uar(self) -> Interval:
        """With its interval."""
        clusters = self.table.clusters
        return speaker_interval(
            unweighted_average_recall, self.truth, self.prediction, speakers=clusters
        )


def shared_labels(labels: Sequence[str], utterances: Sequence[Utterance]) -> tuple[str, ...]:
    """Of a model's labels those that utterances have, in the order of the model.

    Raises ConfigError where there are fewer than two.
    """
    spoken = {one.emotion for one in utterances} - {""}
    shared = tuple(label for label in labels if label in spoken)
    if len(shared) < 2:
        raise ConfigError(
            f"what can be told ({', '.join(labels) or 'no emotion'}) and what the recordings are "
            f"labelled ({', '.join(sorted(spoken)) or 'nothing known'}) share {len(shared)} "
            "labels; two are needed"
        )
    return shared


def views(judged: Judged) -> list[View]:
    """Over the labels that model and corpus share, and over all of both where they differ.

    Over the shared ones, the most probable of these is the prediction, and clips with other labels
    take no part. Over all, the prediction is the most probable label of the model: a clip whose
    label it does not know can't be found. Raises ConfigError for fewer than two shared labels, and
    where nothing is said of any clip.
    """
    shared = shared_labels(judged.labels, judged.utterances)
    spoken = set(judged.emotions.tolist()) - {""}
    if set(shared) == spoken == set(judged.labels):
        return [view(judged, shared, f"{len(shared)} labels")]
    everything = (*judged.labels, *sorted(spoken - set(judged.labels)))
    return [
        view(judged, shared, f"{len(shared)} shared labels"),
        view(judged, everything, f"all labels, {len(spoken)} of the corpus"),
    ]


def view(judged: Judged, labels: tuple[str, ...], title: str) -> View:
    """The clips with some of the labels, and the most probable of these.

    Raises ConfigError where nothing is said of any.
    """
    named = np.isin(judged.emotions, labels)
    if not (named & judged.told).any():
        reasons = [one.reason for one in judged.judgements if one.reason]
        raise ConfigError(
            f"nothing is said of any of the recordings; the first: {(reasons or ['no label'])[0]}"
        )
    table = tables.over(tables.predictions(judged), labels)
    return View(title, labels, table, judged.some(named & ~judged.told))


def silence_missed(view: View) -> Interval:
    """UAR if clips of which nothing is said count as missed."""
    silent = [view.labels.index(one) for one in view.silent.emotions.tolist()]
    truth = np.concatenate([view.truth, np.array(silent, np.int64)])
    prediction = np.concatenate([view.prediction, np.full(len(silent), -1)])
    speakers = np.concatenate([view.table.clusters, view.silent.speakers])
    return speaker_interval(unweighted_average_recall, truth, prediction, speakers=speakers)


def recall(view: View) -> dict[str, Interval]:
    """Label -> share of its clips that are found."""
    found, truth, right = {}, view.truth, view.prediction == view.truth
    for column in np.unique(truth).tolist():
        own = truth == column
        clusters = view.table.clusters[own]
        found[view.labels[column]] = speaker_interval(
            _mean, right[own], right[own], speakers=clusters
        )
    return found


def _mean(_: NDArray[Any], values: NDArray[Any]) -> float:
    return float(np.mean(values))


def reliability(view: View, *, bins: int = 10) -> list[tuple[float, float, int]]:
    """Of each bin of confidence with clips in it: mean confidence, share right, clips."""
    confidence, right = view.table.probabilities.max(1), view.prediction == view.truth
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        (float(confidence[place == one].mean()), float(right[place == one].mean()), int(n))
        for one, n in zip(*np.unique(place, return_counts=True), strict=True)
    ]


def risk(view: View, *, points: int = 20) -> list[tuple[float, float]]:
    """(coverage, share of errors) if only the surest clips are judged."""
    order = np.argsort(-view.table.probabilities.max(1), kind="stable")
    wrong = (view.prediction != view.truth)[order]
    kept = np.unique(np.ceil(np.linspace(1 / points, 1, points) * len(wrong)).astype(int))
    return [(float(k / len(wrong)), float(wrong[:k].mean())) for k in kept]
