"""Which parts of a text tell what happened, and which how the speaker takes it.

examples:
  voxplain roles account.txt
  voxplain roles - --json < account.txt        JSON, with a weight for each word
  voxplain roles account.txt --backend openai_compatible --model llama3.1
                 --base-url http://localhost:11434/v1

The parts follow each other and give the text back. Descriptive: events, people,
reported speech. Expressive: the speaker's own stance, reactions, judgements,
wishes and exclamations. The embedded segmenter knows English, with punctuation
or without; it learned from written accounts, and its card tells how well.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voxplain.errors import TextError
from voxplain.reports._words import printable
from voxplain.text import given
from voxplain.text.roles import EMBEDDED, backends, roles, weights
from voxplain.text.roles.clauses import words
from voxplain.types import Role

__all__ = ["add", "run"]

_MARGINS = {"descriptive": "   ", "expressive": " > "}


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "path", metavar="FILE", help="text, TextGrid, SRT, VTT or JSON; - is text on stdin"
    )
    parser.add_argument("--json", action="store_true", help="JSON on standard output")
    parser.add_argument("--backend", default=EMBEDDED, metavar="NAME", help=", ".join(backends()))
    parser.add_argument("--model", help="of a language model: its name, or its folder")
    parser.add_argument("--base-url", metavar="URL", help="of the server that runs it")


def run(arguments: argparse.Namespace) -> int:
    """Read, find and print."""
    text = _read(arguments.path)
    given = {"model": arguments.model, "base_url": arguments.base_url}
    options = {name: value for name, value in given.items() if value is not None}
    found = roles(text, backend=arguments.backend, **options)
    if arguments.json:
        soft = arguments.backend == EMBEDDED
        print(json.dumps(_document(arguments.path, text, found, soft=soft), indent=2))
    else:
        print(_told(arguments.path, text, found))
    return 0


def _read(path: str) -> str:
    if path != "-":
        return given.read(Path(path)).text
    content = sys.stdin.buffer.read()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextError(
            f"standard input is not UTF-8 (byte {error.start}); save the text as UTF-8"
        ) from error


def _document(path: str, text: str, found: Sequence[Role], *, soft: bool) -> dict[str, Any]:
    """Chances of single words come from the embedded segmenter alone."""
    told = [
        {"text": text[start:end], "start": start, "end": end, "expressive": round(chance, 4)}
        for start, end, chance in (weights(text) if soft else ())
    ]
    return {"source": path, "text": text, "roles": [one.to_dict() for one in found], "words": told}


def _told(path: str, text: str, found: Sequence[Role]) -> str:
    parts = [(one, text[one.start : one.end]) for one in found]
    count = len(words(text))
    own = sum(len(words(said)) for one, said in parts if one.kind == "expressive")
    head = f"{printable(path)}  {count} words"
    lines = [f"{head}, {own / count:.0%} expressive" if count else head]
    for one, said in parts:
        margin = _MARGINS[one.kind]
        lines += [
            "",
            textwrap.fill(
                printable(" ".join(said.split())),
                79,
                initial_indent=f"{one.kind:<11} {one.confidence:4.2f}{margin}",
                subsequent_indent=" " * 16 + margin,
            ),
        ]
    return "\n".join(lines)
