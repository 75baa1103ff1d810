"""For operators: what is loaded, whether it lives, what it counts."""

import asyncio
import secrets
from typing import Any

from fastapi import APIRouter, HTTPException, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from voxplain import __version__
from voxplain.service import documents
from voxplain.service.state import Service

__all__ = ["router"]

router = APIRouter(tags=["operations"])


@router.get("/v1/models", responses=documents.MODELS)
async def models(service: Service) -> dict[str, Any]:
    """The model that judges, and how much is taken."""
    settings = service.settings
    return {
        "voxplain": __version__,
        "models": [service.workers.ready],
        "limits": {
            "analyze": {"bytes": settings.max_bytes, "seconds": settings.max_seconds},
            "jobs": {"bytes": settings.max_job_bytes, "seconds": settings.max_job_seconds},
            "concurrency": settings.concurrency,
            "requests_per_minute": settings.rate,
        },
        "kept_seconds": {"audio": settings.keep_audio, "results": settings.keep_results},
        "webhooks": sorted(settings.webhooks),
    }


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The service lives."""
    return {"status": "ok"}


@router.get("/readyz", responses=documents.UNREADY)
async def readyz(service: Service) -> dict[str, str]:
    """The model is loaded, and the data folder can be written."""
    try:
        await asyncio.to_thread(_write, service.settings.data)
    except OSError as error:
        raise HTTPException(503, f"the data folder can't be written: {error.strerror}") from error
    return {"status": "ready"}


@router.get("/metrics", response_class=Response, responses=documents.METRICS)
async def metrics(service: Service) -> Response:
    """For Prometheus."""
    counted = service.metrics
    counts = await asyncio.to_thread(service.jobs.store.counts)
    for state in ("queued", "running", "done", "failed"):
        counted.jobs.labels(state).set(counts.get(state, 0))
    for pool, workers in (("requests", service.workers), ("jobs", service.job_workers)):
        counted.at_work.labels(pool).set(workers.at_work)
    counted.queue.labels("requests").set(service.workers.waiting)
    counted.queue.labels("jobs").set(counts.get("queued", 0))
    return Response(generate_latest(counted.registry), media_type=CONTENT_TYPE_LATEST)


def _write(folder: Any) -> None:
    probe = folder / f"probe-{secrets.token_hex(4)}"
    try:
        probe.write_bytes(b"?")
    finally:
        probe.unlink(missing_ok=True)
