"""What every trainable encoder offers: recordings in, the states of all its layers out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.backbones import digest, weight_files
from voxplain.errors import ArtifactError, TooShort, WeightsMissing
from voxplain.plugins import require

__all__ = [
    "SpeechEncoder",
    "configuration",
    "kept_layers",
    "load_weights",
    "padded",
    "pretrained",
    "quiet",
    "told",
]

SHORTEST = SAMPLING_RATE // 10
"""Samples of a recording."""


class SpeechEncoder(nn.Module, ABC):
    """Waveforms -> hidden states of all layers."""

    def __init__(self, folder: Path, *, width: int, depth: int, frame_shift: float) -> None:
        super().__init__()
        self.name = folder.name
        self.sha256 = digest(folder)
        """Of its configuration and all its weights."""
        self.width = width
        self.depth = depth
        """Number of states of a frame: the input of the first layer, and each layer's output."""
        self.frame_shift = frame_shift
        """Seconds."""

    def forward(self, waveforms: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """States (depth, batch, frames, width) and mask (batch, frames), True where real.

        ``waveforms`` are mono at 16 kHz, each (samples,) of any length from 0.1 s. Where a
        recording has ended, states are zero. Its company in the batch changes nothing but rounding.

        Raises TooShort.
        """
        for number, waveform in enumerate(waveforms):
            if waveform.ndim != 1 or len(waveform) < SHORTEST:
                raise TooShort(
                    f"recording {number} of the batch has the shape {tuple(waveform.shape)}; give "
                    f"mono sound (samples,) of at least {SHORTEST} samples, which are 0.1 s"
                )
        device = next(self.parameters()).device
        states, mask = self.encode([waveform.to(device) for waveform in waveforms])
        return states * mask[..., None], mask

    @abstractmethod
    def encode(self, waveforms: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """What ``forward`` gives, with anything where a recording has ended."""


def padded(parts: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """(frames, ...) of several recordings as (batch, frames, ...), and (batch, frames) mask."""
    if len(parts) == 1:  # nothing here depends on a length, so that it can be exported
        (alone,) = parts
        return alone[None], torch.ones_like(alone[None].flatten(2)[..., 0], dtype=torch.bool)
    lengths = torch.tensor([len(part) for part in parts], device=parts[0].device)
    together = nn.utils.rnn.pad_sequence(list(parts), batch_first=True)
    return together, torch.arange(together.shape[1], device=lengths.device) < lengths[:, None]


def kept_layers(there: int, wanted: int | None, folder: Path) -> int:
    """How many layers stay.

    Raises ArtifactError for more than there are.
    """
    if wanted is not None and not 1 <= wanted <= there:
        raise ArtifactError(f"{folder} has {there} layers; keep 1 to {there}, not {wanted}")
    return there if wanted is None else wanted


def load_weights(network: nn.Module, folder: Path, *, inside: str) -> None:
    """Fill a network of ours, in float32, with what a checkpoint has under the same names.

    There they may begin with anything up to ``inside``, e.g. "model.encoder." for "encoder.".

    Raises WeightsMissing, which names the first that is not there, or ArtifactError for one of
    another shape.
    """
    safetensors = require("safetensors", extra="train")
    wanted, found = network.state_dict(), {}
    for path in weight_files(folder):
        try:
            with safetensors.safe_open(path, framework="pt") as opened:
                for key in opened.keys():  # noqa: SIM118 (it is no mapping)
                    name = key.rpartition(inside)[2]
                    if name in wanted:
                        found[name] = opened.get_tensor(key).float()
        except (OSError, safetensors.SafetensorError) as error:
            raise WeightsMissing(f"{path} can't be read ({error}); copy it again") from error
    _refuse_missing(folder, wanted.keys() - found.keys())
    for name, tensor in found.items():
        _refuse_shape(folder, name, tensor.shape, wanted[name].shape)
    network.load_state_dict(found)


def configuration(folder: Path) -> Any:
    """What transformers makes of ``config.json``, without what is drawn at random in training.

    Masked frames and dropped layers are not the encoder's work, and checkpoints often lack the
    vector that masking needs.

    Raises ArtifactError.
    """
    transformers = require("transformers", extra="train")
    plain = {
        "mask_time_prob": 0.0,
        "mask_feature_prob": 0.0,
        "layerdrop": 0.0,
        "add_adapter": False,
    }
    with quiet(transformers), told(folder):
        return transformers.AutoConfig.from_pretrained(folder, **_LOCAL, **plain)


def pretrained(folder: Path, config: Any = None, **options: Any) -> Any:
    """The network of transformers in a checkpoint folder, in float32; what it lacks is an error.

    ``config`` is by default its ``configuration``, ``options`` are of ``from_pretrained``.

    Raises WeightsMissing, or ArtifactError for weights of other shapes or an unknown model.
    """
    transformers = require("transformers", extra="train")
    weight_files(folder)  # a pickle is refused before anything is opened
    with quiet(transformers), told(folder):
        network, found = transformers.AutoModel.from_pretrained(
            folder,
            config=config or configuration(folder),
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # told, and refused below
            **_LOCAL,
            **options,
        )
    _refuse_missing(folder, found["missing_keys"])
    for mismatch in sorted(found["mismatched_keys"]):
        _refuse_shape(folder, *mismatch)
    return network


_LOCAL = {"local_files_only": True, "trust_remote_code": False}


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """What a foreign checkpoint raises, which may be anything, as an error of ours."""
    safetensors = require("safetensors", extra="train")
    try:
        yield
    except safetensors.SafetensorError as error:
        raise WeightsMissing(f"{folder} can't be read ({error}); copy it again") from error
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise ArtifactError(
            f"{folder} can't be loaded: {reason}; give an audio encoder that transformers knows "
            "without code of its own"
        ) from error


def _refuse_missing(folder: Path, names: Collection[str]) -> None:
    if names:
        raise WeightsMissing(
            f"{folder} lacks {len(names)} weights of the encoder, first {min(names)!r}; give the "
            "whole checkpoint"
        )


def _refuse_shape(folder: Path, name: str, found: torch.Size, wanted: torch.Size) -> None:
    if found != wanted:
        raise ArtifactError(
            f"{folder}: the weight {name!r} has the shape {tuple(found)}, but config.json asks for "
            f"{tuple(wanted)}; take both from the same checkpoint"
        )


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """Without its report of what is left over and its progress bar: what matters is an error."""
    logs = transformers.utils.logging
    level, bar = logs.get_verbosity(), logs.is_progress_bar_enabled()
    logs.set_verbosity_error()
    logs.disable_progress_bar()
    try:
        yield
    finally:
        logs.set_verbosity(level)
        if bar:
            logs.enable_progress_bar()
