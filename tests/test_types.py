"""Values stay as they were made, in memory, in JSON and in another process."""

import copy
import dataclasses
import json
import math
import pickle

import numpy as np
import pytest

from voxplain.errors import ConfigError
from voxplain.types import (
    SCHEMA_VERSION,
    Analysis,
    Audio,
    Descriptors,
    Dimension,
    Dimensions,
    Embedding,
    Emotion,
    Heard,
    Level,
    Listening,
    Quantity,
    Segment,
    SegmentAnalysis,
    SemanticFusion,
    Track,
    Verdict,
)


def track():
    return Track(np.array([0.005, 0.015]), np.array([110.0, np.nan]), "Hz", np.array([True, False]))


def descriptors():
    return Descriptors(
        {"f0_mean_hz": Quantity(110.0, "Hz", True), "hnr_mean_db": Quantity(math.nan, "dB", False)},
        {"f0_mean_hz": Level("low", -0.7, "adults")},
        {"f0_hz": track()},
    )


def emotion():
    point = Dimension(0.25, 0.2, 0.5)
    return Emotion(
        {"angry": 0.75, "sad": 0.25},
        {"angry": 0.4, "neutral": 0.6},
        Dimensions(point, point, point, "a proxy"),
        ("angry", "sad"),
        Verdict(("angry",)),
    )


def analysis():
    mute = Emotion({}, {}, None, ("angry", "sad"), Verdict((), "no speech"))
    return Analysis(
        source="memo.wav",
        duration=20.0,
        speech_duration=4.5,
        emotion=emotion(),
        descriptors=descriptors(),
        segments=(
            SegmentAnalysis(0.0, 3.0, None, emotion(), descriptors()),
            SegmentAnalysis(9.0, 12.0, "A", mute, Descriptors({})),
        ),
        warnings=("loud",),
        provenance={"voxplain": "0.1.0", "config": {"explain": None}},
        semantic_fusion=fusion(),
        listening=(listening(),),
    )


def listening():
    heard = {
        "pitch": Heard("low", 0.75, "high", Quantity(41.5, "st", True), "disagree"),
        "tone": Heard("soft", 0.5, None, None, "not measured"),
    }
    return Listening(0, "pitch low: sounds sad", heard, {"angry": 0.25, "sad": 0.75}, "tiny")


def fusion():
    point = Dimension(0.75, 0.5, 1.0)
    return SemanticFusion(
        Dimensions(point, point, point, ""),
        {
            "valence": {"emphasised": 0.375, "transcript": -0.125},
            "arousal": {"emphasised": 0.0, "transcript": 0.0},
        },
        {"emphasised": 0.5, "transcript": 0.25, "interpretation": 0.25},
        {"valence": (0.25, 0.75), "arousal": (0.5, 0.5)},
        emphasised=(0, 2),
        extended="It sounds glad.",
    )


AUDIO = Audio(np.zeros(8000, np.float32), 16_000, "<array>")
SEGMENT = Segment(1.5, 4.0, "A")
EMBEDDING = Embedding(np.array([[0.5, -2], [1, 0], [0, 3]], np.float16), 0.04, "speech")
VALUES = [
    AUDIO,
    SEGMENT,
    track(),
    EMBEDDING,
    descriptors(),
    emotion(),
    fusion(),
    listening(),
    analysis(),
]
BY_TYPE = pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)


def arrays(value):
    """Every array in a value, however deep."""
    if isinstance(value, np.ndarray):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from arrays(getattr(value, field.name))
    elif hasattr(value, "values"):
        for item in value.values():
            yield from arrays(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from arrays(item)


def document(value):
    """All of a value as JSON text."""
    plain = value.to_dict(tracks=True) if isinstance(value, Analysis) else value.to_dict()
    return json.dumps(plain, allow_nan=False)


def test_seconds():
    assert AUDIO.duration == 0.5
    assert SEGMENT.duration == 2.5
    assert EMBEDDING.duration == pytest.approx(0.12)


@BY_TYPE
def test_fields_are_read_only(value):
    for field in dataclasses.fields(value):
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field"):
            setattr(value, field.name, None)


@pytest.mark.parametrize(
    "made", [lambda v: v, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]
)
@pytest.mark.parametrize("value", [AUDIO, track(), EMBEDDING, descriptors(), analysis()])
def test_arrays_are_read_only(value, made):
    found = list(arrays(made(value)))
    assert found
    for array in found:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_the_array_that_was_given_stays_writable():
    own = np.zeros(1600, np.float32)
    Audio(own, 16_000, "<array>")
    own[0] = 1


@pytest.mark.parametrize(
    "mapping",
    [
        emotion().categories,
        emotion().perceived,
        descriptors().tracks,
        analysis().provenance,
        analysis().provenance["config"],
        fusion().effects["valence"],
        copy.deepcopy(fusion()).effects["valence"],
    ],
)
def test_mappings_are_read_only(mapping):
    with pytest.raises(TypeError, match="does not support item assignment"):
        mapping["new"] = 1


def test_mappings_are_copies():
    categories = {"angry": 1.0}
    heard = Emotion(categories, {}, None, ("angry",), Verdict(("angry",)))
    categories["angry"] = 0.0
    assert heard.categories["angry"] == 1.0


@BY_TYPE
def test_json_and_back(value):
    text = document(value)
    back = type(value).from_dict(json.loads(text))
    assert document(back) == text
    assert [a.dtype for a in arrays(back)] == [a.dtype for a in arrays(value)]


@BY_TYPE
def test_another_process_gets_the_same(value):
    assert document(pickle.loads(pickle.dumps(value))) == document(value)


def test_json_of_a_track_has_null_where_nothing_was_measured():
    assert track().to_dict() == {
        "times": [0.005, 0.015],
        "values": [110.0, None],
        "unit": "Hz",
        "voiced": [True, False],
    }
    np.testing.assert_array_equal(Track.from_dict(track().to_dict()).values, [110, np.nan])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_json_of_a_number_that_is_not_finite_is_null(value):
    plain = Quantity(value, "dB", False).to_dict()
    assert plain["value"] is None
    assert math.isnan(Quantity.from_dict(plain).value)


def test_json_knows_numbers_of_numpy():
    plain = Quantity(np.float64(0.5), "", np.bool_(True)).to_dict()
    assert json.loads(json.dumps(plain)) == {"value": 0.5, "unit": "", "reliable": True}


def test_equal_values_are_equal():
    assert emotion() == emotion()
    assert Segment(0, 1) != Segment(0, 2)


@pytest.mark.parametrize("asked", [False, True])
def test_tracks_are_in_the_document_only_when_asked_for(asked):
    plain = analysis().to_dict(tracks=asked)
    parts = [plain, *plain["segments"]]
    assert ["tracks" in part["descriptors"] for part in parts] == [asked] * 3
    assert ["f0_hz" in Analysis.from_dict(plain).descriptors.tracks] == [asked]


def test_the_document_begins_with_its_version():
    assert next(iter(analysis().to_dict().items())) == ("schema_version", SCHEMA_VERSION)


def test_a_later_document_of_the_same_schema_is_read():
    plain = analysis().to_dict() | {"schema_version": "1.9", "novelty": [1, 2]}
    assert Analysis.from_dict(plain).source == "memo.wav"


@pytest.mark.parametrize(
    ("perceived", "ambiguity", "minor"),
    [
        ({"angry": 1.0, "sad": 0.0}, 0.0, ()),
        ({"angry": 0.5, "sad": 0.5}, 1.0, ("sad",)),
        ({"a": 0.5, "b": 0.19, "c": 0.31, "d": 0.0}, 0.7395, ("c",)),
        ({"a": 0.25, "b": 0.4, "c": 0.35}, 0.9835, ("c", "a")),
        ({}, math.nan, ()),
    ],
)
def test_ambiguity_and_minor_emotions_are_those_of_the_listeners(perceived, ambiguity, minor):
    found = Emotion({}, perceived, None, (), Verdict((), "none"))
    assert found.ambiguity == pytest.approx(ambiguity, abs=1e-4, nan_ok=True)
    assert found.minor == minor


def test_before_1_2_nothing_was_perceived():
    plain = analysis().to_dict() | {"schema_version": "1.1"}
    for part in (plain, *plain["segments"]):
        del part["emotion"]["perceived"]
    found = Analysis.from_dict(plain)
    assert [dict(part.emotion.perceived) for part in (found, *found.segments)] == [{}] * 3
    assert found.emotion.categories == emotion().categories


def test_shares_of_listeners_stand_beside_the_categories():
    plain = emotion().to_dict()
    assert [*plain][:2] == ["categories", "perceived"]
    assert plain["perceived"] == {"angry": 0.4, "neutral": 0.6}
    assert Emotion.from_dict(plain).perceived == plain["perceived"]


@pytest.mark.parametrize("version", ["2.0", "0.9", "10.0"])
def test_another_schema_is_refused(version):
    plain = analysis().to_dict() | {"schema_version": version}
    expected = rf"schema_version '{version}' can't be read; this voxplain reads {SCHEMA_VERSION}$"
    with pytest.raises(ConfigError, match=expected):
        Analysis.from_dict(plain)


def test_a_document_without_a_schema_is_refused():
    with pytest.raises(ConfigError, match="schema_version 'None' can't be read"):
        Analysis.from_dict({"source": "memo.wav"})


def test_what_each_text_contributes_is_counted_without_signs():
    found = fusion()
    assert found.texts == ("emphasised", "transcript")
    assert found.voice == {"valence": 0.5, "arousal": 0.75}
    assert found.shares["valence"] == {"emphasised": 0.75, "transcript": 0.25}
    assert all(math.isnan(one) for one in found.shares["arousal"].values())


def test_a_verdict_has_labels_or_a_reason():
    assert not Verdict(("angry",)).abstains
    assert Verdict((), "no speech").abstains
    for wrong in [((), None), (("angry",), "no speech")]:
        with pytest.raises(AssertionError, match="a verdict has labels or a reason"):
            Verdict(*wrong)
