"""The folder beside a table that is being made: the command, the list, and a part for each batch.

    OUT.parts/
      recordings.jsonl   every recording, a line each
      manifest.json      the command that the parts are of; written once the list is whole
      00000000.jsonl     the rows of a batch: a line for each of its recordings
      joined             there once the table is whole and takes its place

Each file takes its name only when all of it is on the disk, so that whatever has a name is whole.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from voxplain.annotation.entries import Batch, Entry
from voxplain.annotation.rows import Row
from voxplain.errors import ConfigError, InputError, OutputError

__all__ = ["Parts"]

_LIST, _MANIFEST, _JOINED, _PARTIAL = "recordings.jsonl", "manifest.json", "joined", ".partial"
_OURS = re.compile(
    r"(recordings\.jsonl|manifest\.json|\d{8}\.jsonl|joined)(\.partial)?|table\..*|\.voxplain-.*"
)


class Parts:
    """What is done of a list of recordings, and what lacks."""

    def __init__(self, folder: Path) -> None:
        """Raises OutputError for a manifest that can't be read."""
        self.folder = folder
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
    def joined(self) -> bool:
        """Whether the table of these parts was whole."""
        return (self.folder / _JOINED).exists()

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

        Raises OutputError, ConfigError for a folder with anything else in it or for an empty list,
        and what listing the entries raises.
        """
        self.remove()
        number, speakers = 0, False

        def lines() -> Iterator[str]:
            nonlocal number, speakers
            for entry in entries:
                number += 1
                told = entry.speaker or any(one.speaker for one in entry.intervals)
                speakers = speakers or bool(told)
                yield entry.to_json() + "\n"

        with _kept(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._put(_LIST, lines())
            if not number:
                raise ConfigError("the inputs name no recording; give files, folders or tables")
        except InputError:
            self.remove()
            raise
        manifest = {"command": dict(command), "recordings": number, "speakers": speakers}
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

    def mark_joined(self) -> None:
        """Say that the table is whole and takes its place. Raises OutputError."""
        self._put(_JOINED, [])

    def remove(self) -> None:
        """Delete all of it, the manifest first: what is left without one counts for nothing.

        Raises ConfigError for a folder with anything else in it, OutputError.
        """
        if not self.folder.exists():
            return
        with _kept(self.folder):
            names = sorted(path.name for path in self.folder.iterdir())
            if foreign := [name for name in names if not _OURS.fullmatch(name)]:
                raise ConfigError(
                    f"{self.folder} holds {foreign[0]}, which is not of voxplain annotate; move "
                    "that folder, or give another name with --out"
                )
            for name in (_MANIFEST, *names):
                (self.folder / name).unlink(missing_ok=True)
            self.folder.rmdir()

    def _done(self) -> set[int]:
        """The batches that have a part; after a power cut it may be empty and counts for none."""
        with _kept(self.folder):
            return {
                int(path.stem) for path in self.folder.glob("[0-9]*.jsonl") if path.stat().st_size
            }

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
            partial.replace(self.folder / name)


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
