"""What a recipe of the kind ``grid`` may say, and the experiments that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from voxplain.config import load_recipe
from voxplain.errors import ConfigError, UnknownName
from voxplain.training.experiment.recipe import ExperimentRecipe, check_recipe, digest

__all__ = ["GridRecipe", "Row", "Versions", "resolve", "versions"]

Recipe = TypeVar("Recipe")


@dataclass(frozen=True, slots=True)
class Versions:
    """An experiment, and what its versions say instead; changes are ``section.key=value``."""

    name: str
    base: str
    """The experiment's recipe; its place begins where this recipe lies."""
    tables: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Table -> row -> changes of the experiment."""
    reference: Mapping[str, str] = field(default_factory=dict)
    """Table -> its row that all others are held against."""
    changes: tuple[str, ...] = ()
    """Of all rows."""
    at_once: int = 1
    """Rows that are trained at the same time, each by a process of its own."""
    note: str = ""
    """What a reader of the figures must know."""


@dataclass(frozen=True, slots=True)
class GridRecipe(Versions):
    """Versions of an experiment that learns dimensions."""

    ceiling: str = ""
    """A table (CSV) in the folder of the corpus of what is to be expected of each clip, all but the
    noise: ``file``, ``valence``, ``arousal`` and ``dominance``."""


@dataclass(frozen=True, slots=True)
class Row(Generic[Recipe]):
    """A version of the experiment."""

    table: str
    name: str
    recipe: Recipe
    folder: str
    """Of its run, below the results: ``table/row`` of the first row that has this recipe."""


def resolve(
    recipe: GridRecipe, *, beside: Path, changes: Sequence[str] = ()
) -> list[Row[ExperimentRecipe]]:
    """Every row with its whole experiment, checked before anything is trained.

    ``beside`` is the folder of the recipe, ``changes`` are further ones of all rows.

    Raises what ``versions`` raises; ConfigError for an experiment that learns no dimensions.
    """
    kinds = {"experiment": ExperimentRecipe}
    return versions(recipe, kinds, _check, beside=beside, changes=changes)


def _check(experiment: ExperimentRecipe) -> None:
    check_recipe(experiment)
    if not experiment.targets.dimensions:
        raise ConfigError("a grid tells CCC, and targets.dimensions is 0; raise it")


def versions(
    recipe: Versions,
    kinds: Mapping[str, type[Recipe]],
    check: Callable[[Recipe], None],
    *,
    beside: Path,
    changes: Sequence[str] = (),
) -> list[Row[Recipe]]:
    """Every row with its whole recipe, of one of the ``kinds``, that ``check`` does not refuse.

    What a row itself says comes last, after ``changes``, which are of all rows.

    Raises ConfigError or UnknownName: a name that can't be a folder, a recipe that can't be
    followed, a reference that is no row.
    """
    for table, row in recipe.reference.items():
        if table not in recipe.tables:
            raise UnknownName("table of the grid", table, recipe.tables)
        if row not in recipe.tables[table]:
            raise UnknownName(f"row of the table {table!r}", row, recipe.tables[table])
    found: list[Row[Recipe]] = []
    folders: dict[str, str] = {}
    for table, rows in recipe.tables.items():
        for name, own in rows.items():
            for part in (table, name):
                if Path(part).name != part:
                    raise ConfigError(f"{part!r} can't name a folder; give it another name")
            one: Any = load_recipe(
                beside / recipe.base, kinds, changes=[*recipe.changes, *changes, *own]
            )
            try:
                check(one)
            except (ConfigError, UnknownName) as error:
                raise ConfigError(f"{table}, {name}: {error}") from error
            folder = folders.setdefault(digest(one), f"{table}/{name}")
            found.append(Row(table, name, one, folder))
    if recipe.at_once < 1:
        raise ConfigError(f"at_once must be above 0, not {recipe.at_once}")
    if not found:
        raise ConfigError("the grid has no row; name one or more in 'tables'")
    return found
