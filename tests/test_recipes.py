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

RECIPES = sorted((Path(__file__).parents[1] / "recipes").rglob("*.yaml"))
KINDS = {
    "embedded": EmbeddedRecipe,
    "norms": NormsRecipe,
    "profiles": ProfilesRecipe,
    "saliency": SaliencyRecipe,
    "study": StudyRecipe,
}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_it_resolves(path):
    recipe = load_recipe(path, KINDS)
    for corpus in recipe.corpora:
        assert plugins.find("corpora", corpus).CARD.shippable
    assert set(getattr(recipe, "labels", ())) <= set(CANONICAL)
    for names in ("cues", "descriptors", "gain_dependent"):
        assert set(getattr(recipe, names, ())) <= descriptors.inventory().keys()


def test_there_are_recipes():
    assert len(RECIPES) >= 2
