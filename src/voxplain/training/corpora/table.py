"""Tables: CSV, TSV, Parquet or JSON lines, as nkululeko and audformat write them too.

A row is an utterance: ``file`` and ``emotion``, and as far as they are known ``speaker``, ``sex``,
``start``, ``end``, ``split``, ``sentence``, ``text``, ``language``, ``session``, ``turn``,
``strength``, ``corpus``, ``valence``, ``arousal``, ``dominance`` and ``emphasis`` (which words of
the text are meant to stand out, counted from 0: ``3`` or ``3 5``).
"""

from __future__ import annotations

from pathlib import Path

from voxplain.errors import CorpusNotFound
from voxplain.training.corpora import _audformat, _files
from voxplain.training.corpora._reading import Card, Utterance
from voxplain.training.corpora._rows import Recordings, utterances

__all__ = ["CARD", "read"]

CARD = Card(
    title="Table",
    language="as its rows say",
    licence="that of the recordings",
    citation="audformat: Wierstorf et al. 2023",
    shippable=False,
)


def read(root: Path, *, audio: Path | None = None, partial: bool = False) -> list[Utterance]:
    """The utterances of a table, or of an audformat database.

    Paths are absolute or begin where the table lies, or in ``audio``. A database is its folder,
    with ``db.yaml``; where its tables judge differently, give the file of one of them.

    Raises what ``_files.rows``, ``_audformat.rows`` and ``_rows.utterances`` raise.
    """
    folder = root if root.is_dir() else root.parent
    header = folder / "db.yaml"
    if header.is_file() and (root.is_dir() or root.name.startswith("db.")):
        rows = _audformat.rows(header, only=None if root.is_dir() else root)
    elif root.is_dir():
        raise CorpusNotFound(f"{root} holds no db.yaml; give a table, or an audformat database")
    else:
        rows = _files.rows(root)
    return utterances(rows, recordings=Recordings(folder, audio), partial=partial)
