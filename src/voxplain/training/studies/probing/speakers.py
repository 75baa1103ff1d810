"""Emotion within speakers: does an embedding that tells speakers keep it, or is it disturbed?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import silhouette_samples
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from voxplain.errors import ConfigError
from voxplain.training.baselines import probe
from voxplain.training.statistics import Interval
from voxplain.training.studies.charts import dots
from voxplain.training.studies.outcomes import clustered_mean
from voxplain.training.studies.probing import probes
from voxplain.training.studies.probing.material import (
    Clips,
    Findings,
    Given,
    Material,
    check,
    drawn,
    pooled,
)
from voxplain.training.studies.roles.dissociation import scattered
from voxplain.training.studies.tables import Table

__all__ = ["SpeakersRecipe", "disturbed", "separable", "study"]

NEUTRAL = "neutral"
STATES, EMBEDDING = "states", "speaker embedding"
NULL = f"{EMBEDDING}, shuffled labels"
COLUMNS = ("within the speaker", "by others", "by others, speaker's mean taken off")
SHUFFLES = 20

Told = Callable[[NDArray[Any], NDArray[np.str_], NDArray[Any]], NDArray[np.str_]]
"""Points and their labels, and points (n,) -> labels (n,)."""


@dataclass(frozen=True, slots=True)
class SpeakersRecipe:
    """What a recipe of the kind ``probing_speakers`` may say."""

    material: Material
    layer: int


def study(recipe: SpeakersRecipe, given: Given) -> Findings:
    """Two tables for each corpus, and a chart. Raises ConfigError, WeightsMissing."""
    check(given, layers=[recipe.layer])
    corpora = drawn(recipe.material, given.roots)
    for corpus, clips in corpora.items():
        if NEUTRAL not in clips["emotion"]:
            raise ConfigError(f"{corpus} has no neutral clips, from which speakers are learned")
    tables: dict[str, Table] = {}
    rows: dict[str, list[Interval]] = {}
    for corpus, clips in corpora.items():
        states = pooled(clips, given)[recipe.layer]
        found = separable(states, clips)
        tables[f"{corpus}: emotion and speaker"] = found
        tables[f"{corpus}: speakers learned from neutral clips"] = disturbed(states, clips)
        rows |= {
            f"{corpus}: {column}": [found[view][column] for view in (STATES, EMBEDDING, NULL)]
            for column in COLUMNS
        }
    chart = dots(
        rows,
        title="Emotion by the nearest class mean (UAR)",
        series=(STATES, EMBEDDING, NULL),
        span=(0.0, 1.0),
        chance=0.0,
    )
    return Findings(tables, {"speakers.svg": chart})


def separable(states: NDArray[Any], clips: Clips) -> Table:
    """What states (n, width), and an embedding made of them to tell speakers, show of the emotion.

    The embedding is linear discriminant analysis of the speakers of the other folds. UAR by the
    nearest class mean: of the speaker's own clips of other sentences, or of other speakers' clips.
    Labels are shuffled within speakers twenty times: the mean, and where 95 % of them lie.
    """
    speakers, emotions = clips["speaker"], clips["emotion"]
    by_fold = {
        view: _spaces(states, clips, embed=view == EMBEDDING) for view in (STATES, EMBEDDING)
    }
    found = {
        view: _known(spaces, clips) | _separable(spaces, clips, emotions)
        for view, spaces in by_fold.items()
    }
    null = [
        _separable(by_fold[EMBEDDING], clips, probes.shuffled(emotions, speakers, seed=seed))
        for seed in range(SHUFFLES)
    ]
    found[NULL] = {name: scattered([one[name].value for one in null], speakers) for name in null[0]}
    return found


Spaces = Mapping[int, NDArray[Any]]
"""Fold -> all clips (n, dimensions) in the space of its training speakers."""


def _spaces(states: NDArray[Any], clips: Clips, *, embed: bool) -> Spaces:
    spaces = {}
    for fold in np.unique(clips.folds).tolist():
        train, steps = clips.folds != fold, [StandardScaler()]
        if embed:
            steps.append(LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto"))
        fitted = make_pipeline(*steps).fit(states[train], clips["speaker"][train])
        spaces[fold] = fitted.transform(states)
    return spaces


def _known(spaces: Spaces, clips: Clips) -> dict[str, Any]:
    """Whether speakers are told from the others of their fold, by clips of other sentences."""
    speakers, sentences = clips["speaker"], clips["sentence"]
    right, chance = np.zeros(len(speakers)), np.zeros(len(speakers))
    for fold, space in spaces.items():
        test = clips.folds == fold
        right[test] = _by_other_sentences(
            space[test], speakers[test], sentences[test], told=_nearest
        )
        chance[test] = 1 / len(np.unique(speakers[test]))
    everybody = np.full(len(speakers), "")
    return {
        "speaker": clustered_mean(right, everybody, speakers),
        "speaker, by chance": f"{chance.mean():.3f}",
    }


def _separable(spaces: Spaces, clips: Clips, emotions: NDArray[np.str_]) -> dict[str, Any]:
    speakers, sentences = clips["speaker"], clips["sentence"]
    within, across, apart = np.zeros((3, len(speakers)))
    silhouettes = np.full(len(speakers), np.nan)
    for fold, space in spaces.items():
        train, test = clips.folds != fold, clips.folds == fold
        for found, points in ((across, space), (apart, probes.centred(space, speakers))):
            found[test] = _nearest(points[train], emotions[train], points[test]) == emotions[test]
        for speaker in np.unique(speakers[test]):
            own = speakers == speaker
            within[own] = _by_other_sentences(
                space[own], emotions[own], sentences[own], told=_nearest
            )
            if 1 < len(np.unique(emotions[own])) < own.sum():
                silhouettes[own] = silhouette_samples(space[own], emotions[own])
    figures = (within, across, apart, silhouettes)
    return {
        name: clustered_mean(values, emotions, speakers)
        for name, values in zip((*COLUMNS, "silhouette"), figures, strict=True)
    }


def _by_other_sentences(
    points: NDArray[Any],
    labels: NDArray[Any],
    sentences: NDArray[np.str_],
    *,
    told: Told,
    usable: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """(n,) whether the label is told from the (usable) clips of other sentences."""
    right = np.zeros(len(labels), bool)
    for sentence in np.unique(sentences):
        here = sentences == sentence
        learned = ~here if usable is None else ~here & usable
        if len(np.unique(labels[learned])) > 1:
            right[here] = told(points[learned], labels[learned], points[here]) == labels[here]
    return right


def _nearest(
    points: NDArray[Any], labels: NDArray[np.str_], tested: NDArray[Any]
) -> NDArray[np.str_]:
    """The label with the nearest mean."""
    names = np.unique(labels)
    means = np.array([points[labels == name].mean(0) for name in names])
    return names[cdist(tested, means).argmin(1)]


def _probed(
    points: NDArray[Any], labels: NDArray[np.str_], tested: NDArray[Any]
) -> NDArray[np.str_]:
    found: NDArray[np.str_] = probe().fit(points, labels).predict(tested)
    return found


def disturbed(states: NDArray[Any], clips: Clips) -> Table:
    """How often speakers are known, by emotion, by a probe of their neutral clips.

    It learned from other sentences. With labels shuffled among a speaker's clips of a sentence,
    twenty times, it learned from as many clips of any emotion.
    """
    speakers, emotions = clips["speaker"], clips["emotion"]
    known = _disturbed(states, clips, emotions)
    # Shuffled over all sentences, a label would be the rarer among the others the more it is here.
    groups = np.char.add(np.char.add(speakers, " "), clips["sentence"])
    null = [
        _disturbed(states, clips, probes.shuffled(emotions, groups, seed=seed))
        for seed in range(SHUFFLES)
    ]
    return {
        name: {
            "known": figure,
            "shuffled labels": scattered([one[name].value for one in null], speakers),
        }
        for name, figure in known.items()
    }


def _disturbed(
    states: NDArray[Any], clips: Clips, emotions: NDArray[np.str_]
) -> dict[str, Interval]:
    speakers, neutral = clips["speaker"], emotions == NEUTRAL
    right = _by_other_sentences(states, speakers, clips["sentence"], told=_probed, usable=neutral)

    everybody = np.full(len(speakers), "")
    by_emotion = {
        emotion: np.where(emotions == emotion, right, np.nan)
        for emotion in np.unique(emotions).tolist()
    }
    found = {
        emotion: clustered_mean(own, everybody, speakers) for emotion, own in by_emotion.items()
    }
    found["neutral above the others"] = clustered_mean(
        by_emotion[NEUTRAL], everybody, speakers, minus=np.where(neutral, np.nan, right)
    )
    return found
