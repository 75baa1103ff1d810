"""A grid, from its recipe to its runs, tables and files."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from voxplain.files import write
from voxplain.plugins import require
from voxplain.training.evaluate import table as markdown
from voxplain.training.experiment.recipe import ExperimentRecipe
from voxplain.training.experiment.run import train
from voxplain.training.predictions import DIMENSIONS
from voxplain.training.studies.charts import dots
from voxplain.training.studies.grid import figures, usage
from voxplain.training.studies.grid.costs import costs, measure
from voxplain.training.studies.grid.figures import MEAN, Seeds
from voxplain.training.studies.grid.recipe import GridRecipe, Row, Versions, resolve
from voxplain.training.studies.tables import Table

__all__ = ["HOW_SURE", "carry_out", "provenance", "publish", "study", "tables"]

log = logging.getLogger(__name__)

HOW_SURE = (
    "the mean of the seeds, with 95 % intervals over speakers (over files where nobody knows who "
    "speaks). Differences are paired by speaker; their p is corrected by Holm over the table."
)
"""What stands behind the first words on figures."""


def study(
    recipe: GridRecipe,
    *,
    beside: Path,
    changes: Sequence[str],
    roots: Mapping[str, Path],
    cache: Path,
    jobs: int,
    out: Path,
) -> dict[str, Table]:
    """Train what is not trained yet, and tell what each part is worth.

    ``beside`` is the folder of the recipe, ``changes`` are of all its experiments. In ``out``: a
    run folder for each row, figures.json, figures.svg and README.md.

    Raises what ``resolve`` and ``train`` raise.
    """
    rows = resolve(recipe, beside=beside, changes=changes)
    runs = {row.folder: row.recipe for row in rows}
    # What reads most leaves the others the least to hear anew.
    reads = {
        folder: len(run.texts.branches) if run.texts.encoder else 0 for folder, run in runs.items()
    }

    def made(folder: str, jobs: int) -> None:
        place = out / folder
        train(runs[folder], roots=roots, checkpoint=None, out=place, cache=cache, jobs=jobs)
        measure(place, runs[folder], roots=roots)

    order = sorted(runs, key=lambda folder: -reads[folder])
    carry_out(made, order, jobs=jobs, at_once=recipe.at_once)
    found = tables(recipe, rows, roots=roots, out=out)
    publish(
        recipe,
        found,
        said=f"CCC of recordings that were tested, {HOW_SURE}",
        charts={"figures.svg": ("CCC of each row", _chart(found, recipe.tables))},
        out=out,
    )
    return found


def carry_out(
    made: Callable[[str, int], None], folders: Sequence[str], *, jobs: int, at_once: int
) -> None:
    """Make the run of each folder: the first alone with all jobs, then so many at the same time.

    What the first one hears is kept for the others.
    """
    joblib = require("joblib", extra="train")

    def make(folder: str, jobs: int) -> str:
        made(folder, jobs)
        return folder

    first, *others = folders
    alone = [make(first, jobs)]
    share = max(1, jobs // at_once)
    together = joblib.Parallel(at_once, return_as="generator_unordered")(
        joblib.delayed(make)(folder, share) for folder in others
    )
    for number, folder in enumerate(chain(alone, together), start=1):
        log.info("run %d of %d is there: %s", number, len(folders), folder)


def publish(
    recipe: Versions,
    found: dict[str, Table],
    *,
    said: str,
    charts: Mapping[str, tuple[str, str]],
    out: Path,
) -> None:
    """Write figures.json, the charts (file -> title and SVG), and README.md.

    ``said`` is what the tables of ``found`` hold.
    """
    note = f"> {recipe.note}.\n\n" if recipe.note else ""
    drawn = "\n".join(f"![{title}]({file})" for file, (title, _) in charts.items())
    readme = (
        f"# {recipe.name}\n\n{note}{said} `figures.json` holds all of it, and each run its recipe, "
        f"its predictions and its models.\n\n{drawn}\n\n{markdown(found)}\n"
    )
    files = {file: svg for file, (_, svg) in charts.items()}
    plain = json.dumps(found, default=asdict, indent=1)
    for name, text in {"figures.json": plain, **files, "README.md": readme}.items():
        write(out / name, f"{text}\n".encode())


def tables(
    recipe: GridRecipe,
    rows: Sequence[Row[ExperimentRecipe]],
    *,
    roots: Mapping[str, Path],
    out: Path,
) -> dict[str, Table]:
    """By title, from what the runs in ``out`` left; those without a row are left out."""
    found: dict[str, Table] = {}
    for name in recipe.tables:
        own = [row for row in rows if row.table == name]
        data = own[0].recipe.data
        told = {row.name: figures.read(out / row.folder, row.recipe.train.seeds) for row in own}
        told = figures.aligned(told)
        learned = {row: figures.of(seeds, data.corpora) for row, seeds in told.items()}
        parts = {name: learned}
        if recipe.ceiling:
            place = _folder(roots[data.corpora[0]]) / recipe.ceiling
            parts[name] = {**learned, "ceiling": figures.best(learned[own[0].name], place)}
        for corpus in data.tested:
            parts[f"{name}, in {corpus}"] = {
                row: figures.of(seeds, [corpus]) for row, seeds in told.items()
            }
        for title, part in parts.items():
            found |= _concordances(title, part, reference=recipe.reference.get(name))
        found[f"{name}, mean by word error rate"] = {
            row.name: figures.by_errors({0.0: learned[row.name]} | _misread(row, out))
            for row in own
            if row.recipe.texts.errors
        }
        found[f"{name}, weights of the gate"] = usage.gates(learned)
        found[f"{name}, experts at work"] = usage.experts(learned)
        found[f"{name}, processor milliseconds for a clip"] = {
            row.name: costs(out / row.folder) for row in own
        }
        found[f"{name}, runs"] = {
            row.name: {MEAN: found[name][row.name][MEAN], **provenance(row, out)} for row in own
        }
    return {title: table for title, table in found.items() if table}


def _concordances(
    title: str, rows: Mapping[str, Seeds], *, reference: str | None
) -> dict[str, Table]:
    """CCC of each row, and above the reference."""
    drawn = {row: figures.concordance(seeds) for row, seeds in rows.items()}
    found: dict[str, Table] = {
        title: {
            row: {column: one.interval for column, one in columns.items()}
            | {"SD of seeds": figures.spread(rows[row])}
            for row, columns in drawn.items()
        }
    }
    if reference is not None:
        found[f"{title}, above {reference}"] = figures.above(drawn, reference)
    return found


def _misread(row: Row[ExperimentRecipe], out: Path) -> dict[float, Seeds]:
    """Word error rate -> what was said of the learned corpora's clips."""
    plan = row.recipe
    return {
        rate: figures.of(
            figures.read(out / row.folder, plan.train.seeds, errors=rate), plan.data.corpora
        )
        for rate in plan.texts.errors
    }


def provenance(row: Row[Any], out: Path) -> dict[str, str]:
    """Where a row was trained, and by what."""
    environment = json.loads((out / row.folder / "environment.json").read_text(encoding="utf-8"))
    hashes = {name: environment[f"{name}_sha256"][:12] for name in ("recipe", "data")}
    return {"seeds": " ".join(map(str, row.recipe.train.seeds)), **hashes, "run": row.folder}


def _folder(root: Path) -> Path:
    return root if root.is_dir() else root.parent


def _chart(found: Mapping[str, Table], names: Collection[str]) -> str:
    rows = {
        f"{name}: {row}" if len(names) > 1 else row: [
            columns[one] for one in DIMENSIONS if one in columns
        ]
        for name in names
        for row, columns in found[name].items()
    }
    return dots(
        rows,
        title="CCC with 95 % intervals over speakers",
        series=DIMENSIONS,
        span=(-0.2, 1.0),
        chance=0.0,
    )
