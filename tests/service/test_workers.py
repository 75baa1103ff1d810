"""Processes that are bounded, stopped and replaced; what they run here are plain functions."""

import asyncio
import functools
import multiprocessing
import os
import signal
from multiprocessing import connection

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from voxplain.errors import WorkerLost
from voxplain.service.workers import Busy, OutOfTime, Workers


def with_workers(check, *, count=1, concurrency=2):
    async def session():
        workers = Workers(count, concurrency=concurrency, prepare=os.getpid)
        async with workers.running():
            return await check(workers)

    others = set(multiprocessing.active_children())
    found = asyncio.run(session())
    for child in set(multiprocessing.active_children()) - others:
        assert connection.wait([child.sentinel], 20), "a worker is left"
    return found


def test_work_is_done_elsewhere_by_who_was_prepared():
    async def check(workers):
        assert workers.ready == await workers.run(60, os.getpid) != os.getpid()
        with pytest.raises(ZeroDivisionError):
            await workers.run(60, divmod, 1, 0)
        assert await workers.run(60, os.getpid) == workers.ready

    with_workers(check)


def test_beyond_the_concurrency_it_is_busy():
    async def check(workers):
        one, two = (asyncio.create_task(workers.run(60, signal.pause)) for _ in range(2))
        await asyncio.sleep(0)
        assert (workers.at_work, workers.waiting) == (1, 1)
        with pytest.raises(Busy) as busy:
            await workers.run(60, os.getpid)
        assert busy.value.retry_after >= 1
        for task in (one, two):
            task.cancel()
        await asyncio.wait([one, two])
        assert workers.admitted == 0
        assert await workers.run(60, os.getpid) != workers.ready

    with_workers(check)


def test_work_is_stopped_when_time_is_up():
    async def check(workers):
        before = {child.pid: child for child in multiprocessing.active_children()}
        with pytest.raises(OutOfTime):
            await workers.run(0.2, signal.pause)
        stopped = before[workers.ready]
        await asyncio.to_thread(stopped.join, 20)
        assert stopped.exitcode == -signal.SIGKILL
        assert await workers.run(60, os.getpid) != workers.ready

    with_workers(check)


def test_work_that_kills_its_process_is_tried_twice_and_harms_no_other():
    async def check(workers):
        other = asyncio.create_task(workers.run(60, sum, range(9)))
        with pytest.raises(WorkerLost, match=r"was killed twice, perhaps for want of memory; try"):
            await workers.run(60, os._exit, 9)
        assert await other == 36
        assert await workers.run(60, os.getpid) != workers.ready

    with_workers(check, count=2, concurrency=4)


def test_a_process_that_died_while_idle_is_replaced_unseen():
    async def check(workers):
        os.kill(workers.ready, signal.SIGKILL)
        assert await workers.run(60, os.getpid) != workers.ready

    with_workers(check)


def test_what_can_not_be_prepared_ends_the_service():
    async def session():
        async with Workers(1, concurrency=1, prepare=functools.partial(int, "nothing")).running():
            pass

    with pytest.raises(ValueError, match="invalid literal"):
        asyncio.run(session())
