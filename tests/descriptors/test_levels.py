"""Levels in words: against the shipped norms, and drawn towards a speaker."""

import json
import math
from importlib.resources import files

import numpy as np
import pytest

import voxplain
from voxplain import descriptors
from voxplain.descriptors._levels import GROUPS, Norm, Reference, describe
from voxplain.descriptors.backends.voxplain import Measurement, reference
from voxplain.errors import AudioError, UnknownName
from voxplain.types import Level, Quantity

NORM = Norm(mean=30.0, between_sd=3.0, within_sd=4.0)
PEOPLE = Reference("people", {"f0_mean_st": NORM})


def pitch(value, *, reliable=True):
    return {"f0_mean_st": Quantity(value, "st", reliable)}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize(
    ("z", "word"),
    [(-2, "very low"), (-1, "low"), (0, "medium"), (0.6, "medium"), (1, "high"), (2, "very high")],
)
def test_words_are_cut_at_10_25_75_and_90_percent(group, z, word):
    people = Reference.of_group(group)
    functionals = {
        name: Quantity(norm.mean + z * norm.sd, "", True) for name, norm in people.norms.items()
    }
    levels = people.levels(functionals)
    assert levels.keys() == people.norms.keys() <= descriptors.inventory().keys()
    for name, level in levels.items():
        assert level.word == word
        assert level.z == pytest.approx(z)
        assert level.reference == people.name
        assert level.title == descriptors.inventory()[name].title


def test_the_spread_of_all_is_that_between_and_within_speakers():
    assert NORM.sd == 5.0
    assert PEOPLE.levels(pitch(40.0))["f0_mean_st"].z == pytest.approx(2.0)


def test_what_is_not_reliable_has_no_level():
    assert PEOPLE.levels(pitch(40.0, reliable=False)) == {}


def test_an_unknown_group():
    with pytest.raises(UnknownName, match="'men'; available: adults, child, female, male"):
        Reference.of_group("men")


def test_nothing_heard_of_a_speaker_leaves_the_norm():
    assert PEOPLE.of_speaker([(9.0, pitch(20.0, reliable=False))], name="x").norms == PEOPLE.norms
    assert PEOPLE.of_speaker([], name="x").norms == PEOPLE.norms


def test_eight_turns_weigh_as_much_as_the_norm():
    """24 s at 40 and 44 st: own mean 42, own spread 2; half of it counts."""
    speaker = PEOPLE.of_speaker([(12.0, pitch(40.0)), (12.0, pitch(44.0))], name="ann")
    norm = speaker.norms["f0_mean_st"]
    assert norm.mean == pytest.approx((42 + 30) / 2)
    assert norm.between_sd == pytest.approx(3 * math.sqrt(0.5))
    assert norm.within_sd == pytest.approx(math.sqrt(0.5 * 4 + 0.5 * 16))
    assert speaker.name == "ann"


def test_one_turn_says_nothing_about_the_spread():
    norm = PEOPLE.of_speaker([(3.0, pitch(39.0))], name="ann").norms["f0_mean_st"]
    assert norm.mean == pytest.approx(30 + 9 / 9)
    assert norm.within_sd == pytest.approx(4.0)


def test_much_speech_makes_the_speaker_their_own_measure():
    heard = [(3.0, pitch(value)) for value in np.tile([38.0, 42.0], 5_000)]
    norm = PEOPLE.of_speaker(heard, name="ann").norms["f0_mean_st"]
    assert norm.mean == pytest.approx(40, abs=0.02)
    assert norm.sd == pytest.approx(2, abs=0.1)


def test_each_part_compares_with_the_others_alone():
    heard = [
        (3.0, pitch(33.0)),
        (6.0, pitch(36.0)),
        (1.5, pitch(math.nan, reliable=False)),
        (9.0, pitch(31.0)),
    ]
    found = PEOPLE.relative_levels(heard)
    for part, levels in enumerate(found):
        others = PEOPLE.of_speaker([*heard[:part], *heard[part + 1 :]], name="")
        expected = others.levels(heard[part][1])
        assert {name: level.z for name, level in levels.items()} == pytest.approx(
            {name: level.z for name, level in expected.items()}
        )
    assert found[2] == {}
    assert "rest of the recording" in found[0]["f0_mean_st"].reference


def test_a_part_alone_compares_with_people():
    assert PEOPLE.relative_levels([(3.0, pitch(40.0))]) == [PEOPLE.levels(pitch(40.0))]
    assert PEOPLE.relative_levels([]) == []


def test_five_telling_ones_are_prominent_and_two_of_a_family():
    of_pitch = ["f0_mean_st", "f0_sd_st", "voiced_share"]
    others = ["hnr_mean_db", "alpha_ratio_mean_db", "intensity_range_db", "articulation_rate"]
    z = dict(zip([*of_pitch, *others], [-9.0, 8.0, 7.0, 1.0, -2.0, 3.0, 0.5], strict=True))
    assert all(descriptors.inventory()[name].telling for name in z)
    assert not descriptors.inventory()["mfcc_4_sd"].telling
    levels = {name: Level("", value, "", "") for name, value in (z | {"mfcc_4_sd": 99.0}).items()}
    assert describe({}, levels, {}).prominent == (
        *of_pitch[:2],
        "intensity_range_db",
        "alpha_ratio_mean_db",
        "hnr_mean_db",
    )


def test_a_recording_of_the_speaker_is_a_reference(clips):
    angry = next(clip for clip in clips if "ang" in clip.name)
    neutral = next(clip for clip in clips if "neu" in clip.name)
    plain, own = reference("female"), reference("female", [neutral])
    assert plain == Reference.of_group("female")
    heard = Measurement(neutral).functionals()["f0_mean_st"].value
    norm, drawn = plain.norms["f0_mean_st"], own.norms["f0_mean_st"]
    assert abs(drawn.mean - heard) < abs(norm.mean - heard)
    assert own.name.startswith("the speaker's own recordings, else women")
    analysis = voxplain.analyze(angry, reference_group="female", speaker=[neutral])
    assert analysis.descriptors.levels["f0_mean_st"].reference == own.name
    assert analysis.provenance["config"]["reference"] == own.name


def test_a_reference_that_can_not_be_read(tmp_path):
    with pytest.raises(AudioError, match="nobody"):
        voxplain.load(speaker=[tmp_path / "nobody.wav"])


def test_norms_state_whose_they_are():
    for group in GROUPS:
        text = (files("voxplain") / f"assets/norms/{group}.json").read_text(encoding="utf-8")
        assert json.loads(text)["reference"] == Reference.of_group(group).name


def test_intensity_has_no_level_since_it_depends_on_the_microphone(angry):
    analysis = voxplain.analyze(angry)
    assert "intensity_mean_db" in analysis.descriptors.functionals
    assert "intensity_mean_db" not in analysis.descriptors.levels


def test_an_angry_voice_is_high(angry):
    assert voxplain.analyze(angry).descriptors.levels["f0_mean_st"].word in ("high", "very high")
