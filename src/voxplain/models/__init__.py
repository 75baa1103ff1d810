"""Models: from what is heard to what may be said.

``loading.load_model`` gives one by its name; ``formats/`` holds a file for each kind of folder
that a model may lie in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from voxplain.explainers import Forward
from voxplain.models.calibration import Calibration
from voxplain.models.judgement import Readings
from voxplain.models.profile import Profile
from voxplain.types import Audio, Descriptors, Embedding, SemanticFusion, Transcript

__all__ = ["Model", "ReadingModel", "Stretch"]

Stretch = tuple[float, Embedding, Profile | None]
"""Seconds of speech, what a model made of it, and what is known of the speaker."""


class Model(Protocol):
    """What the pipeline asks of a model, whatever it is made of."""

    name: str
    sha256: str
    """Of everything that its readings depend on."""
    calibration: Calibration
    knows_speakers: bool
    """Whether a profile of the speaker changes what it reads."""
    notes: tuple[str, ...]
    """What a reader of any of its judgements must know."""

    def embed(self, audio: Audio) -> Embedding:
        """What ``read`` needs of 16 kHz sound."""

    def read(self, embedding: Embedding, profile: Profile | None = None) -> Readings:
        """What that says, not yet calibrated; ``judgement.judge`` makes an Emotion of it."""

    def hearing(self, audio: Audio, profile: Profile | None = None) -> Forward:
        """What explainers look into: changed versions of the sound -> what the model makes of them.

        From log-mel spectrograms (n, 80, frames) of ``audio.log_mel`` with cells changed to the
        log-odds (n, labels) of the calibrated probabilities of ``calibration.labels``.
        """


@runtime_checkable
class ReadingModel(Model, Protocol):
    """A model that reads what is said, too; its judgement of the voice stays that of the voice."""

    def fuse(
        self, stretches: Sequence[Stretch], transcript: Transcript, found: Descriptors
    ) -> SemanticFusion | None:
        """What a recording sounds like with its words, and what each text does to that.

        ``transcript`` has the prominence of its words; ``found`` is of the recording, with tracks.
        None where there is nothing to read.
        """
