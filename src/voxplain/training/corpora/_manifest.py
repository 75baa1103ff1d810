"""One way into every list of recordings, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

from voxplain.errors import CorpusNotFound
from voxplain.plugins import find
from voxplain.training.corpora import _files
from voxplain.training.corpora._reading import Utterance

__all__ = ["manifest"]


def manifest(path: Path, *, audio: Path | None = None, partial: bool = False) -> list[Utterance]:
    """The utterances of a list, by the reader that it needs.

    A list is a CSV, TSV, Parquet or JSON-lines table, an EmoBox file, or the folder of an audformat
    database, of Kaldi or of a Hugging Face dataset. Relative paths begin where it lies, or in the
    folder ``audio``, below which a recording is also found by its name; a ``partial`` list may name
    recordings that are not there.

    Raises CorpusNotFound for what is none of these, and what the reader raises.
    """
    found: list[Utterance] = find("corpora", _reader(path)).read(path, audio=audio, partial=partial)
    return found


def _reader(path: Path) -> str:
    if path.suffix.lower() == ".jsonl" and path.is_file():
        _, first = next(_files.rows(path), ("", {}))
        return "emobox" if {"key", "dataset"} <= first.keys() else "table"
    if path.is_dir():
        for mark, reader in (("db.yaml", "table"), ("wav.scp", "kaldi")):
            if (path / mark).is_file():
                return reader
        return "datasets"
    if path.suffix.lower() in _files.SUFFIXES:
        return "table"
    raise CorpusNotFound(
        f"{path} is no list of recordings; give a file that ends in "
        f"{', '.join(_files.SUFFIXES)}, or the folder of a database, of Kaldi or of a dataset"
    )
