"""What a run says of itself: figures, predictions, and a card that says how to read them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from voxplain import __version__
from voxplain.files import write
from voxplain.plugins import find, names
from voxplain.training.experiment.figures import (
    controls,
    figures,
    joined,
    mean_of_seeds,
    plain,
)
from voxplain.training.experiment.material import Material
from voxplain.training.experiment.recipe import ExperimentRecipe, digest
from voxplain.training.predictions import FILE, Predictions
from voxplain.training.statistics import Interval

__all__ = [
    "CARD",
    "as_json",
    "collected",
    "data_digest",
    "notes",
    "place",
    "short_name",
    "table_lines",
    "tell",
    "values",
    "with_errors",
]

CARD = "README.md"
"""Of a run; what is written last."""


def place(split: str, seed: int) -> str:
    """Where the model of a split and a seed lies in a run folder."""
    return f"{split}/seed_{seed}"


def with_errors(rate: float) -> str:
    """Name of the predictions of what was read with so many word errors."""
    return f"predictions_wer_{rate:.2f}.csv"


def data_digest(material: Material) -> str:
    """SHA-256 of all that is known of the recordings, and on which side of which split they are."""
    rows = [replace(one, path=Path(one.path.name)) for one in material.utterances]
    sides = [
        (split.name, split.train.tolist(), split.dev.tolist(), split.test.tolist())
        for split in material.splits
    ]
    goals = [hashlib.sha256(one.numpy().tobytes()).hexdigest() for one in material.goals]
    return hashlib.sha256(repr((rows, sides, goals)).encode()).hexdigest()


def notes(recipe: ExperimentRecipe, material: Material) -> list[str]:
    """What a reader of any judgement by these models must know."""
    found = [recipe.note] if recipe.note else []
    for name in recipe.data.corpora:
        card = find("corpora", name).CARD if name in names("corpora") else None
        if card is None:
            found.append(f"Learned from {name}: see its licence before the models leave your hands")
        elif not card.shippable:
            found.append(
                f"Learned from {card.title} ({card.licence}): for research and comparison, the "
                "models must not be shipped"
            )
    return [*found, *material.warnings]


def _reading(recipe: ExperimentRecipe) -> list[str]:
    """What a reader of the figures must know."""
    if not recipe.head.profile:
        return []
    return [
        "Each recording was judged knowing all other recordings of its speaker, without their "
        "labels. Of a stranger these models know less: the figures are not those"
    ]


def tell(
    recipe: ExperimentRecipe, material: Material, *, out: Path, cache: Path, jobs: int
) -> None:
    """Write predictions, metrics.json, card.json and README.md of all folds and seeds."""
    labels, data = recipe.labels, recipe.data
    tables = collected(recipe, material, FILE, out=out)
    learned = [_without(one, data.tested) for one in tables]
    parts = {"all": learned}
    for column, some in (("corpus", tables), ("fold", learned)):
        for value in values(some[0], column):
            parts[f"{column} {value}"] = [one.some(one[column] == value) for one in some]
    for rate in recipe.texts.errors:
        misheard = collected(recipe, material, with_errors(rate), out=out)
        parts[f"word errors {rate:.2f}"] = [_without(one, data.tested) for one in misheard]
    known = {}
    if labels:
        known = controls(
            material.utterances,
            [
                replace(split, tests={n: r for n, r in split.tests.items() if n not in data.tested})
                for split in material.splits
            ],
            labels=labels,
            heard=recipe.encoder.tune != "none",
            cache=cache,
            jobs=jobs,
        )
    told = {name: [figures(one) for one in some] for name, some in parts.items()}
    rows = {name: mean_of_seeds(some) for name, some in told.items()}
    metrics = {
        "recipe_sha256": digest(recipe),
        "warnings": [*material.warnings, *_reading(recipe)],
        "chance": 1 / len(labels) if labels else None,
        "seeds": list(recipe.train.seeds),
        "mean_of_seeds": {name: plain(row) for name, row in rows.items()},
        "by_seed": {
            str(seed): {name: plain(some[number]) for name, some in told.items()}
            for number, seed in enumerate(recipe.train.seeds)
        },
        "controls": {name: plain(one) for name, one in known.items()},
        "fusion": {name: found for name, some in parts.items() if (found := _fusion(some))},
    }
    write(out / "metrics.json", as_json(metrics))
    models = [
        {
            "name": split.name,
            "model": place(split.name, recipe.train.seeds[0]),
            "speakers": sorted(
                {material.utterances[row].speaker for row in split.test.tolist()} - {""}
            ),
        }
        for split in material.splits
    ]
    card = {
        "format": "experiment",
        "name": recipe.name,
        "version": __version__,
        "recipe_sha256": digest(recipe),
        "default": models[0]["model"],
        "folds": models,
        "notes": notes(recipe, material),
        "figures": plain(rows["all"]),
    }
    write(out / "card.json", as_json(card))
    rows |= {name: mean_of_seeds([one]) for name, one in known.items()}
    write(out / CARD, _readme(recipe, material, rows).encode())


def collected(
    recipe: ExperimentRecipe, material: Material, file: str, *, out: Path
) -> list[Predictions]:
    """Of each seed the predictions of all splits, also written to the run folder.

    A corpus that is tested by every split is judged by the model of the first, the default one.
    """
    found = []
    for number, seed in enumerate(recipe.train.seeds):
        first, *others = (
            Predictions.read(out / place(split.name, seed) / file) for split in material.splits
        )
        tables = [first, *(_without(one, recipe.data.tested) for one in others)]
        found.append(joined([one.columns for one in tables]))
        stem = Path(file).stem
        found[-1].write(out / (f"{stem}_{seed}.csv" if number else file))
    return found


def _without(table: Predictions, tests: Sequence[str]) -> Predictions:
    return table.some(~np.isin(table["fold"], tests))


def _fusion(tables: Sequence[Predictions]) -> dict[str, float]:
    """Of gate and router: mean weights over clips and seeds."""
    names = [name for name in tables[0].columns if name.startswith(("gate_", "route_"))]
    return {n: float(np.mean([one[n].astype(float) for one in tables])) for n in names}


def values(table: Predictions, column: str) -> list[str]:
    """What stands in a column, each once. Nothing where all rows have the same."""
    found = sorted(set(table[column].tolist()) - {""})
    return found if len(found) > 1 else []


def as_json(plain: Mapping[str, Any]) -> bytes:
    """As a file."""
    return (json.dumps(plain, indent=2) + "\n").encode()


def table_lines(rows: Mapping[str, Mapping[str, Interval]], columns: Sequence[str]) -> list[str]:
    """A table in Markdown, after an empty line."""
    lines = [
        "",
        f"| | n | speakers | {' | '.join(columns)} |",
        f"|---|{'---|' * (len(columns) + 2)}",
    ]
    for name, row in rows.items():
        basis = next(iter(row.values()))
        cells = " | ".join(str(row.get(column, "")) for column in columns)
        lines.append(f"| {name} | {basis.n} | {basis.speakers} | {cells} |")
    return lines


def short_name(checkpoint: str) -> str:
    """A card travels, a folder stays."""
    return Path(checkpoint).name if Path(checkpoint).is_dir() else checkpoint


def _texts(recipe: ExperimentRecipe) -> str:
    """What is read, in a line of the card."""
    plan, fusion = recipe.texts, recipe.fusion
    how = {
        "les": f"LES by {plan.les} ({plan.share:.0%} of the words)",
        "gs": f"GS {plan.gs}",
        "es": f"ES by {plan.es}{', emotion words masked' if plan.masked else ''}",
    }
    read = [how[branch] for branch in plan.branches]
    return (
        f"Texts: {'; '.join(read) or 'none'}; transcripts {plan.transcripts}; read by "
        f"{short_name(plan.encoder)}. Fusion: {fusion.kind}."
    )


def _readme(
    recipe: ExperimentRecipe, material: Material, rows: Mapping[str, Mapping[str, Interval]]
) -> str:
    utterances = material.utterances
    speakers = len({one.speaker for one in utterances} - {""})
    counts = Counter(one.emotion for one in utterances)
    said = ", ".join(f"{label} {counts[label]}" for label in recipe.labels)
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    tune = recipe.encoder.tune
    hears = f"Encoder: {short_name(recipe.encoder.checkpoint)}, {tune}"
    lines = [f"# {recipe.name}", ""]
    lines += [f"> {note}.\n" for note in (*notes(recipe, material), *_reading(recipe))]
    corpora = [*recipe.data.corpora, *(f"{name} (tested alone)" for name in recipe.data.tested)]
    lines += [
        f"Corpora: {', '.join(corpora)}. {len(utterances)} recordings, {speakers} "
        f"speakers{f': {said}' if said else ''}.",
        *([_texts(recipe)] if recipe.texts.encoder else []),
        f"{hears if tune != 'none' else 'Nobody listens'}. Splits by "
        f"{recipe.split.by}, {len(material.splits)} of them; dev speakers chose the epoch and the "
        f"temperature. Seeds: {', '.join(map(str, recipe.train.seeds))}.",
        "",
        "Figures on recordings that were tested, with 95 % intervals over speakers; the mean of "
        "the seeds. Chance is the UAR of a guess"
        + (f", {1 / len(recipe.labels):.3f}." if recipe.labels else "."),
        *table_lines(rows, columns),
        "",
        "Made by `voxplain train recipe.yaml`; `metrics.json` holds these figures for each seed, "
        "`predictions.csv` what they stand on."
        + (
            " `voxplain analyze CLIP --model` takes this folder (the model of "
            f"{material.splits[0].name}) or any of the folders in it."
            if tune != "none"
            else ""
        ),
        "",
        "The models say what a voice sounds like to listeners, never what a person feels. They are "
        "not for use at work, in education, hiring, policing or diagnosis.",
    ]
    return "\n".join(lines) + "\n"
