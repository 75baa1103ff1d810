"""From a recording to its rows: what is in each column, and the numbers of ``voxplain.analyze``."""

from __future__ import annotations

import dataclasses
import functools
import math
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.annotation.archives import opened
from voxplain.annotation.entries import Batch, Entry
from voxplain.audio import read
from voxplain.audio.activity import SAMPLING_RATE
from voxplain.descriptors import inventory
from voxplain.errors import AudioError, ChecksumMismatch, ConfigError, InputError
from voxplain.models import Model
from voxplain.models.judgement import DIMENSIONS, Readings
from voxplain.models.profile import Profile
from voxplain.pipeline import DEFAULT_MODEL, Analyzer, load
from voxplain.types import Audio, Descriptors, Embedding, Emotion, Segment

__all__ = ["Options", "Row", "annotated", "columns", "emotion_cells", "identity", "width"]

Row = dict[str, Any]
"""Column -> value; a column that is lacking is empty."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the rows tell."""

    model: str = DEFAULT_MODEL
    """By name, folder or hub id."""
    descriptors: bool = False
    """Also the functionals of each row, and which of them are unreliable."""
    embeddings: bool = False
    """Also the mean state of the model's encoder."""
    keep: tuple[str, ...] = ()
    """Columns of the tables that name the recordings, as they stand there."""


def columns(options: Options, *, speakers: bool) -> tuple[str, ...]:
    """All columns, in order; ``speakers`` if the inputs say who speaks.

    Raises what ``pipeline.load`` raises, ConfigError for a column to keep whose name is taken.
    """
    calibration = _analyzer(options.model).model.calibration
    axes = [(axis, f"{axis}_low", f"{axis}_high") for axis in DIMENSIONS]
    place = ("file", "start", "end", "speaker")
    judged = (
        *("duration", "verdict", "reason"),
        *(f"p_{label}" for label in calibration.labels),
        *(f"perceived_{label}" for label in calibration.votes),
        *(column for axis in axes for column in axis),
        "strangeness",
        *([*inventory(), "unreliable"] if options.descriptors else []),
        *(["embedding"] if options.embeddings else []),
        "error",
    )
    keep = tuple(dict.fromkeys(options.keep))
    if taken := [name for name in keep if name in place + judged]:
        raise ConfigError(
            f"--keep {taken[0]}: the rows have a column {taken[0]} anyway; leave it out, or rename "
            "the one that you mean"
        )
    return (*(place if speakers else place[:-1]), *keep, *judged)


def identity(options: Options) -> dict[str, str]:
    """Name and SHA-256 of the model. Raises what ``pipeline.load`` raises."""
    model = _analyzer(options.model).model
    return {"model": model.name, "model_sha256": model.sha256}


def width(options: Options) -> int:
    """Of the embeddings. Raises what ``pipeline.load`` raises."""
    second = Audio(np.zeros(SAMPLING_RATE, np.float32), SAMPLING_RATE, "<array>")
    return int(_analyzer(options.model).model.embed(second).frames.shape[1])


def annotated(
    batch: Batch, options: Options, *, model_sha256: str | None = None
) -> list[list[Row]]:
    """The rows of each entry: one a stretch of speech, or one an interval.

    What can't be read is a row with an ``error``. Raises what ``pipeline.load`` raises,
    ChecksumMismatch for another model than that of ``model_sha256``, as may be on another machine,
    and OutputError where there is no room to unpack.
    """
    analyzer = _analyzer(options.model)
    if model_sha256 not in (None, analyzer.model.sha256):
        raise ChecksumMismatch(
            f"{options.model} on {platform.node()} is another model than the one that the table "
            "was begun with; put the same one there, and the same voxplain"
        )
    return [_with_kept(entry, _rows(entry, analyzer, options)) for entry in batch]


@functools.lru_cache(maxsize=1)
def _analyzer(model: str) -> Analyzer:
    """Once in each process."""
    return load(model)


def _with_kept(entry: Entry, rows: list[Row]) -> list[Row]:
    """What is told of a whole recording holds for each stretch of it."""
    told = entry.kept if entry.intervals else entry.kept * len(rows)
    return [{**kept, **row} for kept, row in zip(told, rows, strict=True)] if told else rows


def _rows(entry: Entry, analyzer: Analyzer, options: Options) -> list[Row]:
    try:
        if entry.problem:
            raise AudioError(entry.problem)
        with opened(entry) as place:
            path = str(place)
            if entry.intervals:
                return _of_intervals(entry, path, analyzer, options)
            return _of_speech(entry, path, analyzer, options)
    except AudioError as error:  # before a sound was heard
        return [_failed(entry.file, one, str(error)) for one in entry.intervals or (None,)]


def _of_speech(entry: Entry, path: str, analyzer: Analyzer, options: Options) -> list[Row]:
    try:
        found = _Listened(path, None, analyzer, options)
    except InputError as error:
        said = {"speaker": entry.speaker} if entry.speaker else {}
        return [{**_failed(entry.file, None, _named(error, path, entry.file)), **said}]
    analysis = found.analysis
    if not analysis.segments:
        return [found.row(entry.file, Segment(0.0, analysis.duration, entry.speaker))]
    return [
        found.row(entry.file, Segment(one.start, one.end, entry.speaker), number)
        for number, one in enumerate(analysis.segments)
    ]


def _of_intervals(entry: Entry, path: str, analyzer: Analyzer, options: Options) -> list[Row]:
    rows: dict[int, Row] = {}
    try:
        for number, waveform, heard in _cuts(path, entry.intervals):
            segment = entry.intervals[number]
            end = min(segment.end, heard)
            try:
                if segment.start >= heard:
                    raise AudioError(
                        f"{entry.file} lasts {heard:.2f} s, the interval at {segment.start:.2f} s "
                        "lies behind its end; check which file it belongs to"
                    )
                found = _Listened(waveform, SAMPLING_RATE, analyzer, options)
                rows[number] = found.row(entry.file, dataclasses.replace(segment, end=end))
            except InputError as error:
                name = f"{entry.file}, {segment.start:.2f} s to {end:.2f} s,"
                rows[number] = _failed(entry.file, segment, _named(error, "<array>", name))
    except InputError as error:
        for number, segment in enumerate(entry.intervals):
            lacking = _failed(entry.file, segment, _named(error, path, entry.file))
            rows.setdefault(number, lacking)
    return [rows[number] for number in range(len(entry.intervals))]


def _cuts(
    path: str, intervals: Sequence[Segment]
) -> Iterator[tuple[int, NDArray[np.float32], float]]:
    """The number of each interval, its waveform, and the seconds heard until then.

    Hours pass in blocks: no more is held than the intervals that are under way. One that begins
    behind the end comes without a sample. Raises what ``read.blocks`` raises.
    """

    def sample(second: float) -> int:
        return round(second * SAMPLING_RATE) if math.isfinite(second) else sys.maxsize

    edges = [(sample(one.start), sample(one.end)) for one in intervals]
    coming = sorted(range(len(edges)), key=lambda number: edges[number], reverse=True)
    held: dict[int, list[NDArray[np.float32]]] = {}
    place = 0
    for block in read.blocks(path):
        after = place + len(block)
        while coming and edges[coming[-1]][0] < after:
            held[coming.pop()] = []
        for number in list(held):
            first, last = edges[number]
            held[number].append(block[max(0, first - place) : last - place].copy())
            if last <= after:
                yield number, np.concatenate(held.pop(number)), after / SAMPLING_RATE
        place = after
        if not coming and not held:
            return
    for number in (*held, *coming):
        pieces = held.get(number) or [np.zeros(0, np.float32)]
        yield number, np.concatenate(pieces), place / SAMPLING_RATE


class _Listened:
    """The analysis of a recording or of a part of one, and what its model made of each stretch."""

    def __init__(
        self, source: Any, sampling_rate: int | None, analyzer: Analyzer, options: Options
    ) -> None:
        self._options = options
        self._model = _Overheard(analyzer.model)
        listening = Analyzer(self._model, analyzer.reference, analyzer.speaker)
        self.analysis = listening.analyze(
            source, sampling_rate, explain=None, measure=options.descriptors
        )

    def row(self, file: str, place: Segment, number: int | None = None) -> Row:
        """Of one stretch by its number, or of the whole."""
        one = self.analysis if number is None else self.analysis.segments[number]
        stretches = slice(number, None if number is None else number + 1)
        frames = np.array(self._model.frames[stretches], np.float64)
        row = {
            **_place(file, place),
            "duration": place.end - place.start,
            **emotion_cells(one.emotion),
        }
        if frames.size:
            weights = frames / frames.sum()
            row["strangeness"] = float(weights @ np.array(self._model.strangeness[stretches]))
            if self._options.embeddings:
                mean = weights @ np.array(self._model.means[stretches])
                # As many digits as single precision has.
                row["embedding"] = [float(f"{value:.9g}") for value in mean.astype(np.float32)]
        if self._options.descriptors:
            row |= _measured(one.descriptors)
        return row


class _Overheard:
    """A model that notes the frames, the mean state and the strangeness of all that it hears."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.name, self.sha256, self.notes = model.name, model.sha256, model.notes
        self.calibration, self.knows_speakers = model.calibration, model.knows_speakers
        self.hearing = model.hearing
        self.frames: list[int] = []
        self.means: list[NDArray[np.float64]] = []
        self.strangeness: list[float] = []

    def embed(self, audio: Audio) -> Embedding:
        embedding = self._model.embed(audio)
        self.frames.append(len(embedding.frames))
        self.means.append(embedding.frames.mean(0, dtype=np.float64))
        return embedding

    def read(self, embedding: Embedding, profile: Profile | None = None) -> Readings:
        readings = self._model.read(embedding, profile)
        self.strangeness.append(float(readings.strangeness))
        return readings


def _place(file: str, segment: Segment) -> Row:
    return {
        "file": file,
        "start": segment.start,
        "end": segment.end if math.isfinite(segment.end) else None,
        "speaker": segment.speaker,
    }


def emotion_cells(emotion: Emotion) -> Row:
    """Verdict, reason, probabilities, shares of listeners and dimensions, as far as there are."""
    row: Row = {
        "verdict": "|".join(emotion.verdict.labels),
        "reason": emotion.verdict.reason or "",
        **{f"p_{label}": one for label, one in emotion.categories.items()},
        **{f"perceived_{label}": one for label, one in emotion.perceived.items()},
    }
    for axis in DIMENSIONS if emotion.dimensions else ():
        found = getattr(emotion.dimensions, axis)
        row |= {axis: found.value, f"{axis}_low": found.low, f"{axis}_high": found.high}
    return row


def _measured(descriptors: Descriptors) -> Row:
    found = descriptors.functionals
    values = {name: one.value if math.isfinite(one.value) else None for name, one in found.items()}
    unreliable = " ".join(name for name, one in found.items() if not one.reliable)
    return {**values, "unreliable": unreliable}


def _failed(file: str, segment: Segment | None, error: str) -> Row:
    place: Row = _place(file, segment) if segment else {"file": file}
    return {**place, "error": error}


def _named(error: Exception, path: str, name: str) -> str:
    """What an error says, of the recording by the name that the table has for it."""
    return str(error).replace(read.source_name(path), name)
