"""Whether every claim holds, and whether one that was tampered with is noticed, on real reports.

    python benchmarks/claims.py --root cremad=DIR [--clips 500] [--explain quick]

The recordings are spread evenly over CREMA-D. Each claim is tampered with in every way that can be
applied to it (``voxplain.testing.tampering``), one of its variants drawn at random. Prints a
Markdown table.
"""

from __future__ import annotations

import argparse
import functools
import os
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np

import voxplain
from voxplain.cli.train import add_data, roots
from voxplain.evidence.checking import check
from voxplain.evidence.claims import claims
from voxplain.pipeline import Analyzer
from voxplain.plugins import find
from voxplain.testing.tampering import TAMPERINGS

Outcome = tuple[Counter[str], Counter[str], list[str]]
"""Of each kind how many were tried and how many were noticed, and what went wrong."""


def checked(path: Path, *, explain: str) -> Outcome:
    """The claims of a recording, as they are and tampered with."""
    tried, noticed, wrong = Counter[str](), Counter[str](), list[str]()
    analysis, draw = _analyzer().analyze(path, explain=explain), random.Random(path.name)
    for true in claims(analysis):
        problems = check(true, analysis)
        tried["claims"] += 1
        noticed["claims"] += not problems
        wrong += [f"{path.name}: {true.text} {problem}" for problem in problems]
        for name, tampering in TAMPERINGS.items():
            variants = list(tampering(true, analysis))
            if not variants:
                continue
            false = draw.choice(variants)
            seen = bool(check(false, analysis))
            tried[name] += 1
            noticed[name] += seen
            if not seen:
                wrong.append(f"{path.name}: {name}: {false.text} {false.evidence}")
    return tried, noticed, wrong


@functools.cache
def _analyzer() -> Analyzer:
    return voxplain.load()


def spread(paths: Sequence[Path], count: int) -> list[Path]:
    """As many of them, evenly spread."""
    rows = np.linspace(0, len(paths) - 1, min(count, len(paths))).astype(int)
    return [paths[row] for row in rows]


def main() -> None:
    """Check and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_data(parser)
    parser.add_argument("--clips", type=int, default=500, help="recordings (default 500)")
    parser.add_argument("--explain", default="quick", help="quick or full")
    arguments = parser.parse_args()
    corpus = find("corpora", "cremad").read(roots(arguments)["cremad"])
    paths = spread([utterance.path for utterance in corpus], arguments.clips)
    tried, noticed = Counter[str](), Counter[str]()
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for one, other, wrong in pool.map(
            partial(checked, explain=arguments.explain), paths, chunksize=10
        ):
            tried, noticed = tried + one, noticed + other
            print(*wrong, sep="\n", end="\n" * bool(wrong), flush=True)
    print(f"{len(paths)} reports, explain {arguments.explain}: ", end="")
    print(f"{noticed['claims']} of {tried['claims']} claims hold\n")
    print("| tampered with | tried | noticed |\n|---|---|---|")
    for name in TAMPERINGS:
        print(f"| {name} | {tried[name]} | {noticed[name]} |")


if __name__ == "__main__":
    main()
