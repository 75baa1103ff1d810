"""Strength: does a probe find the portrayed emotion the surer, the stronger it is portrayed?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ConfigError
from voxplain.training.statistics import Interval, speaker_interval
from voxplain.training.studies.charts import dots
from voxplain.training.studies.probing import probes
from voxplain.training.studies.probing.material import (
    Clips,
    Findings,
    Given,
    Material,
    check,
    drawn,
    measured,
    pooled,
)
from voxplain.training.studies.tables import Table

__all__ = ["StrengthRecipe", "rising", "study"]

ALL = "all emotions"
LEAST = 4
"""Speakers without whom a correlation says too little of others."""
SERIES = ("log-odds", "loudness", "shuffled strength")


@dataclass(frozen=True, slots=True)
class StrengthRecipe:
    """What a recipe of the kind ``probing_strength`` may say."""

    material: Material
    layer: int
    strengths: tuple[str, ...]
    """As the corpora call them, from the weakest up."""


def study(recipe: StrengthRecipe, given: Given) -> Findings:
    """A table for what was asked of the actors and for what listeners heard, and a chart.

    Raises ConfigError, WeightsMissing or CorpusNotFound.
    """
    check(given, layers=[recipe.layer])
    corpora = drawn(recipe.material, given.roots)
    for corpus, clips in corpora.items():
        unknown = sorted(set(clips["strength"].tolist()) - {"", *recipe.strengths})
        if unknown:
            raise ConfigError(f"{corpus} has the strength {unknown[0]!r}; add it to 'strengths'")
    tables: dict[str, Table] = {}
    rows: dict[str, list[Interval]] = {}
    for corpus, clips in corpora.items():
        odds = _of_the_portrayed(pooled(clips, given)[recipe.layer], clips)
        loudness = measured(clips, given, names=["loudness_mean"])[:, 0]
        for way, strengths in _strengths(clips, recipe.strengths).items():
            found = rising(strengths, odds, loudness, clips)
            if found:
                tables[f"{corpus}: {way}"] = found
                rows |= {
                    f"{corpus}, {way}: {emotion}": [row[column] for column in SERIES]
                    for emotion, row in found.items()
                    if row.keys() == set(SERIES)
                }
    if not tables:
        raise ConfigError("no speaker is known to portray an emotion in two strengths")
    chart = dots(
        rows,
        title="Rank correlation with strength, within speakers and emotions",
        series=SERIES,
        span=(-0.5, 1.0),
        chance=0.0,
    )
    return Findings(tables, {"strength.svg": chart})


def _of_the_portrayed(states: NDArray[Any], clips: Clips) -> NDArray[np.float64]:
    """(n,) log-odds."""
    _, place = np.unique(clips["emotion"], return_inverse=True)
    own: NDArray[np.float64] = probes.odds(states, place, clips.folds)[np.arange(len(place)), place]
    return own


def _strengths(clips: Clips, order: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """(n,) what was asked of the actor, and what listeners heard of it; NaN where nobody knows."""
    asked = [order.index(one.strength) if one.strength else np.nan for one in clips.utterances]
    heard = [
        one.ratings.intensity.get(one.emotion, np.nan) if one.ratings else np.nan
        for one in clips.utterances
    ]
    return {"asked": np.array(asked, float), "heard": np.array(heard, float)}


def rising(
    strengths: NDArray[np.float64],
    odds: NDArray[np.float64],
    loudness: NDArray[np.float64],
    clips: Clips,
) -> Table:
    """Rank correlation of strengths (n,) with log-odds (n,) and with loudness (n,), by emotion.

    All less their mean over the speaker's clips of the emotion, where these differ in strength.
    What is unknown (NaN) does not count, nor does an emotion of fewer than four such speakers.
    """
    each = np.char.add(np.char.add(clips["speaker"], " "), clips["emotion"])
    others, known = strengths.copy(), np.isfinite(strengths)
    others[known] = probes.shuffled(strengths[known], each[known], seed=0)
    pairs = zip(SERIES, (strengths, strengths, others), (odds, loudness, odds), strict=True)
    found: dict[str, dict[str, Interval]] = {}
    for name, asked, told in pairs:
        rows = _differing(asked, each, known & np.isfinite(told))
        emotions, speakers = clips["emotion"][rows], clips["speaker"][rows]
        one, other = (probes.centred(values[rows], each[rows]) for values in (asked, told))
        groups = {ALL: rows[rows]}
        groups |= {emotion: emotions == emotion for emotion in np.unique(emotions).tolist()}
        for group, own in groups.items():
            if len(np.unique(speakers[own])) >= LEAST:
                found.setdefault(group, {})[name] = speaker_interval(
                    probes.rank_correlation, one[own, None], other[own], speakers=speakers[own]
                )
    return found


def _differing(
    values: NDArray[np.float64], groups: NDArray[np.str_], known: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(n,) known values of a group in which they are not all the same."""
    several = [one for one in np.unique(groups[known]) if np.ptp(values[known & (groups == one)])]
    return known & np.isin(groups, several)
