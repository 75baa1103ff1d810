"""What is usual: mean and spread of every descriptor over the speech of many adults."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.labels import CANONICAL
from voxplain.training.hearing import of_each, read_corpora

__all__ = ["NormsRecipe", "estimate"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NormsRecipe:
    """What ``recipes/norms/*.yaml`` may say."""

    reference: str
    """How the people are called in a sentence: "adults (...)"."""
    corpora: tuple[str, ...]
    left_out: tuple[str, ...]
    """Speakers that are not counted."""
    descriptors: tuple[str, ...]
    only: tuple[str, ...] = ()
    """Speakers that alone are counted; all, where none is named."""


def estimate(
    recipe: NormsRecipe, *, roots: dict[str, Path], out: Path, cache: Path, jobs: int
) -> None:
    """Write ``out``: mean, and spread between and within speakers, of each reliable descriptor.

    Raises ConfigError or CorpusNotFound.
    """
    utterances = [
        utterance
        for utterance in read_corpora(
            recipe.corpora, roots=roots, labels=CANONICAL, left_out=recipe.left_out
        )
        if not recipe.only or utterance.speaker in recipe.only
    ]
    speakers = np.array([utterance.speaker for utterance in utterances])
    measured = of_each(_functionals, [u.path for u in utterances], cache=cache, jobs=jobs)
    norms = {}
    for name in recipe.descriptors:
        values = np.array([one[name] for one in measured if one is not None])
        norms[name] = norm(values, speakers)
        log.info(
            "%-32s n %5d  mean %8.3f  between %7.3f  within %7.3f", name, *norms[name].values()
        )
    found = {
        "reference": recipe.reference,
        "speakers": len(set(speakers)),
        "descriptors": norms,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def norm(values: NDArray[np.float64], speakers: NDArray[np.str_]) -> dict[str, float]:
    """n, mean, between_sd and within_sd of values (utterances,), every speaker counting the same.

    NaN values are left out. The spread of the speakers' means holds 1/n of that within them, which
    is taken off again.
    """
    groups = [values[(speakers == speaker) & np.isfinite(values)] for speaker in set(speakers)]
    groups = [group for group in groups if len(group)]
    means = np.array([group.mean() for group in groups])
    within = np.mean([group.var(ddof=1) for group in groups if len(group) > 1])
    luck = within * np.mean([1 / len(group) for group in groups])
    return {
        "n": sum(map(len, groups)),
        "mean": float(means.mean()),
        "between_sd": float(np.sqrt(max(0.0, means.var(ddof=1) - luck))),
        "within_sd": float(np.sqrt(within)),
    }


def _functionals(path: str) -> dict[str, float]:
    """Descriptors of a recording, NaN where one is not reliable."""
    found = Measurement(path).functionals()
    return {name: one.value if one.reliable else np.nan for name, one in found.items()}
