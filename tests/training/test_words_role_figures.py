"""The figures of the segmenter: baselines by hand, and the card that shows what was stored."""

import dataclasses
import json
import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from voxplain.config import load_recipe
from voxplain.errors import WeightsMissing
from voxplain.training.evaluate import stored, table
from voxplain.training.words.role_figures import by_rule, by_sentence, evaluate
from voxplain.training.words.roles import SegmenterRecipe

MODEL = Path(str(files("voxplain") / "assets/models/roles"))
RECIPES = Path(__file__).parents[2] / "recipes/semantic_roles"
D, E = "descriptive", "expressive"
NAMES = (
    "first person", "me", "sense of self", "joy", "sadness", "fear", "anger", "disgust",
    "surprise", "nothing", "body", "wish", "good", "bad",
)  # fmt: skip


def test_the_rule_asks_for_the_first_person_and_affect_in_one_sentence():
    cues = dict.fromkeys(NAMES, frozenset({"-"}))
    cues |= {"first person": frozenset({"i"}), "sadness": frozenset({"cried"})}
    assert by_rule("I left. She cried. “I cried!” Oh", cues) == [D, D, D, D, E, E, D]


def test_a_sentence_is_what_most_of_its_words_are():
    text = "He fell and oh. I cried! So"
    assert by_sentence(text, [D, D, D, E, E, E, E]) == [D] * 4 + [E] * 3
    assert by_sentence(text, [E, E, D, D, E, D, E]) == [D] * 6 + [E]
    assert by_sentence("he fell and i cried", [D, D, E, E, E]) == [E] * 5


def test_figures_are_told_and_kept_of_the_test_and_of_registers_left_out(tmp_path):
    """On accounts as clear as can be: those of training by the network that left them out."""
    parts = [[D, "The dog runs home. "], [E, "I cried so much."]]
    rows = ["id,narrator,register", "a0,n0,letter", "a1,n1,letter", "a2,n2,plain", "a3,n3,terse"]
    (tmp_path / "design.csv").write_text("\n".join(rows) + "\n")
    for name, ids in (("test", ("a0", "a1")), ("train", ("a2", "a3"))):
        lines = [json.dumps({"id": one, "parts": parts}) + "\n" for one in ids]
        (tmp_path / f"{name}.jsonl").write_text("".join(lines))
    recipe = load_recipe(RECIPES / "segmenter.yaml", {"segmenter": SegmenterRecipe})
    recipe = dataclasses.replace(recipe, train=("train.jsonl",), test=("test.jsonl",))
    model = shutil.copytree(MODEL, tmp_path / "model")
    figures = evaluate(recipe, folder=tmp_path, model=model)
    assert stored(model) == figures
    assert list(figures["test accounts: by register"]) == ["letter"]
    assert list(figures["registers left out: by register"]) == ["plain", "terse"]
    for title in ("test accounts", "registers left out"):
        for name, row in figures[title].items():
            assert (row["kappa"].n, row["kappa"].speakers) == (2, 2)
            assert row["kappa"].value == pytest.approx(0.0 if name == "all descriptive" else 1.0)
        assert 0 < figures[title]["embedded"]["ECE"].value < 0.2


def test_without_a_model_there_are_no_figures(tmp_path):
    recipe = load_recipe(RECIPES / "segmenter.yaml", {"segmenter": SegmenterRecipe})
    with pytest.raises(WeightsMissing, match="holds no segmenter"):
        evaluate(recipe, folder=RECIPES, model=tmp_path)


def test_the_card_shows_the_figures_that_were_stored():
    assert table(stored(MODEL)) in (MODEL / "README.md").read_text(encoding="utf-8")


def test_the_bars_are_met_in_registers_that_were_never_met():
    figures = stored(MODEL)
    found, registers = figures["test accounts"], figures["test accounts: by register"]
    ours = found["embedded"]
    assert (ours["kappa"].n, ours["kappa"].speakers) == (108, 18)
    assert ours["kappa"].low >= 0.80
    assert ours["boundary F1"].low >= 0.70
    assert ours["kappa"].low > found["rule"]["kappa"].high
    assert ours["kappa"].value > found["embedded, majority of a sentence"]["kappa"].value
    assert len(registers) == 6
    for name, row in registers.items():
        assert row["kappa"].low >= 0.60, name
        assert row["boundary F1"].low >= 0.50, name


def test_what_is_shipped_is_small():
    assert sum(path.stat().st_size for path in MODEL.iterdir()) < 4e6
