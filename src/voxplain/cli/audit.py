"""Check that train and test are apart, and that what lies in them is sound.

examples:
  voxplain audit train.csv test.csv
  voxplain audit corpus.csv                      its splits against each other
  voxplain audit corpus.csv#train corpus.csv#test other/
  voxplain audit cremad=DIR ravdess=DIR
  voxplain audit emodb_train_fold_1.jsonl emodb_test_fold_1.jsonl
                 --audio emodb/                  EmoBox's folds

A side is a table (CSV, TSV, Parquet, JSON lines; columns file, speaker,
emotion, start, end, split ...), a list of EmoBox, the folder of an audformat
database, of Kaldi, of a Hugging Face dataset or of recordings, or CORPUS=DIR.
Speakers are those of the column, of the file names of known corpora, or of the
pattern.

Ends with 1 if speakers or recordings are on two sides, or if nobody can say;
with 0 if not, whatever else there is to note.
"""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

from voxplain.cli._progress import Bar
from voxplain.errors import ConfigError
from voxplain.reports._words import printable
from voxplain.training.audit import Audit, Finding, audit, read_sides

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    option = parser.add_argument
    option("side", nargs="+", metavar="SIDE", help="train, test and more; one alone is looked into")
    option("--audio", type=Path, metavar="DIR", help="where the recordings of the lists lie")
    option("--speaker-pattern", metavar="REGEX", help="its one group, in a path, is the speaker")
    option("--sentences-disjoint", action="store_true", help="shared sentences are a leak too")
    option("--json", action="store_true", help="all that was found, as JSON")
    option("--jobs", type=int, default=1, metavar="N", help="processes (default 1)")


def run(arguments: argparse.Namespace) -> int:
    """Audit and print; 1 if it did not pass."""
    if arguments.jobs < 1:
        raise ConfigError(f"--jobs must be at least 1, not {arguments.jobs}")
    sides = read_sides(arguments.side, audio=arguments.audio)
    total = sum(len(side.utterances) for side in sides)
    with Bar(unit="file", hidden=arguments.json, total=total) as bar:
        found = audit(
            *sides,
            speaker_pattern=arguments.speaker_pattern,
            sentences_disjoint=arguments.sentences_disjoint,
            jobs=arguments.jobs,
            progress=bar.reach,
        )
    if arguments.json:
        print(json.dumps(found.to_dict(), indent=2))
    else:
        print("\n".join(_told(found)))
    return 0 if found.passed else 1


_WIDTH = 79
_MARGIN = 9
_SHOWN = 3  # examples of each finding


def _told(found: Audit) -> Iterator[str]:
    yield f"{'clips':>7} {'heard':>7} {'hours':>6} {'speakers':>8} {'labels':>6}  side"
    for side in found.sides:
        yield (
            f"{side.utterances:7} {side.heard:7} {side.hours:6.2f} {side.speakers:8} "
            f"{len(side.labels):6}  {_short(printable(side.name), _WIDTH - 40)}"
        )
    for one in found.findings:
        yield ""
        yield from _finding(one)
    yield ""
    yield _verdict(found)


def _finding(one: Finding) -> Iterator[str]:
    wrapped = textwrap.wrap(
        f"{one.weight.upper():{_MARGIN}}{printable(one.says)}",
        _WIDTH,
        subsequent_indent=" " * _MARGIN,
        break_on_hyphens=False,
    )
    yield from wrapped
    for example in one.examples[:_SHOWN]:
        yield " " * _MARGIN + _short(printable(example), _WIDTH - _MARGIN)
    if len(one.examples) > _SHOWN:
        yield f"{'':{_MARGIN}}... and {len(one.examples) - _SHOWN} more"


def _short(text: str, width: int) -> str:
    """The end of a text says more: it is a path."""
    return text if len(text) <= width else f"...{text[3 - width :]}"


def _verdict(found: Audit) -> str:
    if len(found.sides) == 1:
        return "one side: nothing to leak"
    if found.passed:
        return "passed: no speaker and no recording is on two sides, as far as was looked"
    leaks = any(one.weight == "leak" for one in found.findings)
    return "FAILED: the sides are not apart" if leaks else "FAILED: nobody can say"
