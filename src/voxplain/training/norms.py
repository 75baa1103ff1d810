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


GROUPS = {"adults": ("female", "male"), "female": ("female",), "male": ("male",)}


@dataclass(frozen=True, slots=True)
class NormsRecipe:
    """What ``recipes/norms/*.yaml`` may say."""

    material: str
    """What the people were heard in, for a sentence."""
    corpora: tuple[str, ...]
    left_out: tuple[str, ...]
    """Speakers that are not counted."""
    descriptors: tuple[str, ...]


def estimate(
    recipe: NormsRecipe, *, roots: dict[str, Path], out: Path, cache: Path, jobs: int
) -> None:
    """Write ``out/adults.json``, ``female.json`` and ``male.json``: what is usual for each group.

    A group of fewer than two speakers gets none.

    Raises ConfigError or CorpusNotFound.
    """
    utterances = read_corpora(
        recipe.corpora, roots=roots, labels=CANONICAL, left_out=recipe.left_out
    )
    measured = of_each(_functionals, [str(u.path) for u in utterances], cache=cache, jobs=jobs)
    out.mkdir(parents=True, exist_ok=True)
    for group, sexes in GROUPS.items():
        rows = [
            (utterance, one)
            for utterance, one in zip(utterances, measured, strict=True)
            if utterance.sex in sexes and one is not None
        ]
        speakers = np.array([utterance.speaker for utterance, _ in rows])
        emotions = np.array([utterance.emotion for utterance, _ in rows])
        log.info("%s: %d speakers", group, len(set(speakers)))
        if len(set(speakers)) < 2:
            continue  # one is no norm
        norms = {}
        for name in recipe.descriptors:
            values = np.array([one[name] for _, one in rows])
            norms[name] = norm(values, speakers, emotions)
            log.info("%-32s n %5d  mean %9.3f  SD %8.3f and %8.3f", name, *norms[name].values())
        found = {
            "reference": f"{_PEOPLE[group]} ({recipe.material})",
            "speakers": len(set(speakers)),
            "descriptors": norms,
        }
        text = json.dumps(found, indent=2) + "\n"
        (out / f"{group}.json").write_text(text, encoding="utf-8")


_PEOPLE = {"adults": "adults", "female": "women", "male": "men"}


def norm(
    values: NDArray[np.float64], speakers: NDArray[np.str_], emotions: NDArray[np.str_]
) -> dict[str, float]:
    """n, mean, between_sd and within_sd of values (utterances,), every speaker counting the same.

    NaN values, those that are not reliable, are left out, and the others of the same emotion count
    the more for it: else the loud emotions, which noise hides less, would pass for what is usual.
    The spread of the speakers' means holds some of that within them, which is taken off again.
    """
    known = np.isfinite(values)
    share = {emotion: known[emotions == emotion].mean() for emotion in set(emotions)}
    means, variances, luck = [], [], []
    for speaker in sorted(set(speakers[known])):
        own = known & (speakers == speaker)
        weights = np.array([1 / share[emotion] for emotion in emotions[own]])
        mean = np.average(values[own], weights=weights)
        n = len(weights)
        means.append(mean)
        luck.append(np.sum(weights**2) / np.sum(weights) ** 2)
        if n > 1:
            square = np.average((values[own] - mean) ** 2, weights=weights)
            variances.append(square * n / (n - 1))
    within = np.mean(variances)
    return {
        "n": int(known.sum()),
        "mean": float(np.mean(means)),
        "between_sd": float(np.sqrt(max(0.0, np.var(means, ddof=1) - within * np.mean(luck)))),
        "within_sd": float(np.sqrt(within)),
    }


def _functionals(path: str) -> dict[str, float]:
    """Descriptors of a recording, NaN where one is not reliable."""
    found = Measurement(path).functionals()
    return {name: one.value if one.reliable else np.nan for name, one in found.items()}
