"""What must be known of a whole stream, noted while it passes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.activity import CHUNK, SAMPLING_RATE, speech_probabilities
from voxplain.audio.windows import SPEECH_THRESHOLD, USABLE, speech_stretches
from voxplain.types import Audio, Segment, Track

__all__ = ["Listener"]

_CHUNK_SECONDS = CHUNK / SAMPLING_RATE
_FULL_SCALE = 0.999
_DENSE = 0.25


class Listener:
    """Length, clipping and speech activity of one stream of 16 kHz mono blocks."""

    def __init__(self) -> None:
        self._samples = 0
        self._clipped = 0
        self._probabilities: list[float] = []

    def hear(
        self, blocks: Iterable[NDArray[np.float32]]
    ) -> Iterator[tuple[NDArray[np.float32], float]]:
        """Judge the stream (see ``speech_probabilities``), noting what passes."""
        for chunk, probability in speech_probabilities(blocks):
            self._samples += len(chunk)
            self._clipped += int(np.count_nonzero(np.abs(chunk) >= _FULL_SCALE))
            self._probabilities.append(probability)
            yield chunk, probability

    def stretches(
        self,
        blocks: Iterable[NDArray[np.float32]],
        *,
        source: str,
        marked: Sequence[Segment] = (),
    ) -> Iterator[tuple[Segment, Audio]]:
        """The stretches of the stream that hold speech (see ``speech_stretches``).

        What somebody has ``marked`` is speech, whatever the detector says.
        """
        for start, audio in speech_stretches(self._told(blocks, marked), source=source):
            segment = Segment(start, start + audio.duration)
            if marked or self.holds_speech(segment):
                yield segment, audio

    def _told(
        self, blocks: Iterable[NDArray[np.float32]], marked: Sequence[Segment]
    ) -> Iterator[tuple[NDArray[np.float32], float]]:
        for number, (chunk, probability) in enumerate(self.hear(blocks)):
            start, end = number * _CHUNK_SECONDS, (number + 1) * _CHUNK_SECONDS
            told = any(segment.start < end and segment.end > start for segment in marked)
            yield chunk, 1.0 if told else probability

    @property
    def duration(self) -> float:
        """Seconds heard so far."""
        return self._samples / SAMPLING_RATE

    @property
    def speech_duration(self) -> float:
        """Seconds in which somebody spoke."""
        spoken = np.count_nonzero(np.array(self._probabilities) >= SPEECH_THRESHOLD)
        return float(min(spoken * _CHUNK_SECONDS, self.duration))

    def holds_speech(self, segment: Segment) -> bool:
        """Whether what the detector takes for speech in a segment can be speech.

        It must fill a quarter of the segment and last 0.25 s at once: notes of music pass for
        syllables here and there, words come together.
        """
        speech = self.activity(segment).values >= SPEECH_THRESHOLD
        edges = np.flatnonzero(np.diff(np.concatenate([[0], speech, [0]])))
        longest = (edges[1::2] - edges[::2]).max(initial=0) * _CHUNK_SECONDS
        return bool(longest >= USABLE and speech.mean() >= _DENSE)

    @property
    def clipped_share(self) -> float:
        """Share of the samples at full scale."""
        return self._clipped / max(1, self._samples)

    def activity(self, segment: Segment | None = None) -> Track:
        """Probability of speech every 32 ms, in a segment or in all that was heard."""
        first = round(segment.start / _CHUNK_SECONDS) if segment else 0
        last = round(segment.end / _CHUNK_SECONDS) if segment else None
        values = np.array(self._probabilities[first:last], np.float64)
        times = (first + 0.5 + np.arange(len(values), dtype=np.float64)) * _CHUNK_SECONDS
        return Track(times, values, "", np.zeros(len(values), bool))
