"""What a recipe of the kind ``vib_sed_study`` may say, and the runs that it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voxplain.errors import ConfigError, UnknownName
from voxplain.training.studies.grid.recipe import Row, Versions, versions
from voxplain.training.vib_sed.recipe import VibSedRecipe, check_recipe

__all__ = ["VibSedStudyRecipe", "edited", "resolve"]


@dataclass(frozen=True, slots=True)
class VibSedStudyRecipe(Versions):
    """Versions of a VIB-Emo; edits are tried on the reference of the first table."""

    clips: int = 60
    """Tested clips whose voice is edited."""
    curves: tuple[str, ...] = ()
    """Tables that are drawn as curves over their rows."""


def resolve(
    recipe: VibSedStudyRecipe, *, beside: Path, changes: Sequence[str] = ()
) -> list[Row[VibSedRecipe]]:
    """Every row with its whole recipe, checked before anything is trained.

    ``beside`` is the folder of the recipe, ``changes`` are further ones of all rows.

    Raises what ``versions`` raises; ConfigError for levels that are not measured, or a reference
    that tells no descriptors; UnknownName for a curve.
    """
    for name in recipe.curves:
        if name not in recipe.tables:
            raise UnknownName("table of the study", name, recipe.tables)
    if recipe.clips < 1:
        raise ConfigError(f"clips must be above 0, not {recipe.clips}")
    kinds = {"vib_sed": VibSedRecipe}
    rows = versions(recipe, kinds, _check, beside=beside, changes=changes)
    own = edited(recipe, rows)
    if own is not None and not own.recipe.tasks.descriptors:
        raise ConfigError(
            f"{own.table}, {own.name}: edits are followed by descriptors, and tasks.descriptors is "
            "false; take another reference"
        )
    return rows


def edited(
    recipe: VibSedStudyRecipe, rows: Sequence[Row[VibSedRecipe]]
) -> Row[VibSedRecipe] | None:
    """The row that edits are tried on: the reference of the first table, if it has one."""
    first = next(iter(recipe.tables))
    wanted = (first, recipe.reference.get(first))
    return next((row for row in rows if (row.table, row.name) == wanted), None)


def _check(recipe: VibSedRecipe) -> None:
    check_recipe(recipe)
    if recipe.tasks.levels != "measured":
        raise ConfigError(
            f"tasks.levels is {recipe.tasks.levels}; set it to measured: edits are measured, too"
        )
