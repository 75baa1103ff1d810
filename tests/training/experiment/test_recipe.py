"""What no training could follow is refused with the key and what would do."""

import pytest

from voxplain.config import build
from voxplain.errors import ConfigError, UnknownName
from voxplain.training.experiment.recipe import ExperimentRecipe, check_recipe, digest, plain


def test_a_good_recipe_passes(recipe):
    check_recipe(recipe())
    read = {"encoder": "bert", "errors": (0.0, 0.3)}
    check_recipe(recipe(texts=read, fusion={"kind": "film", "experts": 1}))
    check_recipe(recipe(texts=read, encoder={"tune": "none", "checkpoint": ""}))
    check_recipe(recipe(texts=read | {"branches": ()}))  # the voice alone, by the same network


def test_what_is_written_is_what_was_read(recipe):
    one = recipe(
        data={"merge": {"excited": "happy"}, "tested": ("emodb",)},
        encoder={"layers": (0, 2)},
        texts={"encoder": "bert", "errors": (0.3,)},
        fusion={"kind": "moe"},
    )
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
        ({"texts": {"branches": ("les", "gz")}}, r"unknown branch 'gz'; available: es, gs, les"),
        (
            {"texts": {"transcripts": "whispr"}},
            r"unknown transcriber 'whispr'; available: .*given.*Did you mean 'whisper'\?",
        ),
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
        ({"targets": {"proxies": True}}, "targets.proxies needs targets.dimensions"),
        ({"data": {"tested": ("cremad",)}}, "data.tested names a corpus that is learned from"),
        ({"texts": {"les": "oracle"}}, "texts and fusion need texts.encoder, a folder or a hub id"),
        ({"fusion": {"kind": "film"}}, "texts and fusion need texts.encoder"),
        ({"encoder": {"tune": "none"}}, "none judges the texts alone; name texts.encoder and text"),
        (
            {"encoder": {"tune": "none"}, "texts": {"encoder": "bert", "branches": ()}},
            "name texts.encoder and texts.branches",
        ),
        (
            {"encoder": {"tune": "none", "layers": (1,)}, "texts": {"encoder": "bert"}},
            "tune none hears nothing; leave out encoder.layers and train.copies",
        ),
        (
            {"encoder": {"tune": "none"}, "texts": {"encoder": "bert"}, "train": {"copies": 1}},
            "leave out encoder.layers and train.copies",
        ),
        (
            {"encoder": {"tune": "none"}, "texts": {"encoder": "bert"}, "head": {"profile": True}},
            "head.profile needs a frozen encoder",
        ),
        (
            {"texts": {"encoder": "bert", "branches": ("gs", "gs")}},
            "texts.branches names a branch twice",
        ),
        ({"texts": {"encoder": "bert", "share": 0.0}}, "texts.share must be above 0 and at most 1"),
        ({"texts": {"encoder": "bert", "share": 1.1}}, "texts.share must be above 0 and at most 1"),
        ({"texts": {"encoder": "bert", "errors": (1.0,)}}, "word error rates from 0 to below 1"),
        (
            {"texts": {"encoder": "bert", "errors": (0.301, 0.302)}},
            "from 0 to below 1, each another percentage",
        ),
        (
            {"texts": {"encoder": "bert"}, "train": {"mixup": 0.4}},
            "texts can't be mixed; set train.mixup to 0",
        ),
        (
            {"texts": {"encoder": "bert"}, "fusion": {"width": 10}},
            "fusion.width must be a multiple of 4, above 0",
        ),
        (
            {"texts": {"encoder": "bert"}, "fusion": {"experts": 1}},
            "fusion.experts must be 2 or more",
        ),
        (
            {"texts": {"encoder": "bert"}, "fusion": {"branch_dropout": 1.0}},
            "fusion.branch_dropout must be below 1, and not below 0",
        ),
        (
            {"texts": {"encoder": "bert"}, "fusion": {"text_dropout": 1.0}},
            "fusion.text_dropout must be below 1, and not below 0",
        ),
        (
            {"texts": {"encoder": "bert"}, "fusion": {"balance": -0.1}},
            "fusion.balance must not be below 0",
        ),
    ],
)
def test_what_can_not_be_followed_is_refused(recipe, changes, message):
    with pytest.raises(ConfigError, match=message):
        check_recipe(recipe(**changes))
