"""Telling the operator's receivers that a job has ended; never a URL that a client gave.

Signed as https://www.standardwebhooks.com has it: ``webhook-signature: v1,<base64 of the
HMAC-SHA256 of "id.timestamp.body">``.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Mapping, Sequence

import httpx2

__all__ = ["PAUSES", "deliver", "signature"]

PAUSES = (0.0, 1.0, 10.0, 60.0)
"""Seconds before each attempt."""
_TIMEOUT = 10.0
_log = logging.getLogger("voxplain.service")


def signature(secret: str, *, identifier: str, timestamp: str, body: bytes) -> str:
    """What a receiver computes to see that a message is from here."""
    signed = f"{identifier}.{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


async def deliver(
    url: str,
    content: Mapping[str, object],
    *,
    identifier: str,
    secret: str,
    pauses: Sequence[float] = PAUSES,
) -> bool:
    """Whether a receiver took it, within a few attempts; redirections are not followed."""
    body = json.dumps(content).encode()
    async with httpx2.AsyncClient(timeout=_TIMEOUT, trust_env=False) as client:
        for pause in pauses:
            await asyncio.sleep(pause)
            timestamp = str(int(time.time()))
            headers = {
                "content-type": "application/json",
                "webhook-id": identifier,
                "webhook-timestamp": timestamp,
                "webhook-signature": signature(
                    secret, identifier=identifier, timestamp=timestamp, body=body
                ),
            }
            try:
                answer = await client.post(url, content=body, headers=headers)
            except httpx2.HTTPError as error:
                told = {"error": type(error).__name__}
            else:
                if answer.is_success:
                    return True
                told = {"status": str(answer.status_code)}
            _log.warning("webhook not taken", extra={"told": told})
    return False
