"""What a system said of each clip, beside the truth: the one table that all systems write."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import InputError, UnknownName
from voxplain.plugins import require
from voxplain.training.metrics import _given

__all__ = ["DIMENSIONS", "FILE", "Clip", "Predictions"]

FILE = "predictions.csv"
"""Its name in a run folder."""

DIMENSIONS = ("valence", "arousal", "dominance")
_FIRST = ("file", "start", "end", "corpus", "speaker", "sex", "emotion", "prediction", "fold")
_NEEDED = ("file", "start", "end", "speaker")
_OPTIONAL = tuple(name for name in _FIRST if name not in _NEEDED)
_NUMBERS = ("start", "end", *DIMENSIONS)
_PROBABILITY, _VOTES = "p_", "votes_"

Clip = tuple[str, float, float]
"""file, start and end; an end of -1 is that of the file"""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """A table with a row per clip, made of columns (n,) by name; checked once, trusted after.

    - file, start, end: the clip, in seconds; an empty end (NaN) is the end of the file
    - speaker: unique over all corpora; empty where nobody knows
    - corpus, sex, fold: empty where nobody knows
    - emotion: the truth; empty where nobody knows
    - prediction: the label that the system gives
    - p_<label>: its probability of each label
    - votes_<label>: the share of the listeners who chose it; empty for clips without votes
    - valence, arousal, dominance: the truth, in [0, 1]; empty where nobody knows
    - p_valence, p_arousal, p_dominance: what the system says

    file, start, end and speaker must be there, and something predicted. Further columns are kept.

    Raises InputError: a column is missing, lengths differ, there is no clip or one twice, what was
    predicted is missing or no number, probabilities or votes don't add to 1.
    """

    columns: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        given = self.columns
        if missing := [name for name in _NEEDED if name not in given]:
            raise InputError(
                f"predictions need a column {missing[0]!r}; there are: {', '.join(given) or 'none'}"
            )
        length = len(given["file"])
        for name, column in given.items():
            if len(column) != length:
                raise InputError(f"the column {name!r} has {len(column)} rows, file has {length}")
        if not length:
            raise InputError("there is no clip in these predictions")
        numeric = (*_NUMBERS, *_starting(_PROBABILITY, given), *_starting(_VOTES, given))
        columns = {
            name: _numbers(name, column) if name in numeric else _text(column)
            for name, column in given.items()
        }
        first = dict.fromkeys(_FIRST, np.full(length, ""))
        object.__setattr__(self, "columns", first | columns)
        self._check_clips()
        self._check_said()
        self._check_shares("probabilities", self.probabilities)
        self._check_votes()

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column (n,). Raises UnknownName."""
        if name not in self.columns:
            raise UnknownName("column", name, self.columns)
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.columns["file"])

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that have a probability."""
        names = (name.removeprefix(_PROBABILITY) for name in _starting(_PROBABILITY, self.columns))
        return tuple(name for name in names if name not in DIMENSIONS)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """(n, labels)"""
        columns = [self[_PROBABILITY + label] for label in self.labels]
        return np.stack(columns, axis=1) if columns else np.empty((len(self), 0))

    @property
    def votes(self) -> NDArray[np.float64]:
        """(n, labels) shares of the listeners, NaN in clips without; 0 for labels not asked for."""
        none = np.zeros(len(self))
        columns = [self.columns.get(_VOTES + label, none) for label in self.labels]
        rows = np.stack(columns, axis=1) if columns else np.empty((len(self), 0))
        asked = [self[name] for name in _starting(_VOTES, self.columns)]
        rows[np.isnan(asked).all(0) if asked else slice(None)] = np.nan
        return rows

    @property
    def clusters(self) -> NDArray[np.str_]:
        """(n,) what depends on each other: the speaker or, where nobody knows, the file."""
        return np.where(self["speaker"] == "", self["file"], self["speaker"])

    @property
    def clips(self) -> list[Clip]:
        """Which clips these are; times to the millisecond."""
        ends = np.nan_to_num(self["end"], nan=-1)
        times = (column.round(3).tolist() for column in (self["start"], ends))
        return list(zip(self["file"].tolist(), *times, strict=True))

    def some(self, rows: NDArray[Any]) -> Predictions:
        """Some of the clips: a mask, or their places in order."""
        return Predictions({name: column[rows] for name, column in self.columns.items()})

    @classmethod
    def read(cls, path: Path) -> Predictions:
        """From CSV, Parquet, or a run folder that holds ``predictions.csv``.

        Raises InputError, which names the file; MissingExtra for Parquet without pyarrow.
        """
        path = path / FILE if path.is_dir() else path
        try:
            return cls(_parquet(path) if path.suffix == ".parquet" else _csv(path))
        except OSError as error:
            raise InputError(f"{path} can't be read: {error.strerror or error}") from error
        except ValueError as error:  # what is wrong with the table; text that is none
            raise InputError(f"{path}: {error}") from error

    def write(self, path: Path) -> None:
        """To CSV or Parquet, whole or not at all; optional columns that are empty are left out.

        Raises UnknownName for another suffix, MissingExtra for Parquet without pyarrow.
        """
        if path.suffix not in (".csv", ".parquet"):
            raise UnknownName("kind of table", path.suffix, (".csv", ".parquet"))
        plain = {
            name: [None if cell == "" or cell != cell else cell for cell in column.tolist()]
            for name, column in self.columns.items()
            if name not in _OPTIONAL or (column != "").any()
        }
        part = path.with_name(f".{path.name}.part")
        if path.suffix == ".parquet":
            require("pyarrow", extra="tables")
            from pyarrow import parquet, table

            parquet.write_table(table(plain), part)
        else:
            with part.open("w", encoding="utf-8", newline="") as stream:
                rows = csv.writer(stream, lineterminator="\n")
                rows.writerow(plain)
                rows.writerows(zip(*plain.values(), strict=True))
        part.replace(path)

    def _check_clips(self) -> None:
        nameless = np.flatnonzero(self["file"] == "")
        if len(nameless):
            raise InputError(f"row {nameless[0] + 1} names no file")
        self._refuse(np.isnan(self["start"]), "has no start; 0 is that of the file")
        clip, times = Counter(self.clips).most_common(1)[0]
        if times > 1:
            raise InputError(f"{_told(clip)} stands there {times} times; a clip is judged once")

    def _check_said(self) -> None:
        said, numbers = self["prediction"] != "", _starting(_PROBABILITY, self.columns)
        if not said.any() and not {_PROBABILITY + name for name in DIMENSIONS} & {*numbers}:
            raise InputError("nothing is predicted: there is no prediction and no, say, p_valence")
        if said.any():
            self._refuse(~said, "has no prediction, others do")
        for name in numbers:
            self._refuse(np.isnan(self[name]), f"has no {name}; what is predicted is never missing")
        if self.labels:
            strange = said & ~np.isin(self["prediction"], self.labels)
            known = ", ".join(self.labels)
            self._refuse(strange, f"is given a label without a probability; they are of {known}")

    def _check_votes(self) -> None:
        names = _starting(_VOTES, self.columns)
        for label in (name.removeprefix(_VOTES) for name in names):
            if label not in self.labels:
                raise InputError(
                    f"there are votes for {label!r}, but no column p_{label}; "
                    "a system that does not know a label gives it 0"
                )
        votes = self.votes
        missing = np.isnan(votes).sum(1)
        partly = (missing > 0) & (missing < len(self.labels))
        self._refuse(partly, "has votes for some labels alone")
        self._check_shares("votes", votes)

    def _check_shares(self, what: str, rows: NDArray[np.float64]) -> None:
        if rows.shape[1]:
            wrong = _given.no_shares(rows)
            told = rows[wrong].round(4)[:1].tolist()
            self._refuse(wrong, f"has {what} {told}; they are shares, and add to 1")

    def _refuse(self, rows: NDArray[np.bool_], why: str) -> None:
        """Raise InputError, naming the first of some rows, if there are any."""
        places = np.flatnonzero(rows)
        if len(places):
            others = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
            raise InputError(f"{_told(self.clips[places[0]])}{others} {why}")


def _starting(prefix: str, columns: Mapping[str, Any]) -> list[str]:
    return [name for name in columns if name.startswith(prefix)]


def _told(clip: Clip) -> str:
    file, start, end = clip
    return f"{file} from {start:g} s to {'its end' if end < 0 else f'{end:g} s'}"


def _text(column: NDArray[Any]) -> NDArray[np.str_]:
    """NaN is missing, and so is the word that NumPy makes of it among words."""
    return np.array(["" if one is None or str(one) == "nan" else str(one) for one in column])


def _numbers(name: str, column: NDArray[Any]) -> NDArray[np.float64]:
    try:
        found = np.array([np.nan if one in (None, "") else float(one) for one in column])
    except (TypeError, ValueError) as error:
        raise InputError(f"the column {name!r} holds what is no number: {error}") from error
    if np.isinf(found).any():
        raise InputError(f"the column {name!r} holds a number without end")
    return found


def _csv(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        names, *rows = list(csv.reader(stream)) or [[]]
    for name, times in Counter(names).items():
        if times > 1:
            raise InputError(f"the column {name!r} stands there {times} times")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise InputError(f"row {number} has {len(row)} cells, the header {len(names)}")
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return dict(zip(names, columns, strict=True))


def _parquet(path: Path) -> dict[str, Any]:
    require("pyarrow", extra="tables")
    from pyarrow import parquet

    columns: dict[str, Any] = parquet.read_table(path).to_pydict()
    return columns
