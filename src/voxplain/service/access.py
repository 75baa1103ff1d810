"""Who may ask, and how often."""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from voxplain.errors import ConfigError
from voxplain.service.problems import refuse

__all__ = ["Access", "Buckets", "read_keys"]

_MOST_BUCKETS = 10_000
_BURST = 10.0
"""Seconds of the rate that may come at once."""


def read_keys(lines: Iterable[str], *, source: str) -> dict[str, str]:
    """SHA-256 of each key -> its name, from lines ``<64 hex digits> [name]``; # begins a comment.

    Raises ConfigError for another line, without repeating it: it may be a key.
    """
    keys = {}
    for number, line in enumerate(lines, start=1):
        digest, _, name = line.partition("#")[0].strip().partition(" ")
        if not digest:
            continue
        if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise ConfigError(
                f"{source}, line {number}: no SHA-256 in 64 small hex digits; give that of a key, "
                "never the key: printf %s KEY | sha256sum"
            )
        keys[digest] = name.strip(" -") or digest[:8]
    if not keys:
        raise ConfigError(f"{source} holds no key; give the SHA-256 of one, a line each")
    return keys


class Buckets:
    """A token bucket for each name: ``rate`` a minute, and as many at once as 10 s bring."""

    def __init__(self, rate: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._clock = rate / 60, clock
        self._most = max(1.0, self._per_second * _BURST)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when

    def wait(self, name: str) -> int:
        """Take a token: 0, or the seconds until there is one."""
        now = self._clock()
        tokens, then = self._left.pop(name, (self._most, now))
        tokens = min(self._most, tokens + (now - then) * self._per_second)
        self._left[name] = tokens - (tokens >= 1), now
        if len(self._left) > _MOST_BUCKETS:  # who has been silent longest has a full one
            self._left.popitem(last=False)
        return 0 if tokens >= 1 else math.ceil((1 - tokens) / self._per_second)


class Access:
    """Lets those pass who have a key, at their rate, and notes in the request who it is."""

    def __init__(self, app: ASGIApp, *, keys: Mapping[str, str], rate: float) -> None:
        self._app, self._keys, self._buckets = app, keys, Buckets(rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Of one request or connection."""
        if scope["type"] != "lifespan" and scope["path"].startswith("/v1/"):
            try:
                scope.setdefault("state", {})["owner"] = self._owner(scope)
            except HTTPException as error:
                await refuse(error, scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _owner(self, scope: Scope) -> str:
        if self._keys:
            owner = rated = self._known(Headers(scope=scope).get("authorization", ""))
        else:
            owner, rated = "", str((scope.get("client") or ("",))[0])
        if seconds := self._buckets.wait(rated):
            raise HTTPException(
                429,
                f"too many requests; ask again in {seconds} s",
                headers={"Retry-After": str(seconds)},
            )
        return owner

    def _known(self, authorization: str) -> str:
        scheme, _, key = authorization.partition(" ")
        digest = hashlib.sha256(key.strip().encode("utf-8", "replace")).hexdigest()
        known = [one for one in self._keys if hmac.compare_digest(one, digest)]
        if scheme.lower() != "bearer" or not known:
            raise HTTPException(
                401,
                "give a key that this service knows, as the header Authorization: Bearer KEY",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return digest
