"""The recipe of the embedded model, read from top to bottom: hear, fold, fit, calibrate, export."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voxplain import __version__
from voxplain.backbones.whisper import WhisperEncoder
from voxplain.models.calibration import fit_temperature
from voxplain.models.speech_network import AttentiveHead, SpeechNetwork, encode
from voxplain.training.export import export
from voxplain.training.hearing import Heard, hear, read_corpora
from voxplain.training.loop import Schedule, fit, predict
from voxplain.training.metrics import unweighted_average_recall
from voxplain.training.splits import speaker_folds

__all__ = ["EmbeddedRecipe", "encoder_states", "train"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EmbeddedRecipe:
    """What ``recipes/embedded/*.yaml`` may say."""

    name: str
    corpora: tuple[str, ...]
    left_out: tuple[str, ...]
    """Speakers that are not trained on."""
    labels: tuple[str, ...]
    layers: int
    """Encoder layers that are kept, from the bottom."""
    channels: int
    dropout: float
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    mixup: float
    folds: int
    seed: int


def train(
    recipe: EmbeddedRecipe,
    *,
    roots: dict[str, Path],
    encoder: Path,
    out: Path,
    cache: Path,
    jobs: int,
) -> None:
    """Write a model folder (``model.onnx``, ``card.json``) and ``folds.npz``, its held-out logits.

    ``roots`` corpus -> folder, ``encoder`` a Whisper checkpoint folder. The encoder stays as it is
    but for its upper layers, which are dropped; the head is fitted once without each fold, which
    gives the figures and the temperature, and once on everything, which is what ships.

    Raises CorpusNotFound, WeightsMissing or ConfigError.
    """
    shortened = WhisperEncoder.from_folder(encoder, layers=recipe.layers).eval()
    utterances = read_corpora(
        recipe.corpora, roots=roots, labels=recipe.labels, left_out=recipe.left_out
    )
    heard = hear(utterances, cache=cache, jobs=jobs)
    log.info("%d utterances; no speech in %d more", len(heard), len(utterances) - len(heard))
    states = encoder_states(shortened, heard)
    truth = torch.tensor([recipe.labels.index(one.utterance.emotion) for one in heard])
    speakers = [one.utterance.speaker for one in heard]
    fold_of = speaker_folds(speakers, folds=recipe.folds, seed=recipe.seed)
    folds = np.array([fold_of[speaker] for speaker in speakers])

    logits = torch.zeros(len(heard), len(recipe.labels))
    for fold in range(recipe.folds):
        here = folds == fold
        head = _fit(recipe, states, truth, ~here)
        logits[here] = predict(head, [states[row] for row in np.flatnonzero(here)])
        found = unweighted_average_recall(truth[here], logits[here].argmax(1))
        log.info("fold %d: UAR %.3f on %d utterances", fold, found, here.sum())
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out / "folds.npz",
        name=[one.utterance.path.name for one in heard],
        fold=folds,
        logits=logits.numpy(),
    )
    head = _fit(recipe, states, truth, np.ones(len(heard), bool))
    card = {
        "name": recipe.name,
        "version": __version__,
        "labels": recipe.labels,
        "temperature": fit_temperature(truth, logits),
        "recipe": asdict(recipe),
    }
    export(SpeechNetwork(shortened, head), out, card)


def encoder_states(encoder: WhisperEncoder, heard: Sequence[Heard]) -> list[Tensor]:
    """(frames, width) of each utterance, in half precision."""
    with torch.inference_mode():
        return [
            encode(encoder, torch.from_numpy(one.log_mel.astype(np.float32))[None])[0].half()
            for one in heard
        ]


def _fit(
    recipe: EmbeddedRecipe, states: Sequence[Tensor], truth: Tensor, rows: NDArray[np.bool_]
) -> AttentiveHead:
    torch.manual_seed(recipe.seed)
    head = AttentiveHead(
        states[0].shape[1],
        channels=recipe.channels,
        classes=len(recipe.labels),
        dropout=recipe.dropout,
    )
    schedule = Schedule(
        epochs=recipe.epochs,
        batch=recipe.batch,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        mixup=recipe.mixup,
    )
    chosen = np.flatnonzero(rows).tolist()
    fit(head, [states[row] for row in chosen], truth[chosen], schedule, seed=recipe.seed)
    return head
