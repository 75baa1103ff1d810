"""What may be said: do the sets hold the truth, are the sure ones right, does noise stay out?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from voxplain.audio import read
from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.models.calibration import softmax
from voxplain.models.judgement import MOST_LABELS
from voxplain.pipeline import load
from voxplain.training.conditions import band_limited
from voxplain.training.evaluation.material import Judged, Material, Section
from voxplain.training.metrics.aurc import area_under_risk_coverage
from voxplain.training.metrics.wa import accuracy
from voxplain.training.sounds import babble, colour, music, tones
from voxplain.training.statistics import Interval, speaker_interval

__all__ = ["abstentions", "covered", "surest"]

Waveform = NDArray[np.float32]


def covered(judged: Judged) -> dict[str, Interval]:
    """Of the conformal sets: how many hold the truth, how large they are, what is said of them."""
    figure = partial(speaker_interval, truth=judged.truth, speakers=judged.speakers)
    size = judged.sets.sum(1)
    return {
        "sets with the truth": figure(
            lambda truth, held: float(held[np.arange(len(truth)), truth].mean()),
            prediction=judged.sets,
        ),
        "labels in a set": figure(_mean, prediction=size),
        "one label": figure(_mean, prediction=size == 1),
        "not enough evidence": figure(_mean, prediction=size > MOST_LABELS),
    }


def _mean(truth: NDArray[Any], found: NDArray[Any]) -> float:
    return float(np.mean(found))


def surest(judged: Judged) -> Section:
    """Risk and coverage: accuracy if only the surest share of the recordings is judged."""
    confidence = judged.probabilities.max(1)
    found = {}
    for share in (1.0, 0.8, 0.6, 0.4, 0.2):
        kept = judged.some(confidence >= np.quantile(confidence, 1 - share))
        right = speaker_interval(
            accuracy, kept.truth, kept.probabilities.argmax(1), speakers=kept.speakers
        )
        found[f"surest {share:.0%}"] = {"accuracy": right}
    found["all shares (1 - AURC)"] = {
        "accuracy": speaker_interval(
            lambda truth, rows: 1 - area_under_risk_coverage(truth, rows),
            judged.truth,
            judged.probabilities,
            speakers=judged.speakers,
        )
    }
    return found


def abstentions(material: Material, *, strangers: str, each: int = 100) -> Section:
    """How often nothing is said: of sounds that are no single voice, of odd and clean recordings.

    The sounds are made anew; voices are those of a corpus that was not trained on.
    """
    analyzer = load(str(material.folder))
    voices = [one.path for one in material.corpus(strangers).utterances]
    found: dict[str, Mapping[str, Interval]] = {}
    for kind in _SOUNDS:
        silent = []
        for turn in range(each):
            generator = np.random.default_rng([len(found), turn, each])
            waveform = _sound(kind, generator, voices)
            silent.append(analyzer.analyze(waveform, SAMPLING_RATE).emotion.verdict.abstains)
        found[kind] = {"abstains": _share(silent, [str(turn) for turn in range(each)])}
    for corpus in material.recipe.corpora:
        everyone = [one for one in material.utterances if one.corpus == corpus]
        judged = material.judged.of(corpus)
        voice = softmax(judged.readings.sound)[:, 0] >= material.calibration.least_voice
        usual = judged.readings.strangeness <= material.calibration.most_strange
        said = voice & usual & (judged.sets.sum(1) <= MOST_LABELS)
        heard = {one.path: bool(told) for one, told in zip(judged.utterances, said, strict=True)}
        silent = [not heard.get(one.path, False) for one in everyone]
        speakers = [one.speaker for one in everyone]
        found[f"{corpus}, clean, unseen speakers"] = {"abstains": _share(silent, speakers)}
    return found


_SOUNDS = (
    "white noise",
    "pink noise",
    "babble",
    "music",
    "tones",
    "silence",
    "speech at half its speed",
    "speech at twice its speed",
    "speech below 800 Hz",
)


def _sound(kind: str, generator: np.random.Generator, voices: Sequence[Path]) -> Waveform:
    """Two to six seconds, faint to loud; or a recording that something was done to."""
    samples = int(generator.uniform(2, 6) * SAMPLING_RATE)

    def speech() -> Waveform:
        return read.read(voices[int(generator.integers(len(voices)))]).waveform

    made: dict[str, Callable[[], Waveform]] = {
        "speech at half its speed": lambda: soxr.resample(speech(), 1, 2),
        "speech at twice its speed": lambda: soxr.resample(speech(), 2, 1),
        "speech below 800 Hz": lambda: band_limited(speech(), low_hz=50, high_hz=800),
        "white noise": lambda: colour(samples, generator, tilt=0),
        "pink noise": lambda: colour(samples, generator, tilt=1),
        "babble": lambda: babble(
            [speech() for _ in range(6)],
            samples,
            generator,
        ),
        "music": lambda: music(samples, generator),
        "tones": lambda: tones(samples, generator),
        "silence": lambda: np.zeros(samples, np.float32),
    }
    waveform = made[kind]()
    if not kind.startswith("speech"):
        waveform = waveform * np.float32(10 ** (generator.uniform(-50, -14) / 20))
    return waveform


def _share(silent: Sequence[bool], speakers: Sequence[str]) -> Interval:
    return speaker_interval(_mean, silent, silent, speakers=np.array(speakers))
