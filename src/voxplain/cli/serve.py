"""Analyses over HTTP, on this machine: nothing is kept that need not be.

examples:
  voxplain serve                                  http://127.0.0.1:8000
  voxplain serve --host 0.0.0.0 --keys keys.txt   for others, each with a key
  voxplain serve --webhook lab=https://lab.example/done   who is told of jobs

keys.txt holds the SHA-256 of a key a line. Recordings are deleted with the
answer, results of jobs after a day. How to ask, and what is refused:
docs/serve.md.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from voxplain.errors import ConfigError, InputError, OutputError
from voxplain.pipeline import DEFAULT_MODEL
from voxplain.plugins import require

__all__ = ["add", "run"]

KEYS, SECRET = "VOXPLAIN_KEYS", "VOXPLAIN_WEBHOOK_SECRET"
"""In the environment."""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    option = parser.add_argument
    option("--host", default="127.0.0.1", help="address to listen at (default 127.0.0.1)")
    option("--port", type=int, default=8000, help="default 8000; 0: any that is free")
    option(
        "--data", type=Path, metavar="DIR", help="of jobs (default ~/.local/share/voxplain/service)"
    )
    option("--model", default=DEFAULT_MODEL, help="by name, folder or hub id")
    option("--keys", type=Path, metavar="FILE", help=f"SHA-256 of the keys (also ${KEYS})")
    option("--open", action="store_true", help="let everybody in who reaches the address")
    number = parser.add_argument_group("limits").add_argument
    number("--workers", type=int, metavar="N", help="requests in work at a time (default: cores)")
    number("--waiting", type=int, metavar="N", help="that may wait (default: half as many)")
    number("--job-workers", type=int, metavar="N", help="jobs in work at a time (default 1)")
    number("--streams", type=int, metavar="N", help="live streams at a time (default 4)")
    number("--max-jobs", type=int, metavar="N", help="jobs that may be queued (default 100)")
    number("--max-bytes", type=int, metavar="N", help="of a request (default 32 MiB)")
    number("--max-job-bytes", type=int, metavar="N", help="of a job (default 1 GiB)")
    number("--max-seconds", type=float, metavar="S", help="of decoded sound (default 300)")
    number("--max-job-seconds", type=float, metavar="S", help="of a job (default 4 h)")
    number("--timeout", type=float, metavar="S", help="of a request (default 120)")
    number("--job-timeout", type=float, metavar="S", help="of a job (default 6 h)")
    number("--upload-timeout", type=float, metavar="S", help="to come in (default 600)")
    number("--rate", type=float, metavar="N", help="requests a minute and key (default 600)")
    kept = parser.add_argument_group("what is kept").add_argument
    kept("--keep-audio", type=float, metavar="S", help="after the end of a job (default 0)")
    kept("--keep-results", type=float, metavar="S", help="of a job (default 1 day)")
    option(
        "--webhook",
        action="append",
        default=[],
        metavar="NAME=URL",
        help=f"a receiver that a job may name; signed with ${SECRET}",
    )


def run(arguments: argparse.Namespace) -> int:
    """Listen until told to stop."""
    packages = ("fastapi", "httpx2", "prometheus_client", "python_multipart", "uvicorn")
    for package in (*packages, "websockets"):
        require(package, extra="serve")
    from voxplain.service.logs import JsonLines
    from voxplain.service.settings import Settings

    keys = _keys(arguments.keys)
    private = _is_loopback(arguments.host)
    if not private and not keys and not arguments.open:
        raise ConfigError(
            f"at {arguments.host} others can reach the service; give --keys FILE, or --open to let "
            "all of them in"
        )
    given = {name: getattr(arguments, name, None) for name in (f.name for f in fields(Settings))}
    chosen: dict[str, Any] = {name: one for name, one in given.items() if one is not None}
    webhooks = dict(map(_webhook, arguments.webhook))
    secret = os.environ.get(SECRET, "")
    if webhooks and not secret:
        raise ConfigError(f"--webhook needs a secret to sign with; put it into ${SECRET}")
    settings = Settings(
        **{
            **chosen,
            "data": arguments.data or _data_folder(),
            "keys": keys,
            "webhooks": webhooks,
            "webhook_secret": secret,
            # A page elsewhere may reach a loopback address by a name of its own.
            "hosts": ("127.0.0.1", "localhost") if private and not keys else (),
        }
    )
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it tells of whole URLs
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    asyncio.run(_serve(settings, arguments.host, arguments.port))
    return 0


async def _serve(settings: Any, host: str, port: int) -> None:
    import uvicorn

    from voxplain.service.app import create_app
    from voxplain.service.stream import Limits

    app = create_app(settings)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise OutputError(
            f"{host}:{port} is taken, or no address of this machine; give another --host or --port"
        ) from error
    config = uvicorn.Config(
        app,
        lifespan="off",  # ours, so that its errors are told as all others
        log_config=None,
        access_log=False,
        server_header=False,
        # Longer than clients keep a connection, or one of them asks just when it is closed.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        ws_max_size=Limits().message_bytes,
    )
    with listening:
        async with app.router.lifespan_context(app):
            name = f"[{host}]" if ":" in host else host
            print(f"voxplain listens at http://{name}:{listening.getsockname()[1]}", flush=True)
            await uvicorn.Server(config).serve([listening])


def _keys(path: Path | None) -> Mapping[str, str]:
    from voxplain.service.access import read_keys

    if path is None:
        lines = os.environ.get(KEYS, "").split(",")
        return read_keys(lines, source=f"${KEYS}") if any(lines) else {}
    try:
        return read_keys(path.read_text(encoding="utf-8").splitlines(), source=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read: {error}; give a file of digests") from error


def _webhook(text: str) -> tuple[str, str]:
    name, _, url = text.partition("=")
    if not name.isidentifier() or not url.startswith(("http://", "https://")):
        raise ConfigError(
            f"--webhook takes NAME=URL, such as lab=https://lab.example, not {text!r}"
        )
    return name, url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _data_folder() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "voxplain" / "service"
