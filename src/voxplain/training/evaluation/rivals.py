"""What the baselines say of the same recordings, having learned from the same others."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.training import baselines
from voxplain.training.evaluation.material import Material
from voxplain.training.held_out import Heard

__all__ = ["carried_over", "held_out", "normalised_probe"]

_PROBE = "frozen encoder + logistic regression"


def held_out(material: Material, *, cache: Path, jobs: int) -> dict[str, NDArray[np.int64]]:
    """Name -> predictions (n,) for all that the model heard, on its folds."""
    features = _features(material.heard, cache=cache, jobs=jobs)
    return {
        name: baselines.held_out(classifier, rows, material.judged.truth, _folds(material))
        for name, (classifier, rows) in features.items()
    }


def carried_over(
    material: Material, other: Heard, *, cache: Path, jobs: int
) -> dict[str, NDArray[np.int64]]:
    """Name -> predictions for another corpus, learned from all that the model learned from."""
    learned = _features(material.heard, cache=cache, jobs=jobs)
    asked = _features(other, cache=cache, jobs=jobs)
    return {
        name: classifier.fit(rows, material.judged.truth).predict(asked[name][1])
        for name, (classifier, rows) in learned.items()
    }


def normalised_probe(material: Material) -> NDArray[np.int64]:
    """Held-out predictions of the probe when all the clips of a speaker are known.

    Its features are normalised by the speaker's own mean and standard deviation.
    """
    features, speakers = _pooled(material.heard.states), material.heard.speakers
    for speaker in np.unique(speakers):
        own = speakers == speaker
        spread = np.maximum(features[own].std(0), 1e-6)
        features[own] = (features[own] - features[own].mean(0)) / spread
    return baselines.held_out(baselines.probe(), features, material.judged.truth, _folds(material))


def _features(
    heard: Heard, *, cache: Path, jobs: int
) -> dict[str, tuple[Any, NDArray[np.float64]]]:
    """Name -> classifier, and its features (n, any)."""
    paths = [one.path for one in heard.utterances]
    energy = baselines.energy(paths, cache=cache, jobs=jobs)
    found = {
        _PROBE: (baselines.probe(), _pooled(heard.states)),
        "energy only + SVM": (baselines.support_vectors(), energy),
        "majority": (baselines.majority(), energy),
    }
    if importlib.util.find_spec("opensmile"):
        features = baselines.egemaps(paths, cache=cache, jobs=jobs)
        found["eGeMAPS + SVM"] = (baselines.support_vectors(), features)
    return found


def _pooled(states: Sequence[NDArray[np.float16]]) -> NDArray[np.float64]:
    exact = [one.astype(np.float32) for one in states]
    return np.array([np.r_[one.mean(0), one.std(0)] for one in exact], float)


def _folds(material: Material) -> NDArray[np.int64]:
    return np.array([material.unseen.fold(speaker) for speaker in material.heard.speakers])
