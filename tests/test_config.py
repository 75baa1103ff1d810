"""A recipe is filled in exactly as written, or refused with the place and the key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pytest

from voxplain.config import build, load_recipe
from voxplain.errors import ConfigError, UnknownName


@dataclass(frozen=True)
class Recipe:
    name: str
    rate: float
    folds: int = 5
    loud: bool = False
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Other:
    name: str = ""


@dataclass(frozen=True)
class Steps:
    rate: float
    epochs: int = 3


@dataclass(frozen=True)
class Sectioned:
    steps: Steps
    pooling: Literal["mean", "attentive"] = "mean"
    dev: float | None = None
    merge: Mapping[str, str] = field(default_factory=dict)


KINDS = {"recipe": Recipe, "other": Other, "sectioned": Sectioned}


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "recipe.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_recipe_is_read(written):
    text = "kind: recipe\nname: größe\nrate: 0.5\nfolds: 3\nloud: true\nlabels: [angry, sad]\n"
    assert load_recipe(written(text), KINDS) == Recipe("größe", 0.5, 3, True, ("angry", "sad"))


def test_defaults_fill_what_is_not_written(written):
    assert load_recipe(written("kind: recipe\nname: a\nrate: 1.5\n"), KINDS) == Recipe("a", 1.5)


def test_the_kind_chooses_the_class(written):
    assert load_recipe(written("kind: other\n"), KINDS) == Other()


def test_a_whole_number_is_a_float_where_one_is_wanted():
    rate = build(Recipe, {"name": "a", "rate": 1}, where="here").rate
    assert (rate, type(rate)) == (1.0, float)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("name", 3, "name must be str, not 3"),
        ("name", None, "name must be str, not None"),
        ("rate", "fast", "rate must be float, not 'fast'"),
        ("rate", True, "rate must be float, not True"),
        ("folds", 2.5, r"folds must be int, not 2\.5"),
        ("folds", True, "folds must be int, not True"),
        ("loud", 1, "loud must be bool, not 1"),
        ("loud", "yes", "loud must be bool, not 'yes'"),
        ("labels", "angry", "labels must be a list, not 'angry'"),
        ("labels", ["angry", 3], "labels must be str, not 3"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(key, value, message):
    with pytest.raises(ConfigError, match=f"^here: {message}$"):
        build(Recipe, {"name": "a", "rate": 1.0} | {key: value}, where="here")


def test_a_missing_key_is_named():
    with pytest.raises(ConfigError, match=r"^here: the key 'rate' is missing$"):
        build(Recipe, {"name": "a"}, where="here")


def test_an_unknown_key_is_refused_with_a_hint():
    expected = (
        "^here: unknown key 'fold'; available: folds, labels, loud, name, rate. "
        r"Did you mean 'folds'\?$"
    )
    with pytest.raises(ConfigError, match=expected):
        build(Recipe, {"name": "a", "rate": 1.0, "fold": 3}, where="here")


@pytest.mark.parametrize("key", [7, None, True])
def test_an_unknown_key_may_be_anything(key):
    with pytest.raises(ConfigError, match=f"unknown key '{key}'"):
        build(Recipe, {"name": "a", "rate": 1.0, key: 3}, where="here")


def test_a_key_given_twice_is_refused(written):
    path = written("kind: recipe\nname: a\nrate: 1.0\nrate: 2.0\n")
    with pytest.raises(ConfigError, match="rate"):
        load_recipe(path, KINDS)


def test_the_place_is_the_file(written):
    path = written("kind: recipe\nname: a\n")
    with pytest.raises(ConfigError, match=r"recipe\.yaml: the key 'rate' is missing"):
        load_recipe(path, KINDS)


@pytest.mark.parametrize("text", ["kind: recipie\n", "kind: [recipe]\n", "name: a\n", "{}\n"])
def test_an_unknown_kind_is_refused(written, text):
    with pytest.raises(
        UnknownName, match=r"unknown recipe kind .*; available: other, recipe, sectioned\."
    ):
        load_recipe(written(text), KINDS)


@pytest.mark.parametrize(
    ("text", "found"), [("- a\n- b\n", "list"), ("just words\n", "str"), ("", "NoneType")]
)
def test_what_is_no_mapping_is_refused(written, text, found):
    with pytest.raises(ConfigError, match=f"must be a mapping of keys, not {found}$"):
        load_recipe(written(text), KINDS)


@pytest.mark.parametrize("text", ["kind: [recipe\n", "kind: !!python/object:os.system {}\n"])
def test_what_is_no_yaml_is_refused(written, text):
    with pytest.raises(ConfigError, match=r"recipe\.yaml is not valid YAML: "):
        load_recipe(written(text), KINDS)


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_bytes(b"kind: \xff\xfe\n")
    with pytest.raises(ConfigError, match="is not valid YAML: 'utf-8' codec can't decode"):
        load_recipe(path, KINDS)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml can't be read: No such file or directory$"):
        load_recipe(tmp_path / "none.yaml", KINDS)


def test_a_folder_is_no_recipe(tmp_path):
    with pytest.raises(ConfigError, match="can't be read: "):
        load_recipe(tmp_path, KINDS)


SECTIONED = "kind: sectioned\nsteps:\n  rate: 1e-4\n"


def test_a_recipe_has_sections_and_small_numbers_need_no_point(written):
    assert load_recipe(written(SECTIONED), KINDS) == Sectioned(Steps(0.0001))


def test_changes_come_after_what_is_written(written):
    changes = ["steps.epochs=7", "steps.rate=5e-05", "pooling=attentive", "dev=0.2"]
    changes.append("merge={excited: happy}")
    found = load_recipe(written(SECTIONED), KINDS, changes=changes)
    assert found == Sectioned(Steps(0.00005, 7), "attentive", 0.2, {"excited": "happy"})
    assert load_recipe(written(SECTIONED + "dev: 1\n"), KINDS, changes=["dev=null"]).dev is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("steps.epochs", "a change of a recipe is key=value, not 'steps.epochs'"),
        ("=3", "a change of a recipe is key=value, not '=3'"),
        ("steps.epoch=3", "steps: unknown key 'epoch'; .* Did you mean 'epochs'"),
        ("pooling.kind=mean", "'pooling' is no section of the recipe"),
        ("steps=3", "steps must be a section of keys, not 3"),
        ("steps.epochs=[", "the value is not valid YAML"),
        ("pooling=men", "unknown value 'men'; available: attentive, mean. Did you mean 'mean'"),
        ("dev=much", "dev must be float, not 'much'"),
        ("merge=happy", "merge must be a mapping, not 'happy'"),
        ("merge={excited: 3}", "merge: excited must be str, not 3"),
    ],
)
def test_a_change_that_does_not_fit(written, change, message):
    path = written(SECTIONED + "pooling: mean\n")
    with pytest.raises(ConfigError, match=message):
        load_recipe(path, KINDS, changes=[change])
