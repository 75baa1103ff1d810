"""What linear probes tell from the latents of a run: sentence, speaker, emotion, and the voice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxplain.files import write
from voxplain.models.description import ATTRIBUTES
from voxplain.training.metrics.pearson import correlation
from voxplain.training.metrics.uar import unweighted_average_recall
from voxplain.training.metrics.wa import accuracy
from voxplain.training.splits import speaker_folds
from voxplain.training.statistics import Bootstrap, bootstrap, mean
from voxplain.training.studies.probing import probes
from voxplain.training.studies.probing.layers import Trait, traits
from voxplain.training.studies.probing.material import Clips
from voxplain.training.studies.vib_sed.models import Hear, Tested, models
from voxplain.training.vib_sed.recipe import VibSedRecipe
from voxplain.training.vib_sed.trained import LATENTS

__all__ = ["Probed", "known", "measure", "stored", "told"]

_FILE = "probes.json"
_FOLDS = 5
_LABELS = ("sentence", "speaker", "emotion")
_NUMBERS = ("pitch", "loudness", "tempo")


@dataclass(frozen=True, slots=True, eq=False)
class Probed:
    """What is told from the latents of a run."""

    chance: Mapping[str, float]
    """Trait -> the figure of a probe that knows nothing."""
    latents: Mapping[str, Mapping[str, Bootstrap]]
    """Latent -> trait -> how well it is told, the mean of the seeds: accuracy of sentence and
    speaker, UAR of the emotion, Pearson's r of what is measured."""


def measure(run: Path, recipe: VibSedRecipe, clips: Tested, hear: Hear) -> None:
    """Keep what is told from the latents of a run's models in its folder, unless it is there.

    Raises ConfigError for a single speaker: all but the speaker is told in others.
    """
    if (run / _FILE).is_file():
        return
    wanted = known(clips)
    speakers = np.array([one.speaker for one in clips.utterances])
    heard = hear(clips.utterances)
    seeds = [one.latents(heard) for one in models(run, recipe, clips.split)]
    found = {}
    for latent in LATENTS:
        each = [told(one[latent], wanted, speakers) for one in seeds]
        found[latent] = {name: mean([one[name] for one in each]) for name in wanted}
    one = Probed({name: _chance(name, trait) for name, trait in wanted.items()}, found)
    # Draws are kept, so that runs can be held against each other.
    text = json.dumps(asdict(one), default=np.ndarray.tolist)
    write(run / _FILE, f"{text}\n".encode())


def stored(run: Path) -> Probed:
    """What ``measure`` kept."""
    plain = json.loads((run / _FILE).read_bytes())
    latents = {
        latent: {
            name: Bootstrap(**figure | {"draws": np.array(figure["draws"])})
            for name, figure in figures.items()
        }
        for latent, figures in plain["latents"].items()
    }
    return Probed(plain["chance"], latents)


def known(clips: Tested) -> dict[str, Trait]:
    """What is to be told of the clips.

    Speakers are told in sentences that were not learned from, all else in other speakers.
    """
    names = [one.speaker for one in clips.utterances]
    folds = max(2, min(_FOLDS, len(set(names))))
    fold = speaker_folds(names, folds=folds, seed=0)
    own = Clips(tuple(clips.utterances), np.array([fold[name] for name in names]))
    descriptors = {one.name: one.descriptor for one in ATTRIBUTES}
    values = np.array(
        [[one.measured.get(descriptors[name], np.nan) for name in _NUMBERS] for one in clips.said]
    )
    found = traits(own, values, _NUMBERS)
    return {name: found[name] for name in (*_LABELS, *_NUMBERS) if name in found}


def told(
    features: NDArray[np.float32], wanted: Mapping[str, Trait], speakers: NDArray[np.str_]
) -> dict[str, Bootstrap]:
    """How well features (n, width) tell each trait."""
    found = {}
    for name, trait in wanted.items():
        if trait.number:
            known = np.isfinite(trait.truth)
            values = probes.numbers(features, trait.truth[:, None], trait.folds)[:, 0]
            pair, own = (trait.truth[known], values[known]), speakers[known]
            found[name] = bootstrap(correlation, *pair, speakers=own)
        else:
            labels = probes.labels(features, trait.truth, trait.folds)
            metric = unweighted_average_recall if _by_label(name) else accuracy
            found[name] = bootstrap(metric, trait.truth, labels, speakers=speakers)
    return found


def _by_label(name: str) -> bool:
    """Whether each label counts the same, instead of each clip."""
    return name == "emotion"


def _chance(name: str, trait: Trait) -> float:
    if trait.number or _by_label(name):
        return trait.chance
    counts = np.unique(trait.truth, return_counts=True)[1]
    return float(counts.max() / counts.sum())
