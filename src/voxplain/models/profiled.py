"""Models that read the states of an encoder, beside how those of the speaker usually lie."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voxplain.audio.log_mel import log_mel
from voxplain.explainers import Forward
from voxplain.models.calibration import Calibration, log_odds
from voxplain.models.experiment_network import ExperimentNetwork
from voxplain.models.heads import Heard, Known
from voxplain.models.judgement import Readings
from voxplain.models.msf import Texts
from voxplain.models.profile import Profile
from voxplain.models.resynthesis import changed
from voxplain.types import Audio, Embedding

__all__ = ["ProfiledModel", "readings"]


class ProfiledModel:
    """A model that compares a voice with how the speaker sounds otherwise."""

    def __init__(
        self,
        network: ExperimentNetwork,
        *,
        name: str,
        sha256: str,
        calibration: Calibration,
        notes: tuple[str, ...],
        knows_speakers: bool = True,
    ) -> None:
        """One that does not know speakers judges each stretch by itself, whoever speaks."""
        self.network = network
        self.name = name
        self.sha256 = sha256
        self.calibration = calibration
        self.notes = notes
        self.knows_speakers = knows_speakers

    def embed(self, audio: Audio) -> Embedding:
        """What the head sees of 16 kHz sound: (frames, layers x width)."""
        with torch.inference_mode():
            states, _ = self.network.hear([torch.tensor(audio.waveform)])
        frames = states[:, 0].transpose(0, 1).flatten(1).numpy()
        return Embedding(frames, audio.duration / len(frames), self.name)

    def read(self, embedding: Embedding, profile: Profile | None = None) -> Readings:
        """What the states say, beside those of a ``profile`` as far as it is to be trusted."""
        return readings(self.heard(embedding, profile), trust=self._known(profile).trust)

    def heard(
        self, embedding: Embedding, profile: Profile | None = None, texts: Texts | None = None
    ) -> Heard:
        """What the network says of a stretch; ``texts`` are for an ``MSFHead`` alone."""
        known, shape = self._known(profile), self._shape

        def tensor(values: NDArray[Any]) -> Tensor:
            return torch.tensor(values).float()

        mean, square = (tensor(one).reshape(1, *shape) for one in (known.mean, known.square))
        states = tensor(embedding.frames).reshape(-1, *shape).transpose(0, 1)[:, None]
        with torch.inference_mode():
            speaker = Known(mean, square, tensor(np.array([known.trust])))
            found: Heard = self.network(states=states, speaker=speaker, texts=texts)
        return found

    def hearing(self, audio: Audio, profile: Profile | None = None) -> Forward:
        """The change of each cell becomes a change of the sound (``resynthesis``)."""
        original = log_mel(audio.waveform)
        temperature = self.calibration.temperature_at(self._known(profile).trust)

        def outputs(spectrograms: NDArray[np.float32]) -> NDArray[np.float64]:
            sounds = (changed(audio.waveform, one - original) for one in spectrograms)
            heard = (Audio(sound, audio.sampling_rate, audio.source) for sound in sounds)
            read = [self.read(self.embed(one), profile).categories for one in heard]
            return log_odds(np.array(read) / temperature)

        return outputs

    @property
    def _shape(self) -> tuple[int, int]:
        """Layers (twice as many where mean and deviation count as such) and their width."""
        trunk = self.network.trunk
        assert trunk is not None, "who can be heard is listened to"
        depth, width = trunk.mean.shape
        return depth, width

    def _known(self, profile: Profile | None) -> Profile:
        if profile is None or not self.knows_speakers:
            return Profile.empty(math.prod(self._shape))
        return profile


def readings(heard: Heard, *, trust: float) -> Readings:
    """What a network without votes and other sounds says of one stretch."""
    return Readings(
        categories=heard.categories[0].numpy(),
        perceived=np.empty(0, np.float32),
        dimensions=np.repeat(heard.dimensions[0].numpy()[:, None], 3, 1),
        sound=np.empty(0, np.float32),
        trust=np.array(trust),
        strangeness=np.array(0.0),
    )
