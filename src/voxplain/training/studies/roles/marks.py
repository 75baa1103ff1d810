"""Roles marked by hand: accounts go out to the annotators and come back."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

from voxplain.audio import read as audio
from voxplain.audio.intervals import read_textgrid
from voxplain.errors import ConfigError
from voxplain.reports.textgrid import SUFFIX, grid
from voxplain.text.roles.clauses import words
from voxplain.training.studies.roles.accounts import Account
from voxplain.training.studies.roles.views import marked
from voxplain.training.words.agreement import KINDS, kinds
from voxplain.types import Role

__all__ = ["export", "read"]

_COLUMNS = ("id", "word", "role")


def export(accounts: Iterable[Account], folder: Path) -> None:
    """Write ``marks.csv``, a row for each word, and a TextGrid of each account with word times.

    A role stands at the first word of a part and holds until the next one; in a TextGrid it is an
    interval of the tier ``roles``. Without marks both are blank.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for account in accounts:
        said = [account.text[start:end] for start, end in words(account.text)]
        own = kinds(account.text, account.marks) if account.marks else [""] * len(said)
        turns = [b if b != a else "" for a, b in itertools.pairwise(["", *own])]
        writer.writerows((account.id, *pair) for pair in zip(said, turns, strict=True))
        if account.timed:
            place = folder / f"{account.id}{SUFFIX}"
            place.write_text(_grid(account), encoding="utf-8")
    (folder / "marks.csv").write_text(table.getvalue(), encoding="utf-8")


def read(path: Path, accounts: Sequence[Account]) -> dict[str, tuple[Role, ...]]:
    """Id -> roles: from a table as ``export`` writes it, or from the TextGrids of a folder.

    Accounts without any mark are left out.

    Raises ConfigError, or UnknownName for a TextGrid without the tiers ``words`` and ``roles``.
    """
    texts = {account.id: account.text for account in accounts}
    if not path.is_dir():
        return _table(path, texts)
    files = sorted(path.glob(f"*{SUFFIX}"))
    if not files:
        raise ConfigError(f"{path} holds no {SUFFIX} of an account; give their folder, or a CSV")
    return {file.stem: _read_grid(file, _known(file.stem, texts, f"{file}")) for file in files}


def _table(path: Path, texts: dict[str, str]) -> dict[str, tuple[Role, ...]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} can't be read as a table: {error}") from error
    if not rows or not set(_COLUMNS) <= rows[0].keys():
        raise ConfigError(f"{path} lacks rows with {', '.join(_COLUMNS)}; see --annotate")
    found = {}
    numbered = enumerate(rows, start=2)
    for name, group in itertools.groupby(numbered, key=lambda pair: pair[1]["id"]):
        own = [(f"{path}, row {number}", row) for number, row in group]
        text = _known(name, texts, own[0][0])
        spans = words(text)
        said = [text[start:end] for start, end in spans]
        if [row["word"] for _, row in own] != said:
            pairs = zip(own, said, strict=False)
            here = next((at for (at, row), word in pairs if row["word"] != word), own[-1][0])
            raise ConfigError(
                f"{here}: from here on the words are not those of the account {name!r}; change the "
                "roles alone, and leave every row in its place"
            )
        marks = [(row["role"] or "", here) for here, row in own]
        if any(mark for mark, _ in marks):
            found[name] = marked(text, [start for start, _ in spans], _held(marks))
    return found


def _read_grid(path: Path, text: str) -> tuple[Role, ...]:
    parts = read_textgrid(path, tier="roles")
    starts, marks, end = [], [], 0
    for word in read_textgrid(path, tier="words"):
        here, label = f"{path} at {word.start:.2f} s", word.label or ""
        start = text.find(label, end)
        if start < 0:
            raise ConfigError(
                f"{here}: the word {label!r} is not in what is left of the account, "
                f"{text[end : end + 30]!r}; change the tier 'roles' alone"
            )
        middle, end = (word.start + word.end) / 2, start + len(label)
        inside = [part.label or "" for part in parts if part.start <= middle < part.end]
        starts.append(start)
        marks.append(("".join(inside), here))
    return marked(text, starts, _held(marks))


def _held(marks: Iterable[tuple[str, str]]) -> list[str]:
    """The role of each word, from those that are marked, and where they stand."""
    found: list[str] = []
    for mark, here in marks:
        role = mark.strip() or (found[-1] if found else "")
        if role not in KINDS:
            raise ConfigError(f"{here}: the role is {role!r}; give {' or '.join(KINDS)}")
        found.append(role)
    return found


def _known(name: str, texts: dict[str, str], here: str) -> str:
    if name not in texts:
        raise ConfigError(f"{here}: the table of the study has no account {name!r}")
    return texts[name]


def _grid(account: Account) -> str:
    spoken = [(word.start, word.end, word.text) for word, _ in account.timed]
    tiers = {"words": spoken, "roles": account.stretches(account.marks)}
    end = spoken[-1][1]
    duration = audio.read(account.audio).duration if account.audio else end
    return grid(tiers, duration=max(duration, end))
