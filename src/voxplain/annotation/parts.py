"""The folder beside a table that is being made: the command, the list, and a part for each batch.

    OUT.parts/
      recordings.jsonl   every recording, a line each
      manifest.json      the command that the parts are of; written once the list is whole
      00000000.jsonl     the rows of a batch: a line for each of its recordings
      joined             there once the table is whole and takes its place
      lock               held by the one command that works here

Each file takes its name only when all of it is on the disk, so that whatever has a name is whole,
after a power cut, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import weakref
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from voxplain.annotation.entries import Batch, Entry
from voxplain.annotation.rows import Row
from voxplain.errors import ConfigError, InputError, OutputError

if sys.platform != "win32":
    import fcntl

__all__ = ["Parts", "joined"]

_LIST, _MANIFEST, _JOINED, _PARTIAL = "recordings.jsonl", "manifest.json", "joined", ".partial"
_LOCK = "lock"
_OURS = re.compile(
    r"(recordings\.jsonl|manifest\.json|\d{8}\.jsonl|joined)(\.partial)?|lock|table\..*"
    r"|\.voxplain-.*"
)


def joined(folder: Path) -> bool:
    """Whether the table of the parts in a folder was whole."""
    return (folder / _JOINED).exists()


class Parts:
    """What is done of a list of recordings, and what lacks."""

    def __init__(self, folder: Path) -> None:
        """Nobody else may work in the folder as long as this lives.

        Raises ConfigError where somebody does, or for a folder with anything else in it,
        OutputError for a manifest that can't be read.
        """
        self.folder = folder
        self._refuse_foreign()
        weakref.finalize(self, os.close, _locked(folder))
        self._manifest: dict[str, Any] = {}
        with _kept(folder):
            if (folder / _MANIFEST).exists():
                self._manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))

    @property
    def begun(self) -> bool:
        """Whether there is a list to work through."""
        return bool(self._manifest)

    @property
    def recordings(self) -> int:
        """How many there are in the list."""
        return int(self._manifest["recordings"])

    @property
    def speakers(self) -> bool:
        """Whether the list says of any recording who speaks."""
        return bool(self._manifest["speakers"])

    @property
    def texts(self) -> tuple[str, ...]:
        """The kept columns that hold anything but numbers."""
        return tuple(self._manifest["texts"])

    def differences(self, command: Mapping[str, Any]) -> list[str]:
        """What another command says otherwise, in words."""
        had = self._manifest["command"]
        return [
            f"{name}: {_short(had.get(name))} then, {_short(command.get(name))} now"
            for name in {**had, **command}
            if had.get(name) != command.get(name)
        ]

    def begin(self, command: Mapping[str, Any], entries: Iterable[Entry]) -> None:
        """Write the list and the manifest; parts of another command go.

        Raises OutputError, ConfigError for an empty list, and what listing the entries raises.
        """
        self._clear()
        number, speakers = 0, False
        texts: set[str] = set()

        def lines() -> Iterator[str]:
            nonlocal number, speakers
            for entry in entries:
                number += 1
                told = entry.speaker or any(one.speaker for one in entry.intervals)
                speakers = speakers or bool(told)
                for kept in entry.kept:
                    texts.update(name for name, cell in kept.items() if isinstance(cell, str))
                yield entry.to_json() + "\n"

        try:
            self._put(_LIST, lines())
            if not number:
                raise ConfigError("the inputs name no recording; give files, folders or tables")
        except InputError:
            self.remove()
            raise
        found = {"recordings": number, "speakers": speakers, "texts": sorted(texts)}
        manifest = {"command": dict(command), **found}
        self._put(_MANIFEST, [json.dumps(manifest, indent=1) + "\n"])
        self._manifest = manifest

    def lacking(self) -> Iterator[tuple[int, Batch]]:
        """The batches without a part, each with its number."""
        done = self._done()
        with _kept(self.folder):
            lines = (self.folder / _LIST).open(encoding="utf-8")
        with lines:
            for number in range(self._batches):
                batch = list(islice(lines, self._size))
                if number not in done:
                    yield number, [Entry.from_json(line) for line in batch]

    def keep(self, number: int, rows: Iterable[list[Row]]) -> None:
        """The rows of the recordings of a batch. Raises OutputError."""
        self._put(_name(number), (json.dumps(one) + "\n" for one in rows))

    def done(self) -> int:
        """How many recordings have their rows."""
        left = {self._batches - 1: self.recordings - (self._batches - 1) * self._size}
        return sum(left.get(number, self._size) for number in self._done())

    def rows(self) -> Iterator[list[Row]]:
        """The rows of each recording, in the order of the list."""
        for number in range(self._batches):
            with _kept(self.folder), (self.folder / _name(number)).open(encoding="utf-8") as part:
                lines = list(part)
            yield from map(json.loads, lines)

    def deliver(self, table: Path, out: Path) -> None:
        """Let a table that is whole take its place. Raises OutputError."""
        with _kept(table):
            _settle(table)
        self._put(_JOINED, [])
        try:
            table.replace(out)
            _settle(out.parent)
        except OSError as error:
            raise OutputError(f"{out} can't be written: {error.strerror or error}") from error

    def remove(self) -> None:
        """Delete all of it. Raises OutputError."""
        self._clear()
        with _kept(self.folder):
            (self.folder / _LOCK).unlink()
            self.folder.rmdir()

    def _clear(self) -> None:
        """The manifest first: what is left without one counts for nothing."""
        with _kept(self.folder):
            names = [path.name for path in self.folder.iterdir() if path.name != _LOCK]
            for name in (_MANIFEST, *names):
                (self.folder / name).unlink(missing_ok=True)

    def _refuse_foreign(self) -> None:
        with _kept(self.folder):
            names = sorted(path.name for path in self.folder.glob("*"))
        if foreign := [name for name in names if not _OURS.fullmatch(name)]:
            raise ConfigError(
                f"{self.folder} holds {foreign[0]}, which is not of voxplain annotate; move "
                "that folder, or give another name with --out"
            )

    def _done(self) -> set[int]:
        """The batches that have a part."""
        with _kept(self.folder):
            return {int(path.stem) for path in self.folder.glob("[0-9]*.jsonl")}

    @property
    def _size(self) -> int:
        return int(self._manifest["command"]["batch"])

    @property
    def _batches(self) -> int:
        return -(-self.recordings // self._size)

    def _put(self, name: str, lines: Iterable[str]) -> None:
        partial = self.folder / (name + _PARTIAL)
        with _kept(partial):
            with partial.open("w", encoding="utf-8") as stream:
                stream.writelines(lines)
            _settle(partial)
            partial.replace(self.folder / name)


def _locked(folder: Path) -> int:
    """An open file that keeps others out until it is closed, if only by the end of the process.

    Where the file system knows no locks, and on Windows, nobody is kept out.
    """
    while True:
        with _kept(folder):
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT)
        if sys.platform == "win32":
            return descriptor
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise ConfigError(
                f"another command works in {folder}; wait until it ends, or give another name with "
                "--out"
            ) from error
        except OSError:
            return descriptor
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), (folder / _LOCK).stat()):
                return descriptor
        os.close(descriptor)  # who held it has deleted it meanwhile


def _settle(path: Path) -> None:
    """Wait until what was written there is on the disk."""
    if path.is_dir() and sys.platform == "win32":
        return  # Windows opens no folders
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _name(number: int) -> str:
    return f"{number:08d}.jsonl"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


@contextlib.contextmanager
def _kept(path: Path) -> Iterator[None]:
    """What is already done stays done. Raises OutputError."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path} can't be used: {error.strerror or error}; what is done is kept: free some "
            "room, and the same command goes on"
        ) from error
