"""Look at corpora before use: labels, speakers, durations, how they sound.

examples:
  voxplain explore emodb=DIR --out exploration/
  voxplain explore cremad=DIR mine=labels.csv#train

A corpus is CORPUS=DIR, or a table of recordings (file, speaker, emotion, ...);
#SPLIT is a part of it. Descriptors are measured in a random sample. What should
not be there (shared speakers, copies, faults) is found by voxplain audit.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from voxplain.cli._progress import Bar
from voxplain.cli._results import write
from voxplain.errors import ConfigError
from voxplain.plugins import require

if TYPE_CHECKING:
    from voxplain.training.assessment.exploration import Exploration
    from voxplain.training.assessment.recordings import Recordings

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("corpora", nargs="+", metavar="CORPUS=DIR", help="what to look at")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the report")
    parser.add_argument(
        "--sample", type=int, default=300, metavar="N", help="clips to measure of each (300)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of that sample (0)")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what is there, and write a report to a folder if one is given."""
    require("scipy", extra="train")
    from voxplain.cli._documents import make_folder, write_document
    from voxplain.training.assessment import exploration
    from voxplain.training.assessment.recordings import recordings

    if arguments.sample < 0:
        raise ConfigError(f"--sample can't be {arguments.sample}; 0 measures nothing")
    corpora = [recordings(one) for one in arguments.corpora]
    if len({one.name for one in corpora}) < len(corpora):
        names = ", ".join(one.name for one in corpora)
        raise ConfigError(f"each corpus needs a name of its own, not {names}")
    if arguments.out:
        make_folder(arguments.out)
    found = []
    for corpus in corpora:
        found.append(_explored(corpus, arguments))
        print(exploration.summary(found[-1]), end="\n\n")
    if arguments.out:
        write_document(exploration.document(found), arguments.out)
        told = json.dumps([exploration.plain(one) for one in found], indent=2, ensure_ascii=False)
        write(arguments.out / "exploration.json", told + "\n")
    return 0


def _explored(corpus: Recordings, arguments: argparse.Namespace) -> Exploration:
    """One corpus, behind a bar."""
    from voxplain.training.assessment.exploration import explore

    steps, total = itertools.count(1), min(arguments.sample, len(corpus.utterances))
    with Bar(unit=" clips", hidden=False, total=total) as bar:
        return explore(
            corpus,
            sample=arguments.sample,
            seed=arguments.seed,
            jobs=arguments.jobs,
            progress=lambda: bar.reach(next(steps)),
        )
