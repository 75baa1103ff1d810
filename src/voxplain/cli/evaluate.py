"""Print the figures of a model beside its baselines, or profiles beside theory.

example:
  voxplain evaluate recipes/embedded/speech.yaml --root cremad=DIR
                    --root emodb=DIR --root ravdess=DIR --model model/

  voxplain evaluate recipes/profiles/people.yaml --model FOLDER
  voxplain evaluate recipes/words/emotion.yaml --root goemotions=DIR
                    --root emobank=DIR --model FOLDER

A root that the recipe does not name (--root ravdess=DIR) is judged zero-shot.
Profiles and the segmenter of roles need none.
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
    from voxplain.training.words import emotion_figures, role_figures
    from voxplain.training.words.emotion import TextEmotionRecipe, TextEncoderRecipe
    from voxplain.training.words.roles import SegmenterRecipe

    kinds = {
        "embedded": EmbeddedRecipe,
        "profiles": ProfilesRecipe,
        "segmenter": SegmenterRecipe,
        "text_emotion": TextEmotionRecipe,
        "text_encoder": TextEncoderRecipe,
    }
    recipe = load_recipe(arguments.recipe, kinds)
    model, data = arguments.model, roots(arguments)
    match recipe:
        case ProfilesRecipe():
            print(comparison(model))
        case SegmenterRecipe():
            folder = arguments.recipe.parent
            print(table(role_figures.evaluate(recipe, folder=folder, model=model)))
        case TextEmotionRecipe() | TextEncoderRecipe():
            print(table(emotion_figures.evaluate(model, roots=data)))
        case _:
            options = {"cache": arguments.cache, "jobs": arguments.jobs}
            print(table(evaluate(recipe, model=model, roots=data, **options)))
    return 0
