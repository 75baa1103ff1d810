"""Errors as problem details (RFC 9457), whoever raised them."""

from __future__ import annotations

import inspect
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from voxplain.errors import VoxplainError, status
from voxplain.service.workers import Busy, OutOfTime

__all__ = ["Problem", "handle_problems", "of_error", "refuse", "response"]

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong, and what to do."""

    model_config = ConfigDict(extra="allow")

    type: str
    """``urn:voxplain:<class>`` of the tree in ``voxplain.errors``, else ``about:blank``."""
    title: str
    status: int
    detail: str
    request_id: str = ""


def of_error(error: VoxplainError) -> dict[str, Any]:
    """The problem that an error of this package is, with the exit code of the command line."""
    kind, answer = type(error), status(error)
    return {
        "type": f"urn:voxplain:{kind.__name__}",
        "title": (inspect.getdoc(kind) or kind.__name__).partition("\n")[0].rstrip("."),
        "status": answer.http,
        "detail": str(error),
        "exit_code": answer.exit,
    }


def response(request_id: str, problem: dict[str, Any], **headers: str) -> Response:
    """The answer that a problem is."""
    return JSONResponse(
        {**problem, "request_id": request_id},
        problem["status"],
        media_type=MEDIA_TYPE,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def handle_problems(app: FastAPI) -> None:
    """Answer whatever is raised."""

    def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, VoxplainError)
        return response(_request_id(request), of_error(error))

    def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        problem = _plain(error.status_code, str(error.detail))
        return response(_request_id(request), problem, **(error.headers or {}))

    def malformed(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        # Where and why, without what was sent.
        wrong = [{"at": list(one["loc"]), "what": one["msg"]} for one in error.errors()]
        told = "; ".join(f"{one['at'][-1]}: {one['what']}" for one in wrong)
        problem = {**_plain(422, told), "errors": wrong}
        return response(_request_id(request), problem)

    def busy(request: Request, error: Exception) -> Response:
        assert isinstance(error, Busy)
        seconds = str(error.retry_after)
        problem = _plain(503, f"as many requests as can be are in work; ask again in {seconds} s")
        return response(_request_id(request), problem, Retry_After=seconds)

    def out_of_time(request: Request, error: Exception) -> Response:
        problem = _plain(504, "the work took too long and was stopped; send it as a job")
        return response(_request_id(request), problem)

    def unexpected(request: Request, error: Exception) -> Response:
        problem = _plain(500, "an error of the service; its log tells more under this request_id")
        return response(_request_id(request), problem)

    app.add_exception_handler(VoxplainError, ours)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(Busy, busy)
    app.add_exception_handler(OutOfTime, out_of_time)
    app.add_exception_handler(Exception, unexpected)


async def refuse(error: HTTPException, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request, or a WebSocket, that is not let in."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": error.detail})
        return
    request_id = scope.get("state", {}).get("request_id", "")
    problem = _plain(error.status_code, error.detail)
    await response(request_id, problem, **(error.headers or {}))(scope, receive, send)


def _plain(code: int, detail: str) -> dict[str, Any]:
    phrase = HTTPStatus(code).phrase
    return {"type": "about:blank", "title": phrase, "status": code, "detail": detail}


def _request_id(request: Request) -> str:
    return str(getattr(request.state, "request_id", ""))
