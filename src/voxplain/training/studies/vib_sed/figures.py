"""From what runs left to figures: of the emotion, of what is spoken, and of the words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from voxplain.models.description import parsed
from voxplain.models.levels import Labels
from voxplain.training.scoring import scores
from voxplain.training.statistics import Bootstrap, mean
from voxplain.training.studies.grid.figures import Seeds
from voxplain.training.studies.vib_sed.captions import captions
from voxplain.training.vib_sed.figures import SPOKEN, Spoken, read_spoken, what_was_said
from voxplain.training.vib_sed.recipe import VibSedRecipe
from voxplain.training.vib_sed.scoring import agreement, hallucination, word_error_rate

__all__ = ["Figures", "figures", "let_through", "means", "read", "spread", "texts"]

Figures = Mapping[str, Sequence[Bootstrap]]
"""Column -> its figure by the models of each seed."""


def read(run: Path, recipe: VibSedRecipe, said: Seeds) -> list[list[Spoken]]:
    """What the models of each seed spoke, of the clips of ``said`` and in their order.

    Raises InputError.
    """
    stem, suffix = SPOKEN.split(".")
    _, *others = recipe.train.seeds
    found = []
    for name, table in zip([stem, *(f"{stem}_{seed}" for seed in others)], said, strict=True):
        rows = {_clip(one): one for one in read_spoken(run / f"{name}.{suffix}")}
        found.append([rows[clip] for clip in table.clips])
    return found


def _clip(one: Spoken) -> tuple[str, float, float]:
    """As ``Predictions.clips`` has it."""
    return one.file, round(one.start, 3), -1 if one.end is None else round(one.end, 3)


def figures(recipe: VibSedRecipe, said: Seeds, spoken: Sequence[Sequence[Spoken]]) -> Figures:
    """WA and UAR of the emotion; ``descriptors``, mean macro-F1 of all levels that are guessed;
    ``false``, the share of spoken levels that are; ``WER`` of the words, which says if it is of a
    closed set. What a recipe does not tell has none.
    """
    found = [
        {title: one.found for title, one in scores(table, metrics=["wa", "uar"]).items()}
        for table in said
    ]
    for own, rows, table in zip(found, spoken, said, strict=True):
        speakers = table.clusters.tolist()
        if recipe.tasks.descriptors:
            told, guessed, measured, certain = (
                [parsed(getattr(one, name), labels=recipe.data.labels) for one in rows]
                for name in ("spoken", "guessed", "measured", "certain")
            )
            labels = [Labels(*pair) for pair in zip(measured, certain, strict=True)]
            own["descriptors"] = agreement(guessed, measured, speakers=speakers)["descriptors"]
            own["false"] = hallucination(told, labels, speakers=speakers)
        known = [one for one in rows if one.transcript.strip()]
        if recipe.tasks.asr != "none" and known:
            own[_wer(known)] = word_error_rate(
                [one.transcript for one in known],
                [one.heard for one in known],
                speakers=[one.speaker or one.file for one in known],
            )
    return _by_column(found)


def texts(said: Seeds, spoken: Sequence[Sequence[Spoken]]) -> Figures:
    """All that is guessed, said or not, against what is measured, as captions."""
    found = [
        captions(
            [one.guessed for one in rows],
            [one.measured for one in rows],
            speakers=table.clusters.tolist(),
        )
        for rows, table in zip(spoken, said, strict=True)
    ]
    return _by_column(found)


def let_through(run: Path) -> dict[str, float]:
    """Latent -> nats a frame that its bottleneck lets through, the mean of all models.

    Nothing of a network without one.
    """
    cards = [json.loads(one.read_bytes()) for one in sorted(run.glob("*/seed_*/card.json"))]
    return {
        name: float(np.mean([card["nats_a_frame"][name] for card in cards]))
        for name in cards[0]["nats_a_frame"]
    }


def means(found: Figures) -> dict[str, Bootstrap]:
    """Over the seeds."""
    return {column: mean(seeds) for column, seeds in found.items()}


def spread(found: Figures) -> dict[str, str]:
    """Standard deviation between seeds, in columns of their own; nothing of a single seed."""
    return {
        f"SD of {column}": f"{np.std([one.value for one in seeds], ddof=1):.3f}"
        for column, seeds in found.items()
        if len(seeds) > 1
    }


def _wer(rows: Sequence[Spoken]) -> str:
    return "WER, closed set" if what_was_said(rows).startswith("closed set") else "WER"


def _by_column(found: Sequence[Mapping[str, Bootstrap]]) -> Figures:
    return {column: [one[column] for one in found] for column in found[0]}
