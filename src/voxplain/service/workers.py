"""Processes that share the work of the service: bounded, stopped for real, and replaced if lost."""

from __future__ import annotations

import asyncio
import functools
import logging
import math
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager, suppress
from multiprocessing import get_context
from typing import Generic, ParamSpec, TypeVar

from voxplain.errors import WorkerLost
from voxplain.processes import follow_parent

__all__ = ["Busy", "OutOfTime", "Workers"]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Ready = TypeVar("_Ready")
_PAUSE = 5.0
"""Seconds before a worker that could not be started is tried again."""
_log = logging.getLogger("voxplain.service")


class Busy(Exception):
    """As many ask as are declared; ``retry_after`` seconds are a fair guess."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class OutOfTime(Exception):
    """The work was stopped."""


class _Process(Generic[_Ready]):
    """One worker. An executor each, so that one can be killed without its neighbours."""

    def __init__(self) -> None:
        self._executor = ProcessPoolExecutor(1, get_context("spawn"), initializer=follow_parent)
        self._pid: int | None = None

    async def start(self, prepare: Callable[[], _Ready]) -> _Ready:
        self._pid = await self.run(os.getpid)
        return await self.run(prepare)

    async def run(self, task: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, task)

    def kill(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)


class Workers(Generic[_Ready]):
    """``count`` processes, each of which has run ``prepare`` before it gets any work."""

    def __init__(self, count: int, *, concurrency: int, prepare: Callable[[], _Ready]) -> None:
        self._count, self._concurrency, self._prepare = count, concurrency, prepare
        self._idle: asyncio.Queue[_Process[_Ready]] = asyncio.Queue()
        self._processes: set[_Process[_Ready]] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._usual = 1.0  # s that a task took lately
        self.admitted = 0
        self.ready: _Ready | None = None
        """What ``prepare`` gave; None before."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start all and, in the end, stop all. Raises what ``prepare`` raises."""
        try:
            self.ready = await self._start()
            for _ in range(self._count - 1):
                self._start_another()
            yield
        finally:
            for task in self._starting:
                task.cancel()
            for process in self._processes:
                process.kill()

    @property
    def at_work(self) -> int:
        """Tasks that have a worker."""
        return min(self.admitted, self._count)

    @property
    def waiting(self) -> int:
        """Tasks that have none yet."""
        return self.admitted - self.at_work

    async def run(
        self, timeout: float, task: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """What a task gives; it is killed after ``timeout`` seconds, or when nobody waits for it.

        Raises Busy beyond the concurrency, OutOfTime, WorkerLost if two workers died of it, and
        what the task raises.
        """
        if self.admitted >= self._concurrency:
            raise Busy(math.ceil(self._usual * self.admitted / self._count))
        self.admitted += 1
        try:
            async with asyncio.timeout(timeout):
                return await self._tried(functools.partial(task, *args, **kwargs))
        except TimeoutError as error:
            raise OutOfTime from error
        finally:
            self.admitted -= 1

    async def _tried(self, task: Callable[[], _T]) -> _T:
        for _ in range(2):  # a worker may have died before
            process, began = await self._idle.get(), time.monotonic()
            try:
                found = await process.run(task)
            except BrokenProcessPool:
                self._replace(process)
                continue
            except asyncio.CancelledError:
                self._replace(process)
                raise
            except BaseException:
                self._idle.put_nowait(process)
                raise
            self._idle.put_nowait(process)
            self._usual += 0.2 * (time.monotonic() - began - self._usual)
            return found
        raise WorkerLost(
            "the process that worked on this was killed twice, perhaps for want of memory; try a "
            "shorter recording, or give the service more memory"
        )

    def _replace(self, process: _Process[_Ready]) -> None:
        self._processes.discard(process)
        process.kill()
        self._start_another()

    def _start_another(self) -> None:
        starting = asyncio.create_task(self._started())
        self._starting.add(starting)
        starting.add_done_callback(self._starting.discard)

    async def _started(self) -> None:
        while True:
            try:
                await self._start()
                return
            except Exception:  # perhaps there will be memory again
                _log.exception("a worker could not be started")
                await asyncio.sleep(_PAUSE)

    async def _start(self) -> _Ready:
        process: _Process[_Ready] = _Process()
        self._processes.add(process)
        try:
            ready = await process.start(self._prepare)
        except BaseException:
            self._processes.discard(process)
            process.kill()
            raise
        self._idle.put_nowait(process)
        return ready
