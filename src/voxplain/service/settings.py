"""What an operator decides, and the limits of the service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voxplain.errors import ConfigError
from voxplain.pipeline import DEFAULT_MODEL

__all__ = ["Settings"]

_MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Raises ConfigError for a number below its least."""

    data: Path
    """Folder of jobs, and of recordings while they are in work."""
    model: str = DEFAULT_MODEL
    """By name, folder or hub id."""
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Requests in work at a time, each in a process of its own."""
    waiting: int | None = None
    """Requests that may wait for a worker; by default half as many as there are workers."""
    job_workers: int = 1
    """Jobs in work at a time, in further processes: no request waits for a job."""
    streams: int = 4
    """Live streams at a time, in threads of the service itself."""
    max_jobs: int = 100
    """Jobs that may be queued."""
    max_bytes: int = 32 * _MIB
    """Of a request that is answered at once."""
    max_job_bytes: int = 1024 * _MIB
    max_seconds: float = 300.0
    """Of decoded sound that is answered at once."""
    max_job_seconds: float = 4 * 3600.0
    timeout: float = 120.0
    """Seconds of waiting and work for a request that is answered at once."""
    job_timeout: float = 6 * 3600.0
    """Seconds of work for a job."""
    upload_timeout: float = 600.0
    """Seconds that a request may take to come in."""
    rate: float = 600.0
    """Requests a minute and key, or address where there are no keys."""
    keep_audio: float = 0.0
    """Seconds after the answer to a job."""
    keep_results: float = 86_400.0
    """Seconds after the end of a job."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of a key, in hex -> a name for it; without any everybody may ask."""
    hosts: tuple[str, ...] = ()
    """Names that requests may call the service by; none: any."""
    webhooks: Mapping[str, str] = field(default_factory=dict)
    """Name -> URL that the operator has chosen."""
    webhook_secret: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and not value >= least:
                option = name.replace("_", "-")
                raise ConfigError(f"--{option} must be at least {least}, not {value}")

    @property
    def concurrency(self) -> int:
        """Requests in work or waiting, beyond which the service is busy."""
        return self.workers + ((self.workers + 1) // 2 if self.waiting is None else self.waiting)


_LEAST = {
    **dict.fromkeys(("workers", "job_workers", "max_jobs", "max_bytes", "max_job_bytes"), 1),
    **dict.fromkeys(("max_seconds", "max_job_seconds", "timeout", "job_timeout"), 1),
    **dict.fromkeys(("upload_timeout", "rate"), 1),
    **dict.fromkeys(("waiting", "streams", "keep_audio", "keep_results"), 0),
}
