"""Analyses that a service makes instead of this process."""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from voxplain.errors import ConfigError, InputError, TextError
from voxplain.pipeline import DEFAULT_MODEL
from voxplain.plugins import require
from voxplain.text.alignment import POCKETSPHINX
from voxplain.types import Analysis

__all__ = ["add_server", "analyze", "analyze_each"]

KEY = "VOXPLAIN_KEY"
"""In the environment: not every command line is private."""
_DECIDED_THERE: dict[str, Any] = {
    "model": DEFAULT_MODEL,
    "reference": [],
    "asr_model": None,
    "aligner": POCKETSPHINX,
}


def add_server(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "--server", metavar="URL", help="let a voxplain serve work instead of this machine"
    )
    parser.add_argument("--key", help=f"that the server knows (default ${KEY})")


def analyze(
    arguments: argparse.Namespace,
    source: str | Path,
    *,
    explain: str | None,
    asr: str | None,
    transcript: Path | None,
    progress: Callable[[float], None] = lambda seconds: None,
) -> Analysis:
    """One recording. Raises ConfigError for what the service decides, and what it refuses."""
    require("httpx2", extra="serve")
    from voxplain.service.client import Client

    for name, default in _DECIDED_THERE.items():
        if getattr(arguments, name) != default:
            option = name.replace("_", "-")
            raise ConfigError(f"the service decides about --{option}; leave it out, or --server")
    with Client(arguments.server, key=arguments.key or os.environ.get(KEY)) as client:
        return client.analyze(
            source,
            explain=explain or "none",
            why=arguments.why,
            asr=asr,
            transcript=None if transcript is None else _text(transcript),
            language=arguments.language,
            reference_group=arguments.reference_group,
            relative=arguments.relative,
            tracks=arguments.tracks or not arguments.json,  # for the page
            progress=progress,
        )


def analyze_each(
    arguments: argparse.Namespace, sources: Iterable[Path], transcripts: Iterable[Path], **more: Any
) -> Iterator[Analysis | InputError]:
    """Many, in their order, ``--jobs`` at a time: an Analysis each, or the error it met."""

    def one(source: Path, transcript: Path | None) -> Analysis | InputError:
        try:
            return analyze(arguments, source, transcript=transcript, **more)
        except ConfigError:
            raise
        except InputError as error:
            return error

    with ThreadPoolExecutor(arguments.jobs) as pool:
        yield from pool.map(one, sources, itertools.chain(transcripts, itertools.repeat(None)))


def _text(path: Path) -> str:
    if path.suffix.lower() in (".textgrid", ".srt", ".vtt", ".json"):
        raise ConfigError(f"a service takes plain text; give {path} as .txt, or leave out --server")
    try:
        return path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TextError(f"{path} can't be read: {error}") from error
