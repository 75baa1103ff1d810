"""Labels: cuts by those learned from, what is too close to them, and what follows of it."""

import json
import logging
import math
from dataclasses import replace

import numpy as np
import pytest

from voxplain.descriptors import inventory
from voxplain.errors import ArtifactError, ConfigError
from voxplain.models.description import ATTRIBUTES, Description, tone_of
from voxplain.models.levels import FIXED, Cuts, Thresholds
from voxplain.types import Word

DESCRIPTOR = {attribute.name: attribute.descriptor for attribute in ATTRIBUTES}
# What is not fixed has the middle from 30 to 60, and a band of 2.
MIDDLE = {
    name: Cuts(descriptor, 30.0, 60.0, 2.0)
    for name, descriptor in DESCRIPTOR.items()
    if name not in FIXED
}
THRESHOLDS = Thresholds(
    MIDDLE
    | {
        "contour": Cuts(DESCRIPTOR["contour"], *FIXED["contour"], 1.0),
        "pauses": Cuts(DESCRIPTOR["pauses"], *FIXED["pauses"], 0.01),
    }
)


def measured(**values):
    return {DESCRIPTOR[name]: value for name, value in values.items()}


def said(*words):
    """Words with their prominence."""
    return tuple(Word(text, 0.0, 1.0, 1.0, prominence) for text, prominence in words)


def test_a_third_of_those_learned_from_has_each_level():
    """0 to 99 are cut at 33 and 66; their deviation is 28.866."""
    found = Thresholds.fitted([measured(pitch=float(value)) for value in range(100)])
    assert set(found.cuts) == {"pitch"}
    cuts = found.cuts["pitch"]
    assert cuts.descriptor == "f0_mean_st"
    assert [cuts.low, cuts.high, cuts.band] == pytest.approx([33, 66, 0.15 * 28.86607])
    levels = [found.labels(measured(pitch=value)).measured.levels["pitch"] for value in range(100)]
    assert [levels.count(level) for level in (-1, 0, 1)] == [33, 34, 33]


def test_what_is_not_known_does_not_count():
    values = [1.0, 2.0, 3.0, math.nan]
    one = Thresholds.fitted([measured(tempo=value) for value in values] + [{}])
    assert one == Thresholds.fitted([measured(tempo=value) for value in values[:3]])
    for nothing in ({}, measured(tempo=math.nan)):
        assert one.labels(nothing).measured.levels == {}


def test_contours_and_pauses_have_a_zero_that_is_heard():
    """However most people end, a voice rises only if it rises."""
    random = np.random.default_rng(0)
    found = Thresholds.fitted(
        [
            measured(contour=slope, pauses=pause)
            for slope, pause in zip(random.normal(-20, 3, 50), [0.0] * 48 + [0.2, 0.3], strict=True)
        ]
    )
    levels = [
        found.labels(measured(contour=slope, pauses=pause)).measured.levels
        for slope, pause in ((-5.1, 0.0), (0.0, 0.1), (5.1, 0.16))
    ]
    assert levels == [{"contour": level, "pauses": level} for level in (-1, 0, 1)]


@pytest.mark.parametrize(
    ("value", "level", "certain"),
    [(27.9, -1, True), (28.1, -1, False), (29.9, -1, False), (30.0, 0, False), (31.9, 0, False),
     (32.1, 0, True), (57.9, 0, True), (58.1, 0, False), (61.9, 1, False), (62.1, 1, True)],
)  # fmt: skip
def test_what_lies_close_to_a_cut_is_not_certain(value, level, certain):
    found = THRESHOLDS.labels(measured(pitch=value))
    assert found.measured.levels == {"pitch": level}
    assert found.certain.levels == ({"pitch": level} if certain else {})


def test_places_are_deviations_from_the_middle():
    """The middle is 45; a band of 2 is 0.15 deviations, so that one of these is 13.33."""
    known = measured(pitch=45 + 40 / 3, range=45.0, tempo=45 - 80 / 3, voice=math.nan)
    wanted = {"pitch": 1, "range": 0, "tempo": -2}
    assert THRESHOLDS.labels(known).places == pytest.approx(wanted)
    never_varied = {"pauses": Cuts(DESCRIPTOR["pauses"], *FIXED["pauses"], 0.0)}
    found = Thresholds(MIDDLE | never_varied).labels(known | measured(pauses=0.1))
    assert found.places == pytest.approx(wanted)
    assert found.measured.levels["pauses"] == 0


def test_what_may_be_low_and_high_may_be_in_between():
    assert Cuts("f0_mean_st", 30.0, 31.0, 2.0).possible(30.5) == (-1, 0, 1)


def test_the_tone_is_certain_if_the_other_side_of_a_cut_sounds_the_same():
    """Loud and fast is urgent whether the pitch is medium or high, but not whether it is loud."""
    urgent = {"pitch": 45.0, "range": 45.0, "loudness": 90.0, "tempo": 90.0}
    for name, value, certain in (
        ("pitch", 59.0, "urgent"), ("pitch", 61.0, "urgent"), ("loudness", 61.0, ""),
    ):  # fmt: skip
        found = THRESHOLDS.labels(measured(**urgent | {name: value}))
        assert found.measured.tone == "urgent"
        assert name not in found.certain.levels
        assert found.certain.tone == certain
    assert (
        tone_of({"pitch": 0, "range": 0, "loudness": 0, "tempo": 1}) != "urgent"
    )  # the other side
    del urgent["loudness"]
    found = THRESHOLDS.labels(measured(**urgent))
    assert (found.measured.tone, found.certain.tone) == ("", "")


@pytest.mark.parametrize(
    ("words", "stressed", "certain"),
    [
        (said(("It", 0.2), ("Is,", 0.9), ("eleven", 0.8)), ("is",), ("is",)),
        (said(("It", 0.2), ("is", 0.84), ("eleven", 0.8)), ("is",), None),
        (said(("no", 0.9), ("NO!", 0.95), ("way", 0.1)), ("no",), ("no",)),  # the same word twice
        (said(("It", 0.2), ("is", 0.54)), ("is",), None),  # hardly stressed
        (said(("It", 0.2), ("is", 0.46)), (), None),
        (said(("It", 0.2), ("is", 0.4)), (), ()),
        (said(("It", math.nan), ("is", 0.8)), ("is",), ("is",)),
        (said(("It", math.nan)), None, None),
        ((), None, None),
    ],
)
def test_the_most_prominent_word_is_stressed(words, stressed, certain):
    found = THRESHOLDS.labels({}, words)
    assert (found.measured.emphasised, found.certain.emphasised) == (stressed, certain)


def test_the_emotion_is_that_of_the_corpus():
    found = THRESHOLDS.labels({}, emotion="angry")
    assert found.measured == found.certain == Description(label="angry")


def test_relative_levels_are_against_the_speakers_own():
    """Slopes and pauses are not: they have a zero of their own."""
    usual = [measured(pitch=float(speaker), pauses=0.5) for speaker in (10, 50) for _ in range(3)]
    clips = [
        measured(pitch=speaker + by, pauses=by)
        for speaker in (10.0, 50.0)
        for by in (-3.0, 0.0, 3.0)
    ]
    found = Thresholds.fitted(clips, usual=usual)
    assert found.relative
    assert (found.cuts["pauses"].low, found.cuts["pauses"].high) == FIXED["pauses"]
    for clip, own, level in zip(clips, usual, (-1, 0, 1) * 2, strict=True):
        levels = found.labels(clip, usual=own).measured.levels
        assert levels == {"pitch": level, "pauses": -1 if level <= 0 else 1}
    assert found.labels(clips[0], usual={}).measured.levels == {"pauses": -1}


def test_a_speaker_is_given_where_levels_are_relative_and_only_there():
    with pytest.raises(ConfigError, match="levels are relative to the speaker, but no usual voice"):
        replace(THRESHOLDS, relative=True).labels({})
    with pytest.raises(
        ConfigError, match="levels are those of people at large, but a usual voice was"
    ):
        THRESHOLDS.labels({}, usual={})


def test_what_does_not_vary_has_no_levels(caplog):
    caplog.set_level(logging.WARNING)
    rows = [measured(pitch=float(value), loudness=0.5) for value in range(3)]
    assert set(Thresholds.fitted(rows).cuts) == {"pitch"}
    told = f"{DESCRIPTOR['loudness']} is known of 3 recordings and hardly varies"
    assert f"loudness has no levels: {told}" in caplog.text
    assert "tempo has no levels: articulation_rate is known of 0 recordings" in caplog.text
    with pytest.raises(ConfigError, match="no descriptor of 1 recordings varies enough for levels"):
        Thresholds.fitted(rows[:1])


def test_they_are_kept_as_json(tmp_path):
    THRESHOLDS.save(tmp_path / "labels.json")
    assert Thresholds.load(tmp_path / "labels.json") == THRESHOLDS
    pitch = json.loads((tmp_path / "labels.json").read_text())["cuts"]["pitch"]
    assert pitch == {"descriptor": "f0_mean_st", "low": 30.0, "high": 60.0, "band": 2.0}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cuts": {"pitch": {"low": 1}}}'])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "labels.json"
    with pytest.raises(ArtifactError, match=r"labels\.json holds no thresholds \(FileNotFound"):
        Thresholds.load(path)
    path.write_text(content)
    with pytest.raises(ArtifactError, match=r"labels\.json holds no thresholds .*copy the model's"):
        Thresholds.load(path)


def test_every_attribute_is_measured():
    assert set(DESCRIPTOR.values()) <= inventory().keys()
    assert set(FIXED) <= DESCRIPTOR.keys()
