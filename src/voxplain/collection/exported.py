"""A collection as the table that ``voxplain study roles`` reads, with its recordings."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voxplain import files
from voxplain.collection.store import Collection
from voxplain.errors import OutputError

__all__ = ["COLUMNS", "Exported", "Transcribe", "export"]

COLUMNS = (
    "id", "speaker", "stimulus", "intended", "evoked", "valence", "arousal", "language",
    "transcript", "audio",
)  # fmt: skip
_OURS = re.compile(r"[0-9a-f]{16}_[a-z0-9_-]+\.wav")

Transcribe = Callable[[Path, str], str]
"""A recording and its language -> what is said."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What went into a table."""

    accounts: int
    participants: int
    recordings: Path
    """Their folder."""


def export(collection: Collection, out: Path, *, transcribe: Transcribe | None = None) -> Exported:
    """Write the table (CSV), and each account as WAV in a folder beside it, opened.

    What an earlier export left of participants who have withdrawn since is deleted there.

    Raises ConfigError for what the key doesn't open, OutputError, and what transcribing raises.
    """
    folder = out.with_name(f"{out.stem}_audio")
    rows, speakers = [], set()
    try:
        for participant in collection.participants():
            language = participant.consent.language
            for answer in participant.answers():
                name = f"{participant.id}_{answer.item}"
                path = folder / f"{name}.wav"
                files.write(path, participant.recording(answer.item))
                said = transcribe(path, language) if transcribe else ""
                rated = (answer.intended, answer.evoked, answer.valence, answer.arousal)
                place = f"{folder.name}/{path.name}"
                rows.append((name, participant.id, answer.item, *rated, language, said, place))
                speakers.add(participant.id)
        table = io.StringIO(newline="")
        csv.writer(table).writerows([COLUMNS, *rows])
        files.write(out, table.getvalue().encode())
        kept = {f"{row[0]}.wav" for row in rows}
        for path in folder.glob("*.wav"):
            if _OURS.fullmatch(path.name) and path.name not in kept:
                path.unlink()
    except OSError as error:
        raise OutputError(
            f"{out} can't be written: {error.strerror or error}; free some room or give another "
            "place with --out"
        ) from error
    return Exported(len(rows), len(speakers), folder)
