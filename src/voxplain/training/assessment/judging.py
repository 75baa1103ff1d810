"""Recordings as the product judges them, by models that never heard their speakers."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.errors import InputError
from voxplain.models.judgement import DIMENSIONS
from voxplain.training.assessment.heads import analyzer, heads
from voxplain.training.conditions import Condition
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.hearing import companions
from voxplain.types import Emotion

__all__ = ["Judge", "Judged", "Judgement"]

_CHUNK = 8  # recordings handed to a process at once


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of one recording."""

    emotion: Emotion | None
    """None where the recording could not be read."""
    duration: float
    """Seconds; NaN where it could not be read."""
    reason: str
    """Why nothing is said, or why no few labels are; empty for a verdict."""
    fold: int | None = None
    """Of the head that judged it; None is the one that analyses use."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Utterances and what came of each."""

    utterances: tuple[Utterance, ...]
    judgements: tuple[Judgement, ...]
    labels: tuple[str, ...]
    """That the model knows."""

    @property
    def speakers(self) -> NDArray[np.str_]:
        """(n,) where nobody knows, the file."""
        return np.array([one.speaker or str(one.path) for one in self.utterances], str)

    @property
    def emotions(self) -> NDArray[np.str_]:
        """(n,) as they are labelled; empty where there is no name for it."""
        return np.array([one.emotion for one in self.utterances], str)

    @property
    def told(self) -> NDArray[np.bool_]:
        """(n,) whether anything is said: probabilities, or dimensions by a model without labels."""
        what = "categories" if self.labels else "dimensions"
        return np.array([bool(getattr(one.emotion, what, None)) for one in self.judgements], bool)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """(n, labels), NaN where there are none."""
        return self._shares("categories", self.labels)

    def perceived(self, labels: Sequence[str]) -> NDArray[np.float64]:
        """(n, labels) predicted shares of the listeners, NaN where there are none."""
        return self._shares("perceived", labels)

    @property
    def dimensions(self) -> NDArray[np.float64]:
        """(n, 3) valence, arousal and dominance, NaN where they are not told."""
        found = np.full((len(self.judgements), 3), np.nan)
        for row, one in enumerate(self.judgements):
            if one.emotion and one.emotion.dimensions:
                found[row] = [getattr(one.emotion.dimensions, name).value for name in DIMENSIONS]
        return found

    def some(self, rows: NDArray[Any]) -> Judged:
        """Those of some rows, or those for which a mask is true."""
        kept = np.arange(len(self.utterances))[rows].tolist()
        return Judged(
            tuple(self.utterances[row] for row in kept),
            tuple(self.judgements[row] for row in kept),
            self.labels,
        )

    def _shares(self, kind: str, labels: Sequence[str]) -> NDArray[np.float64]:
        found = np.full((len(self.judgements), len(labels)), np.nan)
        for row, one in enumerate(self.judgements):
            if one.emotion and getattr(one.emotion, kind):
                found[row] = [getattr(one.emotion, kind)[label] for label in labels]
        return found


class Judge:
    """A model; where it heard a speaker in training, a head of it judges that did not."""

    def __init__(self, model: str) -> None:
        """``model`` as ``voxplain analyze`` takes it. Raises what ``pipeline.load`` raises."""
        self.model = model
        self.title = Path(model).name
        """What it is called beside others."""
        loaded = analyzer(model, None).model
        self.name: str = loaded.name
        self.sha256: str = loaded.sha256
        self.labels: tuple[str, ...] = loaded.calibration.labels
        self.notes: tuple[str, ...] = loaded.notes
        self.heads = heads(model)

    def judge(
        self,
        utterances: Sequence[Utterance],
        *,
        condition: Condition | None = None,
        name: str = "",
        company: Sequence[Sequence[Utterance]] = (),
        jobs: int = 1,
        progress: Callable[[], None] = lambda: None,
    ) -> Judged:
        """All of them, as they are or through a condition that has a ``name``.

        What the condition draws depends on the name and the file alone; babble is made of the
        ``company`` of each. ``progress`` is called for each that is judged.
        """
        voices = company or [()] * len(utterances)
        items = [
            (one, self.heads.fold(one), tuple(others))
            for one, others in zip(utterances, voices, strict=True)
        ]
        judge = functools.partial(_judgement, model=self.model, condition=condition, name=name)
        found = []
        for one in _each(judge, items, jobs):
            found.append(one)
            progress()
        return Judged(tuple(utterances), tuple(found), self.labels)

    def company(self, utterances: Sequence[Utterance]) -> list[tuple[Utterance, ...]]:
        """Other speakers for each, up to six recordings; of their fold, where there are folds."""
        by_path = {str(one.path): one for one in utterances}
        found = companions(utterances, self.heads.spared)
        return [tuple(by_path[path] for path in paths) for paths in found]


_Item = tuple[Utterance, int | None, tuple[Utterance, ...]]


def _each(
    judge: Callable[[_Item], Judgement], items: Sequence[_Item], jobs: int
) -> Iterator[Judgement]:
    if jobs == 1:
        yield from map(judge, items)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(judge, items, chunksize=_CHUNK)


def _judgement(item: _Item, *, model: str, condition: Condition | None, name: str) -> Judgement:
    utterance, fold, voices = item
    loaded = analyzer(model, fold)
    try:
        if condition is None and not utterance.start and utterance.end is None:
            analysis = loaded.analyze(utterance.path, explain=None)
        else:
            waveform = sound(utterance).waveform
            if condition is not None:
                place = f"{utterance.path.stem} {utterance.start:.3f} {name}"
                generator = np.random.default_rng(zlib.crc32(place.encode()))
                waveform = condition(
                    waveform, generator, lambda: [sound(one).waveform for one in voices]
                )
            analysis = loaded.analyze(waveform, SAMPLING_RATE, explain=None)
    except InputError as error:
        return Judgement(None, float("nan"), f"can't be read: {error}", fold)
    emotion = analysis.emotion
    whole = bool(emotion.dimensions) and not emotion.label_set  # a model without labels says all
    reason = "" if whole else emotion.verdict.reason or ""
    return Judgement(emotion, analysis.duration, reason, fold)
