"""Lists on disk, row by row: CSV, TSV, Parquet and JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voxplain.errors import CorpusNotFound, InputError, UnknownName
from voxplain.plugins import require
from voxplain.training.corpora._rows import Row

__all__ = ["SUFFIXES", "rows"]

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
SUFFIXES = (*_DELIMITERS, ".jsonl", ".parquet")
"""What ``rows`` reads."""


def rows(path: Path) -> Iterator[Row]:
    """The rows of a file by its suffix, each with the line or row where it stands.

    Raises CorpusNotFound for a file that is missing or can't be read, UnknownName for its suffix,
    InputError for a broken line, MissingExtra for Parquet without pyarrow.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UnknownName("kind of list", suffix, SUFFIXES)
    try:
        if suffix == ".parquet":
            yield from _parquet(path)
        elif suffix == ".jsonl":
            yield from _json_lines(path)
        else:
            yield from _delimited(path, _DELIMITERS[suffix])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusNotFound(f"{path} can't be read: {error}") from error


def _delimited(path: Path, delimiter: str) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file, delimiter=delimiter, strict=True)
        for cells in lines:
            where = f"{path} line {lines.line_num}"
            if None in cells or None in cells.values():
                raise InputError(f"{where} has not as many cells as the first line")
            yield where, cells


def _json_lines(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            where = f"{path} line {number}"
            try:
                cells: Any = json.loads(line)
            except json.JSONDecodeError as error:
                raise InputError(f"{where} is not JSON: {error}") from error
            if not isinstance(cells, dict):
                raise InputError(f"{where} is no JSON object: {line.strip()[:40]}")
            yield where, cells


def _parquet(path: Path) -> Iterator[Row]:
    arrow = require("pyarrow", extra="tables")
    parquet = require("pyarrow.parquet", extra="tables")
    try:
        cells = parquet.read_table(path).to_pylist()
    except arrow.ArrowInvalid as error:
        raise InputError(f"{path} is not a Parquet table: {error}") from error
    for number, row in enumerate(cells, start=1):
        yield f"{path} row {number}", row
