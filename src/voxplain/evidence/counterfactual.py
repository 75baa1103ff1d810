"""Counterfactuals: what a model makes of the same voice with one cue changed, and only that.

The difference between the changed voice and its control, which went through the same machinery
without a change, is the causal effect of the cue on this prediction: on what the model makes of
synthetic sound, that is, and not on what a listener would.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors._family import in_speech, statistic
from voxplain.descriptors._frames import FRAME_SHIFT
from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.errors import UnknownName
from voxplain.evidence.voice import AXES, Edit, Voice
from voxplain.types import Audio, Counterfactual, Emotion, Quantity, Track

__all__ = ["TOLD", "Experiment", "found_again"]

TOLD = (
    "f0_mean_st",
    "f0_range_st",
    "articulation_rate",
    "intensity_mean_db",
    "alpha_ratio_mean_db",
    "hnr_mean_db",
)
"""Descriptors of the changed sound that a counterfactual tells, beside what was asked for."""

# Tempos that are tried, half a percent apart, and how far below the loudest frame two contours
# are compared; what is fainter is the room.
TEMPOS = np.exp(np.arange(-0.9, 0.9, 0.005))
DEPTH_DB = 40.0
# Frames whose F0 is compared two by two, evenly drawn, and how far two must lie apart.
MOST_FRAMES, LEAST_APART_ST = 200, 1.0

Tracks = Mapping[str, Track]


class Experiment:
    """A recording, and a judge who is asked about changed versions of its voice."""

    def __init__(self, audio: Audio, *, judge: Callable[[Audio], Emotion]) -> None:
        """Of 16 kHz sound. Raises AudioError where there is no speech in it."""
        self.voice = Voice(audio)
        self.judge = judge
        self.before = judge(audio)
        """What the recording itself sounds like."""

    def after(self, edit: Edit) -> Emotion:
        """What the changed voice sounds like. Raises ConfigError as ``whatif`` does."""
        return self.judge(self.voice.edited(edit))

    def control(self, edit: Edit) -> Emotion:
        """What the voice sounds like after an edit there and back (``Voice.there_and_back``)."""
        sound = self.voice.there_and_back(edit)
        return self.before if sound is self.voice.audio else self.judge(sound)

    def whatif(self, edit: Edit) -> Counterfactual:
        """What the changed voice sounds like, beside the recording and the control.

        ``measured`` holds every axis of an edit as ``found_again`` and the descriptors ``TOLD``
        of the changed sound. Raises ConfigError for an edit that the voice does not allow.
        """
        sound = self.voice.edited(edit)
        changed = Measurement(sound.waveform, sampling_rate=sound.sampling_rate)
        functionals = changed.functionals()
        return Counterfactual(
            edit=edit.asked,
            before=self.before,
            after=self.judge(sound),
            identity=self.control(edit),
            measured=found_again(self.voice.measurement.tracks, changed.tracks, tempo=edit.tempo)
            | {name: functionals[name] for name in TOLD},
        )

    def dose_response(self, axis: str, values: Sequence[float]) -> tuple[Counterfactual, ...]:
        """One counterfactual for each value of one axis, such as ``tempo``.

        Raises UnknownName for the axis, ConfigError for a value that the voice does not allow.
        """
        if axis not in AXES:
            raise UnknownName("axis of an edit", axis, AXES)
        return tuple(self.whatif(Edit(**{axis: value})) for value in values)

    def one_by_one(self) -> tuple[Counterfactual, ...]:
        """Each cue a usual step down and up; without what this voice does not allow."""
        return tuple(self.whatif(edit) for edit in _usual() if self.voice.allows(edit))


def _usual() -> Iterator[Edit]:
    for name, axis in AXES.items():
        for steps in (-1, 1):
            if axis.low <= axis.at(steps) <= axis.high:
                yield Edit(**{name: axis.at(steps)})


def found_again(before: Tracks, after: Tracks, *, tempo: float) -> dict[str, Quantity]:
    """How far a changed sound differs from its recording, on each axis of an ``Edit``.

    The tracks are compared frame by frame, at the same place of the utterance (``tempo`` says
    where that is), where both are voiced, or speech in the case of the gain: the mean of each for
    itself would also tell of the frames that only one of them has. F0 shift: median change. F0
    range: median slope between two frames a semitone or more apart (Theil 1950, Sen 1968). Gain:
    change of the mean power. Tilt: mean change of the alpha ratio. Breathiness: share of the
    periodicity lost. Tempo: where the contours of the intensity agree best, whatever ``tempo`` is.
    """

    def pairs(name: str, *, voiced: bool = True) -> NDArray[np.float64]:
        """Values (frames, 2) before and after."""
        rows = _paired(before, after, tempo=tempo, voiced=voiced)
        both = np.stack([before[name].values[rows[0]], after[name].values[rows[1]]], axis=-1)
        return both[np.isfinite(both).all(axis=-1)]

    semitones = 12 * np.log2(pairs("f0_hz"))
    intensity = pairs("intensity_db", voiced=False)
    values = {
        "f0_shift_st": statistic(semitones, lambda both: np.median(both[:, 1] - both[:, 0])),
        "f0_range": statistic(semitones, _slope),
        "tempo": _tempo(before, after),
        "gain_db": statistic(intensity, lambda both: 10 * np.log10(_gain(10 ** (both / 10)))),
        "tilt_db": statistic(
            pairs("alpha_ratio_db"), lambda both: np.mean(both[:, 1] - both[:, 0])
        ),
        "breathiness": statistic(
            pairs("hnr_db"), lambda both: 1 - _gain(1 / (1 + 10 ** (-both / 10)))
        ),
    }
    return {
        name: Quantity(value, AXES[name].unit, reliable=bool(np.isfinite(value)))
        for name, value in values.items()
    }


def _gain(both: NDArray[np.float64]) -> float:
    old, new = both.mean(axis=0)
    return float(new / old)


def _slope(both: NDArray[np.float64]) -> float:
    """NaN in a monotone."""
    some = both[:: math.ceil(len(both) / MOST_FRAMES)]
    first, second = np.triu_indices(len(some), 1)
    old, new = (some[first] - some[second]).T
    apart = np.abs(old) >= LEAST_APART_ST
    return float(np.median(new[apart] / old[apart])) if apart.any() else math.nan


def _paired(
    before: Tracks, after: Tracks, *, tempo: float, voiced: bool
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Frames (frames,) of the one and of the other at the same place, both voiced or speech."""
    old, new = (
        in_speech(tracks["f0_hz"].times, tracks["speech_activity"])
        & (tracks["f0_hz"].voiced | (not voiced))
        for tracks in (before, after)
    )
    times, rows = after["f0_hz"].times, np.flatnonzero(old)
    wanted = before["f0_hz"].times[rows] / tempo
    nearest = np.searchsorted((times[1:] + times[:-1]) / 2, wanted)
    same = np.zeros(len(rows), bool)
    if len(times):
        same = (np.abs(times[nearest] - wanted) < FRAME_SHIFT) & new[nearest]
    return rows[same], nearest[same]


def _tempo(before: Tracks, after: Tracks) -> float:
    """How much faster the contour of the intensity is."""
    contours = []
    for tracks in (before, after):
        track = tracks["intensity_db"]
        if not len(track.times):
            return math.nan
        level = np.nan_to_num(track.values, nan=-np.inf)
        contours.append((track.times, np.maximum(level - level.max(), -DEPTH_DB) + DEPTH_DB))
    (old_times, old), (new_times, new) = contours
    alike = []
    for tempo in TEMPOS:
        moved = np.interp(new_times * tempo, old_times, old, left=0, right=0)
        alike.append(moved @ new / np.sqrt((moved @ moved + 1) * (new @ new)))
    return float(TEMPOS[np.argmax(alike)])
