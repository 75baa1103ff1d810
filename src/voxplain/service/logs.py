"""Request ids, and a line of JSON for each request: no audio, file name, transcript or key."""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
import traceback
from datetime import UTC, datetime

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voxplain.service.metrics import Metrics

__all__ = ["JsonLines", "RequestLog"]

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_REJECTED = (413, 429, 503)
_log = logging.getLogger("voxplain.service")


class RequestLog:
    """Names each request, answers with the name, counts and logs it."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Of one request or connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        began, status = time.monotonic(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._note(scope, request_id, status, time.monotonic() - began)

    def _note(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        # The template, not the path: a path holds the id of a job, which opens it.
        route = getattr(scope.get("route"), "path", "other")
        method = scope.get("method", "WEBSOCKET")
        method = method if method in _METHODS else "other"
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        if status in _REJECTED:
            self._metrics.rejected.labels(status).inc()
        told = {
            "request_id": request_id,
            "method": method,
            "route": route,
            "status": status,
            "seconds": round(seconds, 4),
        }
        _log.info("request", extra={"told": told})


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET")


class JsonLines(logging.Formatter):
    """One JSON object a line. Of an exception its kind and place, not its text: that may tell."""

    def format(self, record: logging.LogRecord) -> str:
        """A record as a line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "told", {}),
        }
        if record.exc_info and record.exc_info[0]:
            kind, _, place = record.exc_info
            line["error"] = kind.__name__
            line["at"] = [f"{one.filename}:{one.lineno}" for one in traceback.extract_tb(place)]
        return json.dumps(line)
