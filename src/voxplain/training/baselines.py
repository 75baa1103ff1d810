"""What every result is held against: majority, energy alone, eGeMAPS + SVM, a frozen probe.

All of them are trained and tested on the same folds. Each gives a prediction per utterance.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.audio import read
from voxplain.audio.log_mel import log_mel
from voxplain.plugins import require
from voxplain.training.hearing import of_each

__all__ = ["egemaps", "energy", "held_out", "majority", "probe", "support_vectors"]

Features = NDArray[np.float64]


def held_out(
    model: Any, features: Features, truth: NDArray[np.int64], folds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Predictions (n,) of a scikit-learn classifier for each fold, trained on the other folds."""
    from sklearn.base import clone

    prediction = np.empty_like(truth)
    for fold in np.unique(folds):
        here = folds == fold
        fitted = clone(model).fit(features[~here], truth[~here])
        prediction[here] = fitted.predict(features[here])
    return prediction


def majority() -> Any:
    """Always the most frequent emotion of the training folds."""
    return require("sklearn.dummy", extra="train").DummyClassifier()


def probe() -> Any:
    """Multinomial logistic regression on standardised features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))


def support_vectors() -> Any:
    """RBF support vector machine on standardised features, classes weighted equally."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return make_pipeline(StandardScaler(), SVC(class_weight="balanced"))


def energy(paths: Sequence[Path], *, cache: Path, jobs: int) -> Features:
    """(n, 2): mean and standard deviation over frames of the log-mel energy."""
    return np.array(of_each(_energy, [str(path) for path in paths], cache=cache, jobs=jobs))


def _energy(path: str) -> Features:
    frames = log_mel(read.read(path).waveform).mean(0)
    return np.array([frames.mean(), frames.std()], float)


def egemaps(paths: Sequence[Path], *, cache: Path, jobs: int) -> Features:
    """(n, 88): openSMILE's eGeMAPSv02 functionals. Raises MissingExtra."""
    require("opensmile", extra="opensmile")
    return np.array(of_each(_egemaps, [str(path) for path in paths], cache=cache, jobs=jobs), float)


def _egemaps(path: str) -> Features:
    audio = read.read(path)
    features: Features = _smile().process_signal(audio.waveform, audio.sampling_rate).to_numpy()[0]
    return features


@functools.cache
def _smile() -> Any:
    import opensmile

    return opensmile.Smile(feature_set=opensmile.FeatureSet.eGeMAPSv02)
