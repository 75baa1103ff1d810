"""What is heard in a clip, cues measured in parts of it, and how far they are from neutral."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxplain import descriptors
from voxplain.audio import read
from voxplain.audio.listening import Listener
from voxplain.training.corpora._reading import Utterance
from voxplain.training.studies.regions import frames_in
from voxplain.types import Audio, Segment, Track

__all__ = ["Neutral", "Recording", "cues_in", "drawn", "first_stretch", "record"]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A clip with speech in it."""

    audio: Audio
    """All of it."""
    stretch: Segment
    """Where its first stretch of speech lies."""
    tracks: Mapping[str, Track]
    """Of all its speech, and ``speech_activity``; times are those of the file."""
    conditions: Mapping[str, float]


_LEAST_SPEECH = 0.6
"""Seconds, below which five windows are all there is."""


def record(path: str) -> Recording | None:
    """Hear a clip; None where there is too little speech in it."""
    audio = read.read(path)
    listener = Listener()
    stretches = list(listener.stretches([audio.waveform], source=path))
    if not stretches or listener.speech_duration < _LEAST_SPEECH:
        return None
    parts = (descriptors.tracks(speech, start=segment.start) for segment, speech in stretches)
    tracks = {**descriptors.join(parts), "speech_activity": listener.activity()}
    return Recording(audio, stretches[0][0], tracks, descriptors.conditions_of(tracks))


def first_stretch(audio: Audio) -> Segment | None:
    """Where the first stretch of speech lies, if there is one."""
    stretches = Listener().stretches([audio.waveform], source=audio.source)
    return next((segment for segment, _ in stretches), None)


def cues_in(
    recording: Recording, regions: Sequence[Segment], names: Sequence[str]
) -> NDArray[np.float64]:
    """Descriptors (names,) over the frames inside of some regions together.

    Measured on the tracks of the whole clip; NaN where one is not reliable.
    """
    inside = {
        name: track if name == "speech_activity" else _frames(track, regions)
        for name, track in recording.tracks.items()
    }
    found = descriptors.functionals(inside, conditions=recording.conditions)
    return np.array([found[n].value if found[n].reliable else np.nan for n in names])


def _frames(track: Track, regions: Sequence[Segment]) -> Track:
    inside = frames_in(track.times, regions)
    return Track(track.times[inside], track.values[inside], track.unit, track.voiced[inside])


class Neutral:
    """The cues of neutral clips, which those of their speakers' other clips are held against."""

    def __init__(
        self, paths: NDArray[np.str_], speakers: NDArray[np.str_], cues: NDArray[np.float64]
    ) -> None:
        """``paths`` and ``speakers`` (n,), ``cues`` (n, cues)."""
        self._paths, self._speakers, self._cues = paths, speakers, cues
        squares, freedom = np.zeros(cues.shape[1]), np.zeros(cues.shape[1])
        for speaker in np.unique(speakers):
            own = cues[speakers == speaker]
            mean, known = _mean(own)
            squares += np.nansum((own - mean) ** 2, 0)
            freedom += np.maximum(known - 1, 0)
        variance = squares / np.where(freedom > 0, freedom, np.nan)
        self._deviation = np.sqrt(np.where(variance > 0, variance, np.nan))

    def z(self, values: NDArray[np.float64], *, speaker: str, path: str) -> NDArray[np.float64]:
        """How far values (..., cues) of a clip lie from the speaker's other neutral clips.

        In standard deviations within speakers, pooled; NaN with fewer than two clips.
        """
        mean, known = _mean(self._cues[(self._speakers == speaker) & (self._paths != path)])
        found: NDArray[np.float64] = (values - np.where(known > 1, mean, np.nan)) / self._deviation
        return found


def _mean(cues: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean (cues,) of what is known of (n, cues), and how many there are; of none 0."""
    known = np.isfinite(cues).sum(0)
    return np.nansum(cues, 0) / np.maximum(known, 1), known


def drawn(utterances: Sequence[Utterance], *, each: int, seed: int) -> list[Utterance]:
    """So many clips of each speaker and emotion, drawn at random, or all that there are."""
    generator = np.random.default_rng(seed)
    kinds = sorted({(one.speaker, one.emotion) for one in utterances})
    found = []
    for kind in kinds:
        own = [one for one in utterances if (one.speaker, one.emotion) == kind]
        rows = generator.permutation(len(own))[:each]
        found += [own[row] for row in sorted(rows.tolist())]
    return found
