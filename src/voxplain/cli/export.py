"""Write a checkpoint or a trained model as ONNX, which runs without torch.

examples:
  voxplain export superb/hubert-large-superb-er --out ser/ --clips *.wav
  voxplain export runs/probe --out probe/ --corpus cremad=DIR --int8
  voxplain analyze memo.m4a --model ser/
  voxplain export runs/vib_sed --out listening/ --clips *.wav
  voxplain describe memo.m4a --model listening/

The file is compared with the original on the recordings; where it differs by
more than 0.001 (with --int8 0.1) in any output nothing is written. On a corpus
both models' labels are counted, too. A trained VIB-Emo becomes a folder in half
precision, which must say the same words with probabilities that differ by no
more than 0.02.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from voxplain.audio import read
from voxplain.errors import ConfigError
from voxplain.models.loading import load_model
from voxplain.plugins import require

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("model", help="a folder, or the id of a checkpoint that was pulled")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder")
    parser.add_argument(
        "--clips", type=Path, nargs="+", default=[], metavar="FILE", help="recordings of speech"
    )
    parser.add_argument(
        "--corpus", action="append", default=[], metavar="NAME=DIR", help="a labelled corpus"
    )
    parser.add_argument("--int8", action="store_true", help="store matrices in 8 bits a channel")


def run(arguments: argparse.Namespace) -> int:
    """Write, compare, and print the comparison."""
    require("torch", extra="train")
    from voxplain.training.assessment.recordings import recordings
    from voxplain.training.exported import LARGEST, export_model
    from voxplain.training.vib_sed.packed import is_trained

    if is_trained(Path(arguments.model)):
        return _pack(arguments)
    precision = "int8" if arguments.int8 else "float32"
    corpora = [recordings(corpus) for corpus in arguments.corpus]
    done = export_model(
        load_model(arguments.model),
        arguments.out,
        clips=[read.read(clip) for clip in arguments.clips],
        corpora={corpus.name: corpus.utterances for corpus in corpora},
        precision=precision,
    )
    print(
        f"wrote {done.folder}: {done.megabytes:.1f} MB, {precision}\n"
        f"largest difference of any output on {done.recordings} recordings: "
        f"{done.difference:.1e} (at most {LARGEST[precision]:g})"
    )
    for name, one in done.agreement.items():
        print(
            f"{name}: UAR {one.original} before and {one.exported} after "
            f"(n {one.original.n}, {one.original.speakers} speakers); "
            f"the same label for {one.same:.2%}"
        )
    return 0


def _pack(arguments: argparse.Namespace) -> int:
    from voxplain.training.vib_sed.packed import LARGEST, pack

    if arguments.corpus or arguments.int8:
        raise ConfigError(
            f"{arguments.model} is packed as it is and checked on --clips; leave out --corpus and "
            "--int8"
        )
    clips = [read.read(clip) for clip in arguments.clips]
    done = pack(Path(arguments.model), arguments.out, clips=clips)
    print(
        f"wrote {done.folder}: {done.megabytes:.1f} MB, float16\n"
        f"largest difference of any probability on {done.stretches} stretches of speech: "
        f"{done.difference:.1e} (at most {LARGEST:g})"
    )
    return 0
