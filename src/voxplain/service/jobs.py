"""Jobs from their beginning to their end, and to the end of what is kept of them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from voxplain.errors import OutputError, UnknownName, VoxplainError, WorkerLost
from voxplain.service import webhooks, work
from voxplain.service.metrics import Metrics
from voxplain.service.options import Options
from voxplain.service.problems import of_error
from voxplain.service.settings import Settings
from voxplain.service.store import Job, Store
from voxplain.service.workers import Busy, OutOfTime, Workers

__all__ = ["Jobs"]

AUDIO = "audio"
_CLEANING = 60.0
"""Seconds between two looks for what need not be kept any longer."""
_log = logging.getLogger("voxplain.service")


class Jobs:
    """The queue, who works on it, and the folder of each job."""

    def __init__(self, settings: Settings, workers: Workers[Any], metrics: Metrics) -> None:
        """Raises ConfigError or OutputError where the data folder can't be used."""
        self._settings, self._workers, self._metrics = settings, workers, metrics
        self._folder = settings.data / "jobs"
        self.incoming = settings.data / "incoming"
        """Where uploads lie until they are answered, or a job."""
        try:
            settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.store = Store(settings.data / "jobs.sqlite")  # from here on the folder is ours
            self._folder.mkdir(exist_ok=True)
            shutil.rmtree(self.incoming, ignore_errors=True)  # of a service that was killed
            self.incoming.mkdir()
        except OSError as error:
            raise OutputError(
                f"{settings.data} can't be written: {error.strerror or error}; give another "
                "folder with --data"
            ) from error
        self._waiting = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._telling: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work; what is under way in the end waits for the next time."""
        for folder in self._folder.iterdir():
            if folder.name not in self.store.ids():
                shutil.rmtree(folder)  # cut off on its way in or out
        for job in self.store.untold():
            self._tell(job)
        self._waiting.set()
        loops: list[Coroutine[Any, Any, None]] = [self._clean()]
        loops += [self._work() for _ in range(self._settings.job_workers)]
        tasks = [asyncio.create_task(one) for one in loops]
        try:
            yield
        finally:
            ended = [*tasks, *self._running.values(), *self._telling]
            for task in ended:
                task.cancel()
            await asyncio.gather(*ended, return_exceptions=True)
            self.store.close()

    def add(
        self, upload: Path, *, name: str, owner: str, options: Options, heard: bool, webhook: str
    ) -> Job:
        """A job of a recording, which is moved to it. Blocks while the disk is written.

        Raises Busy, UnknownName for a webhook, OutputError.
        """
        if webhook and webhook not in self._settings.webhooks:
            raise UnknownName("webhook", webhook, self._settings.webhooks)
        if self.store.counts().get("queued", 0) >= self._settings.max_jobs:
            raise Busy(60)
        job = Job(
            id=secrets.token_urlsafe(24),
            owner=owner,
            name=name,
            options=dataclasses.asdict(options),
            heard=heard,
            created=time.time(),
            webhook=webhook or None,
        )
        folder = self.folder(job)
        folder.mkdir()
        upload.rename(folder / AUDIO)
        self.store.add(job)
        return job

    def start(self) -> None:
        """Tell the workers that there is something to do."""
        self._waiting.set()

    def folder(self, job: Job) -> Path:
        """Where its files are."""
        return self._folder / job.id

    def progress(self, job: Job) -> tuple[float, float | None]:
        """Seconds of sound that are done, and those that there are, once that is known."""
        try:
            plain = json.loads((self.folder(job) / work.PROGRESS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return 0.0, None
        return (plain["duration"] if job.state == "done" else plain["seconds"]), plain["duration"]

    async def remove(self, job: Job) -> None:
        """Stop it, and delete all that there is of it."""
        if task := self._running.get(job.id):
            task.cancel()
            await asyncio.wait([task])
        await asyncio.to_thread(self._forget, job)

    def _forget(self, job: Job) -> None:
        self.store.remove(job.id)
        # A worker that is being killed may write until it is dead, but not where nothing is.
        gone = self._folder / f"gone-{secrets.token_hex(8)}"
        with contextlib.suppress(FileNotFoundError):
            self.folder(job).rename(gone)
            shutil.rmtree(gone)

    async def _work(self) -> None:
        while True:
            self._waiting.clear()
            try:
                job = await asyncio.to_thread(self.store.next)
            except OutputError:  # no room just now
                _log.exception("jobs can't be started")
                await asyncio.sleep(_CLEANING)
                continue
            if job is None:
                await self._waiting.wait()
                continue
            task = asyncio.create_task(self._one(job))
            self._running[job.id] = task
            await asyncio.wait([task])
            del self._running[job.id]
            if not task.cancelled() and (failure := task.exception()):
                _log.error("a job can't be ended", exc_info=failure)

    async def _one(self, job: Job) -> None:
        error = None
        audio = self.folder(job) / AUDIO
        recording = work.Recording(audio, job.name, self._settings.max_job_seconds)
        try:
            await self._workers.run(
                self._settings.job_timeout,
                work.job,
                self._settings.model,
                recording,
                Options(**job.options),
                self.folder(job),
                heard=job.heard,
            )
        except VoxplainError as refused:
            error = of_error(refused)
        except OutOfTime:
            lost = WorkerLost(
                f"{job.name} took more than {self._settings.job_timeout:g} s and was stopped; "
                "cut it into parts"
            )
            error = of_error(lost)
        except Exception:
            _log.exception("a job failed")
            error = of_error(VoxplainError("an error of the service; its log tells more"))
        await asyncio.to_thread(self._end, job, error)
        if job.webhook and (ended := await asyncio.to_thread(self.store.get, job.id)):
            self._tell(ended)

    def _end(self, job: Job, error: dict[str, Any] | None) -> None:
        self.store.finish(job.id, error)
        self._metrics.jobs_ended.labels("failed" if error else "done").inc()
        if not self._settings.keep_audio:
            (self.folder(job) / AUDIO).unlink(missing_ok=True)

    def _tell(self, job: Job) -> None:
        task = asyncio.create_task(self._told(job))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _told(self, job: Job) -> None:
        url = self._settings.webhooks.get(job.webhook or "")
        if url:
            await webhooks.deliver(
                url,
                {"type": f"job.{job.state}", "job": job.id},
                identifier=job.id,
                secret=self._settings.webhook_secret,
            )
        await asyncio.to_thread(self.store.told, job.id)

    async def _clean(self) -> None:
        while True:
            await asyncio.to_thread(self.delete_what_is_past, now=time.time())
            await asyncio.sleep(_CLEANING)

    def delete_what_is_past(self, *, now: float) -> None:
        """Recordings and jobs that are kept no longer than until ``now``, in seconds since 1970."""
        for job in self.store.ended(before=now - self._settings.keep_audio):
            (self.folder(job) / AUDIO).unlink(missing_ok=True)
        for job in self.store.ended(before=now - self._settings.keep_results):
            self._forget(job)
