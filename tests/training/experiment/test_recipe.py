"""What no training could follow is refused with the key and what would do."""

import pytest

from voxplain.config import build
from voxplain.errors import ConfigError, UnknownName
from voxplain.training.experiment.recipe import ExperimentRecipe, check_recipe, digest, plain


def test_a_good_recipe_passes(recipe):
    check_recipe(recipe())


def test_what_is_written_is_what_was_read(recipe):
    one = recipe(data={"merge": {"excited": "happy"}}, encoder={"layers": (0, 2)})
    written = plain(one)
    assert written.pop("kind") == "experiment"
    assert build(ExperimentRecipe, written, where="recipe") == one


def test_the_digest_is_of_everything_that_is_said(recipe):
    assert digest(recipe()) == digest(recipe())
    assert len({digest(r) for r in (recipe(), recipe(train={"epochs": 3}), recipe(name="b"))}) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {"labels": ("angry", "sadd")}}, r"unknown label 'sadd'.*Did you mean 'sad'\?"),
        ({"data": {"merge": {"exited": "happy"}}}, r"'exited'.*Did you mean 'excited'\?"),
        ({"train": {"metric": "uarr"}}, r"unknown metrics plug-in 'uarr'.*Did you mean 'uar'\?"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(recipe, changes, message):
    with pytest.raises(UnknownName, match=message):
        check_recipe(recipe(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": {"epochs": 0}}, r"^train\.epochs must be above 0, not 0$"),
        ({"train": {"learning_rate": -0.1}}, r"^train\.learning_rate must be above 0, not -0\.1$"),
        ({"split": {"dev": 0.0}}, r"^split\.dev must be above 0"),
        ({"split": {"dev": 1.0}}, "split.dev must be below 1"),
        ({"split": {"folds": 1}}, "split.folds must be 2 or more"),
        ({"split": {"by": "emobox"}}, "split.files must name EmoBox's folder"),
        ({"data": {"labels": ("sad", "sad")}}, "data.labels needs two labels or more"),
        ({"encoder": {"checkpoint": ""}}, "name a folder or a hub id there or with --encoder"),
        ({"train": {"seeds": ()}}, "train.seeds needs one seed or more"),
        ({"train": {"seeds": (1, 1)}}, "train.seeds needs one seed or more, each once"),
        ({"train": {"accumulate": 9}}, "lower train.accumulate"),
        (
            {"head": {"profile": True, "pooling": "mean"}, "encoder": {"tune": "lora"}},
            "head.profile needs a frozen encoder",
        ),
        ({"encoder": {"tune": "full"}}, "head.pooling layerwise needs a frozen encoder"),
        (
            {"head": {"pooling": "mean", "hidden": 0}},
            "hidden can be 0 with head.pooling layer",
        ),
        ({"targets": {"categories": 0.0}}, r"targets\.dimensions must be above 0"),
        (
            {"targets": {"categories": 0.0, "dimensions": 1.0, "soft": True}},
            "targets.soft needs targets.categories",
        ),
        (
            {"targets": {"dimensions": 1.0}, "train": {"batch": 1}},
            "a batch of one recording has no concordance",
        ),
        (
            {"train": {"metric": "ccc"}},
            "metric 'ccc' measures values, which this recipe does",
        ),
        (
            {"train": {"metric": "jensen_shannon"}},
            "'jensen_shannon' measures distributions, which this recipe does not predict",
        ),
        (
            {"targets": {"categories": 0.0, "dimensions": 1.0}},
            "train.metric 'uar' measures labels, which this recipe does not predict",
        ),
    ],
)
def test_what_can_not_be_followed_is_refused(recipe, changes, message):
    with pytest.raises(ConfigError, match=message):
        check_recipe(recipe(**changes))
