"""Judges whose border is known: is the smallest way across it found?"""

import math

import numpy as np
import pytest

from voxplain.audio.read import read
from voxplain.errors import ConfigError, UnknownName
from voxplain.evidence.counterfactual import Experiment
from voxplain.evidence.flip import smallest_flip
from voxplain.types import Emotion, Verdict

LABELS = ("angry", "fear", "sad")


def emotion(weights):
    """Labels in proportion to their weights."""
    total = sum(weights.values())
    shares = {label: weight / total for label, weight in weights.items()}
    return Emotion(shares, {}, None, LABELS, Verdict((max(shares, key=shares.get),)))


class Judge:
    """Counts how often it is asked."""

    def __init__(self, weigh):
        self.weigh = weigh
        self.asked = 0

    def __call__(self, sound):
        self.asked += 1
        return emotion(self.weigh(sound))


def by_level(border_db):
    """Sad from so much louder than the recording on."""

    def weigh(sound):
        level_db = 20 * math.log10(np.std(sound.waveform)) - border_db
        return {"angry": 1.0, "fear": 0.1, "sad": math.exp(level_db / 3)}

    return Judge(weigh)


@pytest.fixture(scope="module")
def audio(angry):
    return read(angry)


@pytest.mark.parametrize("distance_db", [4.0, 10.0, -9.0])
def test_the_border_is_found_to_a_sixteenth(audio, distance_db):
    level_db = 20 * math.log10(np.std(audio.waveform))
    sign = math.copysign(1, distance_db)

    def weigh(sound):
        louder = sign * (20 * math.log10(np.std(sound.waveform)) - level_db)
        return {"angry": 1.0, "fear": 0.1, "sad": math.exp((louder - abs(distance_db)) / 3)}

    found = smallest_flip(Experiment(audio, judge=Judge(weigh)))
    assert list(found.edit) == ["gain_db"]
    assert 0 <= sign * found.edit["gain_db"] - abs(distance_db) <= 12 / 16 + 0.3
    assert found.after.verdict.labels == ("sad",)
    assert found.identity.verdict.labels == ("angry",)


def test_of_two_ways_the_shorter_one(audio):
    """Two usual steps of gain, or one of tempo."""
    level_db, seconds = 20 * math.log10(np.std(audio.waveform)), audio.duration

    def weigh(sound):
        louder = (20 * math.log10(np.std(sound.waveform)) - level_db) / 6
        slower = math.log(sound.duration / seconds) / math.log(1.2)
        return {"angry": 1.0, "fear": 0.1, "sad": math.exp(max(louder - 1.8, slower - 0.8))}

    found = smallest_flip(Experiment(audio, judge=Judge(weigh)))
    assert list(found.edit) == ["tempo"]
    assert 1.2**-1 - 0.02 <= found.edit["tempo"] <= 1.2**-0.8 + 0.01


def test_two_cues_where_one_does_not_suffice(audio):
    level_db, seconds = 20 * math.log10(np.std(audio.waveform)), audio.duration

    def weigh(sound):
        louder = (20 * math.log10(np.std(sound.waveform)) - level_db) / 6
        slower = math.log(sound.duration / seconds) / math.log(1.2)
        return {"angry": 1.0, "fear": 0.1, "sad": math.exp(min(louder, 1) + min(slower, 1) - 1.5)}

    found = smallest_flip(Experiment(audio, judge=Judge(weigh)))
    assert set(found.edit) == {"gain_db", "tempo"}


def test_flip_to_a_label(audio):
    def weigh(sound):
        slower = math.log(sound.duration / audio.duration)
        return {"angry": 1.0, "fear": math.exp(9 * slower - 1), "sad": math.exp(-9 * slower - 2)}

    experiment = Experiment(audio, judge=Judge(weigh))
    assert smallest_flip(experiment).edit["tempo"] < 1
    assert smallest_flip(experiment, to="sad").edit["tempo"] > 1


def test_nothing_flips_a_judge_who_never_doubts(audio):
    judge = Judge(lambda sound: {"angry": 1.0, "fear": 0.1, "sad": 0.1})
    assert smallest_flip(Experiment(audio, judge=judge), evaluations=25) is None
    assert judge.asked == 1 + 25


def test_what_the_machinery_alone_does_is_no_flip(audio):
    """A judge who calls all that was laid anew sad."""

    def weigh(sound):
        length = min(len(sound.waveform), len(audio.waveform))
        alike = np.corrcoef(sound.waveform[:length], audio.waveform[:length])[0, 1]
        return {"angry": 1.0, "fear": 0.1, "sad": 0.1 if alike > 0.999 else 2.0}

    found = smallest_flip(Experiment(audio, judge=Judge(weigh)), evaluations=25)
    assert found is None or not {"f0_shift_st", "f0_range", "tempo"} & set(found.edit)


def test_what_can_not_be_flipped(audio):
    experiment = Experiment(audio, judge=by_level(0.0))
    with pytest.raises(UnknownName, match="unknown label 'glad'; available: angry, fear, sad"):
        smallest_flip(experiment, to="glad")
    first = experiment.before.verdict.labels[0]
    with pytest.raises(ConfigError, match=f"sounds {first} as it is; name another label"):
        smallest_flip(experiment, to=first)
    silent = Emotion({}, {}, None, LABELS, Verdict((), "it sounds like music"))
    with pytest.raises(ConfigError, match=r"no label to flip in .*: it sounds like music"):
        smallest_flip(Experiment(audio, judge=lambda sound: silent))
