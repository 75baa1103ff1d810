"""The command line: one file a command, each with ``add(parser)`` and ``run(arguments)``."""

from __future__ import annotations

import argparse
import functools
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.resources import files

from voxplain import __version__
from voxplain.errors import VoxplainError, status

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code comes from the table in ``voxplain.errors``."""
    for stream in (sys.stdout, sys.stderr):
        # A file name or a bar that the terminal's encoding lacks must not end the run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    argv = sys.argv[1:] if argv is None else argv
    arguments = _parser(argv).parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except VoxplainError as error:
        print(f"voxplain: {error}", file=sys.stderr)
        return status(error).exit
    except BrokenPipeError:
        # The reader has gone (as in `| head`): leave quietly, and keep the interpreter from
        # complaining when it flushes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("voxplain: interrupted", file=sys.stderr)
        return 130


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="voxplain", description="What emotion a voice sounds like, how it is said, and why."
    )
    parser.add_argument("--version", action="version", version=f"voxplain {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in _names():
        if argv and argv[0] in _names() and argv[0] != name:
            continue  # only the command that is asked for brings its imports along
        command = importlib.import_module(f"{__package__}.{name}")
        summary, _, rest = (command.__doc__ or "").partition("\n\n")
        page = commands.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=rest,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        page.set_defaults(run=command.run)
        command.add(page)
    return parser


@functools.cache
def _names() -> tuple[str, ...]:
    """The commands: every file of this folder but those with an underscore."""
    folder = sorted(entry.name for entry in files(__package__).iterdir())
    return tuple(
        name.removesuffix(".py") for name in folder if name.endswith(".py") and name[0] != "_"
    )
