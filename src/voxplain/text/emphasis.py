"""Emphasis: how much each word stands out from its sentence, and by what.

A speaker stresses a word by pitch, force and length. Each of these is measured in the word and
compared with the rest of the sentence, so that neither a loud recording nor a high voice counts.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors.timing import SHORTEST_PAUSE
from voxplain.errors import UnknownName
from voxplain.types import Track, Word

__all__ = ["CUES", "METHODS", "cues", "features", "prominence"]

METHODS = ("embedded", "lemf")

CUES = {
    "f0": 0.5,  # st
    "f0_range": 0.5,  # st
    "intensity": 1.0,  # dB
    "total_loudness": 0.1,  # of a natural logarithm: 10 %
    "duration": 0.1,
    "lengthening": 0.1,
    "tilt": 1.0,  # dB
    "pause": 0.05,  # s
}
"""What the embedded model goes by -> about the least difference that is heard."""

_ROUNDING = 1e-6  # a plain z, but of differences that are none
_LEMF = dict.fromkeys(("f0_mean", "intensity_mean", "lengthening"), _ROUNDING)
_SELECTED = 0.5  # standard deviations above the mean of the sentence

_SENTENCE_GAP = 0.5  # seconds without a word; a new sentence starts after that
_SENTENCE_END = (".", "!", "?", "…", "。", "！", "？", "؟", "।")
_CLOSING = "\"'»«”’)]}"  # what may follow the end of a sentence
_LEAST = 3  # frames of a word that must be measurable: 30 ms
_DIGIT = 4  # letters that a digit takes, written out


def prominence(
    words: Sequence[Word], tracks: Mapping[str, Track], *, method: str = "embedded"
) -> tuple[Word, ...]:
    """The words, each with its ``prominence`` and the ``cues`` behind it.

    ``tracks`` are those of the recording (``descriptors.tracks``, joined or not): ``f0_hz``,
    ``intensity_db``, ``loudness`` and ``alpha_ratio_db``. Cues are z within the sentence, NaN where
    there is nothing to measure, such as the F0 of a whisper. Sentences end at punctuation, and
    before half a second without words. A word without time or sound, and the only word of a
    sentence, has nothing to be compared by: its prominence is NaN, and it has no cues.

    - ``embedded``: a logistic regression over the cues and over how far each lies above the
      neighbours' (assets/models/emphasis).
    - ``lemf``: the mean z of F0, energy and duration by the number of letters, as in MSF-SER
      (arXiv 2510.05749). Their weights and their threshold are not published; here the weights are
      equal, and above 0.5 lie the words more than half a standard deviation above the mean.

    Raises UnknownName for another method.
    """
    if method not in METHODS:
        raise UnknownName("method of emphasis", method, METHODS)
    found = [dataclasses.replace(word, prominence=math.nan, cues={}) for word in words]
    heard = [row for row, word in enumerate(words) if _is_heard(word, tracks)]
    for rows in _sentences(words, heard):
        if len(rows) < 2:
            continue
        z = cues([words[row] for row in rows], tracks, CUES if method == "embedded" else _LEMF)
        scores = _embedded(z) if method == "embedded" else _lemf(z)
        for place, (row, score) in enumerate(zip(rows, scores.tolist(), strict=True)):
            own = {name: float(values[place]) for name, values in z.items()}
            found[row] = dataclasses.replace(found[row], prominence=score, cues=own)
    return tuple(found)


def cues(
    words: Sequence[Word], tracks: Mapping[str, Track], spreads: Mapping[str, float] = CUES
) -> dict[str, NDArray[np.float64]]:
    """Each cue of ``spreads`` in the words of a sentence that have a time: z (words,) within it.

    - ``f0``, ``f0_mean``: the 95th percentile and the mean of F0, in semitones;
    - ``f0_range``: from the 5th to the 95th percentile;
    - ``intensity``, ``intensity_mean``: the greatest level, and that of the mean energy;
    - ``total_loudness``: the logarithm of the loudness added up over the word, as the total
      amplitude of Beckman 1986;
    - ``duration``: its logarithm; ``lengthening``: that by the number of letters;
    - ``tilt``: the mean alpha ratio of the voiced frames;
    - ``pause``: seconds of silence before and after, inside the sentence.

    z is (x - mean) / sqrt(variance + spread^2): what nobody hears makes no word stand out.
    """
    rows = [_measured(word, tracks) for word in words]
    gaps = [late.start - early.end for early, late in itertools.pairwise(words)]
    pauses = np.array([gap if gap >= SHORTEST_PAUSE else 0.0 for gap in gaps])
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    columns["pause"] = np.append(pauses, 0.0) + np.append(0.0, pauses)
    return {name: _z(columns[name], spread) for name, spread in spreads.items()}


def features(z: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """What the embedded model sees of the cues of a sentence: (words, 2 * cues).

    First the z, 0 where there is none; then by how much it exceeds the neighbours', both added up.
    """
    own = np.nan_to_num(np.column_stack([z[name] for name in CUES]))
    around = np.pad(own, ((1, 1), (0, 0)), mode="edge")
    return np.hstack([own, 2 * own - around[:-2] - around[2:]])


def _is_heard(word: Word, tracks: Mapping[str, Track]) -> bool:
    return word.end > word.start and len(_inside(word, tracks["intensity_db"])) >= _LEAST


def _sentences(words: Sequence[Word], rows: Sequence[int]) -> Iterator[list[int]]:
    """The rows of each sentence, of those given."""
    sentence: list[int] = []
    for row, following in itertools.zip_longest(rows, rows[1:]):
        sentence.append(row)
        if (
            following is None
            or words[following].start - words[row].end >= _SENTENCE_GAP
            or any(w.text.rstrip(_CLOSING).endswith(_SENTENCE_END) for w in words[row:following])
        ):
            yield sentence
            sentence = []


def _measured(word: Word, tracks: Mapping[str, Track]) -> dict[str, float]:
    level_db = _inside(word, tracks["intensity_db"])
    semitones = 12 * np.log2(_inside(word, tracks["f0_hz"]))
    tilt_db = _inside(word, tracks["alpha_ratio_db"])
    letters = sum(_DIGIT if one.isdigit() else one.isalpha() for one in word.text)
    duration = math.log(word.end - word.start)
    return {
        "f0": _summary(semitones, lambda st: np.percentile(st, 95)),
        "f0_mean": _summary(semitones, np.mean),
        "f0_range": _summary(semitones, lambda st: np.ptp(np.percentile(st, [5, 95]))),
        "intensity": _summary(level_db, np.max),
        "intensity_mean": _summary(level_db, lambda db: 10 * np.log10(np.mean(10 ** (db / 10)))),
        "total_loudness": _summary(_inside(word, tracks["loudness"]), lambda s: np.log(s.sum())),
        "duration": duration,
        "lengthening": duration - math.log(letters + 1),  # the first letter takes twice as long
        "tilt": _summary(tilt_db, np.mean),
    }


def _summary(values: NDArray[np.float64], of: Callable[[NDArray[np.float64]], Any]) -> float:
    return float(of(values)) if len(values) >= _LEAST else math.nan


def _inside(word: Word, track: Track) -> NDArray[np.float64]:
    """The values that could be measured in a word."""
    values = track.values[slice(*np.searchsorted(track.times, [word.start, word.end]))]
    known: NDArray[np.float64] = values[np.isfinite(values)]
    return known


def _z(values: NDArray[np.float64], spread: float) -> NDArray[np.float64]:
    known = values[np.isfinite(values)]
    if not len(known):
        return values
    z: NDArray[np.float64] = (values - known.mean()) / math.hypot(known.std(), spread)
    return z


def _embedded(z: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    weights, intercept = _weights()
    chances: NDArray[np.float64] = 1 / (1 + np.exp(-features(z) @ weights - intercept))
    return chances


@functools.cache
def _weights() -> tuple[NDArray[np.float64], float]:
    """Weights (2 * cues,) and intercept."""
    path = files("voxplain") / "assets/models/emphasis/weights.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    parts = [stored[part][name] for part in ("cues", "above_neighbours") for name in CUES]
    return np.array(parts), stored["intercept"]


def _lemf(z: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    score = np.mean([np.nan_to_num(values) for values in z.values()], axis=0)
    above = (_z(score, _ROUNDING) - _SELECTED) / math.sqrt(2)
    return np.array([(1 + math.erf(one)) / 2 for one in above])
