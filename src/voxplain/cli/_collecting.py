"""``voxplain study collect``, ``export`` and ``withdraw``."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from voxplain.collection import protocol, store
from voxplain.collection.exported import Transcribe, export
from voxplain.collection.sealing import Key
from voxplain.errors import ConfigError, OutputError
from voxplain.plugins import find, require

__all__ = ["COMMANDS", "add_options"]

_PASSPHRASE = "VOXPLAIN_PASSPHRASE"
"""In the environment."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Those of these three commands alone."""
    own = parser.add_argument_group("of collect and export")
    own.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help=f"of an encrypted collection; made if new (or a passphrase in ${_PASSPHRASE})",
    )
    own.add_argument("--port", type=int, default=8001, help="of collect (8001; 0: any free one)")


def _collect(arguments: argparse.Namespace) -> int:
    for package in ("cryptography", "fastapi", "uvicorn"):
        require(package, extra="collect")
    import uvicorn

    from voxplain.service.collecting import create_app

    asked = protocol.read(_one(arguments, "collect PROTOCOL.yaml"))
    folder = _out(arguments, "a folder for the collection")
    key = _key(arguments)
    collection = store.begin(folder, title=asked.title, storage=asked.storage, key=key)
    try:
        listening = socket.create_server(("127.0.0.1", arguments.port))
    except OSError as error:
        raise OutputError(f"the port {arguments.port} is taken; give another --port") from error
    config = uvicorn.Config(
        create_app(asked, collection),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    with listening, contextlib.suppress(KeyboardInterrupt):
        port = listening.getsockname()[1]
        print(f"{asked.title[asked.languages[0]]}: http://127.0.0.1:{port}")
        print(f"kept in {folder}, {asked.storage}: {_counts(collection)}; Ctrl-C ends", flush=True)
        uvicorn.Server(config).run([listening])
    print(f"{_counts(collection)} in {folder}")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    folder, out = _one(arguments, "export FOLDER -o TABLE.csv"), _out(arguments, "a table")
    collection = store.resume(folder, key=_key(arguments))
    transcribe = _transcriber(arguments.asr) if arguments.asr else None
    found = export(collection, out, transcribe=transcribe)
    print(f"wrote {out}: {_many(found.accounts, 'account')} of {_counts(collection)}")
    print(f"recordings, not encrypted: {found.recordings}")
    return 0


def _withdraw(arguments: argparse.Namespace) -> int:
    if len(arguments.more) != 2:
        raise ConfigError("give a folder and a code: withdraw FOLDER CODE")
    collection = store.unopened(Path(arguments.more[0]))
    found = collection.withdraw(arguments.more[1])
    answers, sounds = _many(found.answers, "answer"), _many(found.recordings, "recording")
    print(f"deleted: the consent, {answers} and {sounds}; left are {_counts(collection)}")
    print("What was exported or copied before is not: export again, delete the copies.")
    return 0


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "collect": _collect,
    "export": _export,
    "withdraw": _withdraw,
}


def _one(arguments: argparse.Namespace, usage: str) -> Path:
    if len(arguments.more) != 1:
        raise ConfigError(f"{arguments.recipe} takes one path: {usage}")
    return Path(arguments.more[0])


def _out(arguments: argparse.Namespace, what: str) -> Path:
    if arguments.out is None:
        raise ConfigError(f"{arguments.recipe} needs {what}: --out PATH")
    found: Path = arguments.out
    return found


def _key(arguments: argparse.Namespace) -> Key | None:
    return arguments.key or os.environ.get(_PASSPHRASE) or None


def _counts(collection: store.Collection) -> str:
    some, gone = _many(len(collection.participants()), "participant"), collection.withdrawn
    return f"{some} ({gone} more withdrew)" if gone else some


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _transcriber(name: str) -> Transcribe:
    plugin = find("transcribers", name)
    load = cache(lambda language: plugin.load(language=language))

    def transcribe(path: Path, language: str) -> str:
        from voxplain.audio import read

        return str(load(language)(read.read(path)).text)

    return transcribe
