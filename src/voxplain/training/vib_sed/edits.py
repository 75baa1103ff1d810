"""Voices edited at random, so that what goes along in recordings comes apart.

Who shouts is loud, high and bright at once; a model that only ever heard that need not hear which
of the three a level is about. What an edit leaves to be said is measured anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from voxplain.errors import AudioError
from voxplain.evidence.voice import AXES, Edit, Voice
from voxplain.plugins import require
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.experiment.material import keep_sound

__all__ = ["edited"]

log = logging.getLogger(__name__)

_AXES = ("f0_shift_st", "f0_range", "tempo", "gain_db", "tilt_db")
_OFTEN = 0.4  # each of them is edited
_MOST = 2.5  # usual changes up or down
_TRIES = 8  # to find an edit that a voice allows


def edited(
    utterances: Sequence[Utterance], *, copies: int, cache: Path, jobs: int
) -> list[list[Utterance]]:
    """Of each recording so many copies, as files in the cache; none of what holds no voice.

    Their times are no longer those of the words, and nobody portrayed what they sound like: they
    have neither a text nor an emotion.
    """
    joblib = require("joblib", extra="train")
    shelf = cache / "edited"
    shelf.mkdir(parents=True, exist_ok=True)
    found: list[list[Utterance]] = joblib.Parallel(jobs)(
        joblib.delayed(_copies)(one, copies, shelf) for one in utterances
    )
    log.info("%d copies with an edited voice", sum(map(len, found)))
    return found


def _copies(one: Utterance, copies: int, shelf: Path) -> list[Utterance]:
    facts = hashlib.sha256(one.path.read_bytes())
    facts.update(repr((one.start, one.end, _AXES, _OFTEN, _MOST, _TRIES)).encode())
    places = [shelf / f"{facts.hexdigest()}_{copy}.wav" for copy in range(copies)]
    if not all(place.is_file() for place in places):
        try:
            voice = Voice(sound(one))
        except AudioError:
            return []
        for copy, place in enumerate(places):
            generator = np.random.default_rng([int(facts.hexdigest(), 16), copy])
            edit = _drawn(voice, generator)
            if edit is None:
                return []
            keep_sound(voice.edited(edit).waveform, place)
    return [
        dataclasses.replace(one, path=place, start=0.0, end=None, text="", emphasis=(), emotion="")
        for place in places
    ]


def _drawn(voice: Voice, generator: np.random.Generator) -> Edit | None:
    for _ in range(_TRIES):
        chosen = [axis for axis in _AXES if generator.random() < _OFTEN]
        edit = Edit(**{axis: AXES[axis].at(generator.uniform(-_MOST, _MOST)) for axis in chosen})
        if edit.asked and voice.allows(edit):
            return edit
    return None
