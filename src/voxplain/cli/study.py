"""Do the reasons of a model hold the cues that experts expect? Tables and figures, by a recipe.

example:
  voxplain study recipes/beyond_saliency/cremad.yaml --root cremad=DIR
                 --model network/ --out results/

The plan of the study is docs/studies/beyond_saliency_plan.md.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from voxplain.cli._results import write
from voxplain.cli.train import add_data, roots
from voxplain.config import load_recipe
from voxplain.plugins import require

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("recipe", type=Path, help="a YAML file, see recipes/beyond_saliency/")
    parser.add_argument("--model", type=Path, metavar="DIR", required=True, help="model folder")
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="results folder")
    add_data(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write tables and figures to the results folder; print all but those of single cues."""
    require("torch", extra="train")
    from voxplain.training.evaluate import table
    from voxplain.training.study import StudyRecipe, study

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    found = study(
        load_recipe(arguments.recipe, {"study": StudyRecipe}),
        roots=roots(arguments),
        model=arguments.model,
        out=arguments.out,
        jobs=arguments.jobs,
    )
    write(arguments.out / "tables.md", table(found) + "\n")
    print(table({title: one for title, one in found.items() if not title.startswith("z of")}))
    return 0
