"""The encoder that lies in the package: sound in, states out, through ONNX Runtime."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.log_mel import FRAME_SHIFT, log_mel
from voxplain.backbones import Card
from voxplain.errors import WeightsMissing
from voxplain.types import Audio, Embedding

__all__ = ["CARD", "LONGEST", "STATE_SHIFT", "EmbeddedBackbone", "load", "session"]

CARD = Card(
    title="the encoder of the package, through ONNX Runtime",
    licence="Apache-2.0; its weights are Whisper's: MIT",
    citation="Radford et al. 2022, Robust speech recognition via large-scale weak supervision, "
    "arXiv 2212.04356",
    extra="",
    model_types=(),
    trainable=False,
)

_STRIDE = 4  # frames of a state
STATE_SHIFT = _STRIDE * FRAME_SHIFT

LONGEST = 5.0
"""Seconds encoded at once. A state knows how far from the beginning it lies, and what was learned
from is hardly ever longer: a state of the tenth second is unlike any of them."""


def load(folder: Path) -> EmbeddedBackbone:
    """The encoder of a model folder, ``encoder.onnx``.

    Raises WeightsMissing.
    """
    path = folder / "encoder.onnx"
    if not path.is_file():
        raise WeightsMissing(
            f"{folder} has no encoder.onnx; give a folder made by 'voxplain train', or reinstall "
            "voxplain for its own"
        )
    return EmbeddedBackbone(path.read_bytes(), name=folder.name)


class EmbeddedBackbone:
    """An ONNX encoder: a log-mel spectrogram (1, 80, frames) -> states (1, frames / 4, width)."""

    def __init__(self, weights: bytes, *, name: str) -> None:
        self.name = name
        self._session = session(weights)

    def embed(self, audio: Audio) -> Embedding:
        """A state every 40 ms of 16 kHz sound."""
        return self.encode(log_mel(audio.waveform))

    def encode(self, spectrogram: NDArray[np.float32]) -> Embedding:
        """A state every 40 ms of a log-mel spectrogram (80, frames), by equal parts up to 5 s."""
        frames = spectrogram.shape[1]
        parts = math.ceil(frames * FRAME_SHIFT / LONGEST)
        inner = [frames * part // parts // _STRIDE * _STRIDE for part in range(1, parts)]
        states = [
            self._session.run(None, {"log_mel": spectrogram[None, :, start:end]})[0][0]
            for start, end in itertools.pairwise([0, *inner, frames])
        ]
        return Embedding(np.concatenate(states).astype(np.float16), STATE_SHIFT, self.name)


def session(weights: bytes) -> Any:
    """An ONNX network on one thread: a result depends on neither company nor number of cores."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Weights are stored in 8 bits; this unpacks them once at load, and sums stay in float32.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
