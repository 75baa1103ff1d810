"""What a worker process owes its parent: to stop when told, and when there is no parent."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import parent_process

__all__ = ["follow_parent"]


def follow_parent() -> None:
    """Let the parent decide when to stop, and stop when there is no parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = parent_process()
    assert parent, "this runs in a worker"
    parent.join()
    os._exit(1)  # the main thread waits for work that can't come
