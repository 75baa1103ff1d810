"""Checkpoints of Hugging Face transformers that came with a head for speech emotion.

A head that is not whole, or whose outputs are in an unknown order, gives numbers that look like any
others. So nothing is taken on trust here: every tensor must be there, every output must have a
name, and what a checkpoint leaves open is said in a ``voxplain.yaml`` beside it:

    labels: [neutral, happy, angry, sad]   # of the outputs, in their order
    scale: [1, 7]                          # of dimensions, where that is not 0 to 1
    temperature: 1.8                       # where the probabilities were calibrated
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
import transformers
from numpy.typing import NDArray
from torch import Tensor, nn

from voxplain.backbones import digest, read_config, read_preprocessor, weight_files
from voxplain.backbones._encoder import pretrained, quiet
from voxplain.config import load_recipe
from voxplain.errors import ArtifactError, ConfigError, HeadNotLoaded, UnknownName
from voxplain.labels import canonical
from voxplain.models.calibration import Calibration
from voxplain.models.formats import Card
from voxplain.models.formats._networks import DenseHead, Logits, LogMel, Normalised
from voxplain.models.judgement import DIMENSIONS
from voxplain.models.waveform import Outputs, WaveformModel

__all__ = ["CARD", "load"]

CARD = Card("a checkpoint of Hugging Face transformers with a head", extra="train")

SIDECAR = "voxplain.yaml"

_WAVEFORM = (
    "data2vec-audio", "hubert", "sew", "sew-d", "unispeech", "unispeech-sat", "wav2vec2",
    "wav2vec2-conformer", "wavlm",
)  # fmt: skip
"""Model types that read the waveform itself; Whisper reads its log-mel spectrogram."""

_LAST = ("classifier.out_proj", "classifier.output", "classifier")
"""Where the last layer of a head may stand; the first two follow ``classifier.dense``."""

# What a checkpoint may hold beside an encoder and its head: the heads of its pretraining, a
# decoder, and a vector for masking, which only training needs.
_LEFT_OVER = (
    "lm_head.", "quantizer.", "project_q.", "project_hid.", "decoder.", "model.decoder.",
    "proj_out.",
)  # fmt: skip
_MASK = "masked_spec_embed"


@dataclass(frozen=True, slots=True)
class Stated:
    """What the user says of a checkpoint, in ``voxplain.yaml``."""

    labels: tuple[str, ...] = ()
    """Of the outputs in their order: emotions, or valence, arousal and dominance."""
    scale: tuple[float, ...] = (0.0, 1.0)
    """The lowest and the highest value of the dimensions."""
    temperature: float | None = None
    """That makes the probabilities those of right answers, fitted on held-out speakers."""


def load(folder: Path) -> WaveformModel:
    """A checkpoint folder as from ``save_pretrained``.

    The head is that of transformers, or the regression head of audEERING and its copies.

    Raises HeadNotLoaded for a head that is not whole or whose outputs are not named for certain,
    WeightsMissing, ArtifactError (a pickle, code of its own, another sampling rate, a kind of model
    that can't be read) and ConfigError for its voxplain.yaml.
    """
    config, preprocessor = read_config(folder), read_preprocessor(folder)
    front, stated = _front(folder, config, preprocessor), _stated(folder)
    shapes = _shapes(folder)
    last = _last(folder, shapes)
    outputs = Outputs(_names(folder, config, stated), stated.scale)
    _check_outputs(folder, config, outputs, given=shapes[f"{last}.weight"][0])
    if "classifier.dense.weight" in shapes:
        head: nn.Module = _dense(folder, shapes, last)
    else:
        head = Logits(_classifier(folder, outputs))
    network = nn.Sequential(front, head).eval()
    name = _name(folder)

    def run(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            found: NDArray[np.float32] = network(torch.tensor(waveform)[None])[0].numpy()
        return found

    return WaveformModel(
        run,
        outputs,
        name=name,
        sha256=_digest(folder),
        calibration=Calibration.unfitted(outputs.labels, temperature=stated.temperature),
        notes=tuple(_notes(name, outputs, stated)),
        network=network,
    )


def _stated(folder: Path) -> Stated:
    """Raises ConfigError."""
    path = folder / SIDECAR
    if not path.is_file():
        return Stated()
    stated: Stated = load_recipe(path, {"": Stated})
    if len(stated.scale) != 2 or stated.scale[0] >= stated.scale[1]:
        raise ConfigError(f"{path}: scale must be [lowest, highest], not {list(stated.scale)}")
    if stated.temperature is not None and stated.temperature <= 0:
        raise ConfigError(f"{path}: temperature must be above 0, not {stated.temperature:g}")
    return stated


def _shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor. Raises ArtifactError for pickles, WeightsMissing."""
    pickles = sorted(path.name for path in folder.glob("*.bin"))
    if pickles and not any(folder.glob("*.safetensors")):
        raise ArtifactError(
            f"{folder} holds its weights in {pickles[0]}, a pickle, which can run code when it is "
            "opened; convert it tensor by tensor where you trust it (docs/models.md has the line: "
            "save_pretrained would lose a head that transformers doesn't know)"
        )
    found = {}
    for path in weight_files(folder):
        with safetensors.safe_open(path, "pt") as tensors:
            names = tensors.keys()
            found.update({name: tuple(tensors.get_slice(name).get_shape()) for name in names})
    return found


def _names(folder: Path, config: Mapping[str, Any], stated: Stated) -> tuple[str, ...]:
    """What each output is; empty for one that is no emotion (other, unknown)."""
    remedy = (
        f"find out what its outputs are, and say it in {folder / SIDECAR}, such as labels: "
        "[neutral, happy, angry, sad]"
    )
    place = folder / (SIDECAR if stated.labels else "config.json")
    raw = stated.labels or _configured(place, config, remedy)
    try:
        names = tuple(
            n if (n := one.strip().lower()) in DIMENSIONS else canonical(one) for one in raw
        )
    except UnknownName as error:
        raise HeadNotLoaded(
            f"{place} names an output that is not known: {error} {remedy}"
        ) from error
    told = [name for name in names if name]
    doubled = sorted({name for name in told if told.count(name) > 1})
    if doubled:
        raise HeadNotLoaded(f"{place}: {list(raw)} name {', '.join(doubled)} twice; {remedy}")
    some = [name for name in DIMENSIONS if name in told]
    if some and len(some) < len(DIMENSIONS):
        raise HeadNotLoaded(
            f"{place} names {' and '.join(some)}, but of valence, arousal and dominance all three "
            f"are needed; {remedy}"
        )
    if len(told) - len(some) == 1:
        raise HeadNotLoaded(f"{place} names the one label {told!r}, which is no choice; {remedy}")
    return names


def _configured(place: Path, config: Mapping[str, Any], remedy: str) -> tuple[str, ...]:
    """The labels of ``config.json``, if they are sure. Raises HeadNotLoaded."""
    named: Mapping[str, Any] = config.get("id2label") or {}
    if not named or any(str(label).upper().startswith("LABEL_") for label in named.values()):
        said = f"has the labels {list(named.values())}" if named else "has no id2label"
        raise HeadNotLoaded(f"{place} {said}: what the outputs are stays open; {remedy}")
    numbers = [str(number) for number in range(len(named))]
    if set(named) != set(numbers):
        raise HeadNotLoaded(f"{place} numbers its labels {list(named)}, not from 0; {remedy}")
    for label, number in (config.get("label2id") or {}).items():
        if named.get(str(number)) != label:
            raise HeadNotLoaded(
                f"{place} contradicts itself: output {number} is {named.get(str(number))!r} in "
                f"id2label and {label!r} in label2id; {remedy}"
            )
    return tuple(str(named[number]) for number in numbers)


def _last(folder: Path, shapes: Mapping[str, Any]) -> str:
    """The last layer of the head. Raises HeadNotLoaded."""
    for name in _LAST:
        if f"{name}.weight" in shapes:
            return name
    raise HeadNotLoaded(
        f"{folder} has no head: none of its {len(shapes)} tensors is a classifier.weight, and one "
        "drawn at random would give random results; it is an encoder, which 'voxplain train' gives "
        "a head"
    )


def _check_outputs(
    folder: Path, config: Mapping[str, Any], outputs: Outputs, *, given: int
) -> None:
    """Raises HeadNotLoaded or ArtifactError for outputs that are not as they are read."""
    if given != len(outputs.names):
        raise HeadNotLoaded(
            f"{folder} names {len(outputs.names)} outputs, but its head has {given}; say in "
            f"{folder / SIDECAR} what they are, as labels in their order"
        )
    if config.get("problem_type") == "multi_label_classification":
        raise ArtifactError(
            f"{folder / 'config.json'} says multi_label_classification: several labels at once, "
            "which are no probabilities of one; give a model that chooses among its labels"
        )
    if config.get("pooling_mode", "mean") != "mean":
        raise ArtifactError(
            f"{folder / 'config.json'} says pooling_mode {config['pooling_mode']!r}; only 'mean' "
            "over time is read"
        )


def _front(folder: Path, config: Mapping[str, Any], preprocessor: Mapping[str, Any]) -> nn.Module:
    """What stands between the waveform and the network. Raises ArtifactError."""
    kind = config["model_type"]
    if kind == "whisper":
        sizes = ("feature_size", "chunk_length", "n_fft", "hop_length")
        given = {size: preprocessor[size] for size in sizes if size in preprocessor}
        return LogMel(transformers.WhisperFeatureExtractor(**given))
    if kind not in _WAVEFORM:
        raise ArtifactError(
            f"{folder / 'config.json'} says model_type {kind!r}; heads are read on "
            f"{', '.join([*_WAVEFORM, 'whisper'])}"
        )
    return Normalised() if preprocessor.get("do_normalize", True) else nn.Identity()


def _classifier(folder: Path, outputs: Outputs) -> Any:
    """The network of transformers. Raises HeadNotLoaded for what it lacks or has too much of."""
    names = {number: name or f"output {number}" for number, name in enumerate(outputs.names)}
    local = {"local_files_only": True, "trust_remote_code": False}
    with quiet(transformers):
        try:
            network, told = transformers.AutoModelForAudioClassification.from_pretrained(
                folder,
                config=transformers.AutoConfig.from_pretrained(folder, id2label=names, **local),
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                **local,
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise HeadNotLoaded(
                f"{folder} can't be loaded: {reason}; take config.json and weights from the same "
                "checkpoint"
            ) from error
    _refuse_missing(folder, [name for name in told["missing_keys"] if not name.endswith(_MASK)])
    _refuse_extra(folder, told["unexpected_keys"])
    return network


def _dense(folder: Path, shapes: Mapping[str, Any], last: str) -> DenseHead:
    """The network with a dense layer in its head. Raises HeadNotLoaded, as above."""
    places = {
        f"{ours}.{part}": f"{theirs}.{part}"
        for ours, theirs in (("dense", "classifier.dense"), ("out", last))
        for part in ("weight", "bias")
    }
    _refuse_missing(folder, [name for name in places.values() if name not in shapes])
    encoder = pretrained(folder)
    inside = f"{encoder.base_model_prefix}."
    known = (*places.values(), inside)
    _refuse_extra(folder, [name for name in shapes if not name.startswith(known)])
    found: dict[str, Tensor] = {}
    for path in weight_files(folder):
        with safetensors.safe_open(path, "pt") as tensors:
            here = set(tensors.keys())
            found |= {o: tensors.get_tensor(t).float() for o, t in places.items() if t in here}
    return DenseHead(encoder, found)


def _refuse_missing(folder: Path, names: Collection[str]) -> None:
    if names:
        raise HeadNotLoaded(
            f"{folder} lacks {', '.join(sorted(names)[:6])}, which would be drawn at random, and "
            "its results with them; get all files of the checkpoint, or one with a whole head"
        )


def _refuse_extra(folder: Path, names: Collection[str]) -> None:
    extra = sorted(name for name in names if not name.startswith(_LEFT_OVER))
    if extra:
        raise HeadNotLoaded(
            f"{folder} holds {', '.join(extra[:6])}, for which the head that is known has no "
            "place: without them it would not compute what was trained, and no code of a "
            "checkpoint is run"
        )


def _name(folder: Path) -> str:
    """The hub id of what lies in the hub's cache (models--owner--name/snapshots/revision)."""
    if folder.parent.name == "snapshots":
        return folder.parent.parent.name.removeprefix("models--").replace("--", "/", 1)
    return folder.resolve().name


def _digest(folder: Path) -> str:
    sidecar = folder / SIDECAR
    if not sidecar.is_file():
        return digest(folder)
    return hashlib.sha256(digest(folder).encode() + sidecar.read_bytes()).hexdigest()


def _notes(name: str, outputs: Outputs, stated: Stated) -> Iterator[str]:
    """What every reader of a judgement must know."""
    if outputs.labels and stated.temperature is None:
        yield f"the probabilities of {name} are not calibrated: the verdict is the label on top"
    if "" in outputs.names:
        yield f"{name} has outputs that are no emotion; its probabilities are among the others"
    if "valence" in outputs.names:
        yield f"{name} gives dimensions without intervals: 0 to 1 stands for nothing known"
