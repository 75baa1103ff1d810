"""Emotions of many recordings as a table: a row per stretch of speech.

examples:
  voxplain annotate corpus/ -o emotions.parquet --jobs 4
  voxplain annotate calls.zip "more/**/*.wav" -o emotions.csv
  voxplain annotate segments.csv -o emotions.csv         a row per interval
  voxplain annotate labels.csv -o t.csv --keep label     beside labels of yours
  voxplain annotate s3://bucket/corpus/ -o emotions.parquet
  voxplain annotate corpus/ -o all.parquet --descriptors --embeddings
  voxplain annotate /data/corpus -o t.parquet --engine ray --address head:6379

INPUT is a recording, a folder of them, a pattern, a zip or tar archive, or a
table (CSV, Parquet, audformat) with a column file and, if wanted, start, end
(s) and speaker; each here or as a URL (https, s3, gs, sftp, ...). After an
interruption the same command goes on. The columns and what to do with them:
docs/annotate.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from voxplain.annotation.parts import joined
from voxplain.annotation.remote import is_url
from voxplain.annotation.rows import Options, width
from voxplain.annotation.work import BATCH, Work, engine_for
from voxplain.cli._progress import Bar
from voxplain.cli._tables import SUFFIXES, table_writer
from voxplain.errors import ConfigError, UnknownName
from voxplain.pipeline import DEFAULT_MODEL
from voxplain.plugins import names, require

__all__ = ["add", "run"]

PARTS = ".parts"
"""Beside the table, while it is being made."""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    option = parser.add_argument
    option("input", nargs="+", help="recordings, folders, patterns, archives or tables")
    option("-o", "--out", required=True, metavar="FILE", help=", ".join(SUFFIXES))
    option("--descriptors", action="store_true", help="also the acoustic descriptors of each row")
    option(
        "--embeddings", action="store_true", help="also the mean state of the encoder, as a list"
    )
    option(
        "--keep",
        action="append",
        default=[],
        metavar="COLUMN",
        help="of the tables, as it stands there; may be given again",
    )
    option("--model", default=DEFAULT_MODEL, help="by name, folder or hub id")
    option("--jobs", type=int, default=1, metavar="N", help="processes (default 1)")
    option("--engine", choices=names("engines"), default="local", help="who works (default local)")
    option("--address", metavar="HOST:PORT", help="of a Ray cluster (default this machine alone)")
    option(
        "--batch",
        type=int,
        default=BATCH,
        metavar="N",
        help=f"files of a part (default {BATCH})",
    )
    option(
        "--force", action="store_true", help="replace a table, or parts of one by another command"
    )


def run(arguments: argparse.Namespace) -> int:
    """Annotate, or go on with it, and write."""
    if is_url(arguments.out):
        raise ConfigError(
            f"{arguments.out} is not on this machine, where unfinished work has to lie; write to a "
            "file here, and copy it there"
        )
    out = Path(arguments.out)
    options = Options(
        arguments.model, arguments.descriptors, arguments.embeddings, tuple(arguments.keep)
    )
    folder = out.with_name(out.name + PARTS)
    _check(out, folder, options, force=arguments.force)
    engine = {name: getattr(arguments, name) for name in ("engine", "jobs", "address")}
    engine_for(**engine)
    try:
        work = Work(
            arguments.input, folder, options=options, batch=arguments.batch, force=arguments.force
        )
        _work(work, **engine)
        rows, failed = _write(work, out)
    except KeyboardInterrupt:
        print("voxplain: interrupted; the same command goes on", file=sys.stderr)
        return 130
    total = work.parts.recordings
    work.parts.remove()
    print(f"wrote {out}: {rows} rows of {total} recordings, {failed} failed", file=sys.stderr)
    return 1 if failed else 0


def _check(out: Path, folder: Path, options: Options, *, force: bool) -> None:
    """Refuse at once what would fail in the end."""
    if out.suffix not in SUFFIXES:
        raise UnknownName("kind of table", out.suffix, SUFFIXES)
    if out.suffix == ".parquet":
        require("pyarrow", extra="tables")
    if out.suffix == ".csv" and options.embeddings:
        raise ConfigError("a CSV has no cells for embeddings; write .parquet or .jsonl")
    if out.exists() and not force and not joined(folder):
        raise ConfigError(f"{out} exists; --force replaces it")


def _work(work: Work, **engine: Any) -> None:
    with Bar(unit="file", hidden=False, total=work.parts.recordings) as bar:
        done = work.parts.done()
        bar.reach(done)
        for batch in work.run(**engine):
            for rows in batch:
                for error in dict.fromkeys(row["error"] for row in rows if "error" in row):
                    print(f"voxplain: {error}", file=sys.stderr)
            done += len(batch)
            bar.reach(done)


def _write(work: Work, out: Path) -> tuple[int, int]:
    """Join the parts, under another name first; how many rows there are, and files that failed."""
    table = work.parts.folder / f"table{out.suffix}"
    vectors = {"embedding": width(work.options)} if work.options.embeddings else {}
    rows = failed = 0
    with table_writer(table, work.columns, vectors=vectors, kept=work.kept) as writer:
        for found in work.rows():
            rows += len(found)
            failed += any(row["error"] for row in found)
            writer.write({name: [row[name] for row in found] for name in work.columns})
    work.parts.deliver(table, out)
    return rows, failed
