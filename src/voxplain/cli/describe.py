"""How a voice sounds to a small model, in words, beside what was measured.

examples:
  voxplain describe memo.m4a
  voxplain describe memo.m4a --transcript memo.txt   with the stressed word
  voxplain describe clips/*.wav --json               JSON, a line a recording
  voxplain describe memo.m4a --set pitch=low         and the verdict by that

Each word that the model hears stands beside the word that the measurement has.
Of what is hardly sure (not heard) nothing is said in the first line. With --set
a word is exchanged, and the verdict told again: for a model that reads the
emotion from its own words alone, and for no other.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from voxplain import plugins
from voxplain.errors import ConfigError, InputError
from voxplain.labels import phrase
from voxplain.models.description import spoken
from voxplain.models.listening import NAMES, ListeningModel
from voxplain.pipeline import DEFAULT_MODEL, load
from voxplain.reports import _words
from voxplain.reports.text import verdict
from voxplain.text.transcribers import choose
from voxplain.types import Analysis, Listening, SegmentAnalysis

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("path", nargs="+", metavar="CLIP", help="a recording, or - (stdin)")
    parser.add_argument("--json", action="store_true", help="JSON on standard output")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="WHAT=WORD",
        dest="changes",
        help="exchange a word that the model speaks, such as pitch=low; may be given several times",
    )
    parser.add_argument("--transcript", type=Path, metavar="PATH", help="what is said")
    parser.add_argument(
        "--asr",
        choices=("none", "auto", *plugins.names("transcribers")),
        default="none",
        help="what hears the words (default none)",
    )
    parser.add_argument("--language", metavar="XX", help="of the words, such as en or de")
    parser.add_argument("--model", help=f"{NAMES[0]}, {NAMES[1]} (default with --set), or a folder")


def run(arguments: argparse.Namespace) -> int:
    """Listen, and print."""
    changes = _changes(arguments.changes)
    if arguments.transcript is not None and arguments.asr != "none":
        raise ConfigError("--transcript gives the words; leave out --asr, or --transcript")
    if arguments.transcript is not None and len(arguments.path) > 1:
        raise ConfigError(f"--transcript is of one recording, and {len(arguments.path)} are given")
    describer = ListeningModel.load(arguments.model or NAMES[bool(changes)])
    if changes and not describer.describer.concept:
        raise ConfigError(
            f"--set changes what a verdict is read from, and {describer.name} decides by what it "
            "hears; give --model a folder of one that was trained with network.concept=true"
        )
    words: dict[str, Any] = {"language": arguments.language, "transcript": arguments.transcript}
    if arguments.asr != "none":
        words["transcriber"], reason = choose(arguments.asr, language=arguments.language)
        if reason:
            print(reason, file=sys.stderr)
    analyzer, failed = load(DEFAULT_MODEL), 0
    for number, path in enumerate(arguments.path):
        try:
            analysis = analyzer.analyze(path, explain=None, describer=describer, **words)
        except InputError as error:
            if len(arguments.path) == 1:
                raise
            print(f"voxplain: {error}", file=sys.stderr)
            failed += 1
            continue
        if arguments.json:
            indent = 2 if len(arguments.path) == 1 else None
            document = _document(analysis, describer, changes)
            print(json.dumps(document, indent=indent, allow_nan=False))
        else:
            print("\n" * (number > 0) + "\n".join(_told(analysis, describer, changes)))
    return 1 if failed else 0


def _changes(given: Sequence[str]) -> dict[str, str]:
    """Descriptor -> word. Raises ConfigError for what is not WHAT=WORD."""
    found = {}
    for item in given:
        name, equals, word = item.partition("=")
        if not (name and equals and word):
            raise ConfigError(f"--set takes WHAT=WORD such as pitch=low, not {item!r}")
        found[name] = word
    return found


class _Verdicts(NamedTuple):
    """What is read from the words as they were spoken, and from others."""

    text: str
    """The others."""
    before: dict[str, float]
    after: dict[str, float]


def _segments(
    analysis: Analysis, describer: ListeningModel, changes: Mapping[str, str]
) -> Iterator[tuple[SegmentAnalysis, Listening | None, _Verdicts | None]]:
    """Each stretch of speech, how it sounds, and what exchanged words do to that."""
    listening = {one.segment: one for one in analysis.listening or ()}
    words = analysis.transcript.words if analysis.transcript else ()
    for number, stretch in enumerate(analysis.segments):
        one, verdicts = listening.get(number), None
        if one is not None and changes:
            both = describer.rewritten(one, changes, words=words)
            verdicts = _Verdicts(spoken(both[1]), *map(describer.describer.decide, both))
        yield stretch, one, verdicts


def _document(
    analysis: Analysis, describer: ListeningModel, changes: Mapping[str, str]
) -> dict[str, Any]:
    parts = [
        {
            "start": stretch.start,
            "end": stretch.end,
            "reason": None if one else stretch.emotion.verdict.reason,
            "listening": one and one.to_dict(),
        }
        | ({"set": {"changes": dict(changes), **verdicts._asdict()}} if verdicts else {})
        for stretch, one, verdicts in _segments(analysis, describer, changes)
    ]
    return {
        "source": analysis.source,
        "model": describer.name,
        "model_sha256": describer.sha256,
        "segments": parts,
    }


def _told(
    analysis: Analysis, describer: ListeningModel, changes: Mapping[str, str]
) -> Iterator[str]:
    length = f"{analysis.duration:.1f} s, {analysis.speech_duration:.1f} s of speech"
    yield f"{_words.printable(analysis.source)}  {length}"
    if not analysis.segments:
        yield f"\n{verdict(analysis.emotion)}."
    for stretch, one, verdicts in _segments(analysis, describer, changes):
        where = _words.place(stretch.start, stretch.end)
        said = one.text if one else f"not described: {stretch.emotion.verdict.reason}"
        line = _words.printable(f"{where}  {said}")
        yield "\n" + textwrap.fill(line, 79, subsequent_indent="  ")
        if one is None:
            continue
        yield f"\n  {'':11}{'heard':19}measured"
        for name, word, chance, measured, value, agreement in _words.heard(one):
            row = f"  {name:<11}{word:<11} {chance:<7}{measured:<11} {value:<17}{agreement}"
            yield _words.printable(row.rstrip())
        if verdicts is None:
            yield f"  {'sounds':<11}{_ranked(one.categories)}"
            continue
        yield f"\n  {'as heard':<12}sounds {_ranked(verdicts.before)}"
        yield f"  {'changed':<12}sounds {_ranked(verdicts.after)}"
        line = _words.printable(f"  {'now read':<12}{verdicts.text}")
        yield textwrap.fill(line, 79, subsequent_indent=" " * 14)


def _ranked(chances: Mapping[str, float]) -> str:
    """The three most probable labels."""
    ranked = sorted(chances, key=lambda label: -chances[label])[:3]
    return ", ".join(f"{phrase(one)} {_words.probability(chances[one])}" for one in ranked)
