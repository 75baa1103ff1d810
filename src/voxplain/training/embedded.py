"""The recipe of the embedded model, read from top to bottom: hear, fold, fit, calibrate, export."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from voxplain import __version__
from voxplain.audio.log_mel import BANDS
from voxplain.backbones.whisper import StateEncoder, WhisperEncoder
from voxplain.errors import ConfigError
from voxplain.models.calibration import Calibration
from voxplain.models.speech_network import SpeechHead, Spoken
from voxplain.training.conditions import Anything
from voxplain.training.examples import NOBODY, Examples, Moments, gather
from voxplain.training.export import export
from voxplain.training.hearing import hear, hear_sounds, read_corpora
from voxplain.training.held_out import KNOWN, Heard, Unseen, calibrate
from voxplain.training.loop import Schedule, fit
from voxplain.training.sounds import SOUNDS
from voxplain.training.splits import speaker_folds

__all__ = ["EmbeddedRecipe", "fit_head", "prepare", "train"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EmbeddedRecipe:
    """What ``recipes/embedded/*.yaml`` may say."""

    name: str
    corpora: tuple[str, ...]
    left_out: tuple[str, ...]
    """Speakers that are not trained on."""
    labels: tuple[str, ...]
    votes: tuple[str, ...]
    """What listeners could choose from."""
    layers: int
    """Encoder layers that are kept, from the bottom."""
    channels: int
    dropout: float
    copies: int
    """Of each utterance, gone through conditions at random, beside the one that was recorded."""
    sounds: int
    """Of each kind that is no single voice."""
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
    """Write a model folder: encoder.onnx, head.onnx, usual.npy, card.json and folds.

    ``roots`` corpus -> folder, ``encoder`` a Whisper checkpoint folder. The encoder stays as it is
    but for its upper layers, which are dropped. The head is fitted once without each fold
    (``folds/head_0.onnx`` ...), which gives the figures and the calibration, and once on
    everything, which is what ships.

    Raises CorpusNotFound, WeightsMissing or ConfigError.
    """
    place = out / "encoder.onnx"
    heard, examples = prepare(
        recipe, roots=roots, encoder=encoder, place=place, cache=cache, jobs=jobs
    )

    usual = out / "usual.npy"
    _write_usual(usual, examples, folds=recipe.folds)
    heads = []
    for fold in range(recipe.folds):
        head = out / f"folds/head_{fold}.onnx"
        _export(fit_head(recipe, examples.without(fold)), head)
        members = sorted(set(examples.speakers[examples.folds == fold]) - {NOBODY})
        heads.append({"speakers": members, "sha256": _sha256(place, head, usual)})
        log.info("fold %d of %d", fold + 1, recipe.folds)
    _export(fit_head(recipe, examples), out / "head.onnx")
    card = {
        "name": recipe.name,
        "version": __version__,
        "recipe": asdict(recipe),
        "sha256": _sha256(place, out / "head.onnx", usual),
        "folds": heads,
    }
    unfitted = Calibration(recipe.labels, recipe.votes, SOUNDS)
    _write(out, card, unfitted)
    unseen = Unseen(out)
    strangers, known = unseen.read(heard), unseen.read(heard, heard.profiles(KNOWN))
    _write(out, card, calibrate(strangers, known, heard.utterances, unfitted))


def prepare(
    recipe: EmbeddedRecipe,
    *,
    roots: dict[str, Path],
    encoder: Path,
    place: Path,
    cache: Path,
    jobs: int,
) -> tuple[Heard, Examples]:
    """Export the encoder to ``place`` and hear with it: the recordings, and all to learn from.

    Raises what ``train`` raises.
    """
    shortened = WhisperEncoder.from_folder(encoder, layers=recipe.layers)
    utterances = read_corpora(
        recipe.corpora, roots=roots, labels=recipe.labels, left_out=recipe.left_out
    )
    if recipe.votes and not any(utterance.ratings for utterance in utterances):
        raise ConfigError(
            f"recipe {recipe.name!r} learns votes of listeners, but no recording has any; give a "
            "--root that holds CREMA-D's tabulatedVotes.csv beside the clips, or 'votes: []'"
        )
    folds = speaker_folds([u.speaker for u in utterances], folds=recipe.folds, seed=recipe.seed)
    example = {"log_mel": torch.randn(1, BANDS, 300)}
    export(StateEncoder(shortened), place, inputs=example, outputs=["states"], frames_axis=2)
    hearing: dict[str, Any] = {"folds": folds, "encoder": place, "cache": cache, "jobs": jobs}
    conditions = [None, *(Anything(copy) for copy in range(1, recipe.copies + 1))]
    copies = [hear(utterances, condition=condition, **hearing) for condition in conditions]
    sounds = hear_sounds(utterances, each=recipe.sounds, **hearing)
    heard = Heard.of(utterances, copies[0])
    log.info("speech in %d of %d utterances", len(heard.states), len(utterances))
    examples = gather(
        utterances, copies, sounds, labels=recipe.labels, votes=recipe.votes, folds=folds
    )
    return heard, examples


def fit_head(recipe: EmbeddedRecipe, examples: Examples) -> SpeechHead:
    """A head that has learned from the examples."""
    spoken = Moments(examples.copies[:1]).of(np.flatnonzero(examples.speakers != NOBODY))
    torch.manual_seed(recipe.seed)
    head = SpeechHead(
        mean=torch.from_numpy(spoken.mean).float(),
        square=torch.from_numpy(spoken.square).float(),
        channels=recipe.channels,
        labels=len(recipe.labels),
        votes=len(recipe.votes),
        sounds=len(SOUNDS),
        dropout=recipe.dropout,
    )
    schedule = Schedule(
        epochs=recipe.epochs,
        batch=recipe.batch,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        mixup=recipe.mixup,
    )
    fit(head, examples, schedule, seed=recipe.seed)
    return head


def _export(head: SpeechHead, path: Path) -> None:
    width = len(head.mean)
    example = {
        "states": torch.randn(1, 75, width),
        "mean": torch.zeros(1, width),
        "square": torch.ones(1, width),
        "trust": torch.full((1,), 0.5),
    }
    export(head, path, inputs=example, outputs=Spoken._fields, frames_axis=1)


def _write_usual(path: Path, examples: Examples, *, folds: int) -> None:
    """Mean and deviation (2, folds + 1, width) of the recordings' mean states.

    A row without each fold, the last of everything.
    """
    spoken = examples.speakers != NOBODY
    means = np.array([states.mean(0, dtype=np.float64) for states in examples.copies[0]])
    rows = [means[spoken & (examples.folds != fold)] for fold in (*range(folds), None)]
    found = [[row.mean(0) for row in rows], [row.std(0) for row in rows]]
    np.save(path, np.array(found, np.float32))


def _sha256(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def _write(out: Path, card: Mapping[str, object], calibration: Calibration) -> None:
    text = json.dumps({**card, **asdict(calibration)}, indent=2) + "\n"
    (out / "card.json").write_text(text, encoding="utf-8")
