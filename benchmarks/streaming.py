"""What a live stream costs: the compute of each update and of each final result, on one core.

    OMP_NUM_THREADS=1 python benchmarks/streaming.py [--minutes 5]

The clips of tests/data follow each other, once without pauses, so that utterances have to be cut at
15 s, once with a second of silence between. They are fed in pieces of 32 ms,
so that each result has a piece of its own; all that is done since the last one counts, finding
speech, too. Prints a Markdown table of milliseconds of processor time.
"""

from __future__ import annotations

import argparse
import time
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import voxplain
from voxplain.audio import read
from voxplain.audio.activity import CHUNK, SAMPLING_RATE, speech_probabilities
from voxplain.audio.windows import SPEECH_THRESHOLD
from voxplain.types import Final

CLIPS = Path(__file__).parents[1] / "tests/data"
LONG = 10.0  # s held


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="of sound in each half")
    arguments = parser.parse_args()
    print("| sound | what | n | median ms | p95 | max |\n|---|---|---|---|---|---|")
    for sound, pause in (("no pauses", 0.0), ("pauses of 1 s", 1.0)):
        for what, seconds in sorted(_costs(_talk(pause, arguments.minutes)).items()):
            figures = 1e3 * np.quantile(seconds, [0.5, 0.95, 1])
            shown = " | ".join(f"{figure:.0f}" for figure in figures)
            print(f"| {sound} | {what} | {len(seconds)} | {shown} |", flush=True)


def _talk(pause: float, minutes: float) -> NDArray[np.float32]:
    """The clips again and again; without a pause only where somebody speaks in them."""
    clips = [read.read(path).waveform for path in read.find_files(CLIPS)]
    if not pause:
        clips = [
            np.concatenate([c for c, p in speech_probabilities([clip]) if p >= SPEECH_THRESHOLD])
            for clip in clips
        ]
    silence = np.zeros(round(pause * SAMPLING_RATE), np.float32)
    parts: list[NDArray[np.float32]] = []
    for clip in cycle(clips):
        if sum(map(len, parts)) >= minutes * 60 * SAMPLING_RATE:
            return np.concatenate(parts)
        parts += [clip, silence]
    raise AssertionError("a cycle has no end")


def _costs(pcm: NDArray[np.float32]) -> dict[str, list[float]]:
    """Seconds of compute for each result, by what it is."""
    voxplain.stream().feed(pcm[: 5 * SAMPLING_RATE])  # loads what is loaded once
    stream = voxplain.stream()
    found: dict[str, list[float]] = {}
    spent = begun = 0.0
    for start in range(0, len(pcm), CHUNK):
        before = time.process_time()
        results = stream.feed(pcm[start : start + CHUNK])
        spent += time.process_time() - before
        if results:
            final = isinstance(results[0], Final)
            seconds = results[0].end - (results[0].start if final else begun)
            begun = results[0].end if final else begun
            length = f"{'up to' if seconds <= LONG else 'more than'} {LONG:g} s"
            what = f"final of {length}" if final else f"update, {length} held"
            found.setdefault(what, []).append(spent)
            spent = 0.0
    return found


if __name__ == "__main__":
    main()
