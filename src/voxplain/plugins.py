"""A plug-in folder is its own registry: the file name is the plug-in's name.

``names(kind)`` lists a folder without importing anything in it, ``find(kind, name)`` imports the
one that is asked for. Outside packages add theirs through the entry-point group
``voxplain.<kind>``. Files that begin with an underscore are not plug-ins.

What needs no code of its own is a YAML file in the folder's ``described/``: the function ``plugin``
of the folder's ``_described.py`` makes a module of it.
"""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import EntryPoints, entry_points
from importlib.resources import files
from types import ModuleType

from voxplain.errors import MissingExtra, UnknownName

__all__ = ["FOLDERS", "find", "names", "require"]

FOLDERS = {
    "backbones": "voxplain.backbones",
    "backends": "voxplain.descriptors.backends",
    "corpora": "voxplain.training.corpora",
    "descriptors": "voxplain.descriptors",
    "diarisers": "voxplain.conversations.diarisers",
    "engines": "voxplain.annotation.engines",
    "explainers": "voxplain.explainers",
    "formats": "voxplain.models.formats",
    "llms": "voxplain.llms",
    "metrics": "voxplain.training.metrics",
    "reports": "voxplain.reports",
    "transcribers": "voxplain.text.transcribers",
}
"""Kind of plug-in -> the package whose files are the plug-ins."""


@cache
def names(kind: str) -> tuple[str, ...]:
    """Names of the plug-ins of a kind, sorted.

    Raises UnknownName for a kind that does not exist.
    """
    folder = files(_folder(kind))
    own = {
        entry.name.removesuffix(suffix)
        for place, suffix in ((folder, ".py"), (folder / "described", ".yaml"))
        if place.is_dir()
        for entry in place.iterdir()
        if entry.name.endswith(suffix) and not entry.name.startswith("_")
    }
    return tuple(sorted(own | {point.name for point in _offered(kind)}))


def find(kind: str, name: str) -> ModuleType:
    """Import one plug-in.

    Raises UnknownName for a plug-in that does not exist.
    """
    if name not in names(kind):
        raise UnknownName(f"{kind} plug-in", name, names(kind))
    for point in _offered(kind).select(name=name):
        module: ModuleType = point.load()
        return module
    description = files(_folder(kind)) / "described" / f"{name}.yaml"
    if description.is_file():
        made: ModuleType = importlib.import_module(f"{_folder(kind)}._described").plugin(
            description
        )
        return made
    return importlib.import_module(f"{_folder(kind)}.{name}")


def require(package: str, *, extra: str) -> ModuleType:
    """Import a package that an extra installs.

    Raises MissingExtra, which names the extra, where it is absent.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{package}.".startswith(f"{error.name}."):
            raise  # it is there, but something that it needs is not
        raise MissingExtra(package, extra) from error


@cache
def _offered(kind: str) -> EntryPoints:
    """What outside packages add; kept, since each look reads the metadata of all that is there."""
    return entry_points(group=f"voxplain.{kind}")


def _folder(kind: str) -> str:
    if kind not in FOLDERS:
        raise UnknownName("kind of plug-in", kind, FOLDERS)
    return FOLDERS[kind]
