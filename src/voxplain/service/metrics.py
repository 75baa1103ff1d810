"""What the service counts, for Prometheus; nothing of what is in a recording."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["Metrics"]

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """One registry a service, so that two of them in a process don't add up."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        on: Any = {"namespace": "voxplain", "registry": self.registry}
        self.requests = Counter("requests", "answered", ("method", "route", "status"), **on)
        self.seconds = Histogram(
            "request_seconds", "until the answer", ("route",), buckets=_SECONDS, **on
        )
        self.rejected = Counter("rejected", "refused for want of capacity", ("status",), **on)
        self.jobs_ended = Counter("jobs_ended", "jobs that came to an end", ("state",), **on)
        self.at_work = Gauge("at_work", "tasks that have a worker", ("pool",), **on)
        self.queue = Gauge("queue_length", "tasks and jobs that wait", ("pool",), **on)
        self.jobs = Gauge("jobs", "kept", ("state",), **on)
