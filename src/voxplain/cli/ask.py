"""Let a language model ask our tools about a recording; its answer is checked.

examples:
  voxplain ask memo.wav "why not happy?" --llm openai_compatible:llama3.1:8b
                --base-url http://localhost:11434/v1
  voxplain ask memo.wav "why?" --llm local:models/qwen --transcript memo.txt
  voxplain ask memo.wav --replay memo.inquiry.jsonl    again, without a model
  voxplain ask memo.wav --mcp            the tools, for an agent of your own

The model calls tools (descriptors, saliency, cues, contrasts, changes of the
voice, words) for so many turns. Every sentence of its answer cites what they
found and is held to it; what is not borne out is left out and counted. The
trace of the inquiry is kept beside the recording; it holds words of it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

from voxplain import plugins
from voxplain.cli._language_model import add_language_model, language_model
from voxplain.cli._results import write
from voxplain.errors import ConfigError
from voxplain.inquiry import trace
from voxplain.inquiry.inquiry import Inquiry, Limits, inquire
from voxplain.inquiry.tools import Recording
from voxplain.pipeline import DEFAULT_MODEL, load
from voxplain.reports._words import printable
from voxplain.text.transcribers import choose

__all__ = ["add", "run"]

_SUFFIX = ".inquiry.jsonl"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    usual = Limits()
    parser.add_argument("path", type=Path, metavar="FILE", help="a recording")
    parser.add_argument("question", nargs="?", help='such as "why not happy?"')
    add_language_model(parser, "--llm", does="the language model that looks into the question")
    parser.add_argument(
        "--turns", type=int, default=usual.turns, metavar="N", help=f"default {usual.turns}"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=usual.seconds,
        metavar="S",
        help=f"that a tool may take (default {usual.seconds:g})",
    )
    parser.add_argument("--transcript", type=Path, metavar="PATH", help="what is said")
    parser.add_argument(
        "--asr",
        choices=("none", "auto", *plugins.names("transcribers")),
        default="none",
        help="what hears the words (default none)",
    )
    parser.add_argument("--language", metavar="XX", help="of the words, such as en or de")
    parser.add_argument(
        "--replay", type=Path, metavar="TRACE", help="run a kept inquiry again; 1 if it changed"
    )
    parser.add_argument("--mcp", action="store_true", help="serve the tools on stdin and stdout")
    parser.add_argument("--json", action="store_true", help="JSON on standard output, no files")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the trace")
    parser.add_argument("--force", action="store_true", help="replace a trace that exists")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="by name, folder or hub id")


def run(arguments: argparse.Namespace) -> int:
    """Ask, print and keep the trace; or run one again, or serve."""
    _check(arguments)
    if arguments.mcp:
        from voxplain.inquiry.mcp import serve

        serve(_recording(arguments), seconds=arguments.seconds)
        return 0
    if arguments.replay is not None:
        kept = trace.load(arguments.replay)
        again = trace.replay(kept, _recording(arguments))
        _print(again.inquiry, arguments)
        for change in again.changes:
            print(f"changed: {printable(change)}", file=sys.stderr)
        print("the same as kept" if not again.changes else "not as kept", file=sys.stderr)
        return 1 if again.changes else 0
    limits = Limits(turns=arguments.turns, seconds=arguments.seconds)
    llm = language_model(arguments.llm, option="--llm", base_url=arguments.base_url)
    found = inquire(arguments.question, _recording(arguments), llm=llm, limits=limits)
    _print(found, arguments)
    if not arguments.json:
        _keep(found, arguments)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Raises ConfigError for options that don't go together."""
    ways = [
        name
        for name, given in (
            ("a question", arguments.question is not None),
            ("--replay", arguments.replay is not None),
            ("--mcp", arguments.mcp),
        )
        if given
    ]
    if len(ways) != 1:
        raise ConfigError(
            f"{' and '.join(ways) or 'nothing'} is asked for; give a question, --replay or --mcp"
        )
    if (arguments.question is None) != (arguments.llm is None):
        raise ConfigError("a question goes with --llm BACKEND:MODEL, and nothing else does")
    if str(arguments.path) == "-":
        raise ConfigError("a recording is heard several times: give a file, not - (stdin)")
    if arguments.json and arguments.out is not None:
        raise ConfigError("--json writes no files; leave out --out, or --json")
    if arguments.transcript is not None and arguments.asr != "none":
        raise ConfigError("--transcript gives the words; leave out --asr, or --transcript")


def _recording(arguments: argparse.Namespace) -> Recording:
    words: dict[str, Any] = {"language": arguments.language}
    if arguments.transcript is not None:
        words["transcript"] = arguments.transcript
    elif arguments.asr != "none":
        words["transcriber"], reason = choose(arguments.asr, language=arguments.language)
        if reason:
            print(reason, file=sys.stderr)
    return Recording(load(arguments.model), arguments.path, **words)


def _print(found: Inquiry, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(dataclasses.asdict(found), indent=2, allow_nan=False))
        return
    lines = [f"{printable(found.about['source'])}  {printable(found.question)}", ""]
    for one in found.answer:
        text = f"{one.text} [{', '.join(one.evidence)}]"
        lines.append(textwrap.fill(text, 79, initial_indent="- ", subsequent_indent="  "))
    lines += ["", f"Candidates: {', '.join(found.candidates) or 'none'}."]
    if found.by_rule:
        lines.append("Nothing that the model answered could be said: this was made by rule.")
    turns = f"{len(found.turns)} turns of {found.llm}"
    wrong = ", ".join(f"{kind} {count}" for kind, count in found.counts.items())
    lines.append(textwrap.fill("; ".join(filter(None, (turns, wrong))), 79))
    print("\n".join(lines))


def _keep(found: Inquiry, arguments: argparse.Namespace) -> None:
    path = (arguments.out or arguments.path.parent) / f"{arguments.path.stem}{_SUFFIX}"
    if path.exists() and not arguments.force:
        print(f"kept {path} as it is; --force replaces it", file=sys.stderr)
        return
    write(path, trace.dumps(found))
    print(f"wrote {path}", file=sys.stderr)
