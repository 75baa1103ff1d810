"""From what was given (files, folders, patterns, tables, archives) to a stream of entries."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from voxplain.annotation import archives, tables
from voxplain.annotation.entries import Entry
from voxplain.audio import read
from voxplain.errors import AudioError, ConfigError

__all__ = ["entries"]


def entries(inputs: Iterable[str | os.PathLike[str]]) -> Iterator[Entry]:
    """The recordings of each input, in order.

    An input is a recording, a folder of them, a pattern (``*``, ``?``, ``**``), a table (CSV,
    Parquet, the folder of an audformat database) or an archive (zip, tar). A recording that isn't
    there is an entry, too: what it lacks is told when it is read.

    Raises AudioError for a folder or an archive without recordings, ConfigError for standard input,
    a pattern that nothing matches or a table that can't be read, and what ``tables.listed`` raises.
    """
    for given in map(Path, inputs):
        if str(given) == "-":
            raise ConfigError(
                "standard input (-) can't be read again after an interruption; give a file, or use "
                "voxplain analyze"
            )
        if glob.has_magic(str(given)) and not given.exists():
            matching = list(_matching(given))
            if not matching:
                raise ConfigError(f"nothing matches {given}; check the pattern")
            for path in matching:
                yield from _of(path)
        else:
            yield from _of(given)


def _matching(pattern: Path) -> Iterator[Path]:
    """What a shell would take: nothing hidden, and nothing again that a folder brings along."""
    found = Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))
    folders: set[Path] = set()
    for path in sorted(found):
        hidden = any(one.startswith(".") and one not in pattern.parts for one in path.parts)
        if hidden or not folders.isdisjoint(path.parents):
            continue
        if path.is_dir():
            folders.add(path)
        yield path


def _of(path: Path) -> Iterator[Entry]:
    name = path.name.lower()
    if path.is_dir():
        if (path / tables.HEADER).is_file():
            yield from tables.database(path)
        else:
            yield from _below(path)
    elif name.endswith(tables.SUFFIXES):
        yield from tables.listed(path)
    elif name.endswith(archives.SUFFIXES):
        yield from archives.members(path)
    else:
        yield _whole(path)


def _whole(path: Path) -> Entry:
    return Entry(read.source_name(path), str(path.absolute()))


def _below(folder: Path) -> Iterator[Entry]:
    """As ``read.find_files`` has them, but one by one: a folder may hold millions."""
    found = False
    for path in _walked(folder):
        found = True
        yield _whole(path)
    if not found:
        read.find_files(folder)  # says so


def _walked(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as place:
            here = sorted(
                (one.name, one.is_dir(follow_symlinks=False), one.is_dir()) for one in place
            )
    except OSError as error:
        raise AudioError(
            f"{read.source_name(folder)} can't be listed ({error.strerror}); check its permissions"
        ) from error
    for name, inside, is_folder in here:
        if name.startswith("."):
            continue
        if inside:
            yield from _walked(folder / name)
        elif not is_folder and Path(name).suffix.lower() in read.SUFFIXES:
            yield folder / name
