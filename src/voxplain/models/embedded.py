"""The embedded model: states of its encoder in, readings out, through ONNX Runtime alone."""

from __future__ import annotations

import functools
import hashlib
import io
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.backbones.embedded import EmbeddedBackbone, session
from voxplain.errors import ArtifactError, ChecksumMismatch, UnknownName, WeightsMissing
from voxplain.explainers import Forward
from voxplain.models.calibration import Calibration, log_odds
from voxplain.models.judgement import Readings
from voxplain.models.profile import Profile
from voxplain.types import Audio, Embedding

__all__ = ["ASSETS", "EmbeddedModel", "embedded_folder", "embedded_models"]

ASSETS = "assets/models"
"""Where the models of the package lie in it."""


def embedded_models() -> tuple[str, ...]:
    """Names of the models that lie in the package."""
    folder = files("voxplain") / ASSETS
    entries = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(entry.name for entry in entries if (entry / "card.json").is_file()))


def embedded_folder(name: str) -> Path:
    """Where a model of the package lies."""
    return Path(str(files("voxplain") / ASSETS / name))


class EmbeddedModel:
    """A model folder: ``encoder.onnx``, ``head.onnx``, ``usual.npy`` and ``card.json``.

    With a ``fold``, the head that never heard the speakers of that fold (``card["folds"]``): for
    figures on unseen speakers. One recording at a time on one thread, so that a result depends on
    neither the company a recording keeps nor the number of cores.
    """

    knows_speakers = True
    notes: tuple[str, ...] = ()

    def __init__(self, folder: Path, *, fold: int | None = None) -> None:
        """Raises WeightsMissing, ChecksumMismatch or, for a card that is none, ArtifactError."""
        place = "head.onnx" if fold is None else f"folds/head_{fold}.onnx"
        try:
            card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
            encoder, head, usual = (
                (folder / part).read_bytes() for part in ("encoder.onnx", place, "usual.npy")
            )
        except OSError as error:
            raise WeightsMissing(
                f"{folder} is no model folder: {error.filename} can't be read; "
                "reinstall voxplain or give a folder made by 'voxplain train'"
            ) from error
        except ValueError as error:  # neither JSON nor text
            raise ArtifactError(f"{folder / 'card.json'} is no card: {error}") from error
        try:
            self.name: str = card["name"]
            self.calibration = Calibration.of_card(card)
            promised = (card if fold is None else card["folds"][fold])["sha256"]
        except (KeyError, TypeError) as error:
            raise ArtifactError(f"{folder / 'card.json'} is no card: it lacks {error}") from error
        self.sha256 = hashlib.sha256(encoder + head + usual).hexdigest()
        if self.sha256 != promised:
            raise ChecksumMismatch(
                f"{folder} holds weights with SHA-256 {self.sha256[:12]}…, its card says "
                f"{promised[:12]}…; reinstall voxplain or train the model again"
            )
        self.card: Mapping[str, Any] = card
        self.backbone = EmbeddedBackbone(encoder, name=self.name)
        self._head = session(head)
        # A row without each fold, the last of everything.
        self._mean, self._deviation = np.load(io.BytesIO(usual))[:, -1 if fold is None else fold]
        told = self.calibration
        wanted = [len(told.labels), len(told.votes), 3, len(told.sounds)]
        found = [output.shape[-1] for output in self._head.get_outputs()]
        if found != wanted:
            raise ArtifactError(
                f"{folder / 'card.json'} names {wanted} labels, votes, dimensions and sounds, "
                f"its model has {found}"
            )

    @classmethod
    def load(cls, name: str) -> EmbeddedModel:
        """A model of the package by name, or of a folder by path; each is loaded once.

        Raises UnknownName, WeightsMissing or ChecksumMismatch.
        """
        return _load(name)

    def embed(self, audio: Audio) -> Embedding:
        """The encoder's states of 16 kHz sound."""
        return self.backbone.embed(audio)

    def read(self, embedding: Embedding, profile: Profile | None = None) -> Readings:
        """What the states say; given the speaker's profile, against how the speaker is otherwise.

        Without a profile it is exactly the model that knows no speaker.
        """
        known = profile or Profile.empty(embedding.frames.shape[1])
        given: dict[str, NDArray[np.floating]] = {
            "states": embedding.frames,
            "mean": known.mean,
            "square": known.square,
            "trust": np.array(known.trust),
        }
        found = self._head.run(None, {k: v.astype(np.float32)[None] for k, v in given.items()})
        categories, perceived, dimensions, sound = (output[0] for output in found)
        off = (embedding.frames.mean(0, dtype=np.float64) - self._mean) / self._deviation
        strangeness = np.mean(np.square(off))
        return Readings(
            categories, perceived, dimensions, sound, np.array(known.trust), strangeness
        )

    def hearing(self, audio: Audio, profile: Profile | None = None) -> Forward:
        """``log_odds``, which needs no sound."""
        return functools.partial(self.log_odds, profile=profile)

    def log_odds(
        self, spectrograms: NDArray[np.float32], profile: Profile | None = None
    ) -> NDArray[np.float64]:
        """What explainers look into: log-mel spectrograms (n, 80, frames) -> (n, labels).

        The log-odds of the calibrated probabilities of ``calibration.labels``.
        """
        found = []
        for spectrogram in spectrograms:
            readings = self.read(self.backbone.encode(spectrogram), profile)
            temperature = self.calibration.temperature_at(float(readings.trust))
            found.append(log_odds(readings.categories / temperature))
        return np.array(found)


@functools.cache
def _load(name: str) -> EmbeddedModel:
    if name in embedded_models():
        return EmbeddedModel(embedded_folder(name))
    if Path(name).is_dir():
        return EmbeddedModel(Path(name))
    raise UnknownName("model", name, embedded_models())
