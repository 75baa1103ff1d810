"""Where a clip keeps its emotion: in vowels or consonants, voiced frames, its beginning or end."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain import descriptors
from voxplain.errors import CorpusNotFound
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.hearing import of_each
from voxplain.training.statistics import Interval
from voxplain.training.studies.charts import dots
from voxplain.training.studies.probing import probes
from voxplain.training.studies.probing.material import (
    Clips,
    Findings,
    Given,
    Material,
    check,
    drawn,
    frames,
)
from voxplain.training.studies.tables import Table

__all__ = [
    "PHONES",
    "Phone",
    "Region",
    "RegionsRecipe",
    "by_region",
    "masks",
    "phones",
    "pool",
    "study",
]

ALIGNMENTS = "emodb_alignments"
PAUSES = "pauses"
LEAST = 3
"""Frames of a region without which a clip does not count for it."""

PHONES = {
    "vowels": re.compile(r"[aeiouyAEIOUY@6289]"),
    "sonorants": re.compile(r"[mnNlLrRj4]"),
    "obstruents": re.compile(r"[_!]?[pbtdkgfvszSZxXCchHVBDGq?]"),
    PAUSES: re.compile(r"[.(]"),
}
"""How the labels of EMO-DB (SAMPA; ``_`` closure, ``!`` release) begin, by class."""
THIRDS = ("first third", "middle third", "last third")
SERIES = ("UAR", "random frames", "shuffled labels")


@dataclass(frozen=True, slots=True)
class RegionsRecipe:
    """What a recipe of the kind ``probing_regions`` may say."""

    material: Material
    layers: tuple[int, ...]
    draws: int
    """Of random frames."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A stretch of speech, in seconds."""

    start: float
    end: float
    kind: str
    """A key of PHONES, or empty for a label that is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Some frames of a clip."""

    inside: NDArray[np.bool_]
    among: NDArray[np.bool_]
    """Those that its control is drawn from, the region among them."""

    def drawn(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """As many frames as the region has, from anywhere."""
        count = int(self.inside.sum())
        return generator.choice(np.flatnonzero(self.among), count, replace=False)


def study(recipe: RegionsRecipe, given: Given) -> Findings:
    """A table for each corpus and layer, and a chart.

    Phones are told in EMO-DB, if its labels are among the roots as ``emodb_alignments``. Raises
    ConfigError, WeightsMissing, CorpusNotFound.
    """
    shift = check(given, layers=recipe.layers).frame_shift
    tables: dict[str, Table] = {}
    charts = {}
    for corpus, clips in drawn(recipe.material, given.roots).items():
        voiced = of_each(_voiced, clips.utterances, cache=given.cache, jobs=given.jobs)
        told: list[list[Phone]] = [[] for _ in voiced]
        if corpus == "emodb" and ALIGNMENTS in given.roots:
            told = [phones(given.roots[ALIGNMENTS], one.path.stem) for one in clips.utterances]
        rows: dict[str, list[Interval]] = {}
        for layer in recipe.layers:
            states = frames(clips, given, layer=layer)
            regions = [
                masks(len(one), shift, voiced=times, phones=said)
                for one, times, said in zip(states, voiced, told, strict=True)
            ]
            found = by_region(states, regions, clips, draws=recipe.draws, seed=recipe.material.seed)
            tables[f"{corpus}, layer {layer}"] = found
            rows |= {
                f"{name}, layer {layer}": [row[column] for column in SERIES]
                for name, row in found.items()
            }
        charts[f"regions_{corpus}.svg"] = dots(
            rows,
            title=f"{corpus}: UAR of the emotion from a region alone",
            series=SERIES,
            span=(0.0, 1.0),
            chance=round(1 / len(np.unique(clips["emotion"])), 2),
        )
    return Findings(tables, charts)


def _voiced(utterance: Utterance) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Times every 10 ms, and whether the voice is heard."""
    pitch = descriptors.tracks(sound(utterance))["f0_hz"]
    return pitch.times, pitch.voiced


_ROW = re.compile(r"^\s*([\d.]+)\s+-1 ?(\S*)", re.MULTILINE)


def phones(folder: Path, stem: str) -> list[Phone]:
    """The phones of a recording of EMO-DB, by the hand-made labels in ``lablaut``.

    None where nobody labelled it. What only marks a change of the voice belongs to the phone
    before; a pause at the end lasts. Raises CorpusNotFound for another folder.
    """
    if not (folder / "lablaut").is_dir():
        raise CorpusNotFound(f"{folder} holds no folder lablaut; give the labels of EMO-DB")
    place = folder / f"lablaut/{stem}xx.lablaut"
    if not place.is_file():
        return []
    text = place.read_text("latin-1").partition("#\n")[2]
    rows = [(float(row[1]), row[2]) for row in _ROW.finditer(text)]
    marks = [(start, label) for start, label in rows if label[:1] not in ("", "+", "-")]
    found = []
    for place_in, (start, label) in enumerate(marks):
        kind = next((name for name, begins in PHONES.items() if begins.match(label)), "")
        if place_in + 1 < len(marks):
            end = marks[place_in + 1][0]
        else:
            end = math.inf if kind == PAUSES else rows[-1][0]
        found.append(Phone(start, end, kind))
    return found


def masks(
    count: int,
    shift: float,
    *,
    voiced: tuple[NDArray[np.float64], NDArray[np.bool_]],
    phones: Sequence[Phone],
) -> dict[str, Region]:
    """The regions of a clip of some frames, one every ``shift`` seconds.

    ``voiced``: times (n,) and whether there is a voice then; thirds are of what lies between the
    first and the last. Without a voice there are no regions.
    """
    times = (np.arange(count) + 0.5) * shift
    at, voice = voiced
    if not voice.any():
        return {}
    first, last = at[voice][[0, -1]]
    speech = (times >= first) & (times <= last)
    nearest = np.clip(np.searchsorted(at, times), 0, len(at) - 1)
    found = {"voiced": speech & voice[nearest], "unvoiced": speech & ~voice[nearest]}
    third = (speech.cumsum() - 1) * len(THIRDS) // max(speech.sum(), 1)
    found |= {name: speech & (third == place) for place, name in enumerate(THIRDS)}
    for kind in PHONES:
        inside = [(times >= one.start) & (times < one.end) for one in phones if one.kind == kind]
        if inside:
            found[kind] = np.any(inside, 0)
    everywhere = np.ones(count, bool)
    return {
        name: Region(mask, everywhere if name == PAUSES else speech | mask)
        for name, mask in found.items()
    }


def by_region(
    states: Sequence[NDArray[Any]],
    regions: Sequence[Mapping[str, Region]],
    clips: Clips,
    *,
    draws: int,
    seed: int,
) -> Table:
    """UAR of the emotion from states (frames, width) pooled over a region alone, and its controls.

    "Random frames" are as many of those among which the region lies, drawn so many times.
    """
    generator = np.random.default_rng(seed)
    found = {}
    for name in dict.fromkeys(name for one in regions for name in one):
        rows = np.array([name in one and one[name].inside.sum() >= LEAST for one in regions])
        own = [(states[row], regions[row][name]) for row in np.flatnonzero(rows).tolist()]
        some = clips.of(rows)
        truth, speakers = some["emotion"], some["speaker"]
        if len(np.unique(some.folds)) < 2:
            continue  # nobody is left to learn from
        pools = np.array([pool(one[region.inside]) for one, region in own])
        right = probes.labels(pools, truth, some.folds) == truth
        random = np.zeros(len(own))
        for _ in range(draws):
            drawn_ones = np.array([pool(one[region.drawn(generator)]) for one, region in own])
            random += (probes.labels(drawn_ones, truth, some.folds) == truth) / draws
        others = probes.shuffled(truth, speakers, seed=seed)
        null = probes.labels(pools, others, some.folds) == others
        found[name] = {
            "UAR": probes.recall(right, truth, speakers),
            "random frames": probes.recall(random, truth, speakers),
            "difference": probes.recall(right, truth, speakers, above=random),
            "shuffled labels": probes.recall(null, others, speakers),
        }
    return found


def pool(states: NDArray[Any]) -> NDArray[np.float32]:
    """(2 x width,): mean and deviation of states (frames, width)."""
    exact = states.astype(np.float32)
    return np.concatenate([exact.mean(0), exact.std(0)])
