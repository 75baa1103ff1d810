"""How one or more recordings sound.

examples:
  voxplain analyze memo.m4a              a summary and why, a page, JSON
  voxplain analyze memo.m4a --json       JSON on standard output, no files
  voxplain analyze memo.m4a --why fear   why fear, or why not
  voxplain analyze interviews/ --jobs 2  a line a file, results, an index.csv
  voxplain analyze talk.wav --relative   each part against the rest of the talk
  voxplain analyze memo.m4a --transcript memo.txt   with the words
  voxplain analyze memo.m4a --narrate openai_compatible:llama3.1:8b
                           --base-url http://localhost:11434/v1   in other words
  cat memo.wav | voxplain analyze -      standard input
"""

from __future__ import annotations

import argparse
import csv
import functools
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from voxplain import plugins
from voxplain.audio import read
from voxplain.cli import _remote
from voxplain.cli._language_model import add_language_model, language_model
from voxplain.cli._progress import Bar
from voxplain.cli._reference import add_reference
from voxplain.cli._results import result_paths, write
from voxplain.errors import ConfigError, VoxplainError, status
from voxplain.evidence.explanation import EFFORTS
from voxplain.evidence.narrate import READERS, narrated
from voxplain.pipeline import DEFAULT_MODEL, analyze_each, load
from voxplain.reports import html as html_report
from voxplain.reports import json as json_report
from voxplain.reports import text as text_report
from voxplain.reports._sounding import sounding
from voxplain.text.alignment import POCKETSPHINX
from voxplain.text.transcribers import Transcriber, choose
from voxplain.types import Analysis

__all__ = ["add", "run"]

INDEX = "voxplain.index.csv"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("path", nargs="+", help="a recording, a folder of them, or - (stdin)")
    parser.add_argument("--json", action="store_true", help="JSON on standard output, no files")
    parser.add_argument("--tracks", action="store_true", help="put descriptor tracks into the JSON")
    parser.add_argument(
        "--explain",
        choices=("none", *EFFORTS),
        help="why it sounds so (default quick, but none with --json or for several recordings)",
    )
    parser.add_argument(
        "--why", metavar="LABEL", help="explain this emotion instead of the most probable one"
    )
    parser.add_argument(
        "--asr",
        choices=("none", "auto", *plugins.names("transcribers")),
        help="what hears the words (default auto: a good one whose weights are there; none with "
        "--json or for several recordings)",
    )
    parser.add_argument(
        "--asr-model", metavar="NAME", help="its weights: pulled by voxplain models, or a folder"
    )
    parser.add_argument(
        "--transcript",
        type=Path,
        metavar="PATH",
        help="what is said: .txt, .TextGrid, .srt, .vtt or .json; for several recordings a folder "
        "of such files with the same names",
    )
    parser.add_argument(
        "--aligner",
        default=POCKETSPHINX,
        metavar="DIR",
        help="a Hugging Face CTC checkpoint that finds the words (default pocketsphinx: en, de)",
    )
    parser.add_argument("--language", metavar="XX", help="of the words, such as en or de")
    add_language_model(
        parser, "--narrate", does="a language model puts the findings in other words, checked"
    )
    parser.add_argument("--reader", choices=READERS, help="for whom it does (default lay)")
    parser.add_argument(
        "--report",
        action="append",
        choices=plugins.names("reports"),
        metavar="FORMAT",
        help=f"what to write: {', '.join(plugins.names('reports'))}; may be given several times "
        "(default html and json, only json for several recordings)",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the results")
    parser.add_argument("--force", action="store_true", help="replace results that exist")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default 1)")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="by name, folder or hub id")
    _remote.add_server(parser)
    add_reference(parser, judged="levels and emotion")


def run(arguments: argparse.Namespace) -> int:
    """Analyse, print and write."""
    if arguments.json and arguments.out is not None:
        raise ConfigError("--json writes no files; leave out --out, or --json")
    if arguments.json and arguments.report:
        raise ConfigError("--json writes no files; leave out --report, or --json")
    if arguments.jobs < 1:
        raise ConfigError(f"--jobs must be at least 1, not {arguments.jobs}")
    if arguments.why and arguments.explain == "none":
        raise ConfigError("--why explains a label; leave out --explain none, or --why")
    if arguments.transcript is not None and arguments.asr not in (None, "none"):
        raise ConfigError("--transcript gives the words; leave out --asr, or --transcript")
    if arguments.narrate is None and (arguments.reader or arguments.base_url):
        raise ConfigError(
            "--reader and --base-url go with --narrate BACKEND:MODEL; give it, or leave them out"
        )
    one_file = len(arguments.path) == 1 and not Path(arguments.path[0]).is_dir()
    return _one(arguments) if one_file else _many(arguments)


def _one(arguments: argparse.Namespace) -> int:
    source = arguments.path[0]
    seconds = read.promised_duration(source)
    narrate = _narrator(arguments)
    effort = _effort(arguments, "none" if arguments.json else "quick")
    analyze = functools.partial(_remote.analyze, arguments, asr=_asr(arguments))
    if not arguments.server:
        analyze = functools.partial(
            load(
                arguments.model,
                reference_group=arguments.reference_group or "adults",
                speaker=arguments.reference,
            ).analyze,
            relative=arguments.relative,
            why=arguments.why,
            transcriber=_transcriber(arguments),
            language=arguments.language,
            aligner=arguments.aligner,
        )
    with Bar(unit="s", hidden=arguments.json, total=seconds) as bar:
        analysis = narrate(
            analyze(source, explain=effort, transcript=arguments.transcript, progress=bar.reach)
        )
    if arguments.json:
        print(json_report.render(analysis, tracks=arguments.tracks))
        return 0
    print(text_report.render(analysis), end="")
    path = Path("stdin" if source == "-" else source)
    if source == "-" and arguments.out is None:
        return 0
    (result,) = result_paths([path], root=path.parent, out=arguments.out)
    _write_reports(analysis, source, result, ("json", "html"), arguments)
    return 0


def _transcriber(arguments: argparse.Namespace) -> Transcriber | None:
    asr = _asr(arguments)
    if asr is None:
        return None
    found, reason = choose(asr, model=arguments.asr_model, language=arguments.language)
    if reason:
        print(reason, file=sys.stderr)
    return found


def _asr(arguments: argparse.Namespace) -> str | None:
    """Of one recording."""
    asr = arguments.asr or ("none" if arguments.json or arguments.transcript else "auto")
    return None if asr == "none" else asr


def _narrator(arguments: argparse.Namespace) -> Callable[[Analysis], Analysis]:
    """What puts findings in other words, if that is wanted."""
    if arguments.narrate is None:
        return lambda analysis: analysis
    llm = language_model(arguments.narrate, option="--narrate", base_url=arguments.base_url)
    return functools.partial(narrated, llm=llm, reader=arguments.reader or "lay")


def _effort(arguments: argparse.Namespace, default: str) -> str | None:
    effort = arguments.explain or ("quick" if arguments.why else default)
    return None if effort == "none" else effort


def _write_reports(
    analysis: Analysis,
    source: Any,
    result: Path,
    usual: tuple[str, ...],
    arguments: argparse.Namespace,
    *,
    said: bool = True,
) -> None:
    for kind in dict.fromkeys(arguments.report or usual):
        if kind == "json":
            document = json_report.render(analysis, tracks=arguments.tracks)
        elif kind == "html":
            heard = source != "-"
            document = sounding(analysis, source) if heard else html_report.render(analysis)
        else:
            document = plugins.find("reports", kind).render(analysis)
        place = result.with_suffix(plugins.find("reports", kind).SUFFIX)
        _keep_or_write(place, document, arguments.force, said=said)


def _many(arguments: argparse.Namespace) -> int:
    sources = list(dict.fromkeys(_expand(arguments.path)))
    try:
        root = Path(os.path.commonpath([path.absolute().parent for path in sources]))
    except ValueError as error:
        raise ConfigError(f"{error}: inputs on several drives must be analysed apart") from error
    results = result_paths([path.absolute() for path in sources], root=root, out=arguments.out)
    narrate = _narrator(arguments)
    rows, failed = [], 0
    with Bar(unit="file", hidden=arguments.json, total=len(sources)) as bar:
        found = _found(arguments, sources)
        for done, (source, result, outcome) in enumerate(
            zip(sources, results, found, strict=True), start=1
        ):
            name = read.source_name(source)
            if isinstance(outcome, Analysis):
                outcome = narrate(outcome)
            rows.append(_row(name, outcome))
            failed += isinstance(outcome, VoxplainError)
            if arguments.json:
                bar.write(_line(name, outcome, tracks=arguments.tracks))
            else:
                bar.write(text_report.line(name, outcome))
                if isinstance(outcome, Analysis):
                    _write_reports(outcome, source, result, ("json",), arguments, said=False)
            bar.reach(done)
    if not arguments.json:
        _keep_or_write((arguments.out or root) / INDEX, _table(rows), arguments.force)
    if failed:
        print(f"{failed} of {len(sources)} files failed", file=sys.stderr)
    return 1 if failed else 0


def _found(
    arguments: argparse.Namespace, sources: list[Path]
) -> Iterator[Analysis | VoxplainError]:
    effort = _effort(arguments, "none")
    asr = None if arguments.asr == "none" else arguments.asr
    transcripts = _transcripts(arguments.transcript, sources)
    if arguments.server:
        return _remote.analyze_each(arguments, sources, transcripts, explain=effort, asr=asr)
    return analyze_each(
        sources,
        jobs=arguments.jobs,
        relative=arguments.relative,
        explain=effort,
        why=arguments.why,
        asr=asr,
        asr_model=arguments.asr_model,
        language=arguments.language,
        transcripts=transcripts,
        aligner=arguments.aligner,
        model=arguments.model,
        reference_group=arguments.reference_group or "adults",
        speaker=arguments.reference,
    )


def _transcripts(folder: Path | None, sources: list[Path]) -> list[Path]:
    """Of each recording the file of the same name in a folder; the plain text where there is none.

    Raises ConfigError for what is not a folder.
    """
    if folder is None:
        return []
    if not folder.is_dir():
        raise ConfigError(
            f"--transcript {folder} is not a folder; for several recordings give a folder of files "
            "with their names"
        )
    named = {path.stem: path for path in sorted(folder.iterdir())}
    return [named.get(source.stem, folder / f"{source.stem}.txt") for source in sources]


def _expand(paths: list[str]) -> Iterator[Path]:
    for path in map(Path, paths):
        if str(path) == "-":
            raise ConfigError("standard input (-) can't be mixed with other inputs; give it alone")
        yield from read.find_files(path) if path.is_dir() else [path]


def _keep_or_write(path: Path, text: str, force: bool, *, said: bool = True) -> None:
    if path.exists() and not force:
        print(f"kept {path} as it is; --force replaces it", file=sys.stderr)
        return
    write(path, text)
    if said:
        print(f"wrote {path}", file=sys.stderr)


def _line(name: str, outcome: Analysis | VoxplainError, *, tracks: bool) -> str:
    if isinstance(outcome, Analysis):
        return json_report.render(outcome, tracks=tracks, indent=None)
    return json_report.render_error(name, outcome, exit_code=status(outcome).exit)


def _row(name: str, outcome: Analysis | VoxplainError) -> dict[str, Any]:
    if isinstance(outcome, VoxplainError):
        return {"file": name, "error": str(outcome)}
    emotion, dimensions = outcome.emotion, outcome.emotion.dimensions
    row: dict[str, Any] = {
        "file": name,
        "start": 0.0,
        "end": round(outcome.duration, 3),
        "verdict": "|".join(emotion.verdict.labels),
        "reason": emotion.verdict.reason or "",
        **{label: round(p, 6) for label, p in emotion.categories.items()},
        **{f"perceived_{label}": round(p, 6) for label, p in emotion.perceived.items()},
    }
    if dimensions is not None:
        for axis in ("valence", "arousal", "dominance"):
            row[axis] = round(getattr(dimensions, axis).value, 6)
    return row


def _table(rows: list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(["file", "start", "end", *(key for row in rows for key in row)]))
    if "error" in columns:
        columns.append(columns.pop(columns.index("error")))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
