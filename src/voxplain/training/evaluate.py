"""The figures of an embedded model beside what it is held against, on speakers it never heard."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxplain.backbones.whisper import WhisperEncoder
from voxplain.errors import ConfigError, WeightsMissing
from voxplain.models.calibration import fit_temperature, softmax
from voxplain.models.embedded import EmbeddedModel
from voxplain.training import baselines
from voxplain.training.embedded import EmbeddedRecipe, encoder_states
from voxplain.training.hearing import Heard, hear, read_corpora
from voxplain.training.metrics import (
    Interval,
    accuracy,
    expected_calibration_error,
    speaker_interval,
    unweighted_average_recall,
)

__all__ = ["evaluate", "stored", "table"]

Result = dict[str, dict[str, Interval]]  # system -> metric -> figure


def evaluate(
    recipe: EmbeddedRecipe,
    *,
    model: Path,
    roots: dict[str, Path],
    encoder: Path,
    cache: Path,
    jobs: int,
) -> dict[str, Result]:
    """Figures per corpus: those of the recipe by held-out fold, any other corpus zero-shot.

    The folds are those of ``folds.npz`` in the model folder. Writes ``figures.json`` there.
    Raises WeightsMissing without it, ConfigError if it was made from other recordings.
    """
    utterances = read_corpora(
        recipe.corpora, roots=roots, labels=recipe.labels, left_out=recipe.left_out
    )
    heard = hear(utterances, cache=cache, jobs=jobs)
    folds, logits = _held_out_logits(model, heard)
    truth = np.array([recipe.labels.index(one.utterance.emotion) for one in heard])
    predictions = {
        "voxplain": logits.argmax(1),
        **_rivals(heard, truth, folds, encoder, recipe, cache, jobs),
    }
    calibrated = _cross_calibrated(truth, logits, folds)
    speakers = np.array([one.utterance.speaker for one in heard])
    figures: dict[str, Result] = {}
    for corpus in recipe.corpora:
        rows = np.array([one.utterance.corpus == corpus for one in heard])
        figures[corpus] = {
            system: _figures(truth[rows], found[rows], speakers[rows])
            for system, found in predictions.items()
        }
        figures[corpus]["voxplain"]["ECE"] = speaker_interval(
            expected_calibration_error, truth[rows], calibrated[rows], speakers=speakers[rows]
        )
    for corpus in sorted(roots.keys() - set(recipe.corpora)):
        figures[f"{corpus}, zero-shot"] = _zero_shot(
            model, corpus, recipe, roots=roots, cache=cache, jobs=jobs
        )
    plain = {
        corpus: {system: {m: asdict(i) for m, i in row.items()} for system, row in result.items()}
        for corpus, result in figures.items()
    }
    (model / "figures.json").write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    return figures


def table(figures: dict[str, Result]) -> str:
    """The figures as a Markdown table, with 95 % intervals clustered by speaker."""
    lines = ["| system | UAR | accuracy | ECE |", "|---|---|---|---|"]
    for corpus, result in figures.items():
        basis = result["voxplain"]["UAR"]
        lines.append(f"| **{corpus}** (n {basis.n}, {basis.speakers} speakers) | | | |")
        for system, row in result.items():
            lines.append(f"| {system} | {row['UAR']} | {row['accuracy']} | {row.get('ECE', '')} |")
    return "\n".join(lines)


def stored(model: Path) -> dict[str, Result]:
    """The figures that ``evaluate`` left in a model folder."""
    plain = json.loads((model / "figures.json").read_text(encoding="utf-8"))
    return {
        corpus: {
            system: {metric: Interval(**figure) for metric, figure in row.items()}
            for system, row in result.items()
        }
        for corpus, result in plain.items()
    }


def _held_out_logits(
    model: Path, heard: Sequence[Heard]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    try:
        stored = np.load(model / "folds.npz")
    except OSError as error:
        raise WeightsMissing(
            f"{model} holds no folds.npz; make it with 'voxplain train'"
        ) from error
    if stored["name"].tolist() != [one.utterance.path.name for one in heard]:
        raise ConfigError(
            f"{model / 'folds.npz'} was made from other recordings than the {len(heard)} under the "
            "given roots; train again"
        )
    return stored["fold"], stored["logits"]


def _rivals(
    heard: Sequence[Heard],
    truth: NDArray[np.int64],
    folds: NDArray[np.int64],
    encoder: Path,
    recipe: EmbeddedRecipe,
    cache: Path,
    jobs: int,
) -> dict[str, NDArray[np.int64]]:
    """Held-out predictions of every baseline on the same folds."""
    states = encoder_states(WhisperEncoder.from_folder(encoder, layers=recipe.layers), heard)
    pooled = np.array([np.r_[s.float().mean(0), s.float().std(0, correction=0)] for s in states])
    energy = baselines.energy([one.log_mel for one in heard])
    found = {
        "frozen encoder + logistic regression": (baselines.probe(), pooled),
        "energy only + SVM": (baselines.support_vectors(), energy),
        "majority": (baselines.majority(), energy),
    }
    if importlib.util.find_spec("opensmile"):
        paths = [one.utterance.path for one in heard]
        features = baselines.egemaps(paths, cache=cache, jobs=jobs)
        found["eGeMAPS + SVM"] = (baselines.support_vectors(), features)
    return {
        system: baselines.held_out(classifier, features, truth, folds)
        for system, (classifier, features) in found.items()
    }


def _figures(
    truth: NDArray[np.int64], prediction: NDArray[np.int64], speakers: NDArray[np.str_]
) -> dict[str, Interval]:
    return {
        "UAR": speaker_interval(unweighted_average_recall, truth, prediction, speakers=speakers),
        "accuracy": speaker_interval(accuracy, truth, prediction, speakers=speakers),
    }


def _cross_calibrated(
    truth: NDArray[np.int64], logits: NDArray[np.float32], folds: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Probabilities of each fold at the temperature that the other folds ask for."""
    found = np.empty(logits.shape)
    for fold in np.unique(folds):
        here = folds == fold
        temperature = fit_temperature(truth[~here], logits[~here])
        found[here] = softmax(logits[here], temperature=temperature)
    return found


def _zero_shot(
    model: Path,
    corpus: str,
    recipe: EmbeddedRecipe,
    *,
    roots: dict[str, Path],
    cache: Path,
    jobs: int,
) -> Result:
    """The shipped model on a corpus it never saw, over the labels they share."""
    heard = hear(read_corpora([corpus], roots=roots, labels=recipe.labels), cache=cache, jobs=jobs)
    embedded = EmbeddedModel(model)
    prediction = np.array([embedded.logits(one.log_mel).argmax() for one in heard])
    truth = np.array([recipe.labels.index(one.utterance.emotion) for one in heard])
    speakers = np.array([one.utterance.speaker for one in heard])
    return {"voxplain": _figures(truth, prediction, speakers)}
