"""The options that say what levels compare with."""

from __future__ import annotations

import argparse

from voxplain.descriptors._levels import GROUPS

__all__ = ["add_reference"]


def add_reference(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
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
        help="a recording of the same speaker, best neutral; may be given several times",
    )
    parser.add_argument(
        "--relative",
        action="store_true",
        help="compare with the same speaker's other stretches of speech",
    )
