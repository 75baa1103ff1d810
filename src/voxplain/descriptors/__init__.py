"""Descriptors: how something is said, in numbers with units. One family per file.

``tracks`` measures a stretch of speech every 10 ms, ``join`` puts the stretches of a recording
together, and ``functionals`` sums them up once the caller has added ``speech_activity``::

    parts = (tracks(audio, start=start) for start, audio in stretches)
    summary = functionals({**join(parts), "speech_activity": activity})
"""

from __future__ import annotations

import functools
import math
from array import array
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from voxplain import plugins
from voxplain.descriptors import recording
from voxplain.descriptors._family import Functional
from voxplain.descriptors._frames import DEFAULTS, Frames, Settings
from voxplain.types import Audio, Quantity, Segment, Track

__all__ = [
    "DEFAULTS",
    "Settings",
    "conditions_of",
    "cut",
    "family",
    "functionals",
    "inventory",
    "join",
    "tracks",
    "units",
]


def tracks(audio: Audio, *, start: float = 0.0, settings: Settings = DEFAULTS) -> dict[str, Track]:
    """Every track of a stretch of speech (16 kHz mono), every 10 ms.

    ``start`` is where the stretch begins in the recording, in seconds; times refer to the latter.
    """
    frames, known = Frames(audio, settings), dict[str, NDArray[np.float64]]()
    for family in _families():
        known |= family.tracks(frames, known)
    times = frames.times + start  # one grid, shared by every track: hours of them must fit
    voiced = np.isfinite(known["f0_hz"])
    return {name: Track(times, known[name], unit, voiced) for name, unit in units().items()}


def join(parts: Iterable[Mapping[str, Track]]) -> dict[str, Track]:
    """The tracks of all stretches of a recording, in time; what lies between them stays empty.

    No stretch at all gives tracks without frames. Parts are taken one by one, so that hours of
    them lie in memory once.
    """
    times, voiced = array("d"), bytearray()
    values = {name: array("d") for name in units()}
    for part in parts:
        grid = next(iter(part.values()))
        times.frombytes(grid.times.tobytes())
        voiced += grid.voiced.tobytes()
        for name, growing in values.items():
            growing.frombytes(part[name].values.tobytes())
    grid_times, grid_voiced = np.frombuffer(times), np.frombuffer(voiced, bool)
    return {
        name: Track(grid_times, np.frombuffer(values[name]), unit, grid_voiced)
        for name, unit in units().items()
    }


def functionals(
    tracks: Mapping[str, Track],
    *,
    within: Segment | None = None,
    conditions: Mapping[str, float] | None = None,
) -> dict[str, Quantity]:
    """Every functional of joined tracks and ``speech_activity``, the caller's own track.

    ``speech_activity`` holds the probability of speech, without gaps, over the whole recording;
    ``within`` is the part of it to sum up. A quantity is NaN where it can't be measured, and not
    reliable there or where the recording is too noisy or too narrow for it: by its ``conditions``,
    which need not be measured again for each of its parts.
    """
    if conditions is None:
        conditions = conditions_of(tracks)
    here = cut(tracks, within) if within else tracks
    found = {
        name: value for family in _families() for name, value in family.functionals(here).items()
    }
    found |= conditions  # a word has no pause to hear the noise in
    return {
        name: Quantity(
            found[name],
            card.unit,
            # Where the noise can't be measured (no pause at all), there is nothing to object.
            reliable=math.isfinite(found[name])
            and not found["snr_db"] < card.least_snr_db
            and not found["snr_high_db"] < card.least_snr_high_db
            and not found["bandwidth_hz"] < card.least_bandwidth_hz,
        )
        for name, card in inventory().items()
    }


def conditions_of(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Noise and bandwidth of the recording that the tracks come from."""
    return recording.functionals(tracks)


def cut(tracks: Mapping[str, Track], segment: Segment) -> dict[str, Track]:
    """The frames of tracks whose centres lie in a segment."""
    found = {}
    for name, track in tracks.items():
        rows = slice(*np.searchsorted(track.times, [segment.start, segment.end]))
        found[name] = Track(track.times[rows], track.values[rows], track.unit, track.voiced[rows])
    return found


@functools.cache
def inventory() -> Mapping[str, Functional]:
    """Functional -> its title, unit and what it needs."""
    return {name: card for f in _families() for name, card in f.CARD.functionals.items()}


@functools.cache
def family(functional: str) -> str:
    """The family that a functional comes from."""
    return next(
        found.__name__.rpartition(".")[2]
        for found in _families()
        if functional in found.CARD.functionals
    )


@functools.cache
def units() -> Mapping[str, str]:
    """Track -> unit."""
    return {name: unit for family in _families() for name, unit in family.CARD.tracks.items()}


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
