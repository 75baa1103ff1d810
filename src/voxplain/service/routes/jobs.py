"""Long recordings: given as a job, looked at while it is in work, fetched, deleted."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import FileResponse
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel

from voxplain.service import documents
from voxplain.service.forms import form
from voxplain.service.options import Options
from voxplain.service.problems import response
from voxplain.service.routes.analysis import Sound
from voxplain.service.state import Service, State
from voxplain.service.store import ENDED, Job
from voxplain.service.uploads import FormRoute, display_name, stored
from voxplain.service.work import REPORT, RESULT

__all__ = ["router"]

router = APIRouter(prefix="/v1/jobs", route_class=FormRoute, tags=["jobs"])

_LOOK = 0.5
"""Seconds between two looks at a job whose events somebody hears."""
# A page may run its own script and play its own sound, and reach nothing else of this origin.
_ALONE = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; img-src data:; media-src data:"
)


class Progress(BaseModel):
    """How far a job is."""

    seconds: float
    """Of the recording, that are done."""
    duration: float | None
    """Seconds of the recording, once they are counted."""
    share: float | None
    """Of the duration, that is done."""


class Status(BaseModel):
    """How a job stands."""

    id: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: Progress
    created: datetime
    started: datetime | None
    finished: datetime | None
    deleted: datetime | None
    """When result and report will be deleted."""
    error: dict[str, Any] | None
    """A problem, where it failed."""
    links: dict[str, str]


async def owned(request: Request, service: Service, job_id: str) -> Job:
    """A job of who asks; those of others are not there. Raises HTTPException."""
    job = await asyncio.to_thread(service.jobs.store.get, job_id)
    if job is None or job.owner != request.state.owner:
        raise HTTPException(404, "there is no such job, or it is deleted")
    return job


Owned = Annotated[Job, Depends(owned, scope="function")]


@router.post("", status_code=202, responses=documents.ACCEPTED)
async def give(
    request: Request,
    answer: Response,
    service: Service,
    file: Sound,
    options: Annotated[Options, Depends(form(Options))],
    sound: Annotated[
        bool, Form(description="the report holds the recording, too, as long as it is kept")
    ] = False,
    webhook: Annotated[
        str, Form(max_length=40, description="who is told of the end: a name the operator knows")
    ] = "",
) -> Status:
    """Analyse a recording, however long it takes."""
    path = await stored(file, service.jobs.incoming)
    try:
        job = await asyncio.to_thread(
            service.jobs.add,
            path,
            name=display_name(file.filename),
            owner=request.state.owner,
            options=options,
            heard=sound,
            webhook=webhook,
        )
    finally:
        path.unlink(missing_ok=True)
    service.jobs.start()
    status = _status(service, job)
    answer.headers["Location"] = status.links["self"]
    return status


@router.get("/{job_id}", responses=documents.JOB)
async def look(service: Service, job: Owned) -> Status:
    """How a job stands."""
    return _status(service, job)


@router.get("/{job_id}/events", response_class=EventSourceResponse, responses=documents.EVENTS)
async def events(service: Service, job: Owned) -> AsyncIterator[Status]:
    """Server-sent events: how a job stands, whenever that changes, until its end.

    Each event tells all, so who comes late or again has missed nothing.
    """
    told, now = None, job
    while True:
        status = _status(service, now)
        if status != told:
            yield status
        told = status
        if now.state in ENDED:
            return
        await asyncio.sleep(_LOOK)
        found = await asyncio.to_thread(service.jobs.store.get, job.id)
        if found is None:
            yield told.model_copy(update={"state": "cancelled"})
            return
        now = found


@router.get("/{job_id}/result", responses=documents.RESULT, response_class=Response)
async def result(request: Request, service: Service, job: Owned) -> Response:
    """The document of `voxplain analyze --json`; the problem of a job that failed."""
    return _file(request, service, job, RESULT, "application/json")


@router.get("/{job_id}/report", responses=documents.REPORT, response_class=Response)
async def report(request: Request, service: Service, job: Owned) -> Response:
    """A page that needs nothing else."""
    answer = _file(request, service, job, REPORT, "text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = _ALONE
    return answer


@router.delete("/{job_id}", status_code=204, responses=documents.DELETED)
async def delete(service: Service, job: Owned) -> None:
    """Stop a job, and delete recording, result and report."""
    await service.jobs.remove(job)


def _file(request: Request, service: State, job: Job, name: str, media_type: str) -> Response:
    if job.error:
        return response(request.state.request_id, job.error)
    if job.state not in ENDED:
        raise HTTPException(409, f"the job is {job.state}; ask again when it is done")
    return FileResponse(
        service.jobs.folder(job) / name,
        media_type=media_type,
        headers={"Cache-Control": "no-store"},
    )


def _status(service: State, job: Job) -> Status:
    seconds, duration = service.jobs.progress(job)
    here = f"/v1/jobs/{job.id}"
    gone = job.finished and job.finished + service.settings.keep_results
    return Status(
        id=job.id,
        state=job.state,
        progress=Progress(
            seconds=seconds, duration=duration, share=duration and min(1.0, seconds / duration)
        ),
        created=datetime.fromtimestamp(job.created, UTC),
        started=_when(job.started),
        finished=_when(job.finished),
        deleted=_when(gone),
        error=job.error,
        links={"self": here, **{n: f"{here}/{n}" for n in ("events", "result", "report")}},
    )


def _when(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
