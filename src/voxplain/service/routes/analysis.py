"""Answered at once: an analysis, or a voice with a cue changed."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, File, Header, Response, UploadFile

from voxplain.service import documents, work
from voxplain.service.forms import form
from voxplain.service.options import Change, Options
from voxplain.service.state import Service
from voxplain.service.uploads import FormRoute, display_name, stored

__all__ = ["Sound", "recording", "router"]

router = APIRouter(prefix="/v1", route_class=FormRoute, tags=["analysis"])

Sound = Annotated[UploadFile, File(description="a recording: wav, flac, ogg, opus, mp3, m4a ...")]


async def recording(service: Service, file: Sound) -> AsyncIterator[work.Recording]:
    """An upload while it is in work; then nothing of it is left."""
    path = await stored(file, service.jobs.incoming)
    try:
        yield work.Recording(path, display_name(file.filename), service.settings.max_seconds)
    finally:
        path.unlink(missing_ok=True)


Recording = Annotated[work.Recording, Depends(recording, scope="function")]


@router.post("/analyze", responses=documents.ANALYSIS, response_class=Response)
async def analyze(
    service: Service, recording: Recording, options: Annotated[Options, Depends(form(Options))]
) -> Response:
    """How a recording sounds: the document of `voxplain analyze --json`."""
    settings = service.settings
    found = await service.workers.run(
        settings.timeout, work.analysis, settings.model, recording, options
    )
    return Response(found, media_type="application/json")


@router.post("/whatif", responses=documents.COUNTERFACTUAL, response_class=Response)
async def whatif(
    service: Service,
    recording: Recording,
    change: Annotated[Change, Depends(form(Change))],
    accept: Annotated[
        str, Header(description="audio/wav: the changed voice itself, synthetic")
    ] = "application/json",
) -> Response:
    """The same voice with one cue or another changed: what the model makes of it, or its sound."""
    settings, edit = service.settings, change.edit
    if "audio/wav" in accept:
        sound = await service.workers.run(settings.timeout, work.sound, recording, edit)
        return Response(sound, media_type="audio/wav")
    found = await service.workers.run(
        settings.timeout, work.whatif, settings.model, recording, edit
    )
    return Response(found, media_type="application/json")
