"""What is told when a worker dies."""

from __future__ import annotations

from collections.abc import Iterable

from voxplain.annotation.entries import Batch
from voxplain.errors import WorkerLost

__all__ = ["lost"]


def lost(under_way: Iterable[tuple[int, Batch]]) -> WorkerLost:
    """Between which recordings it happened, and how to go on."""
    batches = [batch for _, batch in sorted(under_way, key=lambda one: one[0])]
    return WorkerLost(
        "a worker process was killed, perhaps for want of memory, somewhere from "
        f"{batches[0][0].file} to {batches[-1][-1].file}; what is done is kept: the same command "
        "goes on, with fewer --jobs if need be"
    )
