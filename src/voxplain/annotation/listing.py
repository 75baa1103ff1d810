"""From what was given (files, folders, patterns, tables, archives) to a stream of entries."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path

from voxplain.annotation import archives, tables
from voxplain.annotation.entries import Entry
from voxplain.annotation.remote import Place, Remote, place
from voxplain.audio import read
from voxplain.errors import AudioError, ConfigError

__all__ = ["entries"]


def entries(
    inputs: Iterable[str | os.PathLike[str]], *, keep: Sequence[str] = ()
) -> Iterator[Entry]:
    """The recordings of each input, in order.

    An input is a recording, a folder of them, a pattern (``*``, ``?``, ``**``), a table (CSV,
    Parquet, the folder of an audformat database) or an archive (zip, tar), each here or as a URL. A
    recording that isn't there is an entry, too: what it lacks is told when it is read. With columns
    to ``keep``, all inputs are tables.

    Raises AudioError for a folder or an archive without recordings, or a place that can't be asked,
    ConfigError for standard input, a pattern that nothing matches, a table that can't be read or
    what has no columns to keep, and what ``tables.listed`` and ``remote.Remote`` raise.
    """
    for given in map(place, inputs):
        if str(given) == "-":
            raise ConfigError(
                "standard input (-) can't be read again after an interruption; give a file, or use "
                "voxplain analyze"
            )
        if any(map(glob.has_magic, given.parts)) and not given.exists():
            matching = list(_matching(given))
            if not matching:
                raise ConfigError(f"nothing matches {given}; check the pattern")
            for path in matching:
                yield from _of(path, keep)
        else:
            yield from _of(given, keep)


def _matching(pattern: Place) -> Iterator[Place]:
    """What a shell would take: nothing hidden, and nothing again that a folder brings along."""
    found: Iterable[Place] = (
        pattern.matching()
        if isinstance(pattern, Remote)
        else Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))
    )
    folders: set[Place] = set()
    for path in sorted(found, key=attrgetter("parts")):
        hidden = any(one.startswith(".") and one not in pattern.parts for one in path.parts)
        if hidden or not folders.isdisjoint(path.parents):
            continue
        if _is_folder(path):
            folders.add(path)
        yield path


def _of(path: Place, keep: Sequence[str]) -> Iterator[Entry]:
    name = path.name.lower()
    folder = _is_folder(path)
    if folder and (path / tables.HEADER).is_file():
        yield from tables.database(path, keep=keep)
    elif not folder and name.endswith(tables.SUFFIXES):
        yield from tables.listed(path, keep=keep)
    elif keep:
        raise ConfigError(
            f"{path} is no table, and has no columns to keep ({', '.join(keep)}); give a CSV, "
            "Parquet or audformat table of the recordings"
        )
    elif folder:
        yield from _below(path)
    elif name.endswith(archives.SUFFIXES):
        yield from archives.members(path)
    else:
        yield _whole(path)


def _is_folder(path: Place) -> bool:
    """Over HTTP anything could be one, so that what ends like a file is none."""
    files = (*tables.SUFFIXES, *archives.SUFFIXES, *read.SUFFIXES)
    return not (isinstance(path, Remote) and path.name.lower().endswith(files)) and path.is_dir()


def _whole(path: Place) -> Entry:
    return Entry(read.source_name(str(path)), str(path.absolute()))


def _below(folder: Place) -> Iterator[Entry]:
    """As ``read.find_files`` has them, but one by one: a folder may hold millions."""
    found = False
    for path in _fetched(folder) if isinstance(folder, Remote) else _walked(folder):
        found = True
        yield _whole(path)
    if found:
        return
    if isinstance(folder, Path):
        read.find_files(folder)  # says so
    raise AudioError(
        f"no audio or video below {folder}; give a folder with files that end in "
        f"{' '.join(read.SUFFIXES)}"
    )


def _fetched(folder: Remote) -> Iterator[Remote]:
    """Listed at once: where folders are but parts of names, that is a request a thousand files."""
    for path in sorted(folder.below(), key=attrgetter("parts")):
        hidden = any(one.startswith(".") for one in path.parts[len(folder.parts) :])
        if path.suffix.lower() in read.SUFFIXES and not hidden:
            yield path


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
