"""What a recipe of VIB-Emo may say, and what is refused before anything begins."""

from dataclasses import replace

import pytest
import yaml

from voxplain.config import load_recipe
from voxplain.errors import ConfigError, UnknownName
from voxplain.training.experiment.recipe import Data, Lora, SplitPlan, plain
from voxplain.training.vib_sed.recipe import (
    FitPlan,
    FrozenEncoder,
    VibSedRecipe,
    check_recipe,
)

PLAIN = VibSedRecipe(
    name="small",
    data=Data(corpora=("cremad",), labels=("angry", "sad")),
    split=SplitPlan(by="speaker"),
    encoder=FrozenEncoder("somewhere"),
    train=FitPlan(epochs=1, batch=4),
)


def changed(**sections):
    return replace(
        PLAIN,
        **{name: replace(getattr(PLAIN, name), **change) for name, change in sections.items()},
    )


def test_a_resolved_recipe_is_one_of_its_kind(tmp_path):
    file = tmp_path / "recipe.yaml"
    recipe = changed(llm={"checkpoint": "x", "lora": Lora(rank=4)}, network={"stack": 3})
    file.write_text(yaml.safe_dump(plain(recipe)), encoding="utf-8")
    assert load_recipe(file, {"vib_sed": VibSedRecipe}) == recipe


def test_what_is_usual_is_refused_by_nobody():
    check_recipe(PLAIN)
    check_recipe(changed(tasks={"descriptors": False}))


def test_the_part_that_every_experiment_has_says_the_same():
    recipe = changed(
        train={"seeds": (3, 4), "warm_up": 0.2, "accumulate": 2, "patience": 5},
        encoder={"layers": (0, 2)},
    )
    found = recipe.experiment
    assert (found.name, found.data, found.split) == (recipe.name, recipe.data, recipe.split)
    assert (found.encoder.checkpoint, found.encoder.layers) == ("somewhere", (0, 2))
    assert found.encoder.tune == "frozen"
    for name in FitPlan.__dataclass_fields__.keys() - {
        "listening",
        "listening_emotion",
        "held",
        "edited",
    }:  # what others have not
        assert getattr(found.train, name) == getattr(recipe.train, name), name


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"network": {"latent": 0}}, r"network\.latent must be above 0, not 0"),
        ({"network": {"stack": -1}}, r"network\.stack must be above 0, not -1"),
        ({"train": {"listening": 2}}, r"train\.listening teaches a summary; set network\.summary"),
        ({"train": {"listening_emotion": 0}}, r"train\.listening_emotion must be above 0"),
        ({"train": {"held": True}}, r"train\.held keeps what listening taught; set train\.listen"),
        ({"train": {"edited": -1}}, r"train\.edited must not be below 0"),
        (
            {"train": {"edited": 1}, "tasks": {"levels": "given"}},
            r"train\.edited teaches measured levels; set tasks\.levels to measured",
        ),
        (
            {"train": {"edited": 1}, "tasks": {"descriptors": False}},
            r"train\.edited teaches measured levels; .* and tasks\.descriptors to true",
        ),
        ({"tasks": {"most_false": 1.5}}, r"tasks\.most_false is a share, 0 to 1"),
        ({"network": {"dropout": 1.0}}, r"network\.dropout must be below 1, and not below 0"),
        ({"tasks": {"emotion": 0.0}}, r"tasks\.emotion must be above 0"),
        ({"network": {"beta": -0.1}}, r"network\.beta must not be below 0: -0\.1"),
        ({"network": {"warm_up": 1.5}}, r"'small': network\.warm_up is a share of the steps"),
        (
            {"network": {"compression": "mi", "disentangled": False}},
            r"mi needs two latents; set network\.disentangled to true",
        ),
        (
            {"network": {"compression": "none", "free_bits": 0.1}},
            r"free_bits are for network\.compression vib",
        ),
        (
            {"network": {"concept": True}, "tasks": {"descriptors": False}},
            r"tells the emotion from descriptors; set tasks\.descriptors to true",
        ),
        ({"llm": {"lora": Lora()}}, r"llm\.lora adapts a checkpoint; name one in llm\.checkpoint"),
        (
            {"llm": {"four_bit": True, "checkpoint": "x"}},
            r"four_bit needs llm\.checkpoint and llm\.lora",
        ),
        (
            {"llm": {"lora": Lora(rank=0), "checkpoint": "x"}},
            r"llm\.lora\.rank must be above 0",
        ),
        ({"train": {"batch": 0}}, r"train\.batch must be above 0, not 0"),
        ({"encoder": {"checkpoint": ""}}, r"encoder\.checkpoint is missing"),
        ({"data": {"labels": ("sad",)}}, r"data\.labels needs two labels or more"),
    ],
)
def test_what_no_training_could_follow_is_refused(sections, message):
    with pytest.raises(ConfigError, match=message):
        check_recipe(changed(**sections))


def test_an_unknown_transcriber_is_named():
    with pytest.raises(UnknownName, match=r"unknown transcriber 'wisper'; available: .*given"):
        check_recipe(changed(tasks={"transcripts": "wisper"}))


def test_a_value_that_is_none_is_named_with_those_that_are(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(plain(PLAIN)), encoding="utf-8")
    for change, near in (
        ("tasks.asr=alternate", "alternating"),
        ("network.compression=vibe", "vib"),
        ("llm.size=2", "0.5M, 10M, 2M"),
    ):
        with pytest.raises(ConfigError, match=near):
            load_recipe(file, {"vib_sed": VibSedRecipe}, changes=[change])
