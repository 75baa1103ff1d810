"""What the same voice would sound like, had it been higher, slower, brighter ...

examples:
  voxplain whatif memo.m4a --f0-shift 2st --tempo 0.85   memo.synthetic.wav, too
  voxplain whatif memo.m4a --gain 6dB --tilt -3dB --json  JSON, no files
  voxplain whatif memo.m4a --flip                the smallest change that flips
  voxplain whatif memo.m4a --flip sad            the verdict, here to sad

The voice is taken apart and put together with the change and nothing else, and
judged again; the control goes the same way there and back. The sound is
synthetic: it is marked so, in its name and inside.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import textwrap
from pathlib import Path

import numpy as np

from voxplain.cli._results import replacing
from voxplain.errors import ConfigError
from voxplain.evidence.counterfactual import Experiment
from voxplain.evidence.flip import smallest_flip
from voxplain.evidence.voice import Edit
from voxplain.pipeline import DEFAULT_MODEL, load
from voxplain.reports import _synthetic, _words
from voxplain.reports.text import verdict
from voxplain.types import Audio, Counterfactual

__all__ = ["add", "run"]

_ANY = object()
_OPTIONS = {
    "f0_shift": ("f0_shift_st", "st", "semitones that the pitch rises, such as 2st or -2st"),
    "f0_range": ("f0_range", "x", "factor of the pitch range: 1.5 is livelier, 0.5 flatter"),
    "tempo": ("tempo", "x", "factor of the speed: 1.2 is faster, 0.85 slower"),
    "gain": ("gain_db", "dB", "how much stronger, such as 6dB or -6dB"),
    "tilt": ("tilt_db", "dB", "rise of the alpha ratio (1-5 kHz over 50-1000 Hz): brighter"),
    "breathiness": ("breathiness", "", "share of the voice that becomes noise, 0 to 1"),
}
_AMOUNT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*([a-zA-Z]*)")


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("path", help="a recording, or - (stdin)")
    for name, (_, unit, about) in _OPTIONS.items():
        metavar = unit.upper() if unit not in ("", "x") else "X"
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=about)
    parser.add_argument(
        "--flip",
        nargs="?",
        const=_ANY,
        metavar="LABEL",
        help="look for the smallest change that makes it sound like something else",
    )
    parser.add_argument("--json", action="store_true", help="JSON on standard output, no files")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the sound")
    parser.add_argument("--force", action="store_true", help="replace a sound that exists")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="by name, folder or hub id")
    # argparse takes "-3dB" for an option, unless it is told that this is a number.
    parser._negative_number_matcher = re.compile(f"-{_AMOUNT.pattern}$")


def run(arguments: argparse.Namespace) -> int:
    """Change, judge, print and write."""
    if arguments.json and arguments.out is not None:
        raise ConfigError("--json writes no files; leave out --out, or --json")
    asked = _asked(arguments)
    if bool(asked) == (arguments.flip is not None):
        raise ConfigError(
            "--flip looks for a change by itself; leave out the others, or --flip"
            if asked
            else "nothing to change; ask for it, for example with --f0-shift 2st, or for --flip"
        )
    edit = Edit(**asked)
    experiment = load(arguments.model).experiment(arguments.path)
    if arguments.flip is None:
        found: Counterfactual | None = experiment.whatif(edit)
    else:
        found = smallest_flip(experiment, to=None if arguments.flip is _ANY else arguments.flip)
    if arguments.json:
        print(json.dumps(_synthetic.document(experiment, found), indent=2, allow_nan=False))
        return 0
    print(_told(experiment, found))
    if found is not None:
        _write(experiment.voice.edited(Edit(**found.edit)), arguments)
    return 0


def _asked(arguments: argparse.Namespace) -> dict[str, float]:
    """Name in an Edit -> value. Raises ConfigError for what is no amount."""
    asked = {}
    for option, (name, unit, _) in _OPTIONS.items():
        text = getattr(arguments, option)
        if text is None:
            continue
        match = _AMOUNT.fullmatch(text)
        if not match or match[2].lower() not in ("", unit.lower()):
            raise ConfigError(
                f"--{option.replace('_', '-')} takes a number such as 0.5 or 0.5{unit}, "
                f"not {text!r}"
            )
        asked[name] = float(match[1])
    return asked


def _told(experiment: Experiment, found: Counterfactual | None) -> str:
    audio, before = experiment.voice.audio, experiment.before
    head = f"{_words.printable(audio.source)}  {audio.duration:.1f} s"
    if found is None:
        said = "No change that this voice allows, of those tried, makes it sound otherwise"
        return f"{head}\n\n{verdict(before)}.\n{said}."
    again = {name: round(found.measured[name].value, 2) for name in found.edit}
    known = {name: value for name, value in again.items() if math.isfinite(value)}
    lines = [
        head,
        "",
        f"as recorded  {verdict(before)}.",
        f"changed      {verdict(found.after)}.",
        "",
        _filled(f"asked for    {_words.changes(found.edit)}"),
        _filled(f"found again  {_words.changes(known) or 'not measurable'}"),
        "",
        f"{'':12}{'as recorded':>14}{'unchanged':>14}{'changed':>14}",
    ]
    for label in before.label_set:
        shares = (
            _words.probability(one.categories.get(label, math.nan))
            for one in (before, found.identity, found.after)
        )
        lines.append(f"  {label:<10}{''.join(f'{share:>14}' for share in shares)}")
    lines += ["", "Unchanged is the control: the same change there and back. Synthetic sound."]
    return "\n".join(lines)


def _filled(text: str) -> str:
    return textwrap.fill(text, 79, subsequent_indent=" " * 13)


def _write(sound: Audio, arguments: argparse.Namespace) -> None:
    """Keep the sound beside the recording or in --out."""
    peak_db = 20 * math.log10(max(float(np.abs(sound.waveform).max()), 1e-6))
    if peak_db > 0:
        print(
            f"the sound exceeds full scale by {peak_db:.1f} dB and will be clipped where it is "
            "played; ask for less gain",
            file=sys.stderr,
        )
    source = Path("stdin" if arguments.path == "-" else arguments.path)
    if arguments.path == "-" and arguments.out is None:
        return
    path = (arguments.out or source.parent) / f"{source.stem}.synthetic.wav"
    if path.exists() and not arguments.force:
        print(f"kept {path} as it is; --force replaces it", file=sys.stderr)
        return
    with replacing(path) as temporary:
        temporary.write_bytes(_synthetic.wav(sound))
    print(f"wrote {path}", file=sys.stderr)
