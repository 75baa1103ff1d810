"""Readings of utterances by the heads that never heard their speakers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxplain.backbones.embedded import STATE_SHIFT
from voxplain.models.calibration import (
    Calibration,
    fit_line,
    fit_mass,
    fit_temperature,
    fit_widening,
    softmax,
)
from voxplain.models.embedded import EmbeddedModel
from voxplain.models.judgement import Readings
from voxplain.models.profile import Profile
from voxplain.training import targets
from voxplain.training.corpora._reading import Utterance
from voxplain.training.examples import Moments
from voxplain.training.hearing import States
from voxplain.types import Embedding

__all__ = ["KNOWN", "Heard", "Unseen", "calibrate"]


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Utterances with speech in them, and the states of it."""

    utterances: Sequence[Utterance]
    states: Sequence[States]

    @classmethod
    def of(cls, utterances: Sequence[Utterance], states: Sequence[States | None]) -> Heard:
        """Those that have states."""
        kept = [(u, s) for u, s in zip(utterances, states, strict=True) if s is not None]
        return cls([u for u, _ in kept], [s for _, s in kept])

    def some(self, rows: NDArray[np.int64]) -> Heard:
        """Those of some rows."""
        kept = rows.tolist()
        return Heard([self.utterances[row] for row in kept], [self.states[row] for row in kept])

    @property
    def speakers(self) -> NDArray[np.str_]:
        """(n,)"""
        return np.array([utterance.speaker for utterance in self.utterances])

    def profiles(self, clips: int, *, emotion: str | None = None) -> list[Profile]:
        """Of each utterance: a profile of so many others by its speaker, drawn at random.

        Fewer if there are not so many; with an ``emotion``, of that one alone.
        """
        moments, speakers = Moments([self.states]), self.speakers
        fitting = np.array([emotion in (None, one.emotion) for one in self.utterances])
        found = []
        for row, speaker in enumerate(speakers):
            others = np.flatnonzero((speakers == speaker) & fitting)
            others = others[others != row]
            generator = np.random.default_rng([clips, row])
            drawn = generator.choice(others, min(clips, len(others)), replace=False)
            found.append(moments.of(drawn))
        return found


class Unseen:
    """The models of a folder; each speaker is read by the one that never heard the speaker."""

    def __init__(self, folder: Path) -> None:
        """Raises what EmbeddedModel raises."""
        shipped = EmbeddedModel(folder)
        self._models: dict[int | None, EmbeddedModel] = {None: shipped}
        self._fold: dict[str, int] = {}
        for number, fold in enumerate(shipped.card["folds"]):
            self._models[number] = EmbeddedModel(folder, fold=number)
            self._fold |= dict.fromkeys(fold["speakers"], number)
        self.shipped = shipped

    def fold(self, speaker: str) -> int | None:
        """The fold that a speaker is in; None for one that was never trained on."""
        return self._fold.get(speaker)

    def read(self, heard: Heard, profiles: Sequence[Profile] | None = None) -> Readings:
        """Readings with a first axis (n,) for the utterances."""
        known: Sequence[Profile | None] = profiles or [None] * len(heard.states)
        found = [
            self._models[self.fold(utterance.speaker)].read(
                Embedding(states, STATE_SHIFT, self.shipped.name), profile
            )
            for utterance, states, profile in zip(
                heard.utterances, heard.states, known, strict=True
            )
        ]
        return Readings.stacked(found)


_TURNED_AWAY = 0.005
"""Share of recordings like those learned from that may be turned away as strange."""
KNOWN = 80
"""Utterances with which a speaker counts as known."""


def calibrate(
    readings: Readings, known: Readings, utterances: Sequence[Utterance], unfitted: Calibration
) -> Calibration:
    """What readings of unseen speakers ask for, of strangers and of those who are ``known``."""
    truth = targets.portrayed(utterances, unfitted.labels)
    points = targets.dimensions(utterances)
    values = readings.dimensions[..., 1]
    lines = [fit_line(true, found) for true, found in zip(points.T, values.T, strict=True)]
    slope, offset = zip(*lines, strict=True)
    moved = np.array(offset)[:, None] + np.array(slope)[:, None] * readings.dimensions
    temperature = fit_temperature(truth, readings.categories)
    return dataclasses.replace(
        unfitted,
        temperature=temperature,
        known_temperature=fit_temperature(truth, known.categories),
        most_strange=float(np.quantile(readings.strangeness, 1 - _TURNED_AWAY)),
        mass=fit_mass(truth, softmax(readings.categories, temperature=temperature)),
        slope=slope,
        offset=offset,
        widening=tuple(
            fit_widening(true, low, high)
            for true, (low, _, high) in zip(points.T, moved.transpose(1, 2, 0), strict=True)
        ),
    )
