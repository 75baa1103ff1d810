"""Run a study by a recipe, or on your own accounts; collect such accounts.

examples:
  voxplain study recipes/beyond_saliency/cremad.yaml --root cremad=DIR
                 --model network/ --out results/
  voxplain study recipes/probing/layers.yaml --root cremad=DIR
                 --root emodb=DIR --root ravdess=DIR
                 --encoder whisper-tiny.en-encoder/ --out results/
  voxplain study recipes/msf/planted_grid.yaml --root planted=table.csv
                 --encoder whisper-tiny.en-encoder/ --out results/
  voxplain study recipes/vib_sed/study.yaml --root cremad=DIR
                 --root emodb=DIR --out results/
  voxplain study roles accounts.csv --out results/
  voxplain study collect recipes/collection/scenes.yaml --key scenes.key
                 --out scenes/
  voxplain study export scenes/ --key scenes.key --out accounts.csv
  voxplain study withdraw scenes/ 7KQM-2WXA-9DTF

A recipe asks whether the reasons of a model hold the cues that experts expect
(docs/studies/beyond_saliency_plan.md), what an encoder knows of a voice and
keeps where (docs/studies/probing_plan.md), or, as a grid, what each part of an
experiment, or of VIB-Emo (docs/studies/vib_sed_plan.md), is worth. A grid
trains the versions of an experiment, goes on where it was stopped, and takes
changes of all of them, key=value, after the recipe.

With "roles" and a table of accounts: what do the descriptive and the
expressive parts of an account tell of the emotion that was intended, and of
the one that was evoked (docs/studies/semantic_roles_plan.md)? Its columns are
speaker, stimulus, intended, evoked, valence, arousal, transcript and/or audio,
and perhaps id, register and roles.

Such a table is collected: collect serves a page to this machine alone that asks
for consent and records accounts, export writes the table, and withdraw deletes
everything of a participant (docs/collect.md).
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxplain.cli import _collecting
from voxplain.cli._results import write
from voxplain.cli.train import add_data, roots
from voxplain.config import load_recipe
from voxplain.errors import ConfigError
from voxplain.plugins import require

if TYPE_CHECKING:
    from voxplain.training.studies.grid.recipe import Versions

__all__ = ["add", "run"]

_ROLES = Path("roles")


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "recipe",
        type=Path,
        help=f"a YAML file, see recipes/; or: roles, {', '.join(_collecting.COMMANDS)}",
    )
    parser.add_argument(
        "more",
        nargs="*",
        metavar="PATH|KEY=VALUE",
        help="of roles: a table of accounts (CSV); of a grid: what its experiments are to say; "
        "of collect: a protocol; of export and withdraw: its folder, and a code",
    )
    parser.add_argument("--model", type=Path, metavar="DIR", help="model folder")
    parser.add_argument(
        "--encoder",
        type=Path,
        metavar="DIR",
        help="Hugging Face encoder: of speech; with roles, of text instead of TF-IDF",
    )
    parser.add_argument(
        "-o", "--out", type=Path, metavar="PATH", help="results folder; of export, a table"
    )
    add_data(parser)
    own = parser.add_argument_group("of roles")
    own.add_argument("--asr", metavar="NAME", help="transcriber of recordings without transcript")
    own.add_argument("--language", default="en", metavar="XX", help="what is spoken (en)")
    own.add_argument(
        "--annotate", type=Path, metavar="DIR", help="only write files to mark roles in by hand"
    )
    own.add_argument(
        "--marks", type=Path, metavar="FILE|DIR", help="such a table, or a folder of such TextGrids"
    )
    _collecting.add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write tables and figures to the results folder and print them; or collect accounts."""
    if command := _collecting.COMMANDS.get(str(arguments.recipe)):
        return command(arguments)
    require("torch", extra="train")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return _roles(arguments) if arguments.recipe == _ROLES else _by_recipe(arguments)


def _by_recipe(arguments: argparse.Namespace) -> int:
    from voxplain.training.evaluate import table
    from voxplain.training.studies.grid.recipe import GridRecipe, Versions
    from voxplain.training.studies.probing import study as probing
    from voxplain.training.studies.probing.material import Given
    from voxplain.training.studies.vib_sed.recipe import VibSedStudyRecipe
    from voxplain.training.study import StudyRecipe, study

    own = {"grid": GridRecipe, "study": StudyRecipe, "vib_sed_study": VibSedStudyRecipe}
    recipe = load_recipe(arguments.recipe, own | probing.KINDS)
    if isinstance(recipe, Versions):
        return _grid(recipe, arguments)
    if arguments.more:
        raise ConfigError(f"{arguments.recipe} takes no {arguments.more[0]!r}; a grid would")
    if isinstance(recipe, StudyRecipe):
        model, out = _given(arguments, "model"), _given(arguments, "out")
        found = study(recipe, roots=roots(arguments), model=model, out=out, jobs=arguments.jobs)
    else:
        encoder, out = _given(arguments, "encoder"), _given(arguments, "out")
        where = {"roots": roots(arguments), "cache": arguments.cache, "jobs": arguments.jobs}
        found = probing.study(recipe, Given(encoder=encoder, out=out, **where))
    write(out / "tables.md", table(found) + "\n")
    print(table({title: one for title, one in found.items() if not title.startswith("z of")}))
    return 0


def _grid(recipe: Versions, arguments: argparse.Namespace) -> int:
    from voxplain.training.studies.grid import study as grid
    from voxplain.training.studies.grid.telling import terminal
    from voxplain.training.studies.vib_sed import study as vib_sed
    from voxplain.training.studies.vib_sed.recipe import VibSedStudyRecipe

    study: Any = vib_sed.study if isinstance(recipe, VibSedStudyRecipe) else grid.study
    encoder = arguments.encoder
    own = [f"encoder.checkpoint={json.dumps(str(encoder))}"] if encoder else []
    found = study(
        recipe,
        beside=arguments.recipe.parent,
        changes=[*own, *arguments.more],
        roots=roots(arguments),
        cache=arguments.cache,
        jobs=arguments.jobs,
        out=_given(arguments, "out"),
    )
    print(terminal(found))
    return 0


def _roles(arguments: argparse.Namespace) -> int:
    from voxplain.pipeline import DEFAULT_MODEL
    from voxplain.training.evaluate import table
    from voxplain.training.role_study import study
    from voxplain.training.studies.roles import accounts, marks
    from voxplain.training.studies.roles.spoken import transcribed

    if len(arguments.more) != 1:
        raise ConfigError("roles takes a table: roles TABLE.csv")
    told = transcribed(
        accounts.read(Path(arguments.more[0])), asr=arguments.asr, language=arguments.language
    )
    if arguments.marks:
        by_hand = marks.read(arguments.marks, told)
        told = [replace(one, marks=by_hand.get(one.id, one.marks)) for one in told]
    if arguments.annotate:
        marks.export(told, arguments.annotate)
        return 0
    out = _given(arguments, "out")
    found = study(
        told,
        encoder=arguments.encoder,
        model=str(arguments.model or DEFAULT_MODEL),
        roots=roots(arguments),
        jobs=arguments.jobs,
        out=out,
    )
    write(out / "tables.md", table(found) + "\n")
    print(table(found))
    return 0


def _given(arguments: argparse.Namespace, name: str) -> Path:
    value: Path | None = getattr(arguments, name)
    if value is None:
        raise ConfigError(f"a study needs --{name} DIR")
    return value
