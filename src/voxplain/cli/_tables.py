"""Tables on disk: CSV, JSON lines or Parquet by the suffix, written as the rows come."""

from __future__ import annotations

import contextlib
import csv
import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from voxplain.cli._results import replacing
from voxplain.errors import ConfigError, UnknownName
from voxplain.plugins import require

__all__ = ["SUFFIXES", "table_writer"]

SUFFIXES = (".csv", ".jsonl", ".parquet")
_TEXT = ("file", "label", "speaker", "verdict", "reason", "unreliable", "error")

Rows = Mapping[str, Sequence[Any]]
NONE: Mapping[str, Any] = {}


@contextlib.contextmanager
def table_writer(
    path: Path,
    columns: Sequence[str],
    *,
    vectors: Mapping[str, int] = NONE,
    kept: Mapping[str, type] = NONE,
) -> Iterator[_Csv | _Jsonl | _Parquet]:
    """A table that appears at ``path`` whole, once all its rows are written, or not at all.

    ``write`` takes rows as column -> values, all of one length; a column that is lacking stays
    empty. Numbers have six significant digits in text. ``vectors`` are columns of lists, each with
    their length; ``kept`` are columns of others, each text (str) or numbers (float), of which no
    digit is lost. Raises UnknownName for the suffix, ConfigError for vectors in CSV, MissingExtra
    for Parquet without pyarrow, OutputError.
    """
    if path.suffix not in _WRITERS:
        raise UnknownName("kind of table", path.suffix, SUFFIXES)
    if path.suffix == ".parquet":
        require("pyarrow", extra="tables")
    if path.suffix == ".csv" and vectors:
        raise ConfigError(
            f"a CSV has no cells for {', '.join(vectors)}, a list of numbers; write .parquet or "
            ".jsonl"
        )
    with (
        replacing(path) as temporary,
        _WRITERS[path.suffix](temporary, columns, vectors, kept) as writer,
    ):
        yield writer


class _Csv:
    def __init__(
        self, path: Path, columns: Sequence[str], _: Mapping[str, int], kept: Collection[str]
    ) -> None:
        self._columns, self._kept = columns, kept
        self._stream = path.open("w", newline="", encoding="utf-8")
        self._csv = csv.writer(self._stream, lineterminator="\n")
        self._csv.writerow(columns)

    def write(self, rows: Rows) -> None:
        length = len(rows["file"])
        cells = [
            _plain(rows.get(column, [None] * length), exact=column in self._kept)
            for column in self._columns
        ]
        self._csv.writerows(zip(*cells, strict=True))

    def __enter__(self) -> _Csv:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


class _Jsonl:
    def __init__(
        self, path: Path, columns: Sequence[str], _: Mapping[str, int], kept: Collection[str]
    ) -> None:
        self._columns, self._kept = columns, kept
        self._stream = path.open("w", encoding="utf-8")

    def write(self, rows: Rows) -> None:
        names = [column for column in self._columns if column in rows]
        cells = [_plain(rows[name], exact=name in self._kept) for name in names]
        for row in zip(*cells, strict=True):
            self._stream.write(json.dumps(dict(zip(names, row, strict=True))) + "\n")

    def __enter__(self) -> _Jsonl:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


class _Parquet:
    def __init__(
        self,
        path: Path,
        columns: Sequence[str],
        vectors: Mapping[str, int],
        kept: Mapping[str, type],
    ) -> None:
        import pyarrow
        from pyarrow import parquet

        self._table = pyarrow.table
        kinds = {
            **dict.fromkeys(columns, pyarrow.float64()),
            **{column: pyarrow.string() for column in columns if column in _TEXT},
            **{name: pyarrow.string() for name, kind in kept.items() if kind is str},
            **{name: pyarrow.list_(pyarrow.float32(), length) for name, length in vectors.items()},
        }
        self._schema = pyarrow.schema(list(kinds.items()))
        self._row_group = _ROW_GROUP // (20 if vectors else 1)
        self._writer = parquet.ParquetWriter(path, self._schema)
        self._held: dict[str, list[Any]] = {column: [] for column in columns}

    def write(self, rows: Rows) -> None:
        for column, held in self._held.items():
            held += map(_missing, rows.get(column, [None] * len(rows["file"])))
        if len(self._held["file"]) >= self._row_group:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(self._table(self._held, schema=self._schema))
        self._held = {column: [] for column in self._held}

    def __enter__(self) -> _Parquet:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        self._writer.close()


_ROW_GROUP = 10_000  # rows, fewer where there are vectors: as Python's numbers they are large
_WRITERS: dict[str, type[_Csv | _Jsonl | _Parquet]] = {
    ".csv": _Csv,
    ".jsonl": _Jsonl,
    ".parquet": _Parquet,
}


def _plain(cells: Sequence[Any], *, exact: bool) -> list[Any]:
    """Values as text formats take them."""
    return [cell if exact else _short(cell) for cell in map(_missing, cells)]


def _short(cell: Any) -> Any:
    if isinstance(cell, list):
        return [_short(one) for one in cell]
    return float(f"{cell:.6g}") if isinstance(cell, float) else cell


def _missing(cell: Any) -> Any:
    """None for what is not a number."""
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell
