"""Acoustic descriptors of recordings as a table, or as a TextGrid of one.

examples:
  voxplain features corpus/ -o corpus.parquet --jobs 2     a row per recording
  voxplain features talk.wav -o talk.csv --level segment   per stretch of speech
  voxplain features talk.wav -o talk.csv --level frame     every 10 ms
  voxplain features talk.wav -o f0.TextGrid --intervals talk.TextGrid
                    --tier words --columns f0_mean_hz,intensity_mean_db
  voxplain features index.csv -o z.csv --relative --speaker-column speaker

INPUT is a recording, a folder of them, or a CSV with a column file and, if
wanted, start, end (s) and label. The columns of the table, their units and what
each needs of a recording: docs/descriptors.md.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from voxplain.audio import read
from voxplain.audio.intervals import read_table, read_textgrid
from voxplain.cli._progress import Bar
from voxplain.cli._reference import add_reference
from voxplain.cli._tables import SUFFIXES, table_writer
from voxplain.cli._textgrid import write_textgrid
from voxplain.descriptors import DEFAULTS, Settings, inventory
from voxplain.descriptors.backends.opensmile import EGEMAPS
from voxplain.descriptors.backends.voxplain import reference
from voxplain.errors import AudioError, ConfigError, UnknownName
from voxplain.feature_table import LEVELS, Options, Recording, Table, columns, tables
from voxplain.plugins import names
from voxplain.types import Segment

__all__ = ["add", "run"]

TEXTGRID = ".TextGrid"
_SUFFIXES = ", ".join((*SUFFIXES, TEXTGRID))
ALWAYS = ("file", "start", "end", "label", "speaker", "unreliable", "error")
_RANGES = {
    "f0_min": "lowest F0",
    "f0_max": "highest F0",
    "formant_max": "five formants lie below",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("input", nargs="+", type=Path, help="recordings, folders or CSV files")
    option = parser.add_argument
    option("-o", "--out", type=Path, required=True, metavar="FILE", help=f"{_SUFFIXES}")
    option("--level", choices=LEVELS, help="what a row is about (default clip; segment if marked)")
    option("--intervals", type=Path, metavar="FILE", help="TextGrid, folder of them, or CSV")
    option("--tier", metavar="NAME", help="interval tier of the TextGrid (default: the first)")
    option("--columns", metavar="A,B", help="write these descriptors alone (default: all)")
    option("--speaker-column", metavar="NAME", help="column of the CSV that says who speaks")
    for name, about in _RANGES.items():
        default = getattr(DEFAULTS, f"{name}_hz")
        option(
            f"--{name.replace('_', '-')}",
            type=float,
            default=default,
            metavar="HZ",
            help=f"{about} (default {default:g})",
        )
    option("--backend", default="voxplain", help=", ".join(names("backends")))
    option("--jobs", type=int, default=1, metavar="N", help="processes (default 1)")
    option("--force", action="store_true", help="replace a table that exists")
    option("--list", action=_List, nargs=0, help="print all descriptors (Markdown) and stop")
    add_reference(parser)


class _List(argparse.Action):
    """Print what there is to measure."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print("| name | what | unit | reliable from | eGeMAPSv02 |\n|---|---|---|---|---|")
        for name, card in inventory().items():
            needs = [
                f"{least:g} {unit}"
                for least, unit in (
                    (card.least_snr_db, "dB SNR"),
                    (card.least_snr_high_db, "dB SNR at 1-5 kHz"),
                    (card.least_bandwidth_hz, "Hz bandwidth"),
                )
                if least > 0
            ]
            column, factor = EGEMAPS.get(name, ("", 1.0))
            times = f"{factor:g}" if isinstance(factor, float) else factor
            theirs = f"{column} x {times}" if factor != 1 else column
            print(f"| `{name}` | {card.title} | {card.unit} | {', '.join(needs)} | {theirs} |")
        parser.exit()


def run(arguments: argparse.Namespace) -> int:
    """Measure and write."""
    out: Path = arguments.out
    if out.suffix not in (*SUFFIXES, TEXTGRID):
        raise UnknownName("kind of table", out.suffix, (*SUFFIXES, TEXTGRID))
    if out.exists() and not arguments.force:
        raise ConfigError(f"{out} exists; --force replaces it")
    if arguments.jobs < 1:
        raise ConfigError(f"--jobs must be at least 1, not {arguments.jobs}")
    recordings = list(_recordings(arguments))
    options = _options(arguments, marked=any(one.intervals for one in recordings))
    wanted = _wanted(arguments.columns, recordings, options)
    found = tables(recordings, options, jobs=arguments.jobs)
    failed = 0
    if out.suffix == TEXTGRID:
        _textgrid(out, recordings, found, wanted)
    else:
        failed = _table(out, found, wanted, total=len(recordings))
    print(f"wrote {out}", file=sys.stderr)
    if failed:
        print(f"{failed} of {len(recordings)} recordings failed", file=sys.stderr)
    return 1 if failed else 0


def _table(out: Path, found: Iterator[Table], wanted: Sequence[str], *, total: int) -> int:
    """Write the tables as they come; how many recordings failed."""
    failed = 0
    with Bar(unit="file", hidden=False, total=total) as bar, table_writer(out, wanted) as writer:
        for done, table in enumerate(found, start=1):
            if "error" in table:
                failed += 1
                print(f"voxplain: {table['error'][0]}", file=sys.stderr)
            writer.write(table)
            bar.reach(done)
    return failed


def _options(arguments: argparse.Namespace, *, marked: bool) -> Options:
    level = arguments.level or ("segment" if marked else "clip")
    if marked and level == "clip":
        raise ConfigError("--level clip takes no intervals; leave it out, or the intervals")
    if arguments.out.suffix == TEXTGRID and level == "frame":
        raise ConfigError("a TextGrid has no frames; take --level clip or segment")
    settings = Settings(arguments.f0_min, arguments.f0_max, arguments.formant_max)
    compared = arguments.relative or arguments.reference or arguments.reference_group
    return Options(
        level=level,
        backend=arguments.backend,
        settings=settings,
        reference=reference(arguments.reference_group or "adults", arguments.reference)
        if compared
        else None,
        relative=arguments.relative,
    )


def _recordings(arguments: argparse.Namespace) -> Iterator[Recording]:
    """What is to be measured, as the inputs and the intervals say."""
    column, marks = arguments.speaker_column, arguments.intervals
    if column and not any(_is_table(path) for path in (*arguments.input, marks) if path):
        raise ConfigError("--speaker-column needs a CSV as input or intervals")
    sources: list[Path] = []
    for path in arguments.input:
        if _is_table(path):
            for file, segments in read_table(path, speaker_column=column).items():
                yield _told(file, segments)
        else:
            sources += read.find_files(path) if path.is_dir() else [path]
    if marks is None:
        for source in sources:
            yield Recording("-" if str(source) == "-" else source)
    elif _is_table(marks):
        table = {p.resolve(): s for p, s in read_table(marks, speaker_column=column).items()}
        for source in sources:
            if source.resolve() not in table:
                raise ConfigError(f"{marks} has no interval of {source}; add one")
            yield _told(source, table[source.resolve()])
    elif marks.is_dir() or len(sources) == 1:
        for source in sources:
            grid = marks / f"{source.stem}{TEXTGRID}" if marks.is_dir() else marks
            yield Recording(source, intervals=tuple(read_textgrid(grid, tier=arguments.tier)))
    else:
        raise ConfigError(
            f"{marks} is about one recording, not {len(sources)}; give a folder of TextGrids named "
            "like the recordings, or a CSV"
        )


def _told(source: Path, segments: list[Segment]) -> Recording:
    if segments == [whole := replace(segments[0], start=0.0, end=math.inf)]:
        return Recording(source, speaker=whole.speaker)
    return Recording(source, intervals=tuple(segments))


def _is_table(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _wanted(
    chosen: str | None, recordings: Sequence[Recording], options: Options
) -> tuple[str, ...]:
    """The columns to write: those asked for, and who and what if anybody said so."""
    told = [segment for one in recordings for segment in (one, *one.intervals)]
    possible = [
        name
        for name in columns(options)
        if name not in ("label", "speaker") or any(getattr(one, name, None) for one in told)
    ]
    if chosen is None:
        return tuple(possible)
    asked = [name.strip() for name in chosen.split(",")]
    for name in asked:
        if name not in possible:
            raise UnknownName("column", name, possible)
    return tuple(name for name in possible if name in asked or name in ALWAYS)


def _textgrid(
    out: Path, recordings: Sequence[Recording], found: Iterator[Table], wanted: Sequence[str]
) -> None:
    if len(recordings) != 1:
        raise ConfigError(f"a TextGrid holds one recording, not {len(recordings)}; write a table")
    (table,) = found
    if "error" in table:
        raise AudioError(table["error"][0])
    end = read.promised_duration(recordings[0].source) or max(table["end"])
    write_textgrid(out, {name: table[name] for name in wanted if name in table}, duration=end)
