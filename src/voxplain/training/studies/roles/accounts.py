"""The table of a study: who told of what, what it was meant to stir, and what it stirred."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from voxplain.errors import ConfigError
from voxplain.text import given
from voxplain.training.words.agreement import KINDS
from voxplain.types import Role, Transcript, Word

__all__ = ["Account", "read"]

_NEEDED = ("speaker", "stimulus", "intended", "evoked", "valence", "arousal")
_FILE = re.compile(r".+\.(textgrid|srt|vtt|json|txt)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Account:
    """What somebody told of a stimulus, written or spoken."""

    id: str
    speaker: str
    stimulus: str
    intended: str
    """The emotion that the stimulus is meant to stir."""
    evoked: str
    """The one that it stirred in the speaker."""
    valence: float
    arousal: float
    register: str
    """Manner of speaking, or empty."""
    audio: Path | None
    transcript: Transcript | None
    """None where only the recording is there."""
    marks: tuple[Role, ...]
    """By hand; none where nobody has marked it."""

    @property
    def text(self) -> str:
        """What was told, as far as it has been written down."""
        return self.transcript.text if self.transcript else ""

    @property
    def timed(self) -> list[tuple[Word, int]]:
        """The words that have a time, and the character that each starts with."""
        if self.transcript is None:
            return []
        places = zip(self.transcript.words, self.transcript.spans, strict=True)
        return [(word, start) for word, (start, _) in places if word.start < word.end]

    def stretches(self, roles: Sequence[Role]) -> list[tuple[float, float, str]]:
        """When each role is spoken, from its first word to its last, and its kind; in seconds."""
        found = []
        for role in roles:
            inside = [word for word, start in self.timed if role.start <= start < role.end]
            if inside:
                found.append((inside[0].start, inside[-1].end, role.kind))
        return found


def read(path: Path) -> list[Account]:
    """The accounts of a table (CSV), a row each.

    It has the columns speaker, stimulus, intended, evoked, valence and arousal, and what was told
    as ``transcript`` (the words, or a file for ``text.given``) or ``audio`` (a recording), or both.
    Files are looked for from the folder of the table. Optional are ``id``, ``register`` and
    ``roles``: a JSON list of [kind, text], whose texts, one after the other, are the transcript.

    Raises ConfigError, naming row (the first is that of the titles) and column, and TextError for
    a file of a transcript.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            table = csv.DictReader(stream)
            columns, rows = table.fieldnames or [], list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} can't be read as a table: {error}") from error
    missing = [repr(name) for name in _NEEDED if name not in columns]
    if missing:
        raise ConfigError(
            f"{path} lacks the column {', '.join(missing)}; it has {', '.join(columns) or 'none'}"
        )
    found: dict[str, Account] = {}
    meant: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        account = _account(row, path, number)
        if account.id in found:
            raise ConfigError(
                f"{path}, row {number}: the id {account.id!r} is there twice; give each account "
                "its own"
            )
        before = meant.setdefault(account.stimulus, account.intended)
        if before != account.intended:
            raise ConfigError(
                f"{path}, row {number}, column 'intended': {account.intended!r}, but above the "
                f"stimulus {account.stimulus!r} is meant to stir {before!r}; give each one emotion"
            )
        found[account.id] = account
    speakers = {account.speaker for account in found.values()}
    if len(speakers) < 2:
        raise ConfigError(
            f"{path} holds {len(found)} accounts by {len(speakers)} speakers; a study needs two "
            "speakers or more, so that each is judged by what was learned from others"
        )
    for column in ("intended", "evoked"):
        labels = {getattr(account, column) for account in found.values()}
        if len(labels) < 2:
            raise ConfigError(
                f"{path}, column {column!r}: every row says {labels.pop()!r}; a study tells "
                "emotions apart and needs two or more"
            )
    return list(found.values())


def _parts(pairs: Any) -> tuple[Role, ...]:
    """Roles of [[kind, text], ...], one after the other. Raises ValueError for anything else."""
    found, end = [], 0
    for pair in pairs if isinstance(pairs, list) else [pairs]:
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], str)):
            raise ValueError(f"{pair!r} is not [kind, text]")
        if pair[0] not in KINDS:
            raise ValueError(f"the kind {pair[0]!r} is not {' or '.join(KINDS)}")
        found.append(Role(pair[0], end, end := end + len(pair[1]), 1.0))
    return tuple(found)


def _account(row: Mapping[Any, Any], path: Path, number: int) -> Account:
    wrong = partial(_wrong, path, number)
    if None in row:
        raise wrong("", f"{row[None][0]!r} stands beyond the last column; quote what has commas")
    cells = {name: (cell or "").strip() for name, cell in row.items()}
    for name in _NEEDED:
        if not cells[name]:
            raise wrong(name, "is empty; every account needs one")
    name, transcript = cells.get("id") or str(number), None
    if _FILE.fullmatch(cells.get("transcript", "")):
        transcript = given.read(path.parent / cells["transcript"])
    elif cells.get("transcript"):
        transcript = Transcript(row["transcript"], (), "", str(path), 1.0)
    if Path(name).name != name:
        raise wrong("id", f"{name!r} can't be the name of a file; leave out slashes")
    audio = path.parent / cells["audio"] if cells.get("audio") else None
    if audio and not audio.is_file():
        raise wrong("audio", f"{audio} does not exist; give a path from the folder of the table")
    if not (transcript or audio):
        raise wrong("transcript", "is empty, and there is no audio; give the words or a recording")
    return Account(
        id=name,
        speaker=cells["speaker"],
        stimulus=cells["stimulus"],
        intended=cells["intended"],
        evoked=cells["evoked"],
        valence=_rating(cells["valence"], partial(wrong, "valence")),
        arousal=_rating(cells["arousal"], partial(wrong, "arousal")),
        register=cells.get("register", ""),
        audio=audio,
        transcript=transcript,
        marks=_marks(cells.get("roles", ""), transcript, partial(wrong, "roles")),
    )


def _rating(cell: str, wrong: Callable[[str], ConfigError]) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise wrong(f"{cell!r} is no number; give a rating, such as 6 or 2.5")
    return value


def _marks(
    cell: str, transcript: Transcript | None, wrong: Callable[[str], ConfigError]
) -> tuple[Role, ...]:
    if not cell:
        return ()
    text = transcript.text if transcript else ""
    try:
        pairs = json.loads(cell)
        found = _parts(pairs)
    except ValueError as error:
        raise wrong(f'{error}; give a JSON list such as [["descriptive", "He fell."]]') from error
    joined = "".join(part for _, part in pairs)
    if joined != text:
        both = zip(joined, text, strict=False)
        same = next((n for n, (a, b) in enumerate(both) if a != b), min(len(joined), len(text)))
        raise wrong(
            f"the texts are not the transcript: from character {same} on there is "
            f"{joined[same : same + 20]!r} instead of {text[same : same + 20]!r}; put together, "
            "they must give it back"
        )
    return found


def _wrong(path: Path, number: int, column: str, what: str) -> ConfigError:
    place = f"{path}, row {number}" + (f", column {column!r}" if column else "")
    return ConfigError(f"{place}: {what}")
