"""Train by a recipe: a model folder, norms, or profiles.

example:
  voxplain train recipes/embedded/speech.yaml --root cremad=DIR --root emodb=DIR
                 --encoder whisper-tiny.en-encoder --out model/
"""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

from voxplain.config import load_recipe
from voxplain.errors import ConfigError
from voxplain.plugins import require

__all__ = ["add", "add_data", "roots", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("recipe", type=Path, help="a YAML file, see recipes/")
    parser.add_argument("--out", type=Path, required=True, help="folder of what is made")
    parser.add_argument("--encoder", type=Path, metavar="DIR", help="checkpoint to start from")
    add_data(parser)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Describe where the corpora lie."""
    parser.add_argument(
        "--root", action="append", default=[], metavar="CORPUS=DIR", help="where a corpus lies"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache"), metavar="DIR", help="what was heard before"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes"
    )


def roots(arguments: argparse.Namespace) -> dict[str, Path]:
    """Corpus -> folder. Raises ConfigError for what is not CORPUS=DIR."""
    found = {}
    for item in arguments.root:
        name, equals, folder = item.partition("=")
        if not (name and equals and folder):
            raise ConfigError(f"--root takes CORPUS=DIR, not {item!r}")
        found[name] = Path(folder)
    return found


def run(arguments: argparse.Namespace) -> int:
    """Train, saying how far it is."""
    require("torch", extra="train")
    from voxplain.training.embedded import EmbeddedRecipe, train
    from voxplain.training.norms import NormsRecipe, estimate
    from voxplain.training.profiles import ProfilesRecipe
    from voxplain.training.profiles import estimate as estimate_profiles
    from voxplain.training.saliency import SaliencyRecipe
    from voxplain.training.saliency import train as train_network

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    kinds = {
        "embedded": EmbeddedRecipe,
        "norms": NormsRecipe,
        "profiles": ProfilesRecipe,
        "saliency": SaliencyRecipe,
    }
    recipe = load_recipe(arguments.recipe, kinds)
    data = {"roots": roots(arguments), "cache": arguments.cache, "jobs": arguments.jobs}
    if isinstance(recipe, NormsRecipe):
        estimate(recipe, out=arguments.out, **data)
        return 0
    if isinstance(recipe, ProfilesRecipe):
        estimate_profiles(recipe, out=arguments.out, **data)
        return 0
    if isinstance(recipe, SaliencyRecipe):
        train_network(recipe, out=arguments.out, **data)
        return 0
    if arguments.encoder is None:
        raise ConfigError(f"{arguments.recipe} needs --encoder DIR, a Whisper checkpoint folder")
    train(recipe, encoder=arguments.encoder, out=arguments.out, **data)
    return 0
