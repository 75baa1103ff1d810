"""Accounts whose parts are marked with their roles, as ``recipes/semantic_roles`` keeps them."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voxplain.errors import ConfigError
from voxplain.text.roles.embedded import KINDS
from voxplain.types import Role

__all__ = ["Account", "accounts", "worn"]

_PUNCTUATION = re.compile(r"[^\w\s'’]")


@dataclass(frozen=True, slots=True)
class Account:
    """A text with its roles, and who tells it in which manner."""

    text: str
    roles: tuple[Role, ...]
    narrator: str
    register: str


def accounts(folder: Path, files: Sequence[str], *, design: str) -> list[Account]:
    """Read JSON lines ``{"id": ..., "parts": [[role, text], ...]}`` whose rows are in a table.

    Raises ConfigError for a file that can't be read or a line that is no account.
    """
    found = []
    place = folder / design
    try:
        with place.open(encoding="utf-8", newline="") as stream:
            rows = {row["id"]: row for row in csv.DictReader(stream)}
        for file in files:
            place = folder / file
            lines = place.read_text(encoding="utf-8").rstrip("\n").split("\n")
            for number, line in enumerate(lines, start=1):
                place = folder / f"{file}, line {number}"
                plain = json.loads(line)
                row = rows[plain["id"]]
                found.append(_account(plain["parts"], row["narrator"], row["register"]))
    except OSError as error:
        raise ConfigError(f"{place} can't be read: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{place} is no account: {error!r}; an account is {{'id': ..., 'parts': "
            f"[[role, text], ...]}} with roles {' and '.join(KINDS)} and its id in {design}"
        ) from error
    return found


def _account(parts: Sequence[tuple[str, str]], narrator: str, register: str) -> Account:
    roles, end = [], 0
    for kind, text in parts:
        KINDS.index(kind)
        roles.append(Role(kind, end, end := end + len(text), 1.0))
    return Account("".join(text for _, text in parts), tuple(roles), narrator, register)


def worn(account: Account, *, share: float = 1.0, seed: int = 0) -> Account:
    """An account that lost a share of its punctuation, or all and its capitals: as ASR writes.

    Every mark that is lost leaves a space, so that the roles stay where they are.
    """
    draw = np.random.default_rng(seed)
    text = _PUNCTUATION.sub(lambda m: " " if draw.random() < share else m.group(), account.text)
    return dataclasses.replace(account, text=text.lower() if share == 1 else text)
