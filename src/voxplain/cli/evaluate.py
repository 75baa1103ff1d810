"""Print the figures of a model beside its baselines.

example:
  voxplain evaluate recipes/embedded/speech.yaml --root cremad=DIR
                    --root emodb=DIR --root ravdess=DIR --model model/

A root that the recipe does not name (--root ravdess=DIR) is judged zero-shot.
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
    parser.add_argument("recipe", type=Path, help="the YAML file the model was trained by")
    parser.add_argument("--model", type=Path, metavar="DIR", required=True, help="model folder")
    add_data(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    require("torch", extra="train")
    from voxplain.training.embedded import EmbeddedRecipe
    from voxplain.training.evaluate import evaluate, table

    figures = evaluate(
        load_recipe(arguments.recipe, {"embedded": EmbeddedRecipe}),
        model=arguments.model,
        roots=roots(arguments),
        cache=arguments.cache,
        jobs=arguments.jobs,
    )
    print(table(figures))
    return 0
