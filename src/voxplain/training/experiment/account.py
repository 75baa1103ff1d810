"""What a run says of itself: figures, predictions, and a card that says how to read them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxplain import __version__
from voxplain.plugins import find, names
from voxplain.training.experiment.checkpoint import write
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

__all__ = ["CARD", "data_digest", "notes", "place", "tell"]

CARD = "README.md"
"""Of a run; what is written last."""


def place(split: str, seed: int) -> str:
    """Where the model of a split and a seed lies in a run folder."""
    return f"{split}/seed_{seed}"


def data_digest(material: Material) -> str:
    """SHA-256 of who says what with which label, and on which side of which split."""
    rows = [
        (one.path.name, one.start, one.end, one.speaker, one.emotion, one.session, one.split)
        for one in material.utterances
    ]
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
    tables = {}
    first, *_ = recipe.train.seeds
    for seed in recipe.train.seeds:
        places = [out / place(split.name, seed) for split in material.splits]
        tables[seed] = joined([Predictions.read(folder).columns for folder in places])
        tables[seed].write(out / (FILE if seed == first else f"predictions_{seed}.csv"))
    labels = recipe.labels
    known = (
        controls(material.utterances, material.splits, labels=labels, cache=cache, jobs=jobs)
        if labels
        else {}
    )
    parts = {"all": list(tables.values())} | {
        f"{column} {value}": [one.some(one[column] == value) for one in tables.values()]
        for column in ("corpus", "fold")
        for value in _values(tables[first], column)
    }
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
    }
    write(out / "metrics.json", _json(metrics))
    models = [
        {
            "name": split.name,
            "model": place(split.name, first),
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
    write(out / "card.json", _json(card))
    rows |= {name: mean_of_seeds([one]) for name, one in known.items()}
    write(out / CARD, _readme(recipe, material, rows).encode())


def _values(table: Predictions, column: str) -> list[str]:
    """Nothing where all rows have the same."""
    found = sorted(set(table[column].tolist()) - {""})
    return found if len(found) > 1 else []


def _json(plain: Mapping[str, Any]) -> bytes:
    return (json.dumps(plain, indent=2) + "\n").encode()


def _readme(
    recipe: ExperimentRecipe, material: Material, rows: Mapping[str, Mapping[str, Interval]]
) -> str:
    utterances = material.utterances
    speakers = len({one.speaker for one in utterances} - {""})
    counts = Counter(one.emotion for one in utterances)
    said = ", ".join(f"{label} {counts[label]}" for label in recipe.labels)
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    place = recipe.encoder.checkpoint
    encoder = Path(place).name if Path(place).is_dir() else place  # a card travels, a folder stays
    lines = [f"# {recipe.name}", ""]
    lines += [f"> {note}.\n" for note in (*notes(recipe, material), *_reading(recipe))]
    lines += [
        f"Corpora: {', '.join(recipe.data.corpora)}. {len(utterances)} recordings, {speakers} "
        f"speakers{f': {said}' if said else ''}.",
        f"Encoder: {encoder}, {recipe.encoder.tune}. Splits by "
        f"{recipe.split.by}, {len(material.splits)} of them; dev speakers chose the epoch and the "
        f"temperature. Seeds: {', '.join(map(str, recipe.train.seeds))}.",
        "",
        "Figures on recordings that were tested, with 95 % intervals over speakers; the mean of "
        "the seeds. Chance is the UAR of a guess"
        + (f", {1 / len(recipe.labels):.3f}." if recipe.labels else "."),
        "",
        f"| | n | speakers | {' | '.join(columns)} |",
        f"|---|{'---|' * (len(columns) + 2)}",
    ]
    for name, row in rows.items():
        basis = next(iter(row.values()))
        cells = " | ".join(str(row.get(column, "")) for column in columns)
        lines.append(f"| {name} | {basis.n} | {basis.speakers} | {cells} |")
    lines += [
        "",
        "Made by `voxplain train recipe.yaml`; `metrics.json` holds these figures for each seed, "
        "`predictions.csv` what they stand on. `voxplain analyze CLIP --model` takes this folder "
        f"(the model of {material.splits[0].name}) or any of the folders in it.",
        "",
        "The models say what a voice sounds like to listeners, never what a person feels. They are "
        "not for use at work, in education, hiring, policing or diagnosis.",
    ]
    return "\n".join(lines) + "\n"
