"""What a run of VIB-Emo says of itself: what was spoken of each clip, figures, and a card."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain import __version__
from voxplain.errors import InputError
from voxplain.files import write
from voxplain.models.description import ATTRIBUTES, parsed
from voxplain.models.levels import Labels
from voxplain.training.experiment import account
from voxplain.training.experiment.account import as_json, collected, short_name, table_lines, values
from voxplain.training.experiment.figures import (
    Figures,
    controls,
    figures,
    mean_of_seeds,
    plain,
)
from voxplain.training.experiment.material import Material
from voxplain.training.experiment.recipe import digest
from voxplain.training.predictions import FILE, Predictions
from voxplain.training.statistics import Interval
from voxplain.training.vib_sed.recipe import VibSedRecipe
from voxplain.training.vib_sed.scoring import agreement, hallucination, unsaid, word_error_rate

__all__ = ["SPOKEN", "Spoken", "read_spoken", "sentence", "tell", "what_was_said", "write_spoken"]

SPOKEN = "spoken.csv"
"""Its name in a run folder, beside ``predictions.csv``."""

_CERTAIN, _WER = "certain descriptors", "word error rate"
_HALLUCINATED, _UNSAID = "hallucinated", "left unsaid"


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was spoken of a clip that is tested, beside the truth."""

    file: str
    start: float
    end: float | None
    """None is that of the file."""
    corpus: str
    speaker: str
    fold: str
    spoken: str
    """As the network put it, without the levels that it is not sure of."""
    guessed: str
    """The same with them."""
    measured: str
    """As the measurements would have it; what can't be measured is left out."""
    certain: str
    """The same without what lies close to a cut."""
    transcript: str
    """What is said, as far as that is known."""
    heard: str
    """What the network wrote down."""
    said_in_training: bool
    """Whether somebody says the same sentence there: then it is no test of recognising words."""


def write_spoken(path: Path, rows: Sequence[Spoken]) -> None:
    """A row a clip, as CSV, whole or not at all."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(item.name for item in fields(Spoken))
    table.writerows(asdict(one).values() for one in rows)
    write(path, text.getvalue().encode())


def read_spoken(path: Path) -> list[Spoken]:
    """What ``write_spoken`` wrote. Raises InputError for another file."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows: list[dict[str, Any]] = list(csv.DictReader(file))
        return [
            Spoken(
                **row
                | {
                    "start": float(row["start"]),
                    "end": float(row["end"]) if row["end"] else None,
                    "said_in_training": {"True": True, "False": False}[row["said_in_training"]],
                }
            )
            for row in rows
        ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} does not say what was spoken of clips ({type(error).__name__}: {error}); run "
            "the same 'voxplain train' again"
        ) from error


def sentence(text: str) -> str:
    """The words of a text, by which it is known again."""
    return " ".join(re.findall(r"[\w']+", text.lower()))


def what_was_said(rows: Sequence[Spoken]) -> str:
    """What must stand beside a word error rate: how much of it the training says, too."""
    said = [one for one in rows if one.transcript.strip()]
    sentences = len({sentence(one.transcript) for one in said})
    share = sum(one.said_in_training for one in said) / len(said)
    told = f"{sentences} sentences in {len(said)} clips, {share:.0%} of which training says too"
    if share > 0.5:
        return f"closed set: {told}; it does not say how well words are recognised"
    return told


def tell(recipe: VibSedRecipe, material: Material, *, out: Path, cache: Path, jobs: int) -> None:
    """Write predictions, what was spoken, metrics.json, card.json and README.md of all models."""
    seeds, tested = recipe.train.seeds, recipe.data.tested
    tables = collected(recipe.experiment, material, FILE, out=out)
    rows = _collected_spoken(recipe, material, out=out)
    first = tables[0]
    learned = ~np.isin(first["fold"], tested)
    parts = {"all": learned}
    parts |= {f"corpus {one}": first["corpus"] == one for one in values(first, "corpus")}
    folds = values(first.some(learned), "fold")
    parts |= {f"fold {one}": learned & (first["fold"] == one) for one in folds}
    told: dict[str, list[Figures]] = {}
    words: dict[str, dict[str, Any]] = {}
    for name, mask in parts.items():
        some = [_some(one, mask) for one in rows]
        told[name] = [
            _figures(recipe, table.some(mask), own) for table, own in zip(tables, some, strict=True)
        ]
        if recipe.tasks.asr != "none" and any(one.transcript.strip() for one in some[0]):
            found = mean_of_seeds([{_WER: _errors(one)} for one in some])
            words[name] = {_WER: asdict(found[_WER]), "of": what_was_said(some[0])}
    known = controls(
        material.utterances,
        [
            replace(split, tests={n: r for n, r in split.tests.items() if n not in tested})
            for split in material.splits
        ],
        labels=recipe.data.labels,
        heard=True,
        cache=cache,
        jobs=jobs,
    )
    means = {name: mean_of_seeds(some) for name, some in told.items()}
    cards = [
        json.loads((out / account.place(split.name, seed) / "card.json").read_bytes())
        for split in material.splits
        for seed in seeds
    ]
    let_through: dict[str, list[float]] = {}
    for one in cards:
        for name, nats in one["nats_a_frame"].items():
            let_through.setdefault(name, []).append(nats)
    rates = {name: float(np.mean(some)) for name, some in let_through.items()}
    metrics = {
        "recipe_sha256": cards[0]["recipe_sha256"],
        "warnings": list(material.warnings),
        "chance": 1 / len(recipe.data.labels),
        "seeds": list(seeds),
        "mean_of_seeds": {name: plain(row) for name, row in means.items()},
        "by_seed": {
            str(seed): {name: plain(some[number]) for name, some in told.items()}
            for number, seed in enumerate(seeds)
        },
        "words": words,
        "nats_a_frame": rates,
        "controls": {name: plain(one) for name, one in known.items()},
    }
    write(out / "metrics.json", as_json(metrics))
    card = {
        "format": "vib_sed",
        "name": recipe.name,
        "version": __version__,
        "recipe_sha256": digest(recipe),
        "default": account.place(material.splits[0].name, seeds[0]),
        "folds": [
            {
                "name": split.name,
                "model": account.place(split.name, seeds[0]),
                "speakers": sorted(
                    {material.utterances[row].speaker for row in split.test.tolist()} - {""}
                ),
            }
            for split in material.splits
        ],
        "notes": account.notes(recipe.experiment, material),
        "figures": plain(means["all"]),
        "words": words.get("all"),
    }
    write(out / "card.json", as_json(card))
    means |= {name: mean_of_seeds([one]) for name, one in known.items()}
    write(out / account.CARD, _readme(recipe, material, means, words, rates).encode())


def _collected_spoken(recipe: VibSedRecipe, material: Material, *, out: Path) -> list[list[Spoken]]:
    """Of each seed what was spoken in all splits, in the order of the predictions."""
    found = []
    for number, seed in enumerate(recipe.train.seeds):
        places = [out / account.place(one.name, seed) / SPOKEN for one in material.splits]
        first, *others = map(read_spoken, places)
        rest = [one for rows in others for one in rows if one.fold not in recipe.data.tested]
        found.append(first + rest)
        write_spoken(out / (f"spoken_{seed}.csv" if number else SPOKEN), found[-1])
    return found


def _some(rows: Sequence[Spoken], mask: NDArray[np.bool_]) -> list[Spoken]:
    return [one for one, chosen in zip(rows, mask.tolist(), strict=True) if chosen]


def _figures(recipe: VibSedRecipe, table: Predictions, rows: Sequence[Spoken]) -> Figures:
    """Of the emotion, as of every system, and of what is spoken before it."""
    found = dict(figures(table))
    if not recipe.tasks.descriptors:
        return found

    def read(name: str) -> list[Any]:
        return [parsed(getattr(one, name), labels=recipe.data.labels) for one in rows]

    columns = ("spoken", "guessed", "measured", "certain")
    said, guessed, measured, certain = map(read, columns)
    speakers = table.clusters.tolist()
    described = agreement(guessed, measured, speakers=speakers)
    found |= {name: one for name, one in described.items() if name not in ("UAR", "WA")}
    if any(one.levels for one in certain):
        found[_CERTAIN] = agreement(guessed, certain, speakers=speakers)["descriptors"]
    labels = [Labels(*pair) for pair in zip(measured, certain, strict=True)]
    found[_HALLUCINATED] = hallucination(said, labels, speakers=speakers)
    found[_UNSAID] = unsaid(said, guessed, speakers=speakers)
    return found


def _errors(rows: Sequence[Spoken]) -> Any:
    said = [one for one in rows if one.transcript.strip()]
    return word_error_rate(
        [one.transcript for one in said],
        [one.heard for one in said],
        speakers=[one.speaker or one.file for one in said],
    )


def _readme(
    recipe: VibSedRecipe,
    material: Material,
    rows: Mapping[str, Mapping[str, Interval]],
    words: Mapping[str, Mapping[str, Any]],
    rates: Mapping[str, float],
) -> str:
    utterances, plan = material.utterances, recipe.network
    speakers = len({one.speaker for one in utterances} - {""})
    counts = Counter(one.emotion for one in utterances)
    said = ", ".join(f"{label} {counts[label]}" for label in recipe.data.labels)
    attributes = (one.name for one in ATTRIBUTES)
    asked = (*attributes, "descriptors", _CERTAIN, "tone", "stress", _HALLUCINATED, _UNSAID)
    described = [name for name in asked if name in rows["all"]]
    emotion = [name for name in rows["all"] if name not in described]
    llm = short_name(recipe.llm.checkpoint) or f"{recipe.llm.size} parameters, from nothing"
    blocks = "two blocks" if plan.disentangled else "one block"
    lines = [f"# {recipe.name}", ""]
    lines += [f"> {note}.\n" for note in account.notes(recipe.experiment, material)]
    lines += [
        f"Corpora: {', '.join((*recipe.data.corpora, *recipe.data.tested))}. {len(utterances)} "
        f"recordings, {speakers} speakers: {said}.",
        f"Encoder: {short_name(recipe.encoder.checkpoint)}, frozen. Language model: {llm}. "
        f"Between them {blocks}, compression {plan.compression}, beta {plan.beta:g}; "
        f"words {recipe.tasks.asr}"
        f"{', the emotion from the spoken descriptors alone' if plan.concept else ''}.",
        f"Splits by {recipe.split.by}, {len(material.splits)} of them; dev speakers chose the epoch"
        f" and the temperature. Seeds: {', '.join(map(str, recipe.train.seeds))}.",
        "",
        "Figures on recordings that were tested, with 95 % intervals over speakers; the mean of "
        f"the seeds. Chance is the UAR of a guess, {1 / len(recipe.data.labels):.3f}.",
        *table_lines(rows, emotion),
    ]
    if described:
        lines += [
            "",
            "What is heard against what is measured: macro-F1 of each descriptor's three levels "
            "and of the tone, the mean over descriptors (of all levels, and of those that are "
            "certain), the share of clips with the right stressed word, and, of the levels that "
            "are spoken, the share that are two steps off, or one where the measured one is "
            "certain. Levels that the network is not sure enough of are left unsaid: the last "
            "column has their share.",
            *table_lines(
                {name: row for name, row in rows.items() if _HALLUCINATED in row}, described
            ),
        ]
    if words:
        lines += ["", "| | word error rate | what was said |", "|---|---|---|"]
        for name, one in words.items():
            lines.append(f"| {name} | {Interval(**one[_WER])} | {one['of']} |")
    if rates:
        told = ", ".join(f"{name} {value:.1f}" for name, value in rates.items())
        lines += ["", f"What the bottlenecks let through, in nats a frame: {told}."]
    lines += [
        "",
        "Made by `voxplain train recipe.yaml`; `metrics.json` holds these figures for each seed, "
        "`predictions.csv` and `spoken.csv` what they stand on.",
        "",
        "The models say what a voice sounds like to listeners, never what a person feels. They are "
        "not for use at work, in education, hiring, policing or diagnosis.",
    ]
    return "\n".join(lines) + "\n"
