"""The encoder that lies in the package: sound in, states out, through ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxplain.backbones.log_mel import FRAME_SHIFT, log_mel
from voxplain.types import Audio, Embedding

__all__ = ["STATE_SHIFT", "EmbeddedBackbone", "session"]

STATE_SHIFT = 4 * FRAME_SHIFT


class EmbeddedBackbone:
    """An ONNX encoder: a log-mel spectrogram (1, 80, frames) -> states (1, frames / 4, width)."""

    def __init__(self, weights: bytes, *, name: str) -> None:
        self.name = name
        self._session = session(weights)

    def embed(self, audio: Audio) -> Embedding:
        """A state every 40 ms of 16 kHz sound."""
        (states,) = self._session.run(None, {"log_mel": log_mel(audio.waveform)[None]})
        return Embedding(states[0].astype(np.float16), STATE_SHIFT, self.name)


def session(weights: bytes) -> Any:
    """An ONNX network on one thread: a result depends on neither company nor number of cores."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Weights are stored in 8 bits; this unpacks them once at load, and sums stay in float32.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
