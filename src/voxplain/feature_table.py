"""Descriptors as tables: a row per recording, per segment or per frame, on (file, start, end)."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from voxplain.audio.read import source_name
from voxplain.descriptors import DEFAULTS, Settings, cut
from voxplain.descriptors._levels import TURN, Reference
from voxplain.descriptors.backends.voxplain import reference
from voxplain.errors import AudioError, ConfigError, InputError, UnknownName
from voxplain.plugins import find, require
from voxplain.types import Segment

if TYPE_CHECKING:
    import pandas

__all__ = ["LEVELS", "Options", "Recording", "columns", "features", "tables"]

LEVELS = ("clip", "segment", "frame")
_FRAME = 0.01  # seconds

Table = dict[str, list[Any]]
"""Column -> values, all of one length."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What is to be measured, and what somebody said about it."""

    source: Any
    """A path, or samples with their ``sampling_rate``."""
    sampling_rate: int | None = None
    intervals: tuple[Segment, ...] = ()
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure.

    Raises UnknownName for a level or a backend, ConfigError for what doesn't go together.
    """

    level: str = "clip"
    """A row per "clip", "segment" (stretch of speech, or interval) or "frame" (10 ms)."""
    backend: str = "voxplain"
    settings: Settings = DEFAULTS
    reference: Reference | None = None
    """What columns ending in ``_z`` compare with; without it there are none."""
    relative: bool = False
    """Whether they compare with the rest of the same speaker, as far as there is any."""

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise UnknownName("level", self.level, LEVELS)
        find("backends", self.backend)
        if self.relative and not self.reference:
            raise ConfigError("what is relative needs a reference for where little is known")
        if self.reference and self.level == "frame":
            raise ConfigError("a frame has no z; take the level clip or segment")


def features(
    sources: Any,
    *,
    level: str = "clip",
    backend: str = "voxplain",
    settings: Settings = DEFAULTS,
    reference_group: str | None = None,
    speaker: Sequence[Any] = (),
    relative: bool = False,
    jobs: int = 1,
) -> pandas.DataFrame:
    """Descriptors as a data frame on (file, start, end), the times as timedeltas.

    ``sources`` is a path, a Recording or a list of them. ``level`` is "clip", "segment" (stretches
    of speech of 3-15 s, or the intervals of a Recording) or "frame" (every 10 ms). A value that
    can't be measured is NaN; ``unreliable`` names those that should not be trusted. With a
    ``reference_group``, recordings of the ``speaker``, or ``relative`` to the rest of the same
    speaker (by Recording, else by file), columns ending in ``_z`` say how far a value lies from
    what is usual. A recording that can't be read is a row with an ``error``.

    Raises MissingExtra without pandas, UnknownName, ConfigError, and AudioError for a recording of
    the speaker.
    """
    pandas = require("pandas", extra="tables")
    compared = reference_group or speaker or relative
    usual = reference(reference_group or "adults", speaker) if compared else None
    options = Options(level, backend, settings, usual, relative)
    several = sources if isinstance(sources, list | tuple) else [sources]
    recordings = [one if isinstance(one, Recording) else Recording(one) for one in several]
    found = list(tables(recordings, options, jobs=jobs))
    told = [key for key in ("label", "speaker", "error") if any(key in table for table in found)]
    kept = [column for column in columns(options) if column not in ("label", "speaker", "error")]
    frames = [pandas.DataFrame(table) for table in found]
    whole = pandas.concat(frames, ignore_index=True) if frames else pandas.DataFrame()
    whole = whole.reindex(columns=[*kept, *told])
    for time in ("start", "end"):
        whole[time] = pandas.to_timedelta(whole[time], unit="s")
    return whole.set_index(["file", "start", "end"])


def columns(options: Options) -> tuple[str, ...]:
    """All columns that a table may have, in order."""
    card = find("backends", options.backend).CARD
    place = ("file", "start", "end", "label", "speaker")
    if options.level == "frame":
        return (*place, "speech_activity", *card.tracks, "error")
    z = [f"{name}_z" for name in _compared(options)]
    return (*place, *card.functionals, *z, "unreliable", "error")


def tables(recordings: Iterable[Recording], options: Options, *, jobs: int = 1) -> Iterator[Table]:
    """One table a recording, in their order; ``jobs`` processes share the work.

    What is relative can be told only when everything has been measured.
    """
    measured = _measured(recordings, options, jobs)
    if options.relative:
        return iter(_relative(list(measured), options))
    return measured


def _measured(recordings: Iterable[Recording], options: Options, jobs: int) -> Iterator[Table]:
    measure = functools.partial(_table, options=options)
    if jobs == 1:
        yield from map(measure, recordings)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(measure, recordings, chunksize=_CHUNK)


_CHUNK = 8  # recordings handed to a process at once


def _table(recording: Recording, options: Options) -> Table:
    """The rows of one recording; one with an error for a recording that can't be measured."""
    name = source_name(recording.source)
    try:
        measurement = find("backends", options.backend).Measurement(
            recording.source,
            sampling_rate=recording.sampling_rate,
            settings=options.settings,
            marked=recording.intervals,
        )
        parts = _parts(recording, measurement, options.level)
    except InputError as error:
        return {"file": [name], "error": [str(error)]}
    rows = (
        _frames(measurement, parts)
        if options.level == "frame"
        else _rows(measurement, parts, options)
    )
    length = len(rows["start"])
    if recording.speaker is not None:
        rows["speaker"] = [recording.speaker] * length
    return {"file": [name] * length, **rows}


def _parts(recording: Recording, measurement: Any, level: str) -> list[Segment]:
    """What gets a row, or holds the frames that do."""
    whole = Segment(0.0, measurement.duration)
    if not recording.intervals:
        # Where nobody speaks, one row without values says so.
        return list(measurement.stretches) or [whole] if level == "segment" else [whole]
    for segment in recording.intervals:
        if segment.start >= measurement.duration:
            raise AudioError(
                f"{source_name(recording.source)} lasts {measurement.duration:.2f} s, the interval "
                f"at {segment.start:.2f} s lies behind its end; check which file it belongs to"
            )
    return [
        replace(segment, end=min(segment.end, measurement.duration))
        for segment in recording.intervals
    ]


def _rows(measurement: Any, parts: Sequence[Segment], options: Options) -> Table:
    rows = _places(parts)
    found = [measurement.functionals(within=part) for part in parts]
    for name in find("backends", options.backend).CARD.functionals:
        rows[name] = [quantities[name].value for quantities in found]
    rows["unreliable"] = [
        " ".join(name for name, one in quantities.items() if not one.reliable)
        for quantities in found
    ]
    if options.reference and not options.relative:
        levels = [options.reference.levels(quantities) for quantities in found]
        for name in _compared(options):
            rows[f"{name}_z"] = [one[name].z if name in one else math.nan for one in levels]
    return rows


def _frames(measurement: Any, parts: Sequence[Segment]) -> Table:
    activity = measurement.tracks["speech_activity"]
    pieces = []
    for part in parts:
        tracks = cut(measurement.tracks, part)
        del tracks["speech_activity"]
        times = next(iter(tracks.values())).times
        pieces.append(
            {
                **_places([part] * len(times)),
                "start": np.round(times - _FRAME / 2, 4).tolist(),
                "end": np.round(times + _FRAME / 2, 4).tolist(),
                "speech_activity": np.interp(times, activity.times, activity.values).tolist(),
                **{name: track.values.tolist() for name, track in tracks.items()},
            }
        )
    return {name: list(chain.from_iterable(piece[name] for piece in pieces)) for name in pieces[0]}


def _places(parts: Sequence[Segment]) -> Table:
    places: Table = {"start": [p.start for p in parts], "end": [p.end for p in parts]}
    for name in ("label", "speaker"):
        if any(getattr(part, name) is not None for part in parts):
            places[name] = [getattr(part, name) for part in parts]
    return places


def _compared(options: Options) -> list[str]:
    """The functionals that get a z."""
    given = find("backends", options.backend).CARD.functionals
    return [name for name in options.reference.norms if name in given] if options.reference else []


def _relative(measured: list[Table], options: Options) -> list[Table]:
    """The tables with each row's z against the other rows of its speaker (of its file)."""
    assert options.reference
    rows = [
        (table, row) for table in measured if "error" not in table for row in range(_length(table))
    ]
    speakers = np.array(
        [
            table["speaker"][row] if "speaker" in table else f"file {table['file'][row]}"
            for table, row in rows
        ]
    )
    turns = np.array([(table["end"][row] - table["start"][row]) / TURN for table, row in rows])
    for name in _compared(options):
        values = np.array(
            [
                math.nan if name in table["unreliable"][row].split() else table[name][row]
                for table, row in rows
            ]
        )
        z = np.empty(len(rows))
        for speaker in set(speakers):
            own = speakers == speaker
            z[own] = options.reference.relative_z(name, turns[own], values[own])
        for (table, _), one in zip(rows, z.tolist(), strict=True):
            table.setdefault(f"{name}_z", []).append(one)
    return measured


def _length(table: Table) -> int:
    return len(table["file"])
