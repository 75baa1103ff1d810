"""EmoBox: the JSON lines of its folds, one utterance a line (Ma et al. 2024)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from voxplain.errors import InputError
from voxplain.training.corpora import _files
from voxplain.training.corpora._naming import named
from voxplain.training.corpora._reading import Card, Utterance
from voxplain.training.corpora._rows import Recordings, Row, utterances

__all__ = ["CARD", "read"]

CARD = Card(
    title="EmoBox JSON lines",
    language="that of the corpus",
    licence="that of the corpus",
    citation="Ma et al. 2024, Interspeech",
    shippable=False,
)


def read(root: Path, *, audio: Path | None = None, partial: bool = False) -> list[Utterance]:
    """The utterances of one ``.jsonl`` file, with the ``label_map.json`` beside or above it.

    The paths in it are those of EmoBox's own downloads: say with ``audio`` below which folder the
    recordings lie. EmoBox names neither speakers nor sentences; where the corpus's files do, they
    are told. Raises what ``_files.rows`` and ``utterances`` raise.
    """
    found = utterances(
        _rows(root),
        recordings=Recordings(root.parent, audio),
        partial=partial,
        label_map=_label_map(root),
    )
    return [named(one) for one in found]


def _rows(path: Path) -> Iterator[Row]:
    for where, cells in _files.rows(path):
        yield where, {**cells, "end": cells.get("length")}  # the whole file, in seconds


def _label_map(path: Path) -> dict[str, str]:
    """The corpus's labels -> those of EmoBox; nothing without the file."""
    for folder in (path.parent, path.parent.parent):
        file = folder / "label_map.json"
        if file.is_file():
            try:
                found = json.loads(file.read_text(encoding="utf-8-sig"))
            except ValueError as error:
                raise InputError(f"{file} is not JSON: {error}") from error
            return {str(raw): str(label) for raw, label in found.items()}
    return {}
