"""From what runs said to figures: CCC of each row, and by how much it is above another."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from voxplain.errors import ConfigError
from voxplain.training.comparison import shared
from voxplain.training.predictions import DIMENSIONS, FILE, Predictions
from voxplain.training.scoring import scores
from voxplain.training.statistics import Bootstrap, Difference, Interval, difference, holm, mean
from voxplain.training.studies.tables import Table

__all__ = [
    "MEAN",
    "Corrected",
    "Seeds",
    "above",
    "aligned",
    "best",
    "by_errors",
    "concordance",
    "of",
    "read",
    "spread",
]

MEAN = "mean"
"""Of the dimensions: what a grid is decided by."""

Seeds = Sequence[Predictions]
"""What the models of each seed say of the same clips."""


@dataclass(frozen=True, slots=True)
class Corrected(Difference):
    """A difference among several."""

    holm: float
    """p after Holm, over all of its table."""

    def __str__(self) -> str:
        p = "p < 0.001" if self.holm < 0.001 else f"p {self.holm:.3f}"
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}] {p}"


def read(run: Path, seeds: Sequence[int], *, errors: float | None = None) -> Seeds:
    """What the models of a run say of its tested clips, by transcripts with a word error rate.

    Raises InputError.
    """
    stem, suffix = FILE.split(".")
    stem += "" if errors is None else f"_wer_{errors:.2f}"
    _, *others = seeds
    names = [stem, *(f"{stem}_{seed}" for seed in others)]
    return [Predictions.read(run / f"{name}.{suffix}") for name in names]


def aligned(rows: Mapping[str, Seeds]) -> dict[str, Seeds]:
    """The same clips in the same order in all. Raises ConfigError for others, or another truth."""
    flat = {
        f"{row}, {place}": one for row, seeds in rows.items() for place, one in enumerate(seeds)
    }
    alike = iter(shared(flat).values())
    return {row: [next(alike) for _ in seeds] for row, seeds in rows.items()}


def of(seeds: Seeds, corpora: Sequence[str]) -> Seeds:
    """The clips of some corpora."""
    return [one.some(np.isin(one["corpus"], corpora)) for one in seeds]


def concordance(seeds: Seeds) -> dict[str, Bootstrap]:
    """CCC of each dimension that is rated, and their mean; each is the mean of the seeds.

    The same speakers are drawn for all of them. Raises ConfigError where nothing is rated.
    """
    found = [scores(one, metrics=["ccc"]).values() for one in seeds]
    each = {some[0].subject: mean([one.found for one in some]) for some in zip(*found, strict=True)}
    return each | {MEAN: mean(list(each.values()))}


def spread(seeds: Seeds) -> str:
    """Standard deviation of the mean CCC between seeds; nothing of a single one."""
    if len(seeds) < 2:
        return ""
    alone = [scores(one, metrics=["ccc"], draws=1).values() for one in seeds]
    return f"{np.std([np.mean([one.found.value for one in some]) for some in alone], ddof=1):.3f}"


def above(rows: Mapping[str, Mapping[str, Bootstrap]], reference: str) -> Table:
    """Each row minus another one, in the columns of both: paired cluster bootstrap, p corrected
    over the table.
    """
    pairs = {
        row: {
            column: difference(one, rows[reference][column])
            for column, one in columns.items()
            if column in rows[reference]
        }
        for row, columns in rows.items()
        if row != reference
    }
    p = iter(holm([one.p for columns in pairs.values() for one in columns.values()]).tolist())
    return {
        row: {column: Corrected(**asdict(one), holm=next(p)) for column, one in columns.items()}
        for row, columns in pairs.items()
    }


def by_errors(known: Mapping[float, Seeds]) -> dict[str, Interval]:
    """Mean CCC of a row by the word error rate of what it was given to read."""
    return {f"{rate:.0%}": concordance(seeds)[MEAN].interval for rate, seeds in known.items()}


def best(seeds: Seeds, table: Path) -> Seeds:
    """As if each clip were judged as well as can be by who knows all but the noise.

    A table (CSV) says what to expect of a clip: its ``file``, whose name counts, and the
    dimensions. Stretched until it varies as much as the truth does, that has the highest CCC of all
    predictions, Pearson's r of the two.

    Raises ConfigError for a table that can't be read or lacks a clip.
    """
    first, *_ = seeds
    said = {}
    try:
        with table.open(encoding="utf-8", newline="") as stream:
            rows = {Path(row["file"]).name: row for row in csv.DictReader(stream)}
        own = [rows[Path(file).name] for file in first["file"]]
        for name in DIMENSIONS:
            true, expected = first[name], np.array([float(row[name]) for row in own])
            said[f"p_{name}"] = true.mean() + true.std() * stats.zscore(expected)
    except OSError as error:
        raise ConfigError(f"ceiling: {table} can't be read: {error.strerror}") from error
    except KeyError as error:
        raise ConfigError(f"ceiling: {table} lacks {error}") from error
    return [Predictions({**first.columns, **said})]
