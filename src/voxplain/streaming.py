"""Streaming: sound comes in piece by piece, what is heard goes out while somebody still speaks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.activity import CHUNK, SAMPLING_RATE, Detector
from voxplain.audio.read import check_finite
from voxplain.audio.windows import LONGEST, SPEECH_THRESHOLD, Segmenter
from voxplain.errors import AudioError, ConfigError, InputError
from voxplain.pipeline import DEFAULT_MODEL, Analyzer, load
from voxplain.types import Analysis, Audio, Final, Provisional, Segment, Track

__all__ = ["NEWEST", "PAUSE", "UPDATE", "Piece", "Stream", "stream"]

PAUSE = 0.7
"""Seconds in which nobody speaks after which an utterance has ended."""
UPDATE = 0.5
"""Seconds between provisional results."""
NEWEST = 3.0
"""Seconds at the end of an utterance that a provisional result is computed from: about as long as
the utterances that the shipped model learned from, and cheap however long somebody speaks."""

Piece = bytes | bytearray | memoryview | NDArray[np.int16] | NDArray[np.float32]
"""Bytes are signed 16-bit little-endian samples; arrays are (samples,)."""

_SOURCE = "<stream>"
_SHORTEST_PAUSE = 0.4  # s; the margins of two utterances lie in it
_LATEST = 1e9  # s, 30 years; a time of day since 1970 is later
_JITTER = SAMPLING_RATE // 1000  # samples; clocks are often rounded to milliseconds
_FILLED = round(LONGEST * SAMPLING_RATE)  # samples of silence that end whatever was said


def stream(
    *,
    model: str = DEFAULT_MODEL,
    reference_group: str = "adults",
    speaker: Sequence[Any] = (),
    sampling_rate: int = SAMPLING_RATE,
    pause: float = PAUSE,
) -> Stream:
    """Listen to live sound, 16 kHz mono, that is fed piece by piece; see ``load`` and ``Stream``.

    Raises what these raise.
    """
    analyzer = load(model, reference_group=reference_group, speaker=speaker)
    return Stream(analyzer, sampling_rate=sampling_rate, pause=pause)


class Stream:
    """One live stream of mono sound, for one thread; it can be dropped at any time.

    While somebody speaks, a Provisional comes every 0.5 s: how the newest 3 s of the utterance
    sound. After a ``pause`` (seconds), or where speech of 15 s is cut in its longest pause, the
    utterance has ended and a Final comes. Their emotions and numbers are those of
    ``Analyzer.analyze(pcm[start:end], 16000, explain=None)``, where start and end are theirs; for
    a Provisional nothing is measured. However the sound is cut into pieces, the results are the
    same. What is held never exceeds 15 s.
    """

    def __init__(
        self, analyzer: Analyzer, *, sampling_rate: int = SAMPLING_RATE, pause: float = PAUSE
    ) -> None:
        """Raises ConfigError for another rate than 16 kHz or a pause that makes no sense."""
        if sampling_rate != SAMPLING_RATE:
            raise ConfigError(
                f"a stream is heard at {SAMPLING_RATE} Hz, not {sampling_rate!r}; resample it "
                f"before, for example with: ffmpeg -i INPUT -ar {SAMPLING_RATE} -ac 1 -f s16le -"
            )
        if not _SHORTEST_PAUSE <= pause <= LONGEST:
            raise ConfigError(
                f"an utterance can end after a pause of {_SHORTEST_PAUSE} to {LONGEST:g} s, "
                f"not {pause}; {PAUSE} suits most talk"
            )
        self.utterances = 0
        """Final results so far."""
        self.late = 0
        """Pieces so far that came late or twice; what was known of them is left out."""
        self._analyzer = analyzer
        self._detector = Detector()
        self._segmenter = Segmenter(source=_SOURCE, pause=pause)
        self._samples = 0
        self._half = b""  # of a sample
        self._due = 0.0  # second of the next provisional result
        self._gaps: list[Segment] = []  # in or after what is held
        self._ended = False

    @property
    def duration(self) -> float:
        """Seconds of the stream so far, with what is missing."""
        return self._samples / SAMPLING_RATE

    def feed(self, pcm: Piece, *, at: float | None = None) -> list[Provisional | Final]:
        """The next piece, of any length; what came of it.

        With ``at``, the second of the stream at which the piece begins (to 1 ms, by the count of
        samples), what is missing before it becomes silence and is told in the warnings of the
        results, and what is known already is left out. Without it the piece follows the last one.

        Raises InputError for what is no sound of the right kind or after the end, AudioError for
        samples that are not finite or halves of samples, ConfigError for an ``at`` that is no time.
        Then nothing of the piece was taken, and the stream can go on.
        """
        self._check_open()
        if at is not None and not 0 <= at < _LATEST:
            raise ConfigError(f"a piece can't begin at {at} s; count from the start of the stream")
        samples = self._samples_of(pcm, at)
        return list(self._heard(samples) if at is None else self._placed(samples, at))

    def end(self) -> list[Provisional | Final]:
        """There is no more; the last utterance, if somebody was speaking.

        Raises InputError after the end.
        """
        self._check_open()
        self._ended = True
        results = [one for judged in self._detector.end() for one in self._taken(*judged)]
        return results + [self._final(*held) for held in self._segmenter.stretch()]

    def _check_open(self) -> None:
        if self._ended:
            raise InputError("the stream has ended; begin another")

    def _samples_of(self, pcm: Piece, at: float | None) -> NDArray[np.float32]:
        """Samples (samples,) at full scale 1; half a sample waits for the next bytes."""
        if isinstance(pcm, bytes | bytearray | memoryview):
            return self._decoded(bytes(pcm), at)
        is_array = isinstance(pcm, np.ndarray)
        if not is_array or pcm.dtype not in (np.int16, np.float32) or pcm.ndim != 1:
            seen = f" ({pcm.dtype}, shape {pcm.shape})" if is_array else ""
            raise InputError(
                f"{type(pcm).__name__}{seen} can't be streamed; give bytes of signed 16-bit "
                "little-endian samples, or an array (samples,) of int16 or float32, mono"
            )
        if self._half:
            raise AudioError("the last piece ended within a sample; give bytes that go on with it")
        samples = pcm.astype(np.float32)
        if pcm.dtype == np.int16:
            samples /= 2**15
        start = self.duration if at is None else at
        check_finite(samples, start=start, sampling_rate=SAMPLING_RATE, name=_SOURCE)
        return samples

    def _decoded(self, pcm: bytes, at: float | None) -> NDArray[np.float32]:
        if at is not None and (self._half or len(pcm) % 2):
            raise AudioError(
                f"a piece with a time must hold whole samples of 2 bytes; got {len(pcm)} bytes"
                + " after half a sample" * bool(self._half)
            )
        pcm = self._half + pcm
        whole = len(pcm) // 2 * 2
        self._half = pcm[whole:]
        samples = np.frombuffer(pcm[:whole], "<i2").astype(np.float32)
        samples /= 2**15
        return samples

    def _placed(self, samples: NDArray[np.float32], at: float) -> Iterator[Provisional | Final]:
        gap = round(at * SAMPLING_RATE) - self._samples
        if gap > _JITTER:
            yield from self._missing(gap)
        elif gap < -_JITTER:
            self.late += 1
            samples = samples[-gap:]
        yield from self._heard(samples)

    def _missing(self, gap: int) -> Iterator[Provisional | Final]:
        """Silence for samples that never came; beyond 15 s it is not even listened to."""
        start = self._segmenter.start
        self._gaps = [known for known in self._gaps if known.end > start]
        self._gaps.append(Segment(self.duration, self.duration + gap / SAMPLING_RATE))
        skipped = max(0, gap - _FILLED) // CHUNK
        yield from self._heard(np.zeros(gap - skipped * CHUNK, np.float32))
        self._segmenter.skip(skipped)
        self._samples += skipped * CHUNK

    def _heard(self, samples: NDArray[np.float32]) -> Iterator[Provisional | Final]:
        self._samples += len(samples)
        for chunk, probability in self._detector.hear(samples):
            yield from self._taken(chunk, probability)

    def _taken(
        self, chunk: NDArray[np.float32], probability: float
    ) -> Iterator[Provisional | Final]:
        for start, audio in self._segmenter.take(chunk, probability):
            yield self._final(start, audio)
        now = self._segmenter.end
        if probability >= SPEECH_THRESHOLD and now >= self._due:
            # Every 0.5 s on average, though chunks last 32 ms; anew after a pause.
            self._due = max(self._due, now - CHUNK / SAMPLING_RATE) + UPDATE
            for start, audio in self._segmenter.stretch(newest=NEWEST):
                yield self._provisional(start, audio)

    def _provisional(self, start: float, audio: Audio) -> Provisional:
        found = self._analyzer.analyze(audio.waveform, SAMPLING_RATE, explain=None, measure=False)
        end = start + audio.duration
        return Provisional(self.utterances, start, end, found.emotion, self._warnings(start, end))

    def _final(self, start: float, audio: Audio) -> Final:
        found = self._analyzer.analyze(audio.waveform, SAMPLING_RATE, explain=None)
        end = start + audio.duration
        number, self.utterances = self.utterances, self.utterances + 1
        return Final(number, start, end, _later(found, start), self._warnings(start, end))

    def _warnings(self, start: float, end: float) -> tuple[str, ...]:
        inside = (min(end, gap.end) - max(start, gap.start) for gap in self._gaps)
        missing = sum(seconds for seconds in inside if seconds > 0)
        return (f"{missing:.3f} s of it never came and are silence",) if missing else ()


def _later(analysis: Analysis, seconds: float) -> Analysis:
    """The analysis of an utterance that begins that much later in a stream."""

    def moved(tracks: Mapping[str, Track]) -> dict[str, Track]:
        return {
            name: dataclasses.replace(track, times=track.times + seconds)
            for name, track in tracks.items()
        }

    segments = tuple(
        dataclasses.replace(
            one,
            start=one.start + seconds,
            end=one.end + seconds,
            descriptors=dataclasses.replace(one.descriptors, tracks=moved(one.descriptors.tracks)),
        )
        for one in analysis.segments
    )
    whole = dataclasses.replace(analysis.descriptors, tracks=moved(analysis.descriptors.tracks))
    return dataclasses.replace(analysis, source=_SOURCE, segments=segments, descriptors=whole)
