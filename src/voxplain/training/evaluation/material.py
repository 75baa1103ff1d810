"""What every question is answered from: held-out readings, calibrated on other speakers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ConfigError
from voxplain.labels import CANONICAL
from voxplain.models.calibration import Calibration, label_sets, softmax
from voxplain.models.judgement import Readings, line_of, on_line
from voxplain.models.profile import Profile
from voxplain.training.conditions import Condition
from voxplain.training.corpora._reading import Utterance
from voxplain.training.embedded import EmbeddedRecipe
from voxplain.training.hearing import hear, read_corpora
from voxplain.training.held_out import KNOWN, Heard, Unseen, calibrate
from voxplain.training.statistics import Interval

__all__ = ["Judged", "Material", "Section"]

Section = Mapping[str, Mapping[str, Interval]]
"""A table: row -> column -> figure."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Utterances as the model judges them that never heard their speakers."""

    utterances: Sequence[Utterance]
    readings: Readings
    probabilities: NDArray[np.float64]
    """(n, labels)"""
    sets: NDArray[np.bool_]
    """(n, labels) which labels the conformal set holds"""
    intervals: NDArray[np.float64]
    """(n, 3, 3): low, value and high of valence, arousal and dominance"""
    truth: NDArray[np.int64]
    """(n,) index of the label, -1 for an emotion that the model has no name for"""

    @property
    def speakers(self) -> NDArray[np.str_]:
        """(n,)"""
        return np.array([utterance.speaker for utterance in self.utterances])

    def some(self, rows: NDArray[np.bool_]) -> Judged:
        """Those of some rows."""
        kept = np.flatnonzero(rows)
        return Judged(
            [self.utterances[row] for row in kept.tolist()],
            self.readings.some(kept),
            self.probabilities[kept],
            self.sets[kept],
            self.intervals[kept],
            self.truth[kept],
        )

    def of(self, corpus: str) -> Judged:
        """Those of a corpus."""
        return self.some(np.array([one.corpus == corpus for one in self.utterances]))


class Material:
    """A recipe, its model folder and where the recordings lie."""

    def __init__(
        self,
        recipe: EmbeddedRecipe,
        *,
        model: Path,
        roots: Mapping[str, Path],
        cache: Path,
        jobs: int,
    ) -> None:
        """Raises WeightsMissing without a trained model, ConfigError for another recipe's, and
        CorpusNotFound.
        """
        self.recipe = recipe
        self.folder = model
        self.roots = roots
        self.unseen = Unseen(model)
        self.calibration = self.unseen.shipped.calibration
        if self.unseen.shipped.card["recipe"] != json.loads(json.dumps(asdict(recipe))):
            raise ConfigError(
                f"{model} was trained by another recipe than the one given ({recipe.name}); "
                "give its own, or train again"
            )
        self._hearing: dict[str, Any] = {
            "encoder": model / "encoder.onnx",
            "cache": cache,
            "jobs": jobs,
        }
        self.utterances = read_corpora(
            recipe.corpora, roots=roots, labels=recipe.labels, left_out=recipe.left_out
        )
        self.heard = self.hear(self.utterances)
        readings = self.unseen.read(self.heard)
        known = self.unseen.read(self.heard, self.heard.profiles(KNOWN))
        folds = np.array([self.unseen.fold(speaker) for speaker in self.heard.speakers])
        self._calibrations: dict[int | None, Calibration] = {None: self.calibration}
        for fold in range(recipe.folds):
            rows = np.flatnonzero(folds != fold)
            others = self.heard.some(rows).utterances
            self._calibrations[fold] = calibrate(
                readings.some(rows), known.some(rows), others, self.calibration
            )
        self.judged = self._judged(self.heard, readings)

    def hear(self, utterances: Sequence[Utterance], condition: Condition | None = None) -> Heard:
        """What is heard in utterances, as they are or through a condition."""
        folds = {one.speaker: self.unseen.fold(one.speaker) or 0 for one in utterances}
        states = hear(utterances, condition=condition, folds=folds, **self._hearing)
        return Heard.of(utterances, states)

    def corpus(self, name: str) -> Heard:
        """All that is heard in a corpus, whatever its emotion."""
        return self.hear(read_corpora([name], roots=self.roots, labels=CANONICAL))

    def judge(self, heard: Heard, profiles: Sequence[Profile] | None = None) -> Judged:
        """Utterances judged, with profiles of their speakers if given."""
        return self._judged(heard, self.unseen.read(heard, profiles))

    def _judged(self, heard: Heard, readings: Readings) -> Judged:
        fitted = [self._calibrations[self.unseen.fold(speaker)] for speaker in heard.speakers]
        trusts = zip(fitted, readings.trust, strict=True)
        temperature = np.array([one.temperature_at(trust) for one, trust in trusts])
        probabilities = softmax(readings.categories / temperature[:, None])
        mass = np.array([one.mass for one in fitted])
        line = np.array([line_of(one) for one in fitted])
        labels = self.recipe.labels
        truth = [labels.index(u.emotion) if u.emotion in labels else -1 for u in heard.utterances]
        return Judged(
            heard.utterances,
            readings,
            probabilities,
            label_sets(probabilities, mass=mass[:, None]),
            on_line(readings.dimensions, line),
            np.array(truth),
        )
