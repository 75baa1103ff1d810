"""Tables of recordings, row by row: CSV, Parquet, and the folders of audformat databases."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from voxplain.annotation.entries import Entry
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
_Marked = tuple[str, Segment | None, str | None]
"""file, interval or None for the whole, speaker"""


def listed(path: Path) -> Iterator[Entry]:
    """The recordings of a table with a column ``file``, in its order.

    ``start`` and ``end`` (seconds, h:mm:ss, "0 days h:mm:ss" or durations) make a row an interval;
    ``speaker`` says who speaks. Rows of one file that follow each other are one entry. Files are
    looked for from the folder of the table, then from the current one.

    Raises ConfigError, naming the line, UnknownName for a column that is lacking, MissingExtra for
    Parquet without pyarrow.
    """
    for file, rows in groupby(_marked(path), key=lambda row: row[0]):
        yield from _entries(path.parent, file, list(rows))


def database(folder: Path) -> Iterator[Entry]:
    """The recordings that the tables of an audformat database name, each once.

    Where a table marks segments of a file, these are taken, otherwise the whole of it.

    Raises what ``listed`` raises, ConfigError for a header that is none.
    """
    import yaml

    header = folder / HEADER
    try:
        names = list(yaml.safe_load(header.read_text(encoding="utf-8"))["tables"])
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigError(f"{header} is no header of an audformat database: {error}") from error
    found: dict[str, dict[tuple[float, float] | None, _Marked]] = {}
    for name in names:
        for row in _marked(_stored(folder, name)):
            marked = (row[1].start, row[1].end) if row[1] else None
            rows = found.setdefault(row[0], {})
            if marked not in rows or rows[marked][2] is None:  # another table may know who speaks
                rows[marked] = row
    for file, rows in found.items():
        parts = [row for marked, row in rows.items() if marked]
        yield from _entries(folder, file, parts or list(rows.values()))


def _stored(folder: Path, table: str) -> Path:
    for path in (folder / f"db.{table}.parquet", folder / f"db.{table}.csv"):
        if path.is_file():
            return path
    raise ConfigError(
        f"{folder} holds no db.{table}.parquet or .csv; save the database anew with audformat, "
        "with storage_format='csv'"
    )


def _entries(folder: Path, file: str, rows: list[_Marked]) -> Iterator[Entry]:
    """One for the intervals; rows about the whole recording are one each."""
    path = folder / file
    path = path if path.exists() else Path(file)
    name, place = source_name(path), str(path.absolute())
    for whole, some in groupby(rows, key=lambda row: row[1] is None):
        if whole:
            yield from (Entry(name, place, speaker=speaker) for _, _, speaker in some)
        else:
            marked = tuple(segment for _, segment, _ in some if segment)
            yield Entry(name, place, intervals=marked)


def _marked(path: Path) -> Iterator[_Marked]:
    rows = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    for where, row in rows:
        file, speaker = row["file"], row.get("speaker")
        if not file:
            raise ConfigError(f"{path}, {where}: there is no file; fill the cell or drop the row")
        start, end = (_time(row.get(key), path, where) for key in ("start", "end"))
        who = str(speaker) if speaker not in (None, "") else None
        if end is None and not start:
            yield str(file), None, who
            continue
        segment = Segment(start or 0.0, math.inf if end is None else end, who)
        if not segment.start < segment.end:
            raise ConfigError(
                f"{path}, {where}: the interval {segment.start:g} s to {segment.end:g} s is empty; "
                "give an end after the start"
            )
        yield str(file), segment, who


def _csv(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            _check(path, reader.fieldnames or ())
            for row in reader:
                yield f"line {reader.line_num}", row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} can't be read as a table: {error}") from error


def _parquet(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    arrow = require("pyarrow", extra="tables")
    parquet = require("pyarrow.parquet", extra="tables")
    try:
        file = parquet.ParquetFile(path)
        _check(path, file.schema_arrow.names)
        present = [name for name in _WANTED if name in file.schema_arrow.names]
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


def _check(path: Path, names: Any) -> None:
    if "file" not in names:
        raise UnknownName(f"column in {path}", "file", map(str, names))


def _time(cell: Any, path: Path, where: str) -> float | None:
    """Seconds, or None for an empty cell."""
    if isinstance(cell, int | float):
        return float(cell) if math.isfinite(cell) else None
    return seconds(cell, where=f"{path}, {where}")
