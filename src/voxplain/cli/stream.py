"""How a voice sounds while it speaks: raw sound in, a line a result out.

examples:
  ffmpeg -loglevel error -i talk.mp3 -ar 16000 -ac 1 -f s16le - |
      voxplain stream -
  arecord -q -r 16000 -f S16_LE -t raw | voxplain stream - --json

The sound on standard input is mono, 16 kHz, signed 16-bit little-endian and has
no header. A line with ... is how the newest 3 s of an utterance sound, and may
change; the one without is of the whole utterance, once it has ended. As --json
each is an object, and a final one holds the whole analysis: docs/streaming.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Sequence

from voxplain.errors import InputError
from voxplain.pipeline import DEFAULT_MODEL
from voxplain.reports.text import verdict
from voxplain.streaming import PAUSE, stream
from voxplain.types import Final, Provisional

__all__ = ["add", "run"]

_BYTES = 3200  # of a piece: 0.1 s
_HEADERS = (b"RIFF", b"ID3", b"OggS", b"fLaC", b"\x1aE\xdf\xa3")
_WIDTH = 80


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    option = parser.add_argument
    option("input", choices=["-"], help="standard input")
    option("--json", action="store_true", help="a JSON object a line")
    option(
        "--pause",
        type=float,
        default=PAUSE,
        metavar="S",
        help=f"silence that ends an utterance, s (default {PAUSE})",
    )
    option("--model", default=DEFAULT_MODEL, help="by name, folder or hub id")


def run(arguments: argparse.Namespace) -> int:
    """Listen until the end of the input."""
    live = stream(model=arguments.model, pause=arguments.pause)
    piece = sys.stdin.buffer.read(_BYTES)
    if piece.startswith(_HEADERS):
        raise InputError(
            f"raw sound has no header, and this begins with {piece[:4]!r}; convert it with: "
            "ffmpeg -i INPUT -ar 16000 -ac 1 -f s16le -"
        )
    while piece:
        _tell(live.feed(piece), as_json=arguments.json)
        piece = sys.stdin.buffer.read(_BYTES)
    _tell(live.end(), as_json=arguments.json)
    return 0


def _tell(results: Sequence[Provisional | Final], *, as_json: bool) -> None:
    for result in results:
        print(json.dumps(result.to_dict()) if as_json else _line(result), flush=True)


def _line(result: Provisional | Final) -> str:
    early = isinstance(result, Provisional)
    head = f"{result.start:9.2f} {result.end:9.2f}  {'... ' if early else ''}"
    unsure = early and result.emotion.verdict.abstains
    told = "Not enough evidence yet" if unsure else verdict(result.emotion)
    indent = " " * len(head)
    notes = "".join(f"; {warning}" for warning in result.warnings)
    return textwrap.fill(told + notes, _WIDTH, initial_indent=head, subsequent_indent=indent)
