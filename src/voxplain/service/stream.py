"""``/v1/stream``: live sound comes in over a WebSocket, results go out (docs/streaming.md).

A session is one ``Stream``. Results are computed in the threads of an executor; while one is
computed or sent nothing more is read, so that neither a fast nor a slow client makes memory grow.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import numpy as np
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from voxplain.audio.activity import SAMPLING_RATE
from voxplain.config import build
from voxplain.errors import AudioError, ConfigError, InputError
from voxplain.pipeline import Analyzer
from voxplain.streaming import PAUSE, UPDATE, Piece, Stream

__all__ = ["Limits", "router"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """What sessions may take."""

    sessions: int = 4
    """At a time."""
    idle_seconds: float = 30.0
    """In which the client says nothing, or doesn't read what it is told."""
    utterances: int = 1_000
    message_bytes: int = 2**20
    """1 MiB are 33 s of 16-bit sound."""


@dataclass(frozen=True, slots=True)
class _Start:
    """The first message."""

    rate: int = SAMPLING_RATE
    encoding: Literal["s16le", "f32le"] = "s16le"
    pause: float = PAUSE


@dataclass(frozen=True, slots=True)
class _At:
    """Where in the stream the next piece begins."""

    seconds: float


@dataclass(frozen=True, slots=True)
class _End:
    """There is no more sound."""


_MESSAGES = {"start": _Start, "at": _At, "end": _End}


class _Refused(Exception):
    """A session that ends early: a sentence for people, a code for programs, one to close with."""

    def __init__(self, code: str, close: int, message: str) -> None:
        super().__init__(message)
        self.code, self.close = code, close


def router(
    analyzer: Callable[[], Analyzer], *, executor: ThreadPoolExecutor, limits: Limits | None = None
) -> APIRouter:
    """The route; who may use it, and the end of the ``executor``, are up to whoever mounts it.

    ``analyzer`` is called in the executor when a session begins. A server reads a message before
    its size is seen here, so its own limit (uvicorn's ``ws_max_size``) should not be far above.
    """
    routes = APIRouter()
    allowed = limits or Limits()
    under_way: set[WebSocket] = set()

    @routes.websocket("/v1/stream")
    async def stream(socket: WebSocket) -> None:
        if _from_elsewhere(socket):
            await socket.close()  # before it is accepted: a 403
            return
        await socket.accept()
        session = _Session(socket, analyzer, executor, allowed)
        if len(under_way) >= allowed.sessions:
            most = f"as many streams as are allowed ({allowed.sessions}) are under way"
            await session.close(_Refused("busy", 1013, f"{most}; try again later"))
            return
        under_way.add(socket)
        try:
            await session.run()
        finally:
            under_way.remove(socket)

    return routes


def _from_elsewhere(socket: WebSocket) -> bool:
    """Whether a page of another site asks: browsers let any page open a WebSocket."""
    origin = socket.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != socket.headers.get("host")


@dataclass(frozen=True, slots=True)
class _Session:
    """One client, from its start message to the end."""

    socket: WebSocket
    analyzer: Callable[[], Analyzer]
    executor: ThreadPoolExecutor
    limits: Limits

    async def run(self) -> None:
        """Listen; what ends the session early is told before it closes."""
        try:
            await self._listen()
        except WebSocketDisconnect:
            pass  # the client has gone, and nothing is kept of it
        except _Refused as refusal:
            await self.close(refusal)
        except InputError as error:
            await self.close(_Refused("bad_input", 1007, str(error)))
        except Exception:
            await self.close(_Refused("internal", 1011, "the server failed; try again"))
            raise

    async def _listen(self) -> None:
        start = _parsed(await self._message())
        if not isinstance(start, _Start):
            raise ConfigError('a session begins with {"type": "start"}, before any sound')
        stream = await self._computed(
            lambda: Stream(self.analyzer(), sampling_rate=start.rate, pause=start.pause)
        )
        await self._send({"type": "ready", "rate": start.rate, "update": UPDATE})
        at: float | None = None
        while not isinstance(message := _parsed(await self._message()), _End):
            if isinstance(message, _Start):
                raise ConfigError("the session has begun already; open another for other options")
            if isinstance(message, _At):
                at = message.seconds
                continue
            piece = _floats(message) if start.encoding == "f32le" else message
            await self._tell(functools.partial(stream.feed, piece, at=at))
            at = None
            if stream.utterances >= self.limits.utterances:
                most = f"a session has at most {self.limits.utterances} utterances; begin another"
                raise _Refused("too_many_utterances", 1008, most)
        await self._tell(stream.end)
        counts = {"utterances": stream.utterances, "late": stream.late}
        await self._send({"type": "end", "duration": stream.duration, **counts})
        await self.socket.close()

    async def _message(self) -> bytes | str:
        """Raises WebSocketDisconnect, and _Refused for one that is too big or doesn't come."""
        message = await self._soon(self.socket.receive())
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        data: bytes | str = message.get("text") or message.get("bytes") or b""
        if len(data) > self.limits.message_bytes:
            most = f"a message has at most {self.limits.message_bytes} bytes, not {len(data)}"
            raise _Refused("too_big", 1009, f"{most}; send shorter pieces")
        return data

    async def _tell(self, hear: Callable[[], list[Any]]) -> None:
        """Compute results and send each."""
        for text in await self._computed(lambda: [json.dumps(one.to_dict()) for one in hear()]):
            await self._soon(self.socket.send_text(text))

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self._soon(self.socket.send_text(json.dumps(message)))

    async def _soon(self, waiting: Awaitable[T]) -> T:
        try:
            return await asyncio.wait_for(waiting, self.limits.idle_seconds)
        except TimeoutError as error:
            idle = f"for {self.limits.idle_seconds:g} s nothing came or nothing was read"
            raise _Refused("idle", 1008, idle) from error

    async def _computed(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.executor, work)

    async def close(self, refusal: _Refused) -> None:
        """Tell why, as far as anybody listens."""
        try:
            await self._send({"type": "error", "code": refusal.code, "message": str(refusal)})
            await self._soon(self.socket.close(refusal.close))
        except (WebSocketDisconnect, _Refused):
            pass  # nobody listens any more


def _parsed(message: bytes | str) -> bytes | _Start | _At | _End:
    """What a text says; bytes are sound. Raises ConfigError."""
    if isinstance(message, bytes):
        return message
    try:
        plain = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"a text message must be JSON: {error}") from error
    kind = plain.pop("type", None) if isinstance(plain, dict) else None
    if not isinstance(kind, str) or kind not in _MESSAGES:
        known = ", ".join(_MESSAGES)
        raise ConfigError(f"a message must be an object whose type is one of {known}, not {kind!r}")
    return build(_MESSAGES[kind], plain, where=f"the message {kind}")


def _floats(piece: bytes) -> Piece:
    """Raises AudioError for a piece that ends within a sample."""
    if len(piece) % 4:
        raise AudioError(f"a piece of f32le must hold whole samples of 4 bytes, not {len(piece)}")
    return np.frombuffer(piece, "<f4")
