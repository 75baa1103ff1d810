"""Systems held against each other on the same clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ConfigError
from voxplain.training.predictions import DIMENSIONS, Clip, Predictions
from voxplain.training.scoring import Score, scores
from voxplain.training.statistics import Difference, Discordance, difference, holm, mcnemar

__all__ = ["Comparison", "Pair", "compare", "shared"]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The second of two systems held against the first."""

    one: str
    other: str
    differences: Mapping[str, Difference]
    """Title of a metric -> the other's figure minus the one's."""
    corrected: Mapping[str, float]
    """Title of a metric -> p after Holm, over all pairs and metrics."""
    discordance: Discordance | None
    """McNemar's test, only_one of the first; None without labels."""
    discordance_corrected: float
    """Its p after Holm, over all pairs; NaN without labels."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What is found of some systems on the same clips."""

    clips: int
    speakers: int
    """Those that are known."""
    without_speaker: int
    """Clips whose speaker nobody knows: each file counts as a speaker of its own."""
    left_out: Mapping[str, int]
    """System -> how many of its clips not all systems have."""
    scores: Mapping[str, Mapping[str, Score]]
    """System -> title of a metric -> figure."""
    pairs: Sequence[Pair]


def compare(
    systems: Mapping[str, Predictions],
    *,
    metrics: Sequence[str] | None = None,
    common: bool = False,
    draws: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Figures of each system, and the difference of each pair with tests, clip by clip.

    ``systems`` are tables by name, in the order in which they are told; ``metrics`` and ``draws``
    as in ``scores``. With ``common``, clips that not all have are left out.

    Raises ConfigError: fewer than two systems, other clips or another truth, no metric in common.
    """
    if len(systems) < 2:
        raise ConfigError(f"a comparison needs two systems, not {len(systems)}")
    alike = shared(systems, common=common)
    found = {}
    for name, one in alike.items():
        try:
            found[name] = scores(one, metrics=metrics, draws=draws, seed=seed)
        except ConfigError as error:
            raise ConfigError(f"{name}: {error}") from error
    titles = [
        title for title in next(iter(found.values())) if all(title in s for s in found.values())
    ]
    if not titles:
        raise ConfigError(f"no metric can be asked of all of {', '.join(systems)}")
    found = {name: {title: one[title] for title in titles} for name, one in found.items()}
    first = next(iter(alike.values()))
    known = first["speaker"] != ""
    return Comparison(
        clips=len(first),
        speakers=len(set(first["speaker"][known])),
        without_speaker=int((~known).sum()),
        left_out={name: len(one) - len(first) for name, one in systems.items()},
        scores=found,
        pairs=_pairs(alike, found),
    )


def shared(systems: Mapping[str, Predictions], *, common: bool = False) -> dict[str, Predictions]:
    """The tables with the same clips in the same order.

    Raises ConfigError: other clips (but with ``common`` those that all have are kept), another
    truth or speaker of a clip.
    """
    places = {
        name: {clip: place for place, clip in enumerate(one.clips)} for name, one in systems.items()
    }
    first, *others = places
    clips = [clip for clip in places[first] if all(clip in places[name] for name in others)]
    if not clips:
        raise ConfigError(
            f"{' and '.join(systems)} share no clip; a clip is file, start and end, and the first "
            f"of {first} is {next(iter(places[first]))}"
        )
    more = {name: len(one) - len(clips) for name, one in places.items()}
    if any(more.values()) and not common:
        told = ", ".join(f"{name} {count}" for name, count in more.items())
        raise ConfigError(
            f"these are not the same clips: {len(clips)} are shared, and beside them has "
            f"{told}; --common compares the shared ones"
        )
    alike = {
        name: one.some(np.array([places[name][clip] for clip in clips]))
        for name, one in systems.items()
    }
    for name in others:
        _check_truth(first, name, alike, clips)
    return alike


def _check_truth(
    one: str, other: str, alike: Mapping[str, Predictions], clips: Sequence[Clip]
) -> None:
    first, second = alike[one].columns, alike[other].columns
    votes = [name for name in first if name.startswith("votes_")]
    for column in ("emotion", "speaker", *DIMENSIONS, *votes):
        if column in first and column in second:
            differs = np.flatnonzero(~_same(first[column], second[column]))
            if len(differs):
                place = differs[0]
                raise ConfigError(
                    f"{one} and {other} differ in the column {column!r} of {len(differs)} of "
                    f"{len(clips)} clips, such as {clips[place][0]}: {first[column][place]} and "
                    f"{second[column][place]}; only systems held against one truth can be compared"
                )


def _same(one: NDArray[np.generic], other: NDArray[np.generic]) -> NDArray[np.bool_]:
    if one.dtype.kind == "f":
        return np.isclose(one, other, rtol=0, atol=1e-6, equal_nan=True)
    found: NDArray[np.bool_] = one == other
    return found


def _pairs(
    systems: Mapping[str, Predictions], found: Mapping[str, Mapping[str, Score]]
) -> list[Pair]:
    names = list(combinations(systems, 2))
    differences = [
        {
            title: difference(found[other][title].found, score.found)
            for title, score in found[one].items()
        }
        for one, other in names
    ]
    discordances = [_discordance(systems[one], systems[other]) for one, other in names]
    every = iter(holm([d.p for table in differences for d in table.values()]).tolist())
    uneven = holm([one.p if one else np.nan for one in discordances]).tolist()
    return [
        Pair(one, other, table, {title: next(every) for title in table}, discordance, corrected)
        for (one, other), table, discordance, corrected in zip(
            names, differences, discordances, uneven, strict=True
        )
    ]


def _discordance(one: Predictions, other: Predictions) -> Discordance | None:
    known = one["emotion"] != ""
    if not known.any() or "" in (*one["prediction"], *other["prediction"]):
        return None
    return mcnemar(one["emotion"][known], one["prediction"][known], other["prediction"][known])
