"""Kaldi data folders: ``wav.scp`` and the tables beside it (Povey et al. 2011)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from voxplain.errors import CorpusNotFound, InputError
from voxplain.training.corpora._reading import Card, Utterance
from voxplain.training.corpora._rows import Recordings, Row, utterances

__all__ = ["CARD", "read"]

CARD = Card(
    title="Kaldi data folder",
    language="as utt2lang says",
    licence="that of the recordings",
    citation="Povey et al. 2011, ASRU",
    shippable=False,
)

_TELLS = {"utt2spk": "speaker", "text": "text", "utt2emo": "emotion", "utt2lang": "language"}


def read(root: Path, *, audio: Path | None = None, partial: bool = False) -> list[Utterance]:
    """The utterances of a folder with ``wav.scp``, as ``segments`` cuts the recordings.

    With what ``utt2spk``, ``text``, ``utt2emo``, ``utt2lang`` and ``spk2gender`` say. Paths begin
    in the folder, or in ``audio``. A recording that a command would make is refused: nothing that
    stands in the data is ever run. Raises CorpusNotFound, InputError.
    """
    if not (root / "wav.scp").is_file():
        raise CorpusNotFound(f"{root} holds no wav.scp; give a Kaldi data folder")
    return utterances(
        _rows(root),
        recordings=Recordings(root, audio),
        partial=partial,
        labelled=(root / "utt2emo").is_file(),
    )


def _rows(root: Path) -> Iterator[Row]:
    files = _table(root / "wav.scp")
    for name, (where, file) in files.items():
        if "|" in (file[0], file[-1]):
            raise InputError(
                f"{where}: {name} is made by a command, which is not run; make its file and list it"
            )
    tables = {what: _table(root / file) for file, what in _TELLS.items()}
    sexes = _table(root / "spk2gender")
    whole = {name: (where, name) for name, (where, _) in files.items()}
    for utterance, (where, stretch) in (_table(root / "segments") or whole).items():
        recording, *times = stretch.split()
        if recording not in files or len(times) not in (0, 2):
            raise InputError(f"{where}: {stretch!r} is no recording of wav.scp, start and end")
        cells = {what: table[utterance][1] for what, table in tables.items() if utterance in table}
        cells |= {"emotion": cells.get("emotion", ""), "file": files[recording][1]}
        if cells.get("speaker") in sexes:
            cells["sex"] = sexes[cells["speaker"]][1]
        yield where, {**cells, **dict(zip(("start", "end"), times, strict=False))}


def _table(path: Path) -> dict[str, tuple[str, str]]:
    """First word of each line -> where it stands, and the rest; nothing without the file."""
    if not path.is_file():
        return {}
    found: dict[str, tuple[str, str]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        name, _, rest = line.strip().partition(" ")
        where = f"{path} line {number}"
        if not rest or name in found:
            raise InputError(f"{where} has no second word, or a first that was there: {line!r}")
        found[name] = where, rest.strip()
    return found
