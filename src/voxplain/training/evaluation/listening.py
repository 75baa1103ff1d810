"""Does it hear what listeners hear: their votes, and how aroused a voice sounds?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxplain.audio import read
from voxplain.models.calibration import softmax
from voxplain.models.judgement import DIMENSIONS
from voxplain.training import targets
from voxplain.training.conditions import Loudness
from voxplain.training.corpora._reading import Utterance
from voxplain.training.evaluation.material import Judged, Material, Section
from voxplain.training.hearing import of_each
from voxplain.training.metrics.ccc import concordance
from voxplain.training.metrics.entropy_correlation import entropy
from voxplain.training.metrics.jensen_shannon import jensen_shannon
from voxplain.training.statistics import Interval, speaker_interval

__all__ = ["arousal", "dimensions", "votes"]


def votes(judged: Judged, material: Material) -> Section:
    """The shares of the listeners' votes: predicted, those of other speakers, and as portrayed."""
    judged = judged.some(np.array([one.ratings is not None for one in judged.utterances]))
    labels = material.recipe.votes
    truth = targets.votes(judged.utterances, labels)
    mean = np.empty_like(truth)
    folds = np.array([material.unseen.fold(speaker) for speaker in judged.speakers])
    for fold in set(folds):
        mean[folds == fold] = truth[folds != fold].mean(0)
    portrayed = [material.recipe.labels.index(label) for label in labels]
    rows = {
        "voxplain, perceived": softmax(judged.readings.perceived),
        "voxplain, portrayed": judged.probabilities[:, portrayed],
        "mean vote of other speakers": mean,
    }
    return {name: _votes(truth, found, judged.speakers) for name, found in rows.items()}


def _votes(
    truth: NDArray[np.float64], found: NDArray[np.float64], speakers: NDArray[np.str_]
) -> dict[str, Interval]:
    figure = partial(speaker_interval, truth=truth, prediction=found, speakers=speakers)
    return {
        "Jensen-Shannon divergence (bits)": figure(lambda t, p: float(jensen_shannon(t, p).mean())),
        "r of the entropies": figure(lambda t, p: _correlation(entropy(t), entropy(p))),
        "most votes found": figure(lambda t, p: float(np.mean(t.argmax(1) == p.argmax(1)))),
    }


def dimensions(judged: Judged) -> Section:
    """Valence, arousal and dominance against the proxies, and their 90 % intervals."""
    truth = targets.dimensions(judged.utterances)
    found = {}
    for axis, name in enumerate(DIMENSIONS):
        figure = partial(
            speaker_interval,
            truth=truth[:, axis],
            prediction=judged.intervals[:, axis],
            speakers=judged.speakers,
        )
        found[name] = {
            "CCC": figure(lambda t, p: concordance(t, p[:, 1])),
            "inside the interval": figure(
                lambda t, p: float(np.mean((p[:, 0] <= t) & (t <= p[:, 2])))
            ),
            "width of the interval": figure(lambda t, p: float(np.mean(p[:, 2] - p[:, 0]))),
        }
    return found


def arousal(material: Material, *, cache: Path, jobs: int) -> Section:
    """RAVDESS: of takes alike but for the intensity, how often the strong one ranks higher.

    By arousal, by arousal when both are equally loud, and by the level alone; and without calm, for
    a stronger calm is no more aroused.
    """
    heard = material.corpus("ravdess")
    equal = material.hear(heard.utterances, Loudness(0.05))
    paths = [str(utterance.path) for utterance in heard.utterances]
    level = of_each(_level, paths, cache=cache, jobs=jobs)
    ranks = {
        "arousal": (heard, material.judge(heard).readings.dimensions[:, 1, 1]),
        "arousal, equally loud": (equal, material.judge(equal).readings.dimensions[:, 1, 1]),
        "level alone": (heard, np.array(level)),
    }
    return {
        name: {
            "pairs in order": _ordered(one.utterances, values),
            "without calm": _ordered(one.utterances, values, without="calm"),
        }
        for name, (one, values) in ranks.items()
    }


def _ordered(
    utterances: Sequence[Utterance], values: NDArray[np.floating], *, without: str = ""
) -> Interval:
    by_take: dict[tuple[str, ...], dict[str, float]] = {}
    for utterance, value in zip(utterances, values, strict=True):
        if utterance.emotion != without:
            parts = utterance.path.stem.split("-")  # the fourth part is the intensity
            by_take.setdefault((utterance.speaker, *parts[:3], *parts[4:]), {})[parts[3]] = value
    pairs = {take: found for take, found in by_take.items() if len(found) == 2}
    higher = np.array([found["02"] > found["01"] for found in pairs.values()])
    speakers = np.array([speaker for speaker, *_ in pairs])
    return speaker_interval(
        lambda _, right: float(np.mean(right)), higher, higher, speakers=speakers
    )


def _level(path: str) -> float:
    return float(np.sqrt(np.mean(np.square(read.read(path).waveform))))


def _correlation(truth: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    return float(np.corrcoef(truth, found)[0, 1])
