"""Tables of recordings, row by row: CSV, Parquet, and the folders of audformat databases."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from voxplain.annotation.entries import Entry
from voxplain.annotation.remote import Place, Remote, is_url
from voxplain.audio.intervals import seconds
from voxplain.audio.read import source_name
from voxplain.errors import ConfigError, UnknownName
from voxplain.plugins import require
from voxplain.types import Segment

__all__ = ["HEADER", "SUFFIXES", "database", "listed"]

SUFFIXES = (".csv", ".parquet")
HEADER = "db.yaml"
"""Of a database of audformat."""

_WANTED = ("file", "start", "end", "speaker")
_EXACT = 2**53  # beyond, a whole number is a name, and a float would change it


@dataclass(frozen=True, slots=True)
class _Row:
    file: str
    interval: tuple[float, float] | None
    """None for the whole."""
    speaker: str | None
    kept: dict[str, Any]

    def and_also(self, other: _Row) -> _Row:
        """With what another row about the same tells beyond it."""
        told = {name: cell for name, cell in self.kept.items() if cell is not None}
        speaker = self.speaker or other.speaker
        return _Row(self.file, self.interval, speaker, {**self.kept, **other.kept, **told})


def listed(path: Place, *, keep: Sequence[str] = ()) -> Iterator[Entry]:
    """The recordings of a table with a column ``file``, in its order.

    ``start`` and ``end`` (seconds, h:mm:ss, "0 days h:mm:ss" or durations) make a row an interval;
    ``speaker`` says who speaks, and the columns to ``keep`` are taken along. Rows of one file that
    follow each other are one entry. Files are looked for from the folder of the table, then, if
    that is on this machine, from the current one.

    Raises ConfigError, naming the line, UnknownName for a column that is lacking, MissingExtra for
    Parquet without pyarrow.
    """
    for file, rows in groupby(_rows(path, keep), key=lambda row: row.file):
        yield from _entries(path.parent, file, list(rows))


def database(folder: Place, *, keep: Sequence[str] = ()) -> Iterator[Entry]:
    """The recordings that the tables of an audformat database name, each once.

    Where a table marks segments of a file, these are taken, otherwise the whole of it. What is to
    be kept comes from the first table that tells it of the same segment or file.

    Raises what ``listed`` raises, ConfigError for a header that is none.
    """
    import yaml

    header = folder / HEADER
    try:
        with header.open("rb") as stream:
            stored = {
                name: list(table.get("columns") or ())
                for name, table in yaml.safe_load(stream)["tables"].items()
            }
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{header} is no header of an audformat database: {error}") from error
    _check(folder, {column for columns in stored.values() for column in columns}, keep)
    found: dict[str, dict[tuple[float, float] | None, _Row]] = {}
    for name, columns in stored.items():
        for row in _rows(_stored(folder, name), [column for column in keep if column in columns]):
            rows = found.setdefault(row.file, {})
            nothing = _Row(row.file, row.interval, None, dict.fromkeys(keep))
            rows[row.interval] = rows.get(row.interval, nothing).and_also(row)
    for file, rows in found.items():
        parts = [row for row in rows.values() if row.interval]
        yield from _entries(folder, file, parts or list(rows.values()))


def _stored(folder: Place, table: str) -> Place:
    for path in (folder / f"db.{table}.parquet", folder / f"db.{table}.csv"):
        if path.is_file():
            return path
    raise ConfigError(
        f"{folder} holds no db.{table}.parquet or .csv; save the database anew with audformat, "
        "with storage_format='csv'"
    )


def _entries(folder: Place, file: str, rows: list[_Row]) -> Iterator[Entry]:
    """One for the intervals; rows about the whole recording are one each."""
    path = _looked_up(folder, file)
    name, lies = source_name(str(path)), str(path.absolute())
    for whole, some in groupby(rows, key=lambda row: row.interval is None):
        if whole:
            for row in some:
                yield Entry(name, lies, speaker=row.speaker, kept=_told([row]))
        else:
            marked = list(some)
            intervals = (Segment(*row.interval, row.speaker) for row in marked if row.interval)
            yield Entry(name, lies, intervals=tuple(intervals), kept=_told(marked))


def _told(rows: list[_Row]) -> tuple[dict[str, Any], ...]:
    """Nothing at all where nothing is to be kept."""
    return tuple(row.kept for row in rows if row.kept)


def _looked_up(folder: Place, file: str) -> Place:
    if is_url(file):
        return Remote(file)
    path = folder / file
    return path if isinstance(path, Remote) or path.exists() else Path(file)


def _rows(path: Place, keep: Sequence[str]) -> Iterator[_Row]:
    read = _parquet if path.suffix.lower() == ".parquet" else _csv
    for where, row in read(path, keep):
        file, speaker = row["file"], row.get("speaker")
        if not file:
            raise ConfigError(f"{path}, {where}: there is no file; fill the cell or drop the row")
        start, end = (_time(row.get(key), path, where) for key in ("start", "end"))
        who = str(speaker) if speaker not in (None, "") else None
        kept = {name: _plain(row[name]) for name in keep}
        if end is None and not start:
            yield _Row(str(file), None, who, kept)
            continue
        interval = start or 0.0, math.inf if end is None else end
        if not interval[0] < interval[1]:
            raise ConfigError(
                f"{path}, {where}: the interval {interval[0]:g} s to {interval[1]:g} s is empty; "
                "give an end after the start"
            )
        yield _Row(str(file), interval, who, kept)


def _csv(path: Place, keep: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        with (
            path.open("rb") as encoded,
            io.TextIOWrapper(encoded, newline="", encoding="utf-8-sig") as stream,
        ):
            reader = csv.DictReader(stream)
            _check(path, reader.fieldnames or (), ("file", *keep))
            for row in reader:
                yield f"line {reader.line_num}", row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} can't be read as a table: {error}") from error


def _parquet(path: Place, keep: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    arrow = require("pyarrow", extra="tables")
    parquet = require("pyarrow.parquet", extra="tables")
    try:
        with path.open("rb") as stream:
            file = parquet.ParquetFile(stream)
            names = file.schema_arrow.names
            _check(path, names, ("file", *keep))
            present = [name for name in names if name in (*_WANTED, *keep)]
            number = 0
            for batch in file.iter_batches(columns=present):
                columns = {}
                for name in present:
                    column = batch.column(name)
                    if arrow.types.is_duration(column.type):
                        nanoseconds = column.cast(arrow.duration("ns")).cast(arrow.int64())
                        columns[name] = [
                            None if one is None else one / 1e9 for one in nanoseconds.to_pylist()
                        ]
                    else:
                        columns[name] = column.to_pylist()
                for row in zip(*columns.values(), strict=True):
                    number += 1
                    yield f"row {number}", dict(zip(present, row, strict=True))
    except (OSError, arrow.ArrowException) as error:
        raise ConfigError(f"{path} can't be read as a table: {error}") from error


def _check(path: Place, names: Collection[str], wanted: Iterable[str]) -> None:
    for name in wanted:
        if name not in names:
            raise UnknownName(f"column in {path}", name, map(str, names))


def _plain(cell: Any) -> str | float | None:
    """What is carried along as it stands: numbers and text, or None for an empty cell."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    exact = isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) <= _EXACT
    return cell if exact else str(cell) if cell not in (None, "") else None


def _time(cell: Any, path: Place, where: str) -> float | None:
    """Seconds, or None for an empty cell."""
    if isinstance(cell, int | float):
        return float(cell) if math.isfinite(cell) else None
    return seconds(cell, where=f"{path}, {where}")
