"""What the routes of one service share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from voxplain.service.jobs import Jobs
from voxplain.service.metrics import Metrics
from voxplain.service.settings import Settings
from voxplain.service.workers import Workers

__all__ = ["Service", "State", "service"]


@dataclass(frozen=True, slots=True)
class State:
    """Of one application."""

    settings: Settings
    workers: Workers[dict[str, Any]]
    """For what is answered at once."""
    job_workers: Workers[dict[str, Any]]
    jobs: Jobs
    metrics: Metrics


def service(request: Request) -> State:
    """That of the application."""
    found = request.app.state.service
    assert isinstance(found, State)
    return found


Service = Annotated[State, Depends(service)]
"""As a parameter of a route."""
