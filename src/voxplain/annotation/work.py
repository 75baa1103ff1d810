"""Annotating from beginning to end: the list, the batches that lack, and all rows in order."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from voxplain import __version__
from voxplain.annotation import listing, rows
from voxplain.annotation.parts import Parts
from voxplain.annotation.remote import place
from voxplain.annotation.rows import Options, Row
from voxplain.errors import ConfigError
from voxplain.plugins import find, require

__all__ = ["BATCH", "Work", "annotate", "engine_for"]

BATCH = 32
"""Recordings of a part."""

Inputs = Sequence[str | os.PathLike[str]]


def engine_for(engine: str, *, jobs: int, address: str | None = None) -> Callable[..., Any]:
    """The ``run`` of an engine (see ``engines``), with as many workers.

    Raises UnknownName, MissingExtra, ConfigError for ``jobs``, or for an ``address`` that the
    engine can't join.
    """
    found = find("engines", engine)
    if jobs < 1:
        raise ConfigError(f"--jobs must be at least 1, not {jobs}")
    if found.CARD.extra:
        require(engine, extra=found.CARD.extra)
    if address is None:
        return functools.partial(found.run, jobs=jobs)
    if not found.CARD.joins:
        raise ConfigError(
            f"--engine {engine} joins no cluster, so that --address {address} is of no use; leave "
            "it out, or give --engine ray"
        )
    return functools.partial(found.run, jobs=jobs, address=address)


class Work:
    """A list of recordings and what is done of it, kept in a folder."""

    def __init__(
        self,
        inputs: Inputs,
        folder: Path,
        *,
        options: Options,
        batch: int = BATCH,
        force: bool = False,
    ) -> None:
        """Begin, or go on with what the folder holds of the same command.

        With ``force``, what it holds of another is dropped. Raises ConfigError for a folder of
        another command, or in which one is at work, or for numbers that make no sense, OutputError,
        what ``rows.columns`` raises, and what ``listing.entries`` raises.
        """
        if batch < 1:
            raise ConfigError(f"--batch must be at least 1, not {batch}")
        self.options = options
        self._model = rows.identity(options)
        rows.columns(options, speakers=True)  # before all is listed: a name may be taken
        command = {
            "inputs": [str(place(one).absolute()) for one in inputs],
            **self._model,
            "descriptors": options.descriptors,
            "embeddings": options.embeddings,
            "keep": list(options.keep),
            "batch": batch,
            "voxplain": __version__,
        }
        self.parts = Parts(folder)
        different = self.parts.differences(command) if self.parts.begun else []
        if different and not force:
            raise ConfigError(
                f"{folder} holds unfinished work of another command ({'; '.join(different)}); give "
                "that command again to go on with it, or --force to begin anew"
            )
        if different or not self.parts.begun:
            self.parts.begin(command, listing.entries(inputs, keep=options.keep))
        self.columns = rows.columns(options, speakers=self.parts.speakers)

    def run(
        self, *, engine: str = "local", jobs: int = 1, address: str | None = None
    ) -> Iterator[list[list[Row]]]:
        """Do what lacks; the rows of each recording of a batch, as batches are done and kept.

        ``address`` is that of a cluster, for engines that join one. Raises what ``engine_for`` and
        ``pipeline.load`` raise, ConfigError for an address where there is none, ChecksumMismatch
        for a worker with another model, WorkerLost, OutputError.
        """
        run = engine_for(engine, jobs=jobs, address=address)
        annotated = functools.partial(
            rows.annotated, options=self._everywhere(), model_sha256=self._model["model_sha256"]
        )
        with contextlib.closing(run(annotated, self.parts.lacking())) as batches:
            for number, found in batches:
                self.parts.keep(number, found)
                yield found

    def _everywhere(self) -> Options:
        """For workers that stand in another folder."""
        folder = Path(self.options.model)
        model = str(folder.absolute()) if folder.is_dir() else self.options.model
        return dataclasses.replace(self.options, model=model)

    def rows(self) -> Iterator[list[dict[str, Any]]]:
        """The rows of each recording in order, each with all columns. Raises OutputError."""
        for found in self.parts.rows():
            for row in found:  # one table may have numbers where another has text
                row |= {one: str(row[one]) for one in self.parts.texts if row.get(one) is not None}
            yield [{name: row.get(name) for name in self.columns} for row in found]

    @property
    def kept(self) -> dict[str, type]:
        """The kept columns, each with what it holds: text (str) or numbers (float)."""
        texts = self.parts.texts
        return {name: str if name in texts else float for name in self.options.keep}


def annotate(
    inputs: str | os.PathLike[str] | Inputs,
    *,
    options: Options | None = None,
    engine: str = "local",
    jobs: int = 1,
    address: str | None = None,
) -> Iterator[Row]:
    """The rows of many recordings, in their order: one a stretch of speech, or one an interval.

    ``inputs`` are recordings, folders, patterns, tables (CSV, Parquet, audformat) and archives
    (zip, tar), here or as URLs. A row is column -> value, with all columns; what can't be read is a
    row with an ``error``. The first row comes when all are done: until then they lie in a temporary
    folder.

    Raises what ``Work`` and ``Work.run`` raise.
    """
    several = [inputs] if isinstance(inputs, str | os.PathLike) else inputs
    with tempfile.TemporaryDirectory(prefix="voxplain-") as folder:
        work = Work(several, Path(folder, "parts"), options=options or Options())
        for _ in work.run(engine=engine, jobs=jobs, address=address):
            pass
        for found in work.rows():
            yield from found
