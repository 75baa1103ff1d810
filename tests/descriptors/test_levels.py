"""Levels in words against the shipped norms."""

import json
from importlib.resources import files

import pytest

import voxplain
from voxplain.descriptors._levels import levels
from voxplain.types import Quantity

NORMS = json.loads((files("voxplain") / "assets/norms/adults.json").read_text(encoding="utf-8"))


def level_at(z):
    functionals = {
        name: Quantity(norm["mean"] + z * norm["sd"], "", True)
        for name, norm in NORMS["descriptors"].items()
    }
    return levels(functionals)


@pytest.mark.parametrize(
    ("z", "word"),
    [(-2, "very low"), (-1, "low"), (0, "medium"), (0.6, "medium"), (1, "high"), (2, "very high")],
)
def test_words_are_cut_at_10_25_75_and_90_percent(z, word):
    for level in level_at(z).values():
        assert level.word == word
        assert level.z == pytest.approx(z)
        assert level.reference == NORMS["reference"]


def test_what_is_not_reliable_has_no_level():
    functionals = {name: Quantity(float("nan"), "", False) for name in NORMS["descriptors"]}
    assert levels(functionals) == {}


def test_intensity_has_no_level_since_it_depends_on_the_microphone(angry):
    analysis = voxplain.analyze(angry)
    assert "intensity_mean_db" in analysis.descriptors.functionals
    assert "intensity_mean_db" not in analysis.descriptors.levels


def test_an_angry_voice_is_high(angry):
    assert voxplain.analyze(angry).descriptors.levels["f0_mean_st"].word in ("high", "very high")
