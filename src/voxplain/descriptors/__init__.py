"""Descriptors: how something is said, in numbers with units. One family per file.

``tracks`` measures a stretch of speech every 10 ms, ``join`` puts the stretches of a recording
together, and ``functionals`` sums them up once the caller has added ``speech_activity``::

    parts = [tracks(audio, start=start) for start, audio in stretches]
    summary = functionals({**join(parts), "speech_activity": activity})
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import TopologicalSorter
from types import ModuleType

import numpy as np

from voxplain import plugins
from voxplain.descriptors._frames import Frames
from voxplain.types import Audio, Quantity, Track

__all__ = ["functionals", "join", "titles", "tracks"]


def tracks(audio: Audio, *, start: float = 0.0) -> dict[str, Track]:
    """Every track of a stretch of speech (16 kHz mono), every 10 ms.

    ``start`` is where the stretch begins in the recording, in seconds; times refer to the latter.
    """
    frames, known = Frames(audio), dict[str, Track]()
    for family in _families():
        known |= family.tracks(frames, known)
    times = frames.times + start  # one grid, shared by every track: hours of them must fit
    return {name: replace(track, times=times) for name, track in known.items()}


def join(parts: Sequence[Mapping[str, Track]]) -> dict[str, Track]:
    """The tracks of all stretches of a recording, in time; what lies between them stays empty.

    No stretch at all gives tracks without frames.
    """
    if len(parts) == 1:
        return dict(parts[0])
    grids = [next(iter(part.values())).times for part in parts]
    times = np.concatenate(grids or [np.zeros(0)])
    return {
        name: Track(
            times,
            np.concatenate([part[name].values for part in parts] or [np.zeros(0)]),
            unit,
            np.concatenate([part[name].voiced for part in parts] or [np.zeros(0, bool)]),
        )
        for family in _families()
        for name, unit in family.CARD.tracks.items()
    }


def functionals(tracks: Mapping[str, Track]) -> dict[str, Quantity]:
    """Every functional of joined tracks and ``speech_activity``, the caller's own track.

    ``speech_activity`` holds the probability of speech, without gaps, over the whole recording.
    """
    return {
        name: quantity
        for family in _families()
        for name, quantity in family.functionals(tracks).items()
    }


@functools.cache
def titles() -> Mapping[str, str]:
    """Functional -> what it is called in a sentence."""
    return {name: title for f in _families() for name, title in f.CARD.functionals.items()}


@functools.cache
def _families() -> tuple[ModuleType, ...]:
    """The plug-ins, each after those whose tracks it requires."""
    found = [plugins.find("descriptors", name) for name in plugins.names("descriptors")]
    maker = {track: family for family in found for track in family.CARD.tracks}
    needs = {
        family: [maker[track] for track in family.CARD.requires if track in maker]
        for family in found
    }
    return tuple(TopologicalSorter(needs).static_order())
