"""A probing study, from its recipe to its files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from voxplain.training.studies.probing import cues, layers, regions, speakers, strength, words
from voxplain.training.studies.probing.material import Findings, Given
from voxplain.training.studies.tables import Table

__all__ = ["KINDS", "study"]

_STUDIES: dict[str, tuple[type, Callable[..., Findings]]] = {
    "probing_cues": (cues.CuesRecipe, cues.study),
    "probing_layers": (layers.LayersRecipe, layers.study),
    "probing_regions": (regions.RegionsRecipe, regions.study),
    "probing_speakers": (speakers.SpeakersRecipe, speakers.study),
    "probing_strength": (strength.StrengthRecipe, strength.study),
    "probing_words": (words.WordsRecipe, words.study),
}

KINDS: dict[str, type] = {kind: recipe for kind, (recipe, _) in _STUDIES.items()}
"""Kind of a recipe -> what it fills."""


def study(recipe: Any, given: Given) -> dict[str, Table]:
    """Every table of one of the studies of docs/studies/probing_plan.md; its recipe is of KINDS.

    Written to ``given.out`` as ``figures.json``, with its charts.

    Raises ConfigError, UnknownName, WeightsMissing or CorpusNotFound.
    """
    (probed,) = (run for kind, run in _STUDIES.values() if kind is type(recipe))
    found = probed(recipe, given)
    given.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found.tables, default=asdict, indent=1) + "\n"
    (given.out / "figures.json").write_text(text, encoding="utf-8")
    for name, picture in found.charts.items():
        (given.out / name).write_text(picture + "\n", encoding="utf-8")
    return found.tables
