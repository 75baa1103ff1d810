"""Speed and memory of ``voxplain annotate`` beside two peers, all on the same clips in one run.

    python benchmarks/annotate.py FOLDER [--jobs 2] [--clips 2000]

The peers: openSMILE's eGeMAPSv02 functionals with as many worker processes, and a transformers
audio-classification pipeline with a randomly initialised wav2vec2-base, whose threads are as many.
Prints a Markdown table of whole processes, imports and all, and the peak memory of annotate at two
sizes.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of clips that openSMILE reads, too")
    parser.add_argument("--clips", type=int, default=2000, help="taken, some repeatedly if need be")
    parser.add_argument("--slow", type=int, default=200, help="of these for wav2vec2-base")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    clips = list(islice(cycle(find_files(arguments.folder)), arguments.clips))
    jobs = str(arguments.jobs)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        all_clips, few = _linked(folder / "all", clips), _linked(folder / "few", clips[::10])
        slow = folder / "slow.txt"
        slow.write_text("".join(f"{clip}\n" for clip in clips[: arguments.slow]))
        listed = folder / "all.txt"
        listed.write_text("".join(f"{clip}\n" for clip in find_files(all_clips)))

        _, small = _measured(*_annotate(few, jobs))
        seconds, large = _measured(*_annotate(all_clips, jobs))
        own = len(clips) / seconds
        seconds, _ = _measured("-c", _OPENSMILE, str(listed), jobs)
        smile = len(clips) / seconds
        seconds, _ = _measured("-c", _WAV2VEC2, str(slow), jobs)
        wav2vec2 = min(len(clips), arguments.slow) / seconds
    print(f"| what, with {jobs} processes or threads | figure |\n|---|---|")
    print(f"| annotate | {own:.1f} files/s |")
    print(
        f"| openSMILE eGeMAPSv02 | {smile:.1f} files/s; annotate is {own / smile:.2f} x as fast |"
    )
    print(f"| wav2vec2-base | {wav2vec2:.1f} files/s; annotate: {own / wav2vec2:.1f} x as fast |")
    print(f"| largest process, {len(clips[::10])} files | {small:.0f} MB |")
    print(f"| largest process, {len(clips)} files | {large:.0f} MB |")


def _linked(folder: Path, clips: list[Path]) -> Path:
    folder.mkdir()
    for number, clip in enumerate(clips):
        (folder / f"{number:07d}{clip.suffix}").symlink_to(clip.resolve())
    return folder


def _annotate(folder: Path, jobs: str) -> list[str]:
    out = str(folder.with_suffix(".csv"))
    return ["-m", "voxplain", "annotate", str(folder), "-o", out, "--jobs", jobs]


def _measured(*command: str) -> tuple[float, float]:
    """Seconds, and the peak memory in MB of the largest process so far that this one waited for."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *command],
        check=True,
        env={**os.environ, **threads},
        stderr=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    main()
