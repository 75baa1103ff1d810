"""Print the figures of a model beside its baselines, or profiles beside theory.

example:
  voxplain evaluate recipes/embedded/speech.yaml --root cremad=DIR
                    --root emodb=DIR --root ravdess=DIR --model model/

  voxplain evaluate recipes/profiles/people.yaml --model FOLDER

A root that the recipe does not name (--root ravdess=DIR) is judged zero-shot.
Profiles need none.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from voxplain.cli.train import add_data, roots
from voxplain.config import load_recipe
from voxplain.plugins import require

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("recipe", type=Path, help="the YAML file that it was made by")
    parser.add_argument("--model", type=Path, metavar="DIR", required=True, help="what was made")
    add_data(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    require("torch", extra="train")
    from voxplain.training.embedded import EmbeddedRecipe
    from voxplain.training.evaluate import evaluate, table
    from voxplain.training.profiles import ProfilesRecipe, comparison
    from voxplain.training.words.role_figures import evaluate as evaluate_segmenter
    from voxplain.training.words.roles import SegmenterRecipe

    kinds = {
        "embedded": EmbeddedRecipe,
        "profiles": ProfilesRecipe,
        "segmenter": SegmenterRecipe,
    }
    recipe = load_recipe(arguments.recipe, kinds)
    if isinstance(recipe, ProfilesRecipe):
        print(comparison(arguments.model))
        return 0
    if isinstance(recipe, SegmenterRecipe):
        found = evaluate_segmenter(recipe, folder=arguments.recipe.parent, model=arguments.model)
        print(table(found))
        return 0
    figures = evaluate(
        recipe,
        model=arguments.model,
        roots=roots(arguments),
        cache=arguments.cache,
        jobs=arguments.jobs,
    )
    print(table(figures))
    return 0
