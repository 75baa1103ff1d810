"""What is usual: mean and spread of every descriptor over the speech of many adults."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voxplain import descriptors
from voxplain.audio import read
from voxplain.audio.listening import Listener
from voxplain.audio.windows import speech_stretches
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


def estimate(
    recipe: NormsRecipe, *, roots: dict[str, Path], out: Path, cache: Path, jobs: int
) -> None:
    """Write ``out``: n, mean and standard deviation of each descriptor where it is reliable.

    Raises ConfigError or CorpusNotFound.
    """
    utterances = read_corpora(
        recipe.corpora, roots=roots, labels=CANONICAL, left_out=recipe.left_out
    )
    paths = [utterance.path for utterance in utterances]
    measured = of_each(_functionals, paths, cache=cache, jobs=jobs)
    norms = {}
    for name in recipe.descriptors:
        values = np.array([one[name] for one in measured if one is not None])
        values = values[np.isfinite(values)]
        norms[name] = {"n": len(values), "mean": float(values.mean()), "sd": float(values.std())}
        log.info("%-30s n %5d  mean %8.3f  sd %7.3f", name, *norms[name].values())
    speakers = {utterance.speaker for utterance in utterances}
    text = json.dumps(
        {"reference": recipe.reference, "speakers": len(speakers), "descriptors": norms}, indent=2
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text + "\n", encoding="utf-8")


def _functionals(path: str) -> dict[str, float] | None:
    """Descriptors of a recording, NaN where one is not reliable; None without speech."""
    listener = Listener()
    parts = [
        descriptors.tracks(audio, start=start)
        for start, audio in speech_stretches(listener.hear(read.blocks(path)), source=path)
    ]
    if not parts:
        return None
    tracks = {**descriptors.join(parts), "speech_activity": listener.activity()}
    measured = descriptors.functionals(tracks)
    return {name: q.value if q.reliable else np.nan for name, q in measured.items()}
