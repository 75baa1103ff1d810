"""Jobs in SQLite: what was asked, by whom, how it went."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from voxplain.errors import ConfigError, OutputError

__all__ = ["ENDED", "Job", "State", "Store"]

State = Literal["queued", "running", "done", "failed"]
ENDED = ("done", "failed")
_TABLE = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    options TEXT NOT NULL,
    heard INTEGER NOT NULL,
    state TEXT NOT NULL,
    created REAL NOT NULL,
    started REAL,
    finished REAL,
    error TEXT,
    webhook TEXT
)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A row; times are seconds since 1970."""

    id: str
    owner: str
    """SHA-256 of the key that may see it; empty where there are no keys."""
    name: str
    """Of the recording, as its owner calls it."""
    options: dict[str, Any]
    heard: bool
    """Whether its page holds the sound."""
    state: State = "queued"
    created: float
    started: float | None = None
    finished: float | None = None
    error: dict[str, Any] | None = None
    """A problem, where it failed."""
    webhook: str | None = None
    """Who is still to be told of the end."""


class Store:
    """Safe to call from several threads; every change is on disk when its call returns."""

    def __init__(self, path: Path) -> None:
        """Open or make it, for this process alone; what was under way waits again.

        Raises ConfigError where another service has it, OutputError where it can't be written.
        """
        self._lock = threading.Lock()
        try:
            self._rows = sqlite3.connect(
                path, timeout=0.2, isolation_level=None, check_same_thread=False
            )
            self._rows.row_factory = sqlite3.Row
            # Exclusive: a second service would take the work of the first for its own.
            self._rows.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._rows.execute("PRAGMA journal_mode = WAL")
            self._rows.execute("PRAGMA secure_delete = ON")
            self._rows.execute(_TABLE)
            self._rows.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise ConfigError(
                    f"{path} is in use by another service; give this one its own --data"
                ) from error
            raise OutputError(str(error)) from error

    def close(self) -> None:
        """Leave it to others."""
        self._rows.close()

    def add(self, job: Job) -> None:
        """A new job."""
        with self._changing() as rows:
            rows.execute(
                "INSERT INTO jobs (id, owner, name, options, heard, state, created, webhook) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(job.id, job.owner, job.name, json.dumps(job.options), job.heard),
                    *(job.state, job.created, job.webhook),
                ),
            )

    def get(self, job_id: str) -> Job | None:
        """One of them."""
        found = self._select("WHERE id = ?", job_id)
        return found[0] if found else None

    def next(self) -> Job | None:
        """The oldest that waits; from now on it is running."""
        with self._changing() as rows:
            row = rows.execute(
                "UPDATE jobs SET state = 'running', started = ? WHERE id = (SELECT id FROM jobs "
                "WHERE state = 'queued' ORDER BY created LIMIT 1) RETURNING *",
                (time.time(),),
            ).fetchone()
        return _job(row) if row else None

    def finish(self, job_id: str, error: dict[str, Any] | None) -> None:
        """Done, or failed with an error."""
        with self._changing() as rows:
            rows.execute(
                "UPDATE jobs SET state = ?, finished = ?, error = ? WHERE id = ?",
                ("failed" if error else "done", time.time(), error and json.dumps(error), job_id),
            )

    def told(self, job_id: str) -> None:
        """Nobody waits for news of it any more."""
        with self._changing() as rows:
            rows.execute("UPDATE jobs SET webhook = NULL WHERE id = ?", (job_id,))

    def remove(self, job_id: str) -> None:
        """Forget it."""
        with self._changing() as rows:
            rows.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
            rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # nor may the journal remember it

    def ended(self, *, before: float) -> list[Job]:
        """Those that ended before a time."""
        return self._select("WHERE finished < ? ORDER BY finished", before)

    def untold(self) -> list[Job]:
        """Those that ended and whose webhook has not been told."""
        return self._select("WHERE finished IS NOT NULL AND webhook IS NOT NULL")

    def ids(self) -> set[str]:
        """Of all."""
        return {job.id for job in self._select("")}

    def counts(self) -> dict[str, int]:
        """State -> number of jobs."""
        with self._lock:
            found = self._rows.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall()
        return {row[0]: row[1] for row in found}

    def _select(self, where: str, *values: Any) -> list[Job]:
        with self._lock:
            return [_job(row) for row in self._rows.execute(f"SELECT * FROM jobs {where}", values)]

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """Raises OutputError where the disk refuses."""
        with self._lock:
            try:
                yield self._rows
            except sqlite3.OperationalError as error:
                raise OutputError(f"the job can't be written: {error}; free some room") from error


def _job(row: sqlite3.Row) -> Job:
    plain = dict(row)
    plain["options"] = json.loads(plain["options"])
    plain["error"] = plain["error"] and json.loads(plain["error"])
    plain["heard"] = bool(plain["heard"])
    return Job(**plain)
