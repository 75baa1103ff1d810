"""Hold systems against each other on the same clips, with tests.

examples:
  voxplain compare runs/probe runs/lora
  voxplain compare ours.csv theirs.csv --metric uar --metric macro_f1
  voxplain compare a.csv b.csv c.csv --common --out comparison.md

Each is a table of predictions (CSV or Parquet with the columns file, start,
end, speaker, emotion, prediction, p_<label> ...) or a run folder that holds
predictions.csv. Clips are matched by file, start and end; intervals resample
speakers. What the numbers mean: docs/statistics.md.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from voxplain.cli._results import write
from voxplain.errors import ConfigError
from voxplain.plugins import names, require

if TYPE_CHECKING:
    from voxplain.training.comparison import Comparison

__all__ = ["add", "run"]

Rows = Sequence[tuple[str, ...]]
"""A table; the first row is its head."""

_FEWEST_DRAWS = 100


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    option = parser.add_argument
    option("systems", nargs="+", type=Path, metavar="TABLE", help="predictions or run folders")
    option(
        "--metric",
        action="append",
        metavar="NAME",
        help=f"these alone, may be given again: {', '.join(names('metrics'))}",
    )
    option("--common", action="store_true", help="leave out clips that not all have")
    option("--draws", type=int, default=1000, metavar="N", help="of the speakers (default 1000)")
    option("--json", action="store_true", help="print JSON")
    option("--out", type=Path, metavar="FILE", help="write the tables as Markdown")


def run(arguments: argparse.Namespace) -> int:
    """Read, compare and print."""
    require("scipy", extra="train")
    from voxplain.training.comparison import compare
    from voxplain.training.predictions import Predictions

    paths = [str(path) for path in arguments.systems]
    if not 2 <= len(set(paths)) == len(paths) <= len(ascii_uppercase):
        raise ConfigError(f"compare takes 2 to 26 different systems, not {', '.join(paths)}")
    if arguments.draws < _FEWEST_DRAWS:
        raise ConfigError(f"--draws must be at least {_FEWEST_DRAWS}, not {arguments.draws}")
    found = compare(
        {path: Predictions.read(Path(path)) for path in paths},
        metrics=arguments.metric,
        common=arguments.common,
        draws=arguments.draws,
    )
    if arguments.out:
        write(arguments.out, _told(found, _markdown) + "\n")
    print(json.dumps(_document(found), indent=2) if arguments.json else _told(found, _aligned))
    return 0


def _told(found: Comparison, table: Callable[[Rows], str]) -> str:
    """The whole comparison, its tables drawn by ``table``."""
    letters = dict(zip(found.scores, ascii_uppercase, strict=False))
    systems = [("", "system", "clips left out")]
    systems += [(letter, name, str(found.left_out[name])) for name, letter in letters.items()]
    basis = f"{found.clips} clips of {found.speakers} speakers"
    if found.without_speaker:
        basis += (
            f"; the speaker of {found.without_speaker} is not known:\n"
            "each of their files counts as a speaker, and intervals are too narrow"
        )
    parts = [
        table(systems),
        basis,
        "Figures with 95 % intervals over speakers (chance: a guess that knows how often\n"
        "each emotion is, or the mean, but nothing of the clip):",
        table(_figures(found, letters)),
        "Differences, paired by speaker (p: paired cluster bootstrap; Holm: p corrected\n"
        "for all pairs and metrics of this table):",
        table(_differences(found, letters)),
    ]
    if any(pair.discordance for pair in found.pairs):
        parts += [
            "McNemar's test of the labels (takes clips for independent, so p is too small\n"
            "where clips of one speaker resemble each other; Holm: over its pairs):",
            table(_discordances(found, letters)),
        ]
    return "\n\n".join(parts)


def _figures(found: Comparison, letters: Mapping[str, str]) -> Rows:
    rows = [("metric", "better", "system", "figure", "chance", "n")]
    for title, score in next(iter(found.scores.values())).items():
        better = "high" if score.card.higher_is_better else "low"
        for name, letter in letters.items():
            figure = found.scores[name][title].found.interval
            chance = _number(score.chance)
            rows.append((title, better, letter, str(figure), chance, str(figure.n)))
    return rows


def _differences(found: Comparison, letters: Mapping[str, str]) -> Rows:
    rows = [("metric", "pair", "difference", "p", "Holm")]
    for title in next(iter(found.scores.values())):
        for pair in found.pairs:
            one = pair.differences[title]
            names = f"{letters[pair.other]} - {letters[pair.one]}"
            rows.append((title, names, str(one), _p(one.p), _p(pair.corrected[title])))
    return rows


def _discordances(found: Comparison, letters: Mapping[str, str]) -> Rows:
    rows = [("pair", "only the first right", "only the second right", "p", "Holm")]
    for pair in found.pairs:
        if split := pair.discordance:
            names = f"{letters[pair.one]}, {letters[pair.other]}"
            told = _p(split.p), _p(pair.discordance_corrected)
            rows.append((names, str(split.only_one), str(split.only_other), *told))
    return rows


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{round(value, 3) + 0:.3f}"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else _number(value)


def _aligned(rows: Rows) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (zip(row, widths, strict=True) for row in rows)
    return "\n".join("  ".join(f"{cell:{width}}" for cell, width in row).rstrip() for row in lines)


def _markdown(rows: Rows) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def _document(found: Comparison) -> dict[str, Any]:
    """As JSON takes it: what is not defined is null."""
    return {
        "clips": found.clips,
        "speakers": found.speakers,
        "without_speaker": found.without_speaker,
        "left_out": dict(found.left_out),
        "systems": {
            name: {
                title: _plain(asdict(score.found.interval) | {"chance": score.chance})
                for title, score in table.items()
            }
            for name, table in found.scores.items()
        },
        "pairs": [
            {
                "one": pair.one,
                "other": pair.other,
                "other_minus_one": {
                    title: _plain(asdict(difference) | {"p_holm": pair.corrected[title]})
                    for title, difference in pair.differences.items()
                },
                "mcnemar": pair.discordance
                and _plain(asdict(pair.discordance) | {"p_holm": pair.discordance_corrected}),
            }
            for pair in found.pairs
        ],
    }


def _plain(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in figures.items()}
