"""Stretches of speech: 3-15 s pieces of a stream, cut in pauses, never holding more than 15 s."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.activity import CHUNK, SAMPLING_RATE
from voxplain.types import Audio

__all__ = ["LONGEST", "SPEECH_THRESHOLD", "USABLE", "Segmenter", "speech_stretches"]

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
    """Group the judged chunks of a stream into stretches of speech, see ``Segmenter``.

    Yields ``(start in seconds, audio)``.
    """
    segmenter = Segmenter(source=source)
    for chunk, probability in chunks:
        yield from segmenter.take(chunk, probability)
    yield from segmenter.stretch()


class Segmenter:
    """What is held of a stream until it makes a stretch of speech, never more than 15 s.

    Stretches are ``(start in seconds, audio)``, trimmed to the speech plus 0.2 s on both sides.
    Once 15 s are held, the stretch is cut in the middle of its longest pause after the third
    second, or where speech is least certain if there is none. It also ends after a ``pause`` (s,
    at least 0.4: the margins of two stretches), if one is given.
    """

    def __init__(self, *, source: str, pause: float = math.inf) -> None:
        self._source = source
        self._pause = pause * _PER_SECOND
        self._held: list[NDArray[np.float32]] = []
        self._speech: list[float] = []
        self._first = 0  # index in the stream of the first held chunk
        self._quiet = 0  # chunks since somebody spoke

    @property
    def start(self) -> float:
        """Seconds into the stream where what is held begins."""
        return self._first * CHUNK / SAMPLING_RATE

    @property
    def end(self) -> float:
        """Seconds into the stream where what is held ends."""
        return (self._first + len(self._held)) * CHUNK / SAMPLING_RATE

    def take(self, chunk: NDArray[np.float32], probability: float) -> Iterator[tuple[float, Audio]]:
        """The next chunk (512,), only the last may be shorter; yields the stretch it completes."""
        if len(self._held) * CHUNK + len(chunk) > LONGEST * SAMPLING_RATE:
            yield from self._leave(_cut(np.array(self._speech)))
        self._held.append(chunk)
        self._speech.append(probability)
        self._quiet = 0 if probability >= SPEECH_THRESHOLD else self._quiet + 1
        if self._quiet >= len(self._held) > _MARGIN:
            yield from self._leave(1)  # silence before the next speech
        elif len(self._held) > self._quiet >= self._pause:
            yield from self._leave(len(self._held) - _MARGIN)

    def skip(self, chunks: int) -> None:
        """Pass over chunks of silence while nobody speaks, as if they had been taken."""
        self._first += chunks

    def stretch(self, *, newest: float = math.inf) -> Iterator[tuple[float, Audio]]:
        """The stretch that is held, or its ``newest`` seconds; none without usable speech."""
        since = math.ceil(max(0.0, len(self._held) - newest * _PER_SECOND))
        yield from _stretch(
            self._held[since:], self._speech[since:], self._first + since, self._source
        )

    def _leave(self, cut: int) -> Iterator[tuple[float, Audio]]:
        """Let go of the chunks before a cut."""
        yield from _stretch(self._held[:cut], self._speech[:cut], self._first, self._source)
        del self._held[:cut], self._speech[:cut]
        self._first += cut


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
