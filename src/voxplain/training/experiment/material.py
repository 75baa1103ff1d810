"""The recordings of an experiment, checked before anything long begins, and their splits."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.errors import AudioError, ConfigError, CorpusNotFound
from voxplain.models.judgement import DIMENSIONS
from voxplain.plugins import require
from voxplain.training import targets
from voxplain.training.assessment.recordings import duration, recordings
from voxplain.training.conditions import Anything
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.experiment.goals import Goals, gather_goals
from voxplain.training.experiment.recipe import Data, ExperimentRecipe, SplitPlan, Tasks
from voxplain.training.splits import (
    Split,
    check,
    emobox_splits,
    official_splits,
    session_splits,
    shared_speakers,
    speaker_splits,
)

__all__ = ["Material", "altered", "gather", "keep_sound", "make_splits", "read_utterances"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What there is to learn from."""

    utterances: Sequence[Utterance]
    seconds: Sequence[float]
    """Of each; 0 where nobody listens."""
    goals: Goals
    splits: Sequence[Split]
    warnings: Sequence[str]
    """What every output must say."""


def gather(recipe: ExperimentRecipe, *, roots: Mapping[str, Path]) -> Material:
    """Read and check everything.

    Raises ConfigError, CorpusNotFound, AudioError, and what readers raise.
    """
    data, tasks = recipe.data, recipe.targets
    utterances = read_utterances(data, tasks=tasks, roots=roots)
    learned, parts = len(utterances), {}
    for name in data.tested:
        first = len(utterances)
        utterances += read_utterances(replace(data, corpora=(name,)), tasks=tasks, roots=roots)
        parts[name] = np.arange(first, len(utterances))
    seconds = [0.0] * len(utterances)
    if recipe.encoder.tune != "none":
        utterances, seconds = _whole(utterances, longest=data.seconds)
    goals = gather_goals(utterances, labels=data.labels, tasks=tasks)
    splits = [
        replace(split, tests={**split.tests, **parts})
        for split in make_splits(utterances[:learned], recipe.split)
    ]
    allowed = recipe.split.allow_shared_speakers
    check(splits, utterances, labels=recipe.labels, allow_shared_speakers=allowed)
    warnings = []
    for split in splits:
        if shared := shared_speakers(split, utterances):
            warnings.append(
                f"{split.name}: {len(shared)} speakers are on two sides, such as {shared[0]}: "
                "these figures say nothing about speakers who were never heard"
            )
    if unknown := sum(not one.speaker for one in utterances):
        warnings.append(
            f"nobody knows who speaks in {unknown} of {len(utterances)} recordings: whether a "
            "speaker is on two sides can't be told"
        )
    if tasks.proxies:
        warnings.append(
            "where nobody rated valence, arousal and dominance, they are those that listeners' "
            "votes or the portrayed label stand for"
        )
    return Material(utterances, seconds, goals, splits, warnings)


def read_utterances(data: Data, *, tasks: Tasks, roots: Mapping[str, Path]) -> list[Utterance]:
    """The recordings that can be learned from, labels merged.

    Raises ConfigError for a corpus without a root, CorpusNotFound for one that is not there.
    """
    found: list[Utterance] = []
    for name in data.corpora:
        if name not in roots:
            raise ConfigError(f"the corpus {name!r} has no root; give --root {name}=FOLDER")
        found += recordings(f"{name}={roots[name]}").utterances
    merged = [replace(one, emotion=data.merge.get(one.emotion, one.emotion)) for one in found]
    if tasks.proxies:
        merged = _with_proxies(merged)
    kept = [
        one
        for one in merged
        if one.speaker not in data.left_out
        and (one.emotion in data.labels if tasks.categories else one.dimensions)
    ]
    log.info("%d of %d recordings have a label or rating of this recipe", len(kept), len(found))
    if not kept:
        raise ConfigError(
            f"none of the {len(found)} recordings of {', '.join(data.corpora)} has a label or "
            "rating of this recipe; see data.labels and targets"
        )
    return kept


def _with_proxies(utterances: Sequence[Utterance]) -> list[Utterance]:
    """With the dimensions of ``targets.dimensions``, as far as there are."""
    values = targets.dimensions(utterances)
    known = [
        {name: value for name, value in zip(DIMENSIONS, row, strict=True) if not np.isnan(value)}
        for row in values.tolist()
    ]
    pairs = zip(utterances, known, strict=True)
    return [replace(one, dimensions=its or None) for one, its in pairs]


def _whole(
    utterances: Sequence[Utterance], *, longest: float
) -> tuple[list[Utterance], list[float]]:
    """The recordings as far as they are heard, and for how long; every file must be there.

    Raises CorpusNotFound for files that are missing or can't be opened.
    """
    kept, seconds, broken = [], [], []
    for one in utterances:
        try:
            whole = duration(one)
        except AudioError as error:
            broken.append(str(error))
            continue
        length = min(whole, longest)
        if length < whole:
            one = replace(one, end=one.start + length)
        kept.append(one)
        seconds.append(length)
    if broken:
        raise CorpusNotFound(
            f"{len(broken)} of {len(utterances)} recordings can't be read, the first: {broken[0]}; "
            "was the corpus copied whole?"
        )
    return kept, seconds


def make_splits(utterances: Sequence[Utterance], plan: SplitPlan) -> list[Split]:
    """As the recipe says. Raises ConfigError."""
    if plan.by == "speaker":
        return speaker_splits(utterances, folds=plan.folds, dev=plan.dev, seed=plan.seed)
    if plan.by == "session":
        return session_splits(utterances, dev=plan.dev, seed=plan.seed)
    if plan.by == "official":
        return official_splits(utterances, dev=plan.dev, seed=plan.seed)
    return emobox_splits(utterances, folder=Path(plan.files), dev=plan.dev, seed=plan.seed)


_VOICES = 6
"""Other recordings that babble is made of."""


def altered(
    utterances: Sequence[Utterance], *, copies: int, cache: Path, jobs: int
) -> list[list[Utterance]]:
    """Copies of each recording gone through ``conditions.Anything``, as files in the cache.

    Babble is made of the speaker's own other recordings, so that no voice comes to another side.
    """
    joblib = require("joblib", extra="train")
    own: dict[tuple[str, str], list[Utterance]] = {}
    for one in utterances:
        own.setdefault((one.speaker, one.split), []).append(one)
    shelf = cache / "altered"
    shelf.mkdir(parents=True, exist_ok=True)
    found = []
    for copy in range(1, copies + 1):
        work = joblib.Parallel(jobs)(
            joblib.delayed(_altered)(one, own[one.speaker, one.split], copy, shelf)
            for one in utterances
        )
        found.append(list(work))
        log.info("altered copy %d of %d", copy, copies)
    return found


def _altered(one: Utterance, company: Sequence[Utterance], copy: int, shelf: Path) -> Utterance:
    condition = Anything(copy)
    facts = hashlib.sha256(one.path.read_bytes())
    facts.update(repr((one.start, one.end, condition)).encode())
    generator = np.random.default_rng(int(facts.hexdigest(), 16))
    others = [other for other in company if other is not one] or [one]
    drawn = generator.choice(len(others), min(_VOICES, len(others)), replace=False)
    voices = [others[index] for index in drawn.tolist()]
    facts.update(repr([(str(voice.path), voice.start, voice.end) for voice in voices]).encode())
    place = shelf / f"{facts.hexdigest()}.wav"
    if not place.is_file():
        keep_sound(
            condition(
                sound(one).waveform, generator, lambda: [sound(voice).waveform for voice in voices]
            ),
            place,
        )
    return replace(one, path=place, start=0.0, end=None)


def keep_sound(waveform: NDArray[np.float32], place: Path) -> None:
    """A 16 kHz file, whole or not at all; nothing is clipped."""
    part = place.with_suffix(".part")
    soundfile.write(part, waveform, SAMPLING_RATE, format="WAV", subtype="FLOAT")
    part.replace(place)
