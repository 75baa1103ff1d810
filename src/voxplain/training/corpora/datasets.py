"""Hugging Face datasets on disk: ``save_to_disk``, Parquet files, folders of recordings.

Read with pyarrow alone: nothing is downloaded, decoded or run.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from voxplain.audio.read import find_files
from voxplain.errors import CorpusNotFound, InputError
from voxplain.plugins import require
from voxplain.text.transcribers import models_folder
from voxplain.training.corpora import _files
from voxplain.training.corpora._reading import Card, Utterance
from voxplain.training.corpora._rows import Recordings, Row, utterances

__all__ = ["CARD", "read"]

CARD = Card(
    title="Hugging Face dataset on disk",
    language="as its rows say",
    licence="that of the recordings",
    citation="Lhoest et al. 2021, EMNLP",
    shippable=False,
)

_SPLITS = ("train", "validation", "valid", "val", "dev", "test")


def read(root: Path, *, audio: Path | None = None, partial: bool = False) -> list[Utterance]:
    """The utterances of a dataset's folder, with the names that its class labels stand for.

    Its rows lie in Arrow or Parquet files, or in a ``metadata.csv`` or ``.jsonl`` beside
    recordings; without any, the folder of a recording is its label. Splits are those that the
    names of files and folders tell. Recordings that lie inside the rows are written once, below
    ``audio`` or the user's cache, to a folder named by their content.

    Raises CorpusNotFound or InputError, MissingExtra without pyarrow.
    """
    for rows in (_tables(root, audio), _listed(root), _sorted_by_label(root)):
        found = list(rows)
        if found:
            return utterances(found, recordings=Recordings(root, audio), partial=partial)
    raise CorpusNotFound(f"{root} holds no dataset: no Arrow, no Parquet, no metadata.csv")


def _tables(root: Path, audio: Path | None) -> Iterator[Row]:
    files = sorted([*root.rglob("*.arrow"), *root.rglob("*.parquet")])
    for file in files:
        schema, batches = _opened(file)
        features = json.loads((schema.metadata or {}).get(b"huggingface", "{}"))
        features = features.get("info", {}).get("features", {})
        number = 0
        for batch in batches:
            for cells in batch.to_pylist():
                number += 1
                where = f"{file} row {number}"
                for name, feature in features.items():
                    if feature.get("_type") == "ClassLabel" and cells[name] is not None:
                        cells[name] = _class(where, cells[name], feature["names"])
                    elif feature.get("_type") == "Audio":
                        cells["file"] = _recording(where, cells.pop(name), audio)
                yield where, {"split": _split(file, root), **cells}


def _opened(file: Path) -> tuple[Any, Iterator[Any]]:
    """The schema and the record batches of an Arrow stream or a Parquet file."""
    arrow = require("pyarrow", extra="tables")
    try:
        if file.suffix == ".parquet":
            table = require("pyarrow.parquet", extra="tables").ParquetFile(file)
            return table.schema_arrow, table.iter_batches(batch_size=_ROWS)
        stream = require("pyarrow.ipc", extra="tables").open_stream(arrow.memory_map(str(file)))
        return stream.schema, iter(stream)
    except (OSError, arrow.ArrowInvalid) as error:
        raise CorpusNotFound(f"{file} can't be read: {error}") from error


_ROWS = 256  # of a Parquet file at a time: recordings may lie in them


def _class(where: str, number: int, names: list[str]) -> str:
    if not 0 <= number < len(names):
        raise InputError(f"{where}: label {number} is none of {', '.join(names)}")
    return names[number]


def _recording(where: str, stored: Mapping[str, Any] | str | None, audio: Path | None) -> str:
    """Path of a recording, which may lie inside the row."""
    if stored is None or isinstance(stored, str):
        return stored or ""
    content, name = stored.get("bytes"), Path(stored.get("path") or "recording.wav").name
    if content is None:
        return str(stored.get("path") or "")
    cache = audio or models_folder().with_name("recordings")
    path = cache / hashlib.sha256(content).hexdigest()[:32] / name
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            written = path.with_suffix(".part")
            written.write_bytes(content)
            written.replace(path)
        except OSError as error:
            raise InputError(f"{where}: its recording can't be written: {error}") from error
    return str(path.resolve())


def _listed(root: Path) -> Iterator[Row]:
    for file in sorted([*root.rglob("metadata.csv"), *root.rglob("metadata.jsonl")]):
        for where, cells in _files.rows(file):
            if "file_name" in cells:
                cells = {**cells, "file": str((file.parent / str(cells["file_name"])).resolve())}
            yield where, {"split": _split(file, root), **cells}


def _sorted_by_label(root: Path) -> Iterator[Row]:
    for file in find_files(root) if root.is_dir() else ():
        split, label = _split(file, root), file.parent.name
        yield str(file), {"split": split, "emotion": label, "file": str(file.resolve())}


def _split(file: Path, root: Path) -> str:
    words = re.split(r"[\W_]+", str(file.relative_to(root)).lower())
    return next((word for word in words if word in _SPLITS), "")
