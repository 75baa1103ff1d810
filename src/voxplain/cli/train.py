"""Train by a recipe: an experiment, a model of voices or words, norms, profiles.

example:
  voxplain train recipes/experiments/probe.yaml train.epochs=10
                 --root cremad=DIR --root emodb=DIR
                 --encoder whisper-tiny.en-encoder --out run/

What the recipe says can be changed, key=value or section.key=value, right
after it. An experiment that was interrupted goes on when the same command
comes again.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from voxplain.config import load_recipe
from voxplain.errors import ConfigError
from voxplain.plugins import require

__all__ = ["add", "add_data", "roots", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("recipe", type=Path, help="a YAML file, see recipes/")
    parser.add_argument(
        "changes", nargs="*", metavar="KEY=VALUE", help="what the recipe is to say instead"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of what is made")
    parser.add_argument(
        "--encoder",
        type=Path,
        metavar="DIR",
        help="checkpoint to start from; a hub id in experiments",
    )
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
    from voxplain.training import embedded, norms, profiles, saliency
    from voxplain.training.experiment import recipe as experiments
    from voxplain.training.experiment import run as experiment
    from voxplain.training.vib_sed import recipe as vib_seds
    from voxplain.training.vib_sed import run as vib_sed
    from voxplain.training.words import emotion, emphasis, roles

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    trained: dict[
        str, tuple[type, Callable[..., Any], str]
    ] = {  # kind of recipe -> what it fills, what it is for, and what that takes
        "embedded": (embedded.EmbeddedRecipe, embedded.train, "roots cache jobs encoder"),
        "emphasis": (emphasis.EmphasisRecipe, emphasis.train, "roots cache jobs"),
        "experiment": (
            experiments.ExperimentRecipe,
            experiment.train,
            "roots cache jobs checkpoint",
        ),
        "norms": (norms.NormsRecipe, norms.estimate, "roots cache jobs"),
        "profiles": (profiles.ProfilesRecipe, profiles.estimate, "roots cache jobs"),
        "saliency": (saliency.SaliencyRecipe, saliency.train, "roots cache jobs"),
        "segmenter": (roles.SegmenterRecipe, roles.train, "folder encoder"),
        "text_emotion": (emotion.TextEmotionRecipe, emotion.train, "roots encoder"),
        "text_encoder": (emotion.TextEncoderRecipe, emotion.train_encoder, "roots encoder"),
        "vib_sed": (vib_seds.VibSedRecipe, vib_sed.train, "roots cache jobs checkpoint"),
    }
    kinds = {kind: one for kind, (one, _, _) in trained.items()}
    recipe = load_recipe(arguments.recipe, kinds, changes=arguments.changes)
    ((train, takes),) = (
        (act, names) for one, act, names in trained.values() if one is type(recipe)
    )
    given = {
        "roots": roots(arguments),
        "cache": arguments.cache,
        "jobs": arguments.jobs,
        "encoder": arguments.encoder,
        "checkpoint": arguments.encoder,  # may stand in the recipe
        "folder": arguments.recipe.parent,
    }
    options = {name: given[name] for name in takes.split()}
    if options.get("encoder", ...) is None:
        raise ConfigError(f"{arguments.recipe} needs --encoder DIR, the checkpoint to start from")
    train(recipe, out=arguments.out, **options)
    return 0
