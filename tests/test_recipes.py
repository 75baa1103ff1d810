"""Every recipe in the repository resolves, and its plug-ins exist."""

from pathlib import Path

import pytest

from voxplain import descriptors, plugins
from voxplain.config import load_recipe
from voxplain.labels import CANONICAL
from voxplain.training.embedded import EmbeddedRecipe
from voxplain.training.norms import NormsRecipe
from voxplain.training.profiles import ProfilesRecipe
from voxplain.training.saliency import SaliencyRecipe
from voxplain.training.study import StudyRecipe
from voxplain.training.words.emotion import TextEmotionRecipe, TextEncoderRecipe
from voxplain.training.words.emphasis import EmphasisRecipe
from voxplain.training.words.roles import SegmenterRecipe

RECIPES = sorted(
    path
    for path in (Path(__file__).parents[1] / "recipes").rglob("*.yaml")
    if path.name != "cues.yaml"  # words for segmenter.yaml
)
KINDS = {
    "embedded": EmbeddedRecipe,
    "emphasis": EmphasisRecipe,
    "norms": NormsRecipe,
    "profiles": ProfilesRecipe,
    "saliency": SaliencyRecipe,
    "segmenter": SegmenterRecipe,
    "study": StudyRecipe,
    "text_emotion": TextEmotionRecipe,
    "text_encoder": TextEncoderRecipe,
}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_it_resolves(path):
    recipe = load_recipe(path, KINDS)
    for corpus in getattr(recipe, "corpora", ()):
        assert plugins.find("corpora", corpus).CARD.shippable
    assert set(getattr(recipe, "labels", ())) <= set(CANONICAL)
    if not isinstance(recipe, SegmenterRecipe):  # whose cues are words
        for names in ("cues", "descriptors", "gain_dependent"):
            assert set(getattr(recipe, names, ())) <= descriptors.inventory().keys()


def test_there_are_recipes():
    assert len(RECIPES) >= 2
