"""Speech activity: where somebody speaks, as a probability every 32 ms (Silero VAD, MIT)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CHUNK", "SAMPLING_RATE", "Detector", "speech_probabilities"]

SAMPLING_RATE = 16_000
CHUNK = 512  # samples per decision: 32 ms at 16 kHz, fixed by the detector
_CONTEXT = 64  # samples before a chunk that the detector sees along with it
_STATE = (1, 1, 128)  # of its LSTM, hidden and cell


def speech_probabilities(
    blocks: Iterable[NDArray[np.float32]],
) -> Iterator[tuple[NDArray[np.float32], float]]:
    """Cut a stream of 16 kHz mono blocks into 32 ms chunks and judge each.

    Yields ``(chunk, probability)``; chunks are (512,), the last one may be shorter (it is judged
    as if silence followed). The detector carries its state along one stream and never across.
    """
    detector = Detector()
    for block in blocks:
        yield from detector.hear(block)
    yield from detector.end()


class Detector:
    """The detector on its way along one stream."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)
        self._hidden = self._cell = np.zeros(_STATE, np.float32)

    def hear(self, block: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.float32], float]]:
        """The chunks (512,) that the next block completes, each with its probability."""
        held = np.concatenate([self._rest, block])
        whole = held[: len(held) - len(held) % CHUNK].reshape(-1, CHUNK)
        self._rest = held[whole.size :]
        yield from zip(whole, self._judge(whole), strict=True)

    def end(self) -> Iterator[tuple[NDArray[np.float32], float]]:
        """What is left of the stream, judged as if silence followed."""
        if len(self._rest):
            padded = np.pad(self._rest, (0, CHUNK - len(self._rest)))
            yield self._rest, self._judge(padded[None])[0]

    def _judge(self, chunks: NDArray[np.float32]) -> list[float]:
        """Probability of speech in each of the next chunks (chunks, 512) of the stream."""
        if not len(chunks):
            return []
        contexts = np.concatenate([self._context[None], chunks[:-1, -_CONTEXT:]])
        self._context = chunks[-1, -_CONTEXT:]
        probabilities, self._hidden, self._cell = _session().run(
            ["speech_probs", "hn", "cn"],
            {"input": np.hstack([contexts, chunks]), "h": self._hidden, "c": self._cell},
        )
        found: list[float] = probabilities.ravel().tolist()
        return found


@functools.cache
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    weights = (files("voxplain") / "assets/speech_activity/model.onnx").read_bytes()
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
