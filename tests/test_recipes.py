"""Every recipe in the repository resolves, and its plug-ins exist."""

from pathlib import Path

import pytest

from voxplain import descriptors, plugins
from voxplain.config import load_recipe
from voxplain.labels import CANONICAL
from voxplain.training.embedded import EmbeddedRecipe
from voxplain.training.norms import NormsRecipe

RECIPES = sorted((Path(__file__).parents[1] / "recipes").rglob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_it_resolves(path):
    recipe = load_recipe(path, {"embedded": EmbeddedRecipe, "norms": NormsRecipe})
    for corpus in recipe.corpora:
        assert plugins.find("corpora", corpus).CARD.shippable
    if isinstance(recipe, EmbeddedRecipe):
        assert set(recipe.labels) <= set(CANONICAL)
    else:
        assert set(recipe.descriptors) <= set(descriptors.inventory())


def test_there_are_recipes():
    assert len(RECIPES) >= 2
