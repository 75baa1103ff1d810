"""Speed, scaling and memory of ``voxplain annotate``, beside two peers on the same clips.

    python benchmarks/annotate.py FOLDER [--clips 1000] [--jobs 2] [--only speed scaling memory]

speed    the same clips, one after the other in one run: annotate, openSMILE's eGeMAPSv02 with as
         many worker processes, and for the first clips (--slow) a transformers pipeline with a
         randomly initialised wav2vec2-base, with as many threads
scaling  from one process to --jobs, for each engine: 1 is perfect
memory   of all processes together at its peak, for the clips and for ten times as many, which are
         the same ones again

Prints Markdown tables. All times are those of whole commands, with their start and their imports.
It means something only on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

from voxplain import plugins
from voxplain.audio.read import find_files

_OPENSMILE = """
import sys
import opensmile
smile = opensmile.Smile(feature_set=opensmile.FeatureSet.eGeMAPSv02, num_workers=int(sys.argv[2]),
                        multiprocessing=True)
smile.process_files([line.strip() for line in open(sys.argv[1])])
"""
_WAV2VEC2 = """
import sys
import torch
from transformers import (AudioClassificationPipeline, Wav2Vec2Config,
                          Wav2Vec2FeatureExtractor, Wav2Vec2ForSequenceClassification)
from voxplain.audio import read
torch.set_num_threads(int(sys.argv[2]))
model = Wav2Vec2ForSequenceClassification(Wav2Vec2Config(num_labels=6)).eval()
hear = AudioClassificationPipeline(model, feature_extractor=Wav2Vec2FeatureExtractor())
for line in open(sys.argv[1]):
    hear({"raw": read.read(line.strip()).waveform, "sampling_rate": 16_000})
"""


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="of clips that openSMILE reads, too")
    parser.add_argument("--clips", type=int, default=1000, help="taken, repeatedly if need be")
    parser.add_argument("--slow", type=int, default=200, help="of these for wav2vec2-base")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=list(_PARTS))
    arguments = parser.parse_args()
    for part in arguments.only:
        with tempfile.TemporaryDirectory() as place:
            _PARTS[part](arguments, Path(place))


def _speed(arguments: argparse.Namespace, place: Path) -> None:
    jobs = arguments.jobs
    clips = _linked(place / "clips", arguments)
    own = len(clips) / _run(*_annotate(place, jobs=jobs))[0]
    smile = len(clips) / _run("-c", _OPENSMILE, _listed(place / "all.txt", clips), str(jobs))[0]
    few = clips[: arguments.slow]
    wav2vec2 = len(few) / _run("-c", _WAV2VEC2, _listed(place / "few.txt", few), str(jobs))[0]
    print(f"| {len(clips)} clips, {jobs} processes or threads | files/s | annotate is |")
    print(f"|---|---|---|\n| annotate | {own:.2f} | |")
    print(f"| openSMILE eGeMAPSv02 | {smile:.2f} | {own / smile:.2f} x as fast |")
    print(f"| wav2vec2-base, {len(few)} clips | {wav2vec2:.2f} | {own / wav2vec2:.1f} x as fast |")


def _scaling(arguments: argparse.Namespace, place: Path) -> None:
    jobs = arguments.jobs
    clips = _linked(place / "clips", arguments)
    print(f"| {len(clips)} clips | 1 process | {jobs} processes | efficiency |\n|---|---|---|---|")
    for engine in plugins.names("engines"):
        one, many = (_run(*_annotate(place, jobs=n, engine=engine))[0] for n in (1, jobs))
        print(f"| {engine} | {one:.0f} s | {many:.0f} s | {one / many / jobs:.2f} |")


def _memory(arguments: argparse.Namespace, place: Path) -> None:
    clips = _linked(place / "clips", arguments)
    once, often = place / "once.csv", place / "often.csv"
    once.write_text("\n".join(["file", *map(str, clips)]))
    often.write_text("\n".join(["file", *map(str, clips * 10)]))
    print(f"| MB at the peak | {len(clips)} clips | {len(clips) * 10} |\n|---|---|---|")
    for engine in plugins.names("engines"):
        few, many = (
            _run(*_annotate(place, jobs=arguments.jobs, engine=engine, given=table))[1]
            for table in (once, often)
        )
        print(f"| {engine} | {few:.0f} | {many:.0f} |")


_PARTS: dict[str, Callable[[argparse.Namespace, Path], None]] = {
    "speed": _speed,
    "scaling": _scaling,
    "memory": _memory,
}


def _linked(folder: Path, arguments: argparse.Namespace) -> list[Path]:
    """As many different names as clips are wanted."""
    folder.mkdir()
    links = []
    for number, clip in enumerate(islice(cycle(find_files(arguments.folder)), arguments.clips)):
        links.append(folder / f"{number:07d}{clip.suffix}")
        links[-1].symlink_to(clip.resolve())
    return links


def _listed(path: Path, clips: list[Path]) -> str:
    path.write_text("".join(f"{clip}\n" for clip in clips))
    return str(path)


def _annotate(
    place: Path, *, jobs: int, engine: str = "local", given: Path | None = None
) -> list[str]:
    options = ["--jobs", str(jobs), "--engine", engine, "--force"]
    out = ["-o", str(place / "out.csv")]
    return ["-m", "voxplain", "annotate", str(given or place / "clips"), *out, *options]


def _run(*command: str) -> tuple[float, float]:
    """Seconds, and the peak memory in MB of the process and all below it (Linux)."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    start, peak = time.perf_counter(), 0.0
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            [sys.executable, *command], env={**os.environ, **threads}, stderr=told
        )
        while process.poll() is None:
            peak = max(peak, _resident(process.pid))
            time.sleep(0.2)
        told.seek(0)
        if process.returncode:
            sys.exit(told.read().decode())
    return time.perf_counter() - start, peak


def _resident(root: int) -> float:
    """MB that a process and all below it hold; what they share counts once for each."""
    parents, pages = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        parents[int(stat.parent.name)] = int(fields[1])
        pages[int(stat.parent.name)] = int(fields[21])
    family = {root}
    while more := {one for one, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(pages.get(one, 0) for one in family) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
