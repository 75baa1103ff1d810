"""How each voice of a long recording or a conversation sounds over time.

examples:
  voxplain conversation talk.m4a -o talk/     all that is said as one voice
  voxplain conversation call.wav --speakers call.rttm -o call/
  voxplain conversation call.wav --speakers call.TextGrid --tier who -o call/
  voxplain conversation call.wav --diariser sherpa_onnx
                        --diariser-model weights/ -o call/

A file of speakers is RTTM, a CSV with the columns start, end (s) and speaker,
or a TextGrid in which the labels of a tier are the speakers. The folder gets a
page, conversation.json and turns.csv: docs/conversation.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from voxplain.annotation.rows import emotion_cells
from voxplain.audio import read
from voxplain.cli._progress import Bar
from voxplain.cli._results import write
from voxplain.cli._tables import table_writer
from voxplain.conversations import page, text
from voxplain.conversations.conversation import REACH, conversation
from voxplain.conversations.results import Conversation
from voxplain.errors import ConfigError
from voxplain.pipeline import DEFAULT_MODEL
from voxplain.plugins import names

__all__ = ["add", "run"]

PAGE, DOCUMENT, TURNS = "conversation.html", "conversation.json", "turns.csv"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    option = parser.add_argument
    option("recording", help="a recording, or - (stdin)")
    option("-o", "--out", type=Path, required=True, metavar="FOLDER", help="for the results")
    option("--speakers", type=Path, metavar="FILE", help="who speaks when: RTTM, CSV, TextGrid")
    option("--tier", metavar="NAME", help="interval tier of the TextGrid (default: the first)")
    option("--diariser", choices=names("diarisers"), help="what finds out who speaks when")
    option("--diariser-model", type=Path, metavar="DIR", help="its weights")
    option(
        "--reach",
        type=float,
        default=REACH,
        metavar="S",
        help=f"seconds to either side over which a course is smoothed (default {REACH:g})",
    )
    option("--model", default=DEFAULT_MODEL, help="by name, folder or hub id")
    option("--force", action="store_true", help="replace results that exist")


def run(arguments: argparse.Namespace) -> int:
    """Listen, print and write."""
    source, out = arguments.recording, arguments.out
    for name in (PAGE, DOCUMENT, TURNS):
        if (out / name).exists() and not arguments.force:
            raise ConfigError(f"{out / name} exists; --force replaces it")
    with Bar(unit="s", hidden=False, total=read.promised_duration(source)) as bar:
        found = conversation(
            source,
            speakers=arguments.speakers,
            tier=arguments.tier,
            diariser=arguments.diariser,
            diariser_model=arguments.diariser_model,
            model=arguments.model,
            reach=arguments.reach,
            progress=bar.reach,
        )
    print(text.render(found), end="")
    write(out / DOCUMENT, json.dumps(found.to_dict(), indent=1, allow_nan=False))
    _write_turns(found, out / TURNS)
    write(out / PAGE, _page(found, source, out))
    for name in (PAGE, DOCUMENT, TURNS):
        print(f"wrote {out / name}", file=sys.stderr)
    return 0


def _page(found: Conversation, source: str, out: Path) -> str:
    """With the sound in it where that is short; else it plays the recording where it lies."""
    if source == "-":
        return page.render(found)
    if found.duration <= page.WHOLE_HEARD:
        return page.render(found, audio=read.read(source))
    return page.render(found, place=Path(os.path.relpath(source, out)).as_posix())


def _write_turns(found: Conversation, path: Path) -> None:
    """The columns of ``voxplain annotate``; where several speak at once there is a row, too."""
    rows = [
        {
            **_place(found.source, one.start, one.end, one.speaker),
            **emotion_cells(one.emotion),
        }
        for one in found.turns
    ]
    rows += [
        {
            **_place(found.source, one.start, one.end, "|".join(one.speakers)),
            "verdict": "",
            "reason": "several speak at once",
        }
        for one in found.overlaps
    ]
    rows.sort(key=lambda row: row["start"])
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with table_writer(path, columns) as writer:
        writer.write({name: [row.get(name) for row in rows] for name in columns})


def _place(file: str, start: float, end: float, speaker: str | None) -> dict[str, object]:
    return {
        "file": file,
        "start": start,
        "end": end,
        "speaker": speaker,
        "duration": end - start,
    }
