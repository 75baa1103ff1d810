"""The page of a collection and what it asks of the server; for this machine alone.

A participant is known by a cookie that holds their code. Everything but the consent asks for it,
and what it opens is theirs alone.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from voxplain.audio.activity import SAMPLING_RATE
from voxplain.collection import recording
from voxplain.collection.protocol import Item, Protocol, words
from voxplain.collection.store import Answer, Collection, Participant, version
from voxplain.config import build
from voxplain.errors import InputError, VoxplainError, status

__all__ = ["create_app"]

T = TypeVar("T")

_ASSETS = str(files("voxplain.assets") / "collection")
_STYLE = str(files("voxplain.assets") / "report" / "page.css")
_COOKIE = "voxplain_participant"
_MOST_JSON = 10_000
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src 'self' blob:; connect-src 'self'; worker-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class _Agreed:
    """That somebody agreed to the text they were shown."""

    language: str
    version: str
    agreed: bool


@dataclass(frozen=True, slots=True)
class _Code:
    code: str


@dataclass(frozen=True, slots=True)
class _Rated:
    evoked: str
    valence: int
    arousal: int


def create_app(protocol: Protocol, collection: Collection) -> FastAPI:
    """The page and its API as an ASGI application."""
    app = FastAPI(title="voxplain collection", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.protocol, app.state.collection = protocol, collection

    @app.get("/")
    async def page() -> Response:
        return FileResponse(f"{_ASSETS}/page.html")

    @app.get("/base.css")
    async def style() -> Response:
        return FileResponse(_STYLE)

    @app.exception_handler(VoxplainError)
    async def told(request: Request, error: VoxplainError) -> Response:
        return JSONResponse({"detail": str(error)}, status(error).http)

    @app.middleware("http")
    async def guarded(
        request: Request, handle: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        # Browsers say so where another page asks in a participant's name.
        if request.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
            response = await handle(request)
        else:
            response = JSONResponse({"detail": "only the page itself may ask this"}, 403)
        response.headers.update(_HEADERS)
        return response

    app.include_router(_routes)
    app.mount("/page", StaticFiles(directory=_ASSETS))
    # A page elsewhere may reach a loopback address by a name of its own.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    return app


_routes = APIRouter(prefix="/api")


def _protocol(request: Request) -> Protocol:
    found: Protocol = request.app.state.protocol
    return found


def _collection(request: Request) -> Collection:
    found: Collection = request.app.state.collection
    return found


async def _who(request: Request) -> Participant:
    """Raises HTTPException for somebody who is not known."""
    return await run_in_threadpool(_known, request, request.cookies.get(_COOKIE, ""))


def _known(request: Request, code: str) -> Participant:
    found = _collection(request).participant(code)
    if found is None:
        raise HTTPException(401, "nobody has this code, or they have withdrawn")
    return found


async def _item(request: Request, item: str) -> Item:
    """Raises HTTPException for what is not in the protocol."""
    for one in _protocol(request).items:
        if one.id == item:
            return one
    raise HTTPException(404, "there is no such item")


Who = Annotated[Participant, Depends(_who)]
Asked = Annotated[Item, Depends(_item)]


@_routes.get("/study")
async def study(request: Request) -> dict[str, Any]:
    """All there is to see before the consent."""
    protocol = _protocol(request)
    return {
        one: {
            "title": protocol.title[one],
            "consent": protocol.consent[one],
            "version": version(protocol.consent[one]),
            "words": words(one),
        }
        for one in protocol.languages
    }


@_routes.post("/participants", status_code=201)
async def enrol(request: Request, response: Response) -> dict[str, str]:
    """A consent becomes a participant, whose code is told this once."""
    given = await _body(request, _Agreed)
    protocol = _protocol(request)
    if given.language not in protocol.languages:
        languages = ", ".join(protocol.languages)
        raise InputError(f"the language is one of {languages}, not {given.language!r}")
    text = protocol.consent[given.language]
    if not given.agreed:
        raise InputError("without consent nothing is asked and nothing is kept")
    if given.version != version(text):
        raise InputError("the text to agree to has changed meanwhile; load the page again")
    code = await run_in_threadpool(_collection(request).enrol, text, language=given.language)
    _remember(response, code)
    return {"code": code}


@_routes.delete("/participants")
async def withdraw(request: Request, response: Response) -> dict[str, int]:
    """Everything of who has the code is deleted."""
    given = await _body(request, _Code)
    await run_in_threadpool(_known, request, given.code)
    found = await run_in_threadpool(_collection(request).withdraw, given.code)
    response.delete_cookie(_COOKIE)
    return {"answers": found.answers, "recordings": found.recordings}


@_routes.post("/session", status_code=204)
async def come_back(request: Request, response: Response) -> None:
    """Who has a code goes on where they were."""
    given = await _body(request, _Code)
    await run_in_threadpool(_known, request, given.code)
    _remember(response, given.code)


@_routes.delete("/session", status_code=204)
async def leave(response: Response) -> None:
    """The next person at this machine is another."""
    response.delete_cookie(_COOKIE)


@_routes.get("/participant")
async def where(request: Request) -> dict[str, Any] | None:
    """What there is to do next; nothing for who has not agreed to anything."""
    code, protocol = request.cookies.get(_COOKIE, ""), _protocol(request)

    def look() -> dict[str, Any] | None:
        who = _collection(request).participant(code)
        return _progress(protocol, who) if who else None

    return await run_in_threadpool(look)


@_routes.get("/items/{item}/media")
async def media(item: Asked, who: Who) -> Response:
    """The clip or picture of an item."""
    if item.media is None:
        raise HTTPException(404, "this item is a text")
    return FileResponse(item.media)


@_routes.put("/items/{item}/recording", status_code=204)
async def record(request: Request, item: Asked, who: Who) -> None:
    """The account of the item whose turn it is; the last one counts."""
    limits = _protocol(request).seconds
    most = round(limits.most * SAMPLING_RATE * recording.SAMPLE_BYTES) + recording.HEADER_BYTES
    content = await _bytes(request, most)
    await run_in_threadpool(_keep, _protocol(request), who, item, content)


def _keep(protocol: Protocol, who: Participant, item: Item, content: bytes) -> None:
    _check_turn(protocol, who, item)
    sound, _ = recording.checked(content, protocol.seconds)
    who.record(item.id, sound)


@_routes.post("/items/{item}/answer")
async def answer(request: Request, item: Asked, who: Who) -> dict[str, Any]:
    """What the item evoked, after which the next one comes."""
    given, protocol = await _body(request, _Rated), _protocol(request)
    if given.evoked not in protocol.labels:
        raise InputError(f"evoked is one of {', '.join(protocol.labels)}, not {given.evoked!r}")
    for name in ("valence", "arousal"):
        if not 1 <= getattr(given, name) <= 9:
            raise InputError(f"{name} is a number from 1 to 9, not {getattr(given, name)}")
    rated = Answer(item.id, item.intended, given.evoked, given.valence, given.arousal)

    def keep() -> dict[str, Any]:
        _check_turn(protocol, who, item)
        who.answer(rated)
        return _progress(protocol, who)

    return await run_in_threadpool(keep)


def _check_turn(protocol: Protocol, who: Participant, item: Item) -> None:
    """What is done with is refused by the store, which also knows a repeated answer."""
    done = {one.item for one in who.answers()}
    turn = next((one for one in protocol.ordered(who.id) if one.id not in done), None)
    if item.id not in done and item != turn:
        raise HTTPException(409, "it is the turn of another item; load the page again")


def _progress(protocol: Protocol, who: Participant) -> dict[str, Any]:
    language, done = who.consent.language, {one.item for one in who.answers()}
    items = protocol.ordered(who.id)
    turn = next((one for one in items if one.id not in done), None)
    return {
        "language": language if language in protocol.languages else protocol.languages[0],
        "done": sum(one.id in done for one in items),
        "total": len(items),
        "prompt": protocol.prompt,
        "labels": protocol.labels,
        "seconds": {"least": protocol.seconds.least, "most": protocol.seconds.most},
        "recorded": turn is not None and who.recorded(turn.id),
        "item": turn and {"id": turn.id, "kind": turn.kind, "text": turn.text, "alt": turn.alt},
    }


def _remember(response: Response, code: str) -> None:
    response.set_cookie(_COOKIE, code, httponly=True, samesite="strict")


async def _body(request: Request, kind: type[T]) -> T:
    """Raises InputError for a body that is not JSON or has other keys."""
    try:
        plain = json.loads(await _bytes(request, _MOST_JSON))
    except (ValueError, RecursionError) as error:
        raise InputError(f"the body must be JSON: {error}") from error
    if not isinstance(plain, dict):
        raise InputError(f"the body must be an object, not {type(plain).__name__}")
    return build(kind, plain, where="the body")


async def _bytes(request: Request, most: int) -> bytes:
    """Raises HTTPException for more than that, as soon as it is known."""
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > most:
            raise HTTPException(413, f"more than {most} bytes; record less")
    return bytes(content)
