"""The two models under study, with one face: what each sees of a clip, and what it makes of it."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load, save_file

from voxplain.audio.log_mel import BANDS, FRAME_SHIFT, SAMPLING_RATE, log_mel
from voxplain.errors import ConfigError
from voxplain.explainers import Forward, Grid
from voxplain.models.calibration import log_odds
from voxplain.models.embedded import EmbeddedModel
from voxplain.models.saliency_cnn import SaliencyCNN
from voxplain.training import saliency
from voxplain.types import Audio, Segment

__all__ = ["Embedded", "Network", "Seen", "Subject", "shuffle", "subject"]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A clip as a model sees it."""

    inputs: NDArray[np.float32]
    """(bands, frames)"""
    grid: Grid
    sound: Segment
    """Where in the file the sound lies that is seen."""
    power: NDArray[np.floating]
    """(bands, frames) of the sound, in any unit."""
    forward: Forward
    """Inputs (n, bands, frames) -> log-odds (n, labels)."""
    logits: Forward
    """What the published methods look at; the log-odds where a model gives no more."""
    network: SaliencyCNN | None
    """What gradients can be taken of."""


class Subject(Protocol):
    """A model under study."""

    labels: tuple[str, ...]
    unseen: frozenset[str]
    """Speakers that it can be tried on, because it never heard them."""

    def see(self, audio: Audio, stretch: Segment, *, speaker: str) -> Seen:
        """What is given to the model that never heard the speaker, of a file and its speech."""
        ...


class Network:
    """The published network: 2 s from where the sound begins."""

    def __init__(self, folder: Path) -> None:
        """Raises WeightsMissing or ArtifactError."""
        self._network, self.labels = saliency.load_network(folder)
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        self.unseen = frozenset(card["recipe"]["test"])

    def see(self, audio: Audio, stretch: Segment, *, speaker: str) -> Seen:
        """The spectrogram, and where it lies in the file."""
        found = saliency.sounding(audio.waveform)
        end = min(found.end, found.start + saliency.SECONDS)
        inputs = saliency.spectrogram(_cut(audio.waveform, found))
        return Seen(
            inputs=inputs,
            grid=saliency.grid(found.start),
            sound=Segment(found.start, end),
            power=10 ** (inputs / 10.0),
            forward=lambda batch: log_odds(self.logits(batch)),
            logits=self.logits,
            network=self._network,
        )

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, labels) of spectrograms (n, bands, frames)."""
        batch = torch.from_numpy(np.ascontiguousarray(inputs))[:, None]
        return saliency.logits(self._network, batch)


class Embedded:
    """The model that ships: the first stretch of speech, by the head that never heard the voice."""

    def __init__(self, folder: Path) -> None:
        """Raises what EmbeddedModel raises."""
        card = EmbeddedModel(folder).card
        self._models = [EmbeddedModel(folder, fold=n) for n in range(len(card["folds"]))]
        self._fold = {name: n for n, fold in enumerate(card["folds"]) for name in fold["speakers"]}
        self.labels: tuple[str, ...] = tuple(card["labels"])
        self.unseen = frozenset(self._fold)

    def see(self, audio: Audio, stretch: Segment, *, speaker: str) -> Seen:
        """The spectrogram, and where it lies in the file."""
        inputs = log_mel(_cut(audio.waveform, stretch))
        forward = self._models[self._fold[speaker]].log_odds
        return Seen(
            inputs=inputs,
            grid=saliency.grid(stretch.start, bands=BANDS, frame_shift=FRAME_SHIFT),
            sound=stretch,
            power=10 ** (4.0 * inputs),  # it is (log10(power) + 4) / 4
            forward=forward,
            logits=forward,
            network=None,
        )


def _cut(waveform: NDArray[np.float32], segment: Segment) -> NDArray[np.float32]:
    return waveform[round(segment.start * SAMPLING_RATE) : round(segment.end * SAMPLING_RATE)]


_KINDS: dict[str, Callable[[Path], Subject]] = {"embedded": Embedded, "network": Network}


@functools.cache
def subject(kind: str, folder: Path) -> Subject:
    """A model under study, loaded once in each process. Raises ConfigError for another kind."""
    if kind not in _KINDS:
        raise ConfigError(f"the subject of a study is embedded or network, not {kind!r}")
    return _KINDS[kind](folder)


def shuffle(folder: Path, out: Path, *, seed: int) -> None:
    """Write a model folder again with the values of each weight tensor in random order.

    As many parameters with the same values, and nothing learned (Adebayo et al. 2018).
    """
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    generator = np.random.default_rng(seed)
    out.mkdir(parents=True, exist_ok=True)
    if (folder / "network.safetensors").is_file():
        tensors = load((folder / "network.safetensors").read_bytes())
        shuffled = {name: generator.permuted(t.ravel()) for name, t in sorted(tensors.items())}
        place = out / "network.safetensors"
        save_file({name: t.reshape(tensors[name].shape) for name, t in shuffled.items()}, place)
        card["sha256"] = _sha256(place)
    else:
        (out / "folds").mkdir(exist_ok=True)
        heads = [out / f"folds/head_{number}.onnx" for number in range(len(card["folds"]))]
        parts = [out / "encoder.onnx", out / "head.onnx", *heads]
        for part in parts:
            _shuffle_onnx(folder / part.relative_to(out), part, generator)
        usual = out / "usual.npy"
        usual.write_bytes((folder / "usual.npy").read_bytes())
        card["sha256"] = _sha256(out / "encoder.onnx", out / "head.onnx", usual)
        for fold, head in zip(card["folds"], heads, strict=True):
            fold["sha256"] = _sha256(out / "encoder.onnx", head, usual)
    (out / "card.json").write_text(json.dumps(card), encoding="utf-8")


def _shuffle_onnx(source: Path, place: Path, generator: np.random.Generator) -> None:
    import onnx

    model = onnx.load(source)
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.int64 and values.size > 1:  # the others are shapes and places
            mixed = generator.permuted(values.ravel()).reshape(values.shape)
            tensor.CopyFrom(onnx.numpy_helper.from_array(mixed, tensor.name))
    onnx.save(model, place)


def _sha256(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
