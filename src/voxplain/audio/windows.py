"""Stretches of speech: 3-15 s pieces of a stream, cut in pauses, never holding more than 15 s."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.activity import CHUNK, SAMPLING_RATE
from voxplain.types import Audio

__all__ = ["LONGEST", "SPEECH_THRESHOLD", "USABLE", "speech_stretches"]

SPEECH_THRESHOLD = 0.3
"""Probability from which a 32 ms chunk counts as speech: shouted, crying and trembling voices stay
below the detector's usual 0.5, noise stays below 0.1."""
LONGEST = 15.0
"""Seconds; a recording no longer than this is one stretch."""
SHORTEST = 3.0
"""Seconds; only what is left over at the end of a long recording may be shorter."""
USABLE = 0.25
"""Seconds of speech below which there is nothing to judge."""

_PER_SECOND = SAMPLING_RATE / CHUNK
_SHORTEST = int(SHORTEST * _PER_SECOND)
_USABLE = int(np.ceil(USABLE * _PER_SECOND))
_MARGIN = int(0.2 * _PER_SECOND)  # kept on both sides: soft onsets and releases


def speech_stretches(
    chunks: Iterable[tuple[NDArray[np.float32], float]], *, source: str
) -> Iterator[tuple[float, Audio]]:
    """Group the judged chunks of a stream into stretches of speech.

    Yields ``(start in seconds, audio)``, trimmed to the speech plus 0.2 s on both sides. Once 15 s
    are held, the stretch is cut in the middle of its longest pause after the third second, or where
    speech is least certain if there is none.
    """
    held: list[NDArray[np.float32]] = []
    speech: list[float] = []
    first = 0  # index in the stream of the first held chunk

    for chunk, probability in chunks:
        if len(held) * CHUNK + len(chunk) > LONGEST * SAMPLING_RATE:
            cut = _cut(np.array(speech))
            yield from _stretch(held[:cut], speech[:cut], first, source)
            del held[:cut], speech[:cut]
            first += cut
        held.append(chunk)
        speech.append(probability)
        if (
            probability < SPEECH_THRESHOLD
            and len(held) > _MARGIN
            and max(speech) < SPEECH_THRESHOLD
        ):
            del held[0], speech[0]  # silence before the next speech
            first += 1
    yield from _stretch(held, speech, first, source)


def _cut(probability: NDArray[np.float64]) -> int:
    """Where to cut a full buffer: the middle of the longest pause, else the least speech."""
    quiet = probability[_SHORTEST:] < SPEECH_THRESHOLD
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    if len(edges):
        starts, ends = edges[::2], edges[1::2]
        longest = int(np.argmax(ends - starts))
        return _SHORTEST + int(starts[longest] + ends[longest] + 1) // 2
    return _SHORTEST + int(np.argmin(probability[_SHORTEST:]))


def _stretch(
    held: list[NDArray[np.float32]], speech: list[float], first: int, source: str
) -> Iterator[tuple[float, Audio]]:
    loud = np.flatnonzero(np.array(speech) >= SPEECH_THRESHOLD)
    if len(loud) < _USABLE:
        return
    low, high = max(0, int(loud[0]) - _MARGIN), int(loud[-1]) + 1 + _MARGIN
    waveform = np.concatenate(held[low:high])
    yield (first + low) * CHUNK / SAMPLING_RATE, Audio(waveform, SAMPLING_RATE, source)
