"""Models that hear a waveform and say in one pass how it sounds, whatever they are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.log_mel import log_mel
from voxplain.errors import ArtifactError
from voxplain.explainers import Forward
from voxplain.models.calibration import Calibration, log_odds
from voxplain.models.judgement import DIMENSIONS, Readings
from voxplain.models.profile import Profile
from voxplain.models.resynthesis import changed
from voxplain.types import Audio, Embedding

__all__ = ["Outputs", "Run", "WaveformModel"]

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""A waveform (samples,), 16 kHz -> outputs (outputs,)."""

_BEYOND = 0.5
"""How far outside its scale, in lengths of it, a value may lie before the scale is wrong."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the outputs of a network are: by name, never by position."""

    names: tuple[str, ...]
    """In their order: ``DIMENSIONS``, labels (their outputs are logits), empty for neither."""
    scale: tuple[float, ...] = (0.0, 1.0)
    """The lowest and the highest value of the dimensions."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels alone, in their order."""
        return tuple(name for name in self.names if name and name not in DIMENSIONS)


class WaveformModel:
    """A model that is read in one pass: its outputs are the one state that it has of a stretch.

    It judges each stretch by itself, whoever speaks, and hears no sounds but voices. ``network`` is
    the torch module behind it, waveforms (1, samples) -> (1, outputs), which ``voxplain export``
    writes to a file; None where there is none.
    """

    knows_speakers = False

    def __init__(
        self,
        run: Run,
        outputs: Outputs,
        *,
        name: str,
        sha256: str,
        calibration: Calibration,
        notes: tuple[str, ...] = (),
        network: Any = None,
    ) -> None:
        self.run = run
        self.outputs = outputs
        self.name = name
        self.sha256 = sha256
        self.calibration = calibration
        self.notes = notes
        self.network = network

    def embed(self, audio: Audio) -> Embedding:
        """The outputs (1, outputs) for 16 kHz sound, in float32."""
        frames: Any = self.run(audio.waveform)[None]  # nothing is trained on them
        return Embedding(frames, audio.duration, self.name)

    def read(self, embedding: Embedding, profile: Profile | None = None) -> Readings:
        """The outputs by name. Raises ArtifactError for dimensions that are not on their scale."""
        found = dict(zip(self.outputs.names, embedding.frames[0].tolist(), strict=True))
        low, high = self.outputs.scale
        values = [(found[n] - low) / (high - low) for n in DIMENSIONS if n in found]
        if any(not -_BEYOND <= value <= 1 + _BEYOND for value in values):
            raise ArtifactError(
                f"{self.name} gives {', '.join(f'{n} {found[n]:.2f}' for n in DIMENSIONS)}, which "
                f"can't be on a scale from {low:g} to {high:g}; say in its voxplain.yaml what the "
                "scale is, such as scale: [1, 7]"
            )
        return Readings(
            categories=np.array([found[label] for label in self.calibration.labels], np.float32),
            perceived=np.empty(0, np.float32),
            dimensions=np.array([[v, v, v] for v in values], np.float32).reshape(-1, 3),
            sound=np.empty(0, np.float32),
            trust=np.array(0.0),
            strangeness=np.array(0.0),
        )

    def hearing(self, audio: Audio, profile: Profile | None = None) -> Forward:
        """The change of each cell becomes a change of the sound (``resynthesis``)."""
        original = log_mel(audio.waveform)
        columns = [self.outputs.names.index(label) for label in self.calibration.labels]

        def outputs(spectrograms: NDArray[np.float32]) -> NDArray[np.float64]:
            sounds = (changed(audio.waveform, one - original) for one in spectrograms)
            logits = np.array([self.run(sound)[columns] for sound in sounds])
            return log_odds(logits / self.calibration.temperature)

        return outputs
