"""Whom a model heard, by its card."""

import json

import numpy as np
import pytest

from voxplain.backbones.embedded import STATE_SHIFT
from voxplain.models.embedded import EmbeddedModel
from voxplain.training.assessment.heads import Heads, analyzer, heads
from voxplain.types import Embedding


@pytest.fixture
def folder(tmp_path):
    def write(card, place="."):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "card.json").write_text(json.dumps(card))
        return str(tmp_path)

    return write


def test_the_model_of_the_package_heard_the_speakers_of_its_folds(utterance):
    found = heads("speech")
    assert found.known
    assert {"cremad_1001", "emodb_03"} <= found.heard
    assert "cremad_1089" not in found.heard
    assert found.spared.keys() == found.heard
    assert found.fold(utterance(0, "cremad_1089", "sad")) is None
    assert found.fold(utterance(0, "cremad_1007", "sad")) == 0


def test_a_list_that_calls_them_otherwise_does_not_hide_them(utterance):
    """The names of the files tell who speaks, as the corpora's own rules have it."""
    found = heads("speech")
    for name, speaker, known in (
        ("1007_TIE_ANG_XX", "7", "cremad_1007"),
        ("03a01Wa", "", "emodb_03"),
        ("1089_TIE_ANG_XX", "", ""),
        ("1007", "x", ""),
    ):
        one = utterance(name, speaker, "angry", corpus="mine")
        assert found.known_as(one) == known
        assert found.fold(one) == (found.spared[known] if known else None)


def test_a_run_folder_has_a_model_for_each_fold(folder, utterance):
    folder({"speakers": {"train": ["c", "d"], "dev": ["e"], "test": ["a", "b"]}}, "fold_0/seed_0")
    folds = [
        {"name": "fold_0", "model": "fold_0/seed_0", "speakers": ["a", "b"]},
        {"name": "fold_1", "model": "fold_1/seed_0", "speakers": ["c", "d"]},
    ]
    found = heads(folder({"default": "fold_0/seed_0", "folds": folds}))
    assert found.heard == {"c", "d", "e"}
    assert [found.fold(utterance(0, one, "sad")) for one in "acez"] == [None, 1, None, None]
    assert found.heard - found.spared.keys() == {"e"}  # whom no head was spared


def test_one_of_its_models_has_no_other_head(folder):
    found = heads(folder({"speakers": {"train": ["a"], "dev": ["b"], "test": ["c"]}}))
    assert found == Heads(True, frozenset("ab"), {})


def test_of_a_card_that_says_nothing_nothing_is_known(folder, tmp_path):
    assert heads(folder({"name": "export"})) == Heads()
    assert heads(str(tmp_path / "empty")) == Heads()
    assert heads("owner/checkpoint") == Heads()


def test_the_head_of_a_fold_is_another_one(tiny_model):
    states = Embedding(np.ones((75, 32), np.float16), STATE_SHIFT, "tiny")
    expected = EmbeddedModel(tiny_model.folder, fold=1).read(states)
    found = analyzer(str(tiny_model.folder), 1).model.read(states)
    np.testing.assert_array_equal(found.categories, expected.categories)
    usual = analyzer(str(tiny_model.folder), None).model.read(states)
    assert not np.allclose(found.categories, usual.categories)
