"""Whether what is spoken follows an edit: the voice is changed, measured and described anew."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.errors import AudioError
from voxplain.evidence.voice import AXES, Edit, Voice
from voxplain.files import write
from voxplain.models.levels import Labels, Thresholds
from voxplain.plugins import require
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.statistics import Interval, speaker_interval
from voxplain.training.studies.tables import Table
from voxplain.training.studies.vib_sed.models import Hear, Tested, models
from voxplain.training.vib_sed.recipe import VibSedRecipe
from voxplain.types import Audio

__all__ = ["EDITS", "Moved", "measure", "moved", "stored"]

EDITS = {
    "pitch": "f0_shift_st",
    "range": "f0_range",
    "tempo": "tempo",
    "loudness": "gain_db",
    "brightness": "tilt_db",
}
"""Attribute -> the axis of an ``Edit`` that moves it."""

_CLEAR = "follows where clear"

_STEPS = (1, 2, 3)
"""Usual changes that are tried, until the level is another one, and certain."""


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """A clip edited so far that the measured level of an attribute is another one."""

    clip: int
    attribute: str
    way: int
    """1 up, -1 down."""
    audio: Audio
    first: bool
    """None of the edits that were smaller did that."""
    clear: bool
    """Both levels are certain: before and after, the voice lies further from a cut than the
    dead-band."""


def measure(
    run: Path, recipe: VibSedRecipe, clips: Tested, hear: Hear, *, most: int, jobs: int
) -> None:
    """Keep in a run's folder how often its spoken levels follow edits, unless it is there.

    ``most`` clips are drawn at random; the figures are of those that could be moved, by the
    smallest edit that does so, and by the smallest one that moves a certain level to another one,
    and the mean of the seeds.
    """
    place = run / _file(most)
    if not place.is_file():
        found = _followed(run, recipe, clips, hear, most=most, jobs=jobs)
        write(place, f"{json.dumps(found, default=asdict, indent=1)}\n".encode())


def stored(run: Path, *, most: int) -> Table:
    """What ``measure`` kept: edited attribute, or ``all`` -> the share of clips that follow, how
    many could be moved, and the share where the edit leaves no doubt of the measured level.
    """
    told = json.loads((run / _file(most)).read_bytes())
    shares = ("follows", _CLEAR)
    return {
        name: {**one, **{share: Interval(**one[share]) for share in shares}}
        for name, one in told.items()
    }


def _file(most: int) -> str:
    return f"following_{most}.json"


def _followed(
    run: Path, recipe: VibSedRecipe, clips: Tested, hear: Hear, *, most: int, jobs: int
) -> dict[str, dict[str, Any]]:
    first, *_ = seeds = list(models(run, recipe, clips.split))
    drawn = np.random.default_rng(0).permutation(len(clips.utterances))[:most].tolist()
    utterances = [clips.utterances[row] for row in drawn]
    words = [[word.text for word in clips.said[row].transcript.words] for row in drawn]
    joblib = require("joblib", extra="train")
    each = joblib.Parallel(jobs)(
        joblib.delayed(moved)(number, one, first.thresholds, attributes=first.slots)
        for number, one in enumerate(utterances)
    )
    cases: list[Moved] = [one for some in each for one in some]
    follows = np.zeros((len(seeds), len(cases)), bool)
    if cases:
        with tempfile.TemporaryDirectory() as folder:
            edited = [
                _kept(one, utterances[one.clip], Path(folder) / f"{number}.wav")
                for number, one in enumerate(cases)
            ]
            heard, anew = hear(utterances), hear(edited)
            for number, model in enumerate(seeds):
                before = model.describe(heard, words)
                after = model.describe(anew, [words[one.clip] for one in cases])
                for place, (one, now) in enumerate(zip(cases, after, strict=True)):
                    was = before[one.clip].levels[one.attribute]
                    follows[number, place] = one.way * (now.levels[one.attribute] - was) > 0
    speakers = np.array([utterances[one.clip].speaker for one in cases])
    attributes = np.array([one.attribute for one in cases])
    share = follows.mean(0)
    smallest = np.array([one.first for one in cases], bool)
    clear = np.array([one.clear for one in cases], bool)
    every = {name: attributes == name for name in EDITS} | {"all": np.ones(len(cases), bool)}
    asked = dict.fromkeys(EDITS, len(drawn)) | {"all": len(drawn) * len(EDITS)}
    return {
        name: {
            "follows": _interval(share[own & smallest], speakers[own & smallest]),
            "moved": f"{(own & smallest).sum()} of {asked[name]}",
            _CLEAR: _interval(share[own & clear], speakers[own & clear]),
        }
        for name, own in every.items()
    }


def _interval(share: NDArray[np.float64], speakers: NDArray[np.str_]) -> Interval:
    if not len(share):
        return Interval(math.nan, math.nan, math.nan, 0, 0)
    return speaker_interval(lambda one, _: float(one.mean()), share, share, speakers=speakers)


def _kept(one: Moved, clip: Utterance, place: Path) -> Utterance:
    """The edited sound in a file; nothing is clipped."""
    soundfile.write(place, one.audio.waveform, one.audio.sampling_rate, subtype="FLOAT")
    return replace(clip, path=place, start=0.0, end=None)


def moved(
    number: int, clip: Utterance, thresholds: Thresholds, *, attributes: Sequence[str]
) -> list[Moved]:
    """A clip with one cue after the other changed by the fewest usual steps that move its level,
    and by the fewest that leave no doubt of it.

    From a low level up, from a high one down; from the middle up where its ``number`` is odd, else
    down. What can't be measured, or moved in three steps, is left out.
    """
    try:
        voice = Voice(sound(clip))
    except AudioError:
        return []
    found = []
    labels = _labels(voice.measurement, thresholds)
    levels = labels.measured.levels
    for attribute in (one for one in EDITS if one in levels and one in attributes):
        was, certain = levels[attribute], attribute in labels.certain.levels
        way = -was or (1 if number % 2 else -1)
        first = True
        for steps in _STEPS:
            axis = EDITS[attribute]
            edit = Edit(**{axis: AXES[axis].at(way * steps)})
            if not voice.allows(edit):
                break
            changed = voice.edited(edit)
            now = _labels(
                Measurement(changed.waveform, sampling_rate=changed.sampling_rate), thresholds
            )
            if way * (now.measured.levels.get(attribute, was) - was) > 0:
                clear = certain and attribute in now.certain.levels
                if first or clear:
                    found.append(Moved(number, attribute, way, changed, first, clear))
                if clear or not certain:
                    break
                first = False
    return found


def _labels(measurement: Measurement, thresholds: Thresholds) -> Labels:
    functionals = measurement.functionals()
    return thresholds.labels({name: one.value for name, one in functionals.items() if one.reliable})
