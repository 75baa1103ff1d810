"""How much may come in and how long that may take, and where it lies while it is in work."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import unicodedata
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from fastapi import HTTPException, Request, Response, UploadFile
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voxplain.errors import OutputError
from voxplain.service.problems import refuse

__all__ = ["BodyLimit", "FormRoute", "display_name", "stored"]

_LONGEST_NAME = 200
_FIELDS, _FIELD_BYTES = 30, 500_000


class BodyLimit:
    """Refuses a body that is too large, at once where its length says so, else while it comes."""

    def __init__(self, app: ASGIApp, *, most: Callable[[str], int], seconds: float) -> None:
        """``most`` bytes of a path; ``seconds`` for the whole body."""
        self._app, self._most, self._seconds = app, most, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Of one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._most(scope["path"])
        promised = dict(scope["headers"]).get(b"content-length", b"")
        if promised.isdigit() and int(promised) > most:
            await refuse(_too_large(most), scope, receive, send)
            return
        came = 0
        deadline: float | None = asyncio.get_running_loop().time() + self._seconds

        async def limited() -> Message:
            nonlocal came, deadline
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError as error:
                raise HTTPException(
                    408, f"the request did not come in within {self._seconds:g} s; send it again"
                ) from error
            came += len(message.get("body", b""))
            if came > most:
                raise _too_large(most)
            if not message.get("more_body"):
                deadline = None  # what follows is only that the client leaves
            return message

        await self._app(scope, limited, send)


class _SmallForm(Request):
    """Its fields lie in memory, whatever may come in as a file."""

    def form(self, **_: Any) -> Any:
        return super().form(max_files=1, max_fields=_FIELDS, max_part_size=_FIELD_BYTES)


class FormRoute(APIRoute):
    """A route that takes one file and a few small fields."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI asks for it."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await handle(_SmallForm(request.scope, request.receive))

        return handler


def _too_large(most: int) -> HTTPException:
    return HTTPException(
        413, f"the request is larger than {most / 2**20:g} MiB; send less, such as MP3 or Opus"
    )


def display_name(given: str | None) -> str:
    """What to call a recording: no folders, nothing that controls a terminal or a header."""
    last = (given or "").replace("\\", "/").rpartition("/")[2]
    name = "".join(one for one in last if unicodedata.category(one)[0] != "C").strip()
    return name[-_LONGEST_NAME:] if name.strip(".") else "recording"


async def stored(upload: UploadFile, folder: Path) -> Path:
    """The upload as a file in a folder, under a name of ours. Raises OutputError."""
    path = folder / secrets.token_hex(16)

    def copy() -> None:
        with path.open("xb") as file:
            shutil.copyfileobj(upload.file, file)

    try:
        await run_in_threadpool(copy)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OutputError(f"there is no room for the recording: {error.strerror}") from error
    return path
