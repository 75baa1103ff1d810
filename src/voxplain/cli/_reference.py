"""The options that say whom a voice compares with."""

from __future__ import annotations

import argparse

from voxplain.descriptors._levels import GROUPS

__all__ = ["add_reference"]


def add_reference(parser: argparse.ArgumentParser, *, judged: str = "levels") -> None:
    """Describe the arguments; ``judged`` is what can be told relative to a speaker."""
    parser.add_argument(
        "--reference-group",
        metavar="GROUP",
        help=f"whose voices levels compare with: {', '.join(GROUPS)} (default adults)",
    )
    parser.add_argument(
        "--reference",
        action="append",
        default=[],
        metavar="FILE",
        help=f"judge {judged} against this recording of the same speaker; may be "
        "given several times",
    )
    parser.add_argument(
        "--relative",
        action="store_true",
        help=f"judge {judged} against the same speaker's other stretches of speech",
    )
