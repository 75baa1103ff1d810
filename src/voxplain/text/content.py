"""What a transcript tells: the stress of its words, their roles, and the emotion in them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.activity import SAMPLING_RATE
from voxplain.text import emotion, given
from voxplain.text.alignment import POCKETSPHINX, align
from voxplain.text.emphasis import prominence
from voxplain.text.roles import roles, weights
from voxplain.types import Audio, Role, Segment, TextEmotion, Track, Transcript

__all__ = ["LEAST_CONFIDENCE", "Aligned", "Recognised", "told"]

LEAST_CONFIDENCE = 0.5
"""Of a transcript, below which its words are left out of account."""


def told(
    transcript: Transcript, tracks: Mapping[str, Track]
) -> tuple[Transcript, tuple[Role, ...], TextEmotion]:
    """The transcript with stress and roles at its words, the roles, and what the words say.

    ``tracks`` are those of the recording. Of words that are not surely recognised, and of those
    that are hardly English, nothing is said but how they are spoken: no roles, and a TextEmotion
    that gives the reason.
    """
    words = prominence(transcript.words, tracks)
    sure = transcript.confidence >= LEAST_CONFIDENCE
    said = emotion.read(words) if sure else _unsure(transcript.confidence)
    if said.reason is not None:
        return dataclasses.replace(transcript, words=words), (), said
    chances = weights(transcript.text, spans=transcript.spans)
    words = tuple(
        dataclasses.replace(word, expressive=one.expressive)
        for word, one in zip(words, chances, strict=True)
    )
    return dataclasses.replace(transcript, words=words), roles(transcript.text), said


def _unsure(confidence: float) -> TextEmotion:
    reason = f"they are not surely what is said (confidence {confidence:.2f})"
    return TextEmotion({}, None, None, None, reason)


class Recognised:
    """What a transcriber hears in one stretch of speech after the other."""

    def __init__(self, transcriber: Callable[[Audio], Transcript]) -> None:
        self._transcriber = transcriber
        self._parts: list[Transcript] = []

    def hear(self, segment: Segment, audio: Audio) -> None:
        """A stretch of the recording."""
        self._parts.append(_moved(self._transcriber(audio), segment.start))

    def transcript(self, source: str) -> Transcript | None:
        """Of all that was heard."""
        parts = [part for part in self._parts if part.words]
        words = tuple(word for part in parts for word in part.words)
        if not words:
            return None
        languages = [part.language for part in parts]
        return Transcript(
            text=" ".join(part.text for part in parts),
            words=words,
            language=max(set(languages), key=languages.count),
            source=parts[0].source,
            confidence=float(np.mean([word.confidence for word in words])),
            warnings=tuple(dict.fromkeys(one for part in parts for one in part.warnings)),
        )


class Aligned:
    """A transcript that was given, laid over the whole recording once that has passed by."""

    def __init__(
        self,
        transcript: str | os.PathLike[str],
        *,
        language: str = "en",
        aligner: str | os.PathLike[str] = POCKETSPHINX,
    ) -> None:
        """``transcript`` is a text, or the path of a file; see ``given`` and ``align``.

        Raises TextError for a file that can't be read.
        """
        self._given = (
            given.read(Path(transcript))
            if isinstance(transcript, os.PathLike)
            else Transcript(transcript, (), "", "given", 1.0)
        )
        self._language = language
        self._aligner = aligner if aligner == POCKETSPHINX else Path(aligner)
        self._blocks: list[NDArray[np.float32]] = []

    def blocks(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """The sound, which is kept where words need to be found in it."""
        for block in blocks:
            if not self._given.words:
                self._blocks.append(block)
            yield block

    def hear(self, segment: Segment, audio: Audio) -> None:
        """Nothing is recognised."""

    def transcript(self, source: str) -> Transcript:
        """Raises TextError for a text that can't be what is said, and what ``align`` raises."""
        if self._given.words:
            return self._given
        audio = Audio(np.concatenate(self._blocks), SAMPLING_RATE, source)
        text, aligner = self._given.text, self._aligner
        found = align(audio, text, language=self._language, aligner=aligner)
        source = f"{self._given.source}, aligned by {found.source}"
        return dataclasses.replace(found, source=source)


def _moved(found: Transcript, seconds: float) -> Transcript:
    words = tuple(
        dataclasses.replace(word, start=word.start + seconds, end=word.end + seconds)
        for word in found.words
    )
    return dataclasses.replace(found, words=words)
