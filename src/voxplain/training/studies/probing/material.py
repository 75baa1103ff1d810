"""What is probed: the clips of a corpus in folds of speakers, and what an encoder makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from voxplain.audio.log_mel import log_mel
from voxplain.backbones import find_checkpoint, load, weight_files
from voxplain.backbones._encoder import SpeechEncoder
from voxplain.descriptors import inventory
from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.errors import ConfigError, UnknownName
from voxplain.labels import KNOWN
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.hearing import of_each, read_corpora
from voxplain.training.layers import layer_states
from voxplain.training.splits import speaker_folds
from voxplain.training.studies.tables import Table

__all__ = [
    "Clips",
    "Findings",
    "Given",
    "Material",
    "check",
    "drawn",
    "frames",
    "log_mels",
    "measured",
    "pooled",
    "unlearned",
]

Features = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Material:
    """The section ``material`` of a recipe."""

    corpora: tuple[str, ...]
    seed: int
    speakers: int | None = None
    """Of each corpus, drawn at random; all of them without it."""
    folds: int = 5


@dataclass(frozen=True, slots=True)
class Given:
    """What a study is run with; ``encoder`` is a folder that ``voxplain.backbones`` can load."""

    roots: Mapping[str, Path]
    encoder: Path
    cache: Path
    jobs: int
    out: Path


@dataclass(frozen=True, slots=True)
class Findings:
    """What a study has found."""

    tables: dict[str, Table]
    charts: dict[str, str]
    """File name -> SVG."""


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """The clips of one corpus."""

    utterances: tuple[Utterance, ...]
    folds: NDArray[np.int64]
    """(n,) in which the speaker is tested."""

    def __getitem__(self, name: str) -> NDArray[np.str_]:
        """(n,) a field of the utterances, such as ``emotion`` or ``speaker``."""
        return np.array([getattr(one, name) for one in self.utterances])

    def of(self, rows: NDArray[np.bool_]) -> Clips:
        """Some of the clips, in the same folds."""
        kept = tuple(one for one, row in zip(self.utterances, rows, strict=True) if row)
        return Clips(kept, self.folds[rows])


def drawn(material: Material, roots: Mapping[str, Path]) -> dict[str, Clips]:
    """The clips of each corpus, by the speakers that are drawn.

    Raises ConfigError where a corpus can't be probed without hearing who speaks: nobody knows it,
    there are fewer speakers than folds, or only some of them portray an emotion; CorpusNotFound.
    """
    found = {}
    for corpus in material.corpora:
        told = read_corpora([corpus], roots=roots, labels=KNOWN)
        for one in told:
            if not one.speaker:
                raise ConfigError(f"{one.path}: nobody knows who speaks; probes need the speaker")
        names = sorted({one.speaker for one in told})
        order = np.random.default_rng(material.seed).permutation(names)[: material.speakers]
        own = [one for one in told if one.speaker in set(order.tolist())]
        fold = speaker_folds(order.tolist(), folds=material.folds, seed=material.seed)
        clips = Clips(tuple(own), np.array([fold[one.speaker] for one in own]))
        _check(corpus, clips)
        found[corpus] = clips
    return found


def _check(corpus: str, clips: Clips) -> None:
    emotions = clips["emotion"]
    everywhere = [set(emotions[clips.folds != fold].tolist()) for fold in set(clips.folds.tolist())]
    for emotion in sorted(set(emotions.tolist())):
        if not all(emotion in learned for learned in everywhere):
            raise ConfigError(
                f"{corpus}: all who portray {emotion!r} are in one fold, so that nobody is left to "
                "learn it from; take more speakers, fewer folds or another seed"
            )
    if len(set(emotions.tolist())) < 2:
        raise ConfigError(f"{corpus} holds one emotion alone, so there is nothing to tell apart")


def check(
    given: Given, *, layers: Sequence[int] = (), descriptors: Sequence[str] = ()
) -> SpeechEncoder:
    """The encoder, once it is sure that it has the layers that a recipe names.

    Raises ConfigError for a layer that is not there, UnknownName for a descriptor, WeightsMissing.
    """
    for name in descriptors:
        if name not in inventory():
            raise UnknownName("descriptor", name, inventory())
    encoder = load(given.encoder)
    for layer in layers:
        if not 0 <= layer < encoder.depth:
            raise ConfigError(
                f"{encoder.name} has layers 0 to {encoder.depth - 1}, the recipe names {layer}"
            )
    return encoder


def pooled(clips: Clips, given: Given, *, encoder: Path | None = None) -> Features:
    """(layers, n, 2 x width): mean and deviation over the frames, by the encoder or another one."""
    rows = layer_states(
        clips.utterances,
        encoder=encoder or given.encoder,
        cache=given.cache,
        jobs=given.jobs,
        pooled=True,
    )
    states = np.stack(rows).astype(np.float32)
    return states.reshape(*states.shape[:2], -1).swapaxes(0, 1)


def frames(clips: Clips, given: Given, *, layer: int) -> list[NDArray[np.float16]]:
    """(frames, width) of each clip, one layer of the encoder."""
    rows = layer_states(
        clips.utterances,
        encoder=given.encoder,
        cache=given.cache,
        jobs=given.jobs,
        layers=[layer],
    )
    return [states[0] for states in rows]


def unlearned(encoder: Path, out: Path, *, seed: int) -> Path:
    """Write an encoder again with the values of each weight tensor in random order; gives ``out``.

    The same architecture, and nothing learned (Adebayo et al. 2018). Raises WeightsMissing.
    """
    folder = find_checkpoint(encoder)
    out.mkdir(parents=True, exist_ok=True)
    for place in folder.glob("*.json"):
        (out / place.name).write_bytes(place.read_bytes())
    generator = torch.Generator().manual_seed(seed)
    for place in weight_files(folder):
        tensors = {
            name: one.flatten()[torch.randperm(one.numel(), generator=generator)].view(one.shape)
            for name, one in sorted(load_file(place).items())
        }
        save_file(tensors, out / place.name, metadata={"format": "pt"})
    return out


def log_mels(clips: Clips, given: Given) -> Features:
    """(n, 160): mean and deviation of each log-mel band over the frames."""
    found = of_each(_log_mel, clips.utterances, cache=given.cache, jobs=given.jobs)
    return np.array(found, np.float32)


def _log_mel(utterance: Utterance) -> Features:
    bands = log_mel(sound(utterance).waveform)
    return np.concatenate([bands.mean(1), bands.std(1)])


def measured(clips: Clips, given: Given, *, names: Sequence[str]) -> NDArray[np.float64]:
    """(n, names) of our descriptors, NaN where one is not reliable."""
    found = of_each(_functionals, clips.utterances, cache=given.cache, jobs=given.jobs)
    return np.array([[one[name] for name in names] for one in found], np.float64)


def _functionals(utterance: Utterance) -> dict[str, float]:
    audio = sound(utterance)
    found = Measurement(audio.waveform, sampling_rate=audio.sampling_rate).functionals()
    return {name: one.value if one.reliable else np.nan for name, one in found.items()}
