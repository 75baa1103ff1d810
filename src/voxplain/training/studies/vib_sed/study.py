"""The study of VIB-Emo, from its recipe to its runs, tables and files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from voxplain.plugins import require
from voxplain.training.assessment.drawing import curves
from voxplain.training.statistics import Bootstrap, Interval
from voxplain.training.studies.charts import dots
from voxplain.training.studies.grid.figures import above, aligned, of
from voxplain.training.studies.grid.figures import read as predictions
from voxplain.training.studies.grid.recipe import Row
from voxplain.training.studies.grid.study import HOW_SURE, carry_out, provenance, publish
from voxplain.training.studies.tables import Table
from voxplain.training.studies.vib_sed import figures, following, probes
from voxplain.training.studies.vib_sed.models import hear, tested
from voxplain.training.studies.vib_sed.recipe import VibSedStudyRecipe, edited, resolve
from voxplain.training.vib_sed.recipe import VibSedRecipe
from voxplain.training.vib_sed.run import train
from voxplain.training.vib_sed.trained import LATENTS

__all__ = ["study", "tables"]

_ACCURACY = ("UAR", "descriptors")
_NATS = "nats a frame"


def study(
    recipe: VibSedStudyRecipe,
    *,
    beside: Path,
    changes: Sequence[str],
    roots: Mapping[str, Path],
    cache: Path,
    jobs: int,
    out: Path,
) -> dict[str, Table]:
    """Train what is not trained yet, probe it, edit voices, and tell what each part is worth.

    ``beside`` is the folder of the recipe, ``changes`` are of all its runs. In ``out``: a run
    folder for each row, figures.json, figures.svg, the curves, and README.md.

    Raises MissingExtra, and what ``resolve`` and ``train`` raise.
    """
    require("sacrebleu", extra="train")  # before anything long begins
    rows = resolve(recipe, beside=beside, changes=changes)
    runs = {row.folder: row.recipe for row in rows}
    followed = edited(recipe, rows)

    def made(folder: str, jobs: int) -> None:
        place, run = out / folder, runs[folder]
        train(run, roots=roots, checkpoint=None, out=place, cache=cache, jobs=jobs)
        clips = tested(run, roots=roots, cache=cache, jobs=jobs)
        listen = partial(hear, run, clips, cache=cache, jobs=jobs)
        probes.measure(place, run, clips, listen)
        if followed is not None and followed.folder == folder:
            following.measure(place, run, clips, listen, most=recipe.clips, jobs=jobs)

    carry_out(made, list(runs), jobs=jobs, at_once=recipe.at_once)
    found = tables(recipe, rows, out=out)
    charts = {"figures.svg": ("UAR and descriptors of each row", _chart(rows, found))}
    for name in recipe.curves:
        own = {row.name: out / row.folder for row in rows if row.table == name}
        charts |= _curves(name, own, found[name], chance=_chance(rows))
    publish(recipe, found, said=_SAID, charts=charts, out=out)
    return found


def tables(
    recipe: VibSedStudyRecipe, rows: Sequence[Row[VibSedRecipe]], *, out: Path
) -> dict[str, Table]:
    """By title, from what the runs in ``out`` left; those without a row are left out.

    Raises ConfigError for runs that tested other clips.
    """
    runs = {row.folder: row.recipe for row in rows}
    told = aligned(
        {folder: predictions(out / folder, run.train.seeds) for folder, run in runs.items()}
    )
    seeds, captioned = {}, {}
    for folder, run in runs.items():
        said = of(told[folder], run.data.corpora)
        spoken = figures.read(out / folder, run, said)
        seeds[folder] = figures.figures(run, said, spoken)
        if run.tasks.descriptors:
            captioned[folder] = figures.means(figures.texts(said, spoken))
    drawn = {folder: figures.means(one) for folder, one in seeds.items()}
    probed = {folder: probes.stored(out / folder) for folder in runs}
    found: dict[str, Table] = {}
    for name in recipe.tables:
        own = {row.name: row.folder for row in rows if row.table == name}
        reference = recipe.reference.get(name)
        found |= _held({row: drawn[folder] for row, folder in own.items()}, name, reference)
        found[name] = {
            row: {
                **columns,
                **{
                    f"{_NATS} of {latent}": f"{nats:.2f}"
                    for latent, nats in figures.let_through(out / own[row]).items()
                },
                **figures.spread(seeds[own[row]]),
            }
            for row, columns in found[name].items()
        }
        texts = {row: captioned[folder] for row, folder in own.items() if folder in captioned}
        found |= _held(texts, f"{name}, guessed texts as captions of the measured ones", None)
        for latent in LATENTS:
            known = {row: _by_chance(probed[folder], latent) for row, folder in own.items()}
            found |= _held(known, f"{name}, probes of the latent of {latent}", reference)
        found[f"{name}, runs"] = {
            row.name: {"UAR": found[name][row.name]["UAR"], **provenance(row, out)}
            for row in rows
            if row.table == name
        }
    followed = edited(recipe, rows)
    if followed is not None:
        title = f"levels that follow an edit ({followed.table}, {followed.name})"
        found[title] = following.stored(out / followed.folder, most=recipe.clips)
    return {title: table for title, table in found.items() if table}


def _held(
    rows: Mapping[str, Mapping[str, Bootstrap]], title: str, reference: str | None
) -> dict[str, Table]:
    """The figures of each row, and above the reference."""
    found: dict[str, Table] = {
        title: {
            row: {column: one.interval for column, one in columns.items()}
            for row, columns in rows.items()
        }
    }
    if reference is not None:
        found[f"{title}, above {reference}"] = above(rows, reference)
    return found


def _by_chance(probed: probes.Probed, latent: str) -> dict[str, Bootstrap]:
    """What is told, with what would be by chance in the name of its column."""
    return {
        f"{trait} (chance {probed.chance[trait]:.3g})": one
        for trait, one in probed.latents[latent].items()
    }


def _chance(rows: Sequence[Row[VibSedRecipe]]) -> float:
    """UAR of a guess."""
    return 1 / len(rows[0].recipe.data.labels)


def _chart(rows: Sequence[Row[VibSedRecipe]], found: Mapping[str, Table]) -> str:
    told = {
        f"{row.table}: {row.name}": [
            one for name in _ACCURACY if (one := found[row.table][row.name].get(name))
        ]
        for row in rows
    }
    return dots(
        told,
        title="UAR of the emotion, macro-F1 of the descriptors; 95 % intervals over speakers",
        series=_ACCURACY,
        span=(0.0, 1.0),
        chance=round(_chance(rows), 3),
    )


def _curves(
    name: str, runs: Mapping[str, Path], table: Table, *, chance: float
) -> dict[str, tuple[str, str]]:
    """File -> title and SVG, over the rows of a table: what is recognised, passes and leaks."""
    passing = [figures.let_through(run) for run in runs.values()]
    latents = dict.fromkeys(latent for one in passing for latent in one)
    logs = [
        {latent: _point(math.log10(max(nats, 1e-3))) for latent, nats in one.items()}
        for one in passing
    ]
    values = [one.value for some in logs for one in some.values()] or [0.0]
    telling = [probes.stored(run).latents["descriptors"] for run in runs.values()]
    leaks = [{trait: one.interval for trait, one in told.items()} for told in telling]

    def drawn(
        y: str,
        series: Sequence[str],
        rows: Sequence[Mapping[str, Any]],
        span: tuple[float, float] = (0.0, 1.0),
        mark: float | None = None,
    ) -> tuple[str, str]:
        lines = zip(series, ("line", "dashes"), strict=False)  # as they are drawn
        svg = curves(
            {one: [(n, row[one]) for n, row in enumerate(rows) if one in row] for one in series},
            title=f"{name}: {y}",
            x=f"{name}; {', '.join(f'{one} ({how})' for one, how in lines)}",
            y=y,
            ticks=list(enumerate(runs)),
            span=span,
            mark=mark,
        )
        return f"{name}: {y}", svg

    ends = math.floor(min(values)), math.floor(max(values)) + 1
    return {
        f"{name}_accuracy.svg": drawn(
            "share", _ACCURACY, [table[row] for row in runs], mark=chance
        ),
        f"{name}_nats.svg": drawn(f"log10 {_NATS}", list(latents), logs, ends),
        f"{name}_leakage.svg": drawn("probe", ("sentence", "speaker"), leaks),
    }


def _point(value: float) -> Interval:
    """A figure without an interval."""
    return Interval(value, value, value, 0, 0)


_SAID = f"""\
Of recordings that were tested: WA and UAR of the emotion; *descriptors*, the mean macro-F1 of all \
guessed levels, said or not, against the measured ones; *false*, the share of spoken levels that \
are two steps off, or one where the measured one is certain; WER of the words. They are {HOW_SURE} \
What passes the bottlenecks, in nats a frame, has no interval.

**A word error rate of a closed set says nothing about how well words are recognised: those who \
are learned from say the same sentences.**

Captions: BLEU and chrF of all that is guessed, said or not, against the measured text, as shares \
of 1. Probes are linear, of the mean of a clip's latent: accuracy of sentence and speaker, UAR of \
the emotion, Pearson's r of what is measured. The speaker is told in sentences that were not \
learned from, all else in other speakers; one block alone is the latent of both. A level follows \
an edit if it moves as the measured one does; clips whose measured level did not move don't count. \
The edits are the smallest that move it; *where clear*, the smallest that move it from where it is \
certain to where it is certain again: measured levels near a cut are not.\
"""
