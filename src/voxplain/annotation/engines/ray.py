"""Ray: tasks on this machine, or on the nodes of a cluster that runs already."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from voxplain.annotation.engines._card import Card
from voxplain.annotation.engines._lost import lost
from voxplain.annotation.entries import Batch
from voxplain.errors import ConfigError, WorkerLost
from voxplain.plugins import require

__all__ = ["CARD", "run"]

CARD = Card(title="Ray, on this machine or a cluster", extra="ray", joins=True)

_Done = TypeVar("_Done")
_RETRIES = 2  # of a batch whose worker or node died
_STORE = 256 * 1024**2  # bytes of shared memory for rows on their way; more go through the disk
_PATIENCE = 10.0  # s, for a cluster to answer


def run(
    work: Callable[[Batch], _Done],
    batches: Iterable[tuple[int, Batch]],
    *,
    jobs: int,
    address: str | None = None,
) -> Iterator[tuple[int, _Done]]:
    """See ``engines``; a batch whose worker or node dies is tried again elsewhere.

    Raises MissingExtra, ConfigError for an address where no cluster is, WorkerLost for a batch
    that no worker survives or where Ray does not start.
    """
    ray = require("ray", extra="ray")

    def task(batch: Batch) -> _Done:
        return work(batch)

    with _cluster(ray, address, jobs):
        remote = ray.remote(num_cpus=1, max_retries=_RETRIES)(task)
        coming = iter(batches)
        running: dict[Any, tuple[int, Batch]] = {}
        try:
            while True:
                for number, batch in islice(coming, jobs - len(running)):
                    running[remote.remote(batch)] = number, batch
                if not running:
                    return
                (done,), _ = ray.wait(list(running))
                number, batch = running.pop(done)
                try:
                    found = ray.get(done)
                except ray.exceptions.RayTaskError as error:
                    raise error.cause from error
                except ray.exceptions.RayError as error:
                    raise lost([(number, batch)]) from error
                yield number, found
        finally:
            for waiting in running:
                ray.cancel(waiting, force=True)  # nobody waits for what it is at


@contextlib.contextmanager
def _cluster(ray: Any, address: str | None, jobs: int) -> Iterator[None]:
    """Join one, or start one of this machine for as long as the work lasts."""
    if ray.is_initialized():  # by who calls us, and theirs to end
        yield
        return
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        if address and (place := re.fullmatch(r"(.+):(\d+)", address)):  # Ray would try for ever
            socket.create_connection((place[1], int(place[2])), _PATIENCE).close()
        own = {"num_cpus": jobs, "include_dashboard": False, "object_store_memory": _STORE}
        ray.init(
            address=address or "local",
            log_to_driver=False,
            logging_level="error",
            **({} if address else own),
        )
    except Exception as error:  # Ray has no class for it
        if address:
            raise ConfigError(
                f"no Ray cluster can be joined at {address} ({error}); check it with ray status, "
                "or leave out --address to work on this machine alone"
            ) from error
        raise WorkerLost(
            f"Ray does not start on this machine ({error}); what is done is kept: the same "
            "command goes on, with --engine local if need be"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()
