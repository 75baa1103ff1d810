"""Our own descriptors of one recording, read as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from voxplain import descriptors
from voxplain.audio import read
from voxplain.audio.activity import CHUNK, SAMPLING_RATE
from voxplain.audio.listening import Listener
from voxplain.descriptors import Settings
from voxplain.descriptors._levels import Reference
from voxplain.descriptors.backends._card import Card
from voxplain.errors import AudioError
from voxplain.types import Quantity, Segment, Track

__all__ = ["CARD", "Measurement", "reference"]

CARD = Card(
    title="voxplain",
    licence="Apache-2.0",
    citation="docs/descriptors.md",
    tracks=tuple(descriptors.units()),
    functionals=tuple(descriptors.inventory()),
)


class Measurement:
    """What is measured in a recording.

    Raises AudioError or TooShort, and ConfigError for an array without a sampling rate.
    """

    def __init__(
        self,
        source: Any,
        *,
        sampling_rate: int | None = None,
        settings: Settings = descriptors.DEFAULTS,
        marked: Sequence[Segment] = (),
    ) -> None:
        """``marked`` is what somebody says is speech: all of it is measured."""
        listener, stretches = Listener(), list[Segment]()
        heard = listener.stretches(
            read.blocks(source, sampling_rate=sampling_rate),
            source=read.source_name(source),
            marked=marked,
        )

        def parts() -> Iterator[dict[str, Track]]:
            for segment, audio in heard:
                stretches.append(segment)
                yield descriptors.tracks(audio, start=segment.start, settings=settings)

        joined = descriptors.join(parts())
        activity = listener.activity()
        self.duration = listener.duration
        """Seconds."""
        self.stretches = tuple(stretches)
        """Stretches of speech (3-15 s)."""
        self.tracks = {**joined, "speech_activity": _confirmed(activity, joined["f0_hz"], marked)}
        """Name -> Track, with ``speech_activity``."""
        self._conditions = descriptors.conditions_of(self.tracks)

    @property
    def heard(self) -> list[tuple[float, dict[str, Quantity]]]:
        """Seconds of each stretch of speech and what was measured in it."""
        return [(stretch.duration, self.functionals(within=stretch)) for stretch in self.stretches]

    def functionals(self, *, within: Segment | None = None) -> dict[str, Quantity]:
        """Name -> Quantity, of the whole recording or a part of it."""
        return descriptors.functionals(self.tracks, within=within, conditions=self._conditions)


def reference(group: str, speaker: Sequence[Any] = ()) -> Reference:
    """The norms of a group, drawn towards a speaker by recordings of their voice.

    Raises UnknownName for the group, AudioError for a recording, also for one without speech.
    """
    norms = Reference.of_group(group)
    if not speaker:
        return norms
    heard = []
    for recording in speaker:
        found = Measurement(recording).heard
        if not found:
            raise AudioError(
                f"no speech found in {read.source_name(recording)}, so the speaker stays unknown; "
                "give a recording in which the speaker talks"
            )
        heard += found
    return norms.of_speaker(heard, name=f"the speaker's own recordings, else {norms.name}")


def _confirmed(activity: Track, f0_hz: Track, marked: Sequence[Segment]) -> Track:
    """Speech activity in which a voice within what is marked counts as speech.

    The detector knows talk; sustained vowels, whose jitter a phonetician marks, are none to it.
    """
    values = activity.values.copy()
    for segment in marked:
        inside = f0_hz.voiced & (f0_hz.times >= segment.start) & (f0_hz.times < segment.end)
        values[(f0_hz.times[inside] * SAMPLING_RATE / CHUNK).astype(np.intp)] = 1.0
    return Track(activity.times, values, activity.unit, activity.voiced)
