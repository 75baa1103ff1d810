"""audformat databases: a header ``db.yaml`` and tables beside it (Wierstorf et al. 2023)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from voxplain.errors import CorpusNotFound, InputError
from voxplain.models.judgement import DIMENSIONS
from voxplain.training.corpora import _files
from voxplain.training.corpora._rows import NAMES, Row

__all__ = ["rows"]

_JUDGED = (*NAMES["emotion"], *DIMENSIONS)
_Key = tuple[str, Any, Any]  # file, start, end


def rows(header: Path, *, only: Path | None) -> Iterator[Row]:
    """A row of each recording or stretch that a table judges, with what the other tables say.

    Of several tables, ``only`` one may be asked for its judgements. Ratings with a lowest and a
    highest value in the header come in [0, 1]; a table of a split gives its split.

    Raises CorpusNotFound for a header that can't be read or a table that is not there as CSV or
    Parquet, InputError where two tables judge differently.
    """
    try:
        database = yaml.safe_load(header.read_text(encoding="utf-8"))
        tables, splits = database["tables"], database.get("splits") or {}
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        raise CorpusNotFound(f"{header} is no header of an audformat database: {error}") from error
    schemes = database.get("schemes") or {}
    meanings = {name: _meanings(header.parent, scheme) for name, scheme in schemes.items()}
    about: dict[str, dict[str, Any]] = {}
    judged: dict[_Key, tuple[str, dict[str, Any]]] = {}
    for name, table in tables.items():
        path = _stored(header.parent, name)
        columns = {c: (facts or {}).get("scheme_id") for c, facts in table["columns"].items()}
        split = table.get("split_id")
        for where, cells in _files.rows(path):
            file = cells["file"]
            told = {} if split is None else {"split": splits.get(split, {}).get("type", split)}
            for column, scheme in columns.items():
                value = _scaled(cells[column], schemes.get(scheme, {}))
                told |= _explained(column, value, meanings.get(scheme, {}).get(value))
            own = {column: told.pop(column) for column in _JUDGED if column in told}
            about.setdefault(file, {}).update(told)
            if own and only in (None, path):
                key = file, cells.get("start"), cells.get("end")
                first, known = judged.setdefault(key, (where, own))
                if {**own, **known} != {**known, **own}:
                    raise InputError(f"{where} and {first} judge {file} differently; give {path}")
                known.update(own)
    for (file, start, end), (where, own) in judged.items():
        corpus = {"corpus": database.get("name", "")}
        yield where, {**corpus, **about[file], **own, "file": file, "start": start, "end": end}


def _stored(folder: Path, table: str) -> Path:
    for path in (folder / f"db.{table}.parquet", folder / f"db.{table}.csv"):
        if path.is_file():
            return path
    raise CorpusNotFound(
        f"{folder} holds no db.{table}.parquet or .csv; save the database anew with audformat"
    )


def _meanings(folder: Path, scheme: Mapping[str, Any]) -> Mapping[Any, Any]:
    """Code -> what the scheme says of it, in the header or in a table of its own."""
    labels = scheme.get("labels")
    if isinstance(labels, str):
        listed = [cells for _, cells in _files.rows(_stored(folder, labels))]
        return {next(iter(cells.values())): cells for cells in listed}
    return labels if isinstance(labels, dict) else {}


def _explained(column: str, value: Any, meaning: Any) -> dict[str, Any]:
    """A cell, and beside it what its code means: the words of a sentence, the sex of a speaker."""
    if isinstance(meaning, dict):
        return {**meaning, column: value}
    if isinstance(meaning, str) and column in NAMES["text"]:
        return {"sentence": value, column: meaning}
    return {column: value}


def _scaled(value: Any, scheme: Mapping[str, Any]) -> Any:
    lowest, highest = scheme.get("minimum"), scheme.get("maximum")
    if value in (None, "") or lowest is None or highest is None:
        return value
    return (float(value) - lowest) / (highest - lowest)
