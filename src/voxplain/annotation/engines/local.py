"""Processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import active_children, get_context
from typing import TypeVar

from voxplain.annotation.engines._card import Card
from voxplain.annotation.entries import Batch
from voxplain.errors import WorkerLost
from voxplain.processes import follow_parent

__all__ = ["CARD", "run"]

CARD = Card(title="processes of this machine")

_Done = TypeVar("_Done")
_AHEAD = 2  # batches a process may have waiting, the one in work included


def run(
    work: Callable[[Batch], _Done], batches: Iterable[tuple[int, Batch]], *, jobs: int
) -> Iterator[tuple[int, _Done]]:
    """See ``engines``; one job needs no further process. Raises WorkerLost."""
    if jobs == 1:
        for number, batch in batches:
            yield number, work(batch)
        return
    others = set(active_children())
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=follow_parent)
    coming = iter(batches)
    running: dict[Future[_Done], tuple[int, Batch]] = {}
    try:
        while True:
            for number, batch in islice(coming, _AHEAD * jobs - len(running)):
                running[pool.submit(work, batch)] = number, batch
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                done = future.result()
                number, _ = running.pop(future)
                yield number, done
        pool.shutdown()
    except BrokenProcessPool as error:
        under_way = sorted(running.values(), key=lambda one: one[0])
        first, last = under_way[0][1][0].file, under_way[-1][1][-1].file
        raise WorkerLost(
            f"a worker process was killed, perhaps for want of memory, somewhere from {first} to "
            f"{last}; what is done is kept: the same command goes on, with fewer --jobs if need be"
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(active_children()) - others:
            child.terminate()  # nobody waits for what it is at
