"""Speed and memory, as ratios against a named peer in the same run, each on one core.

    python benchmarks/speed.py [--hour] [--corpus]

Prints a Markdown table; docs/benchmarks.md holds one run of it.
"""

from __future__ import annotations

import argparse
import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
import soundfile

import voxplain
from voxplain.audio import read
from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.models.embedded import EmbeddedModel
from voxplain.models.judgement import judge
from voxplain.models.listening import ListeningModel
from voxplain.types import Audio

DATA = Path(__file__).parents[1] / "tests/data"
CLIPS = sorted([*DATA.glob("*.opus"), *DATA.glob("*.flac")])


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hour", action="store_true", help="also an hour of audio (minutes)")
    parser.add_argument("--corpus", action="store_true", help="also 5,000 clips (minutes)")
    arguments = parser.parse_args()
    print("| what | figure | aim |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for what, figure, aim in _figures(Path(folder), arguments):
            print(f"| {what} | {figure} | {aim} |", flush=True)


def _figures(folder: Path, arguments: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    clips = [read.read(path) for path in CLIPS]
    speech = np.tile(np.concatenate([clip.waveform for clip in clips]), 10)
    clip = folder / "clip.wav"
    soundfile.write(clip, speech[: 3 * 16_000], 16_000)
    command = [sys.executable, "-m", "voxplain", "analyze", str(clip), "--json"]

    # First, while this process is small: a child's peak memory counts from the fork on.
    if arguments.hour:
        for minutes in (6, 60):
            path = folder / f"{minutes}.wav"
            _write(path, speech, minutes=minutes)
            seconds, megabytes = _measured([*command[:-2], str(path), "--json"])
            yield (
                f"{minutes} minutes of audio, whole process",
                f"{seconds:.0f} s ({seconds / minutes / 60:.3f} x real time), {megabytes:.0f} MB",
                "<= 400 MB, linear",
            )

    peer, own = _in_turn(lambda: _wav2vec2(clips), lambda: _emotion(clips))
    yield (
        "emotion, times faster than a transformers audio-classification pipeline "
        "(wav2vec2-base, random weights)",
        f"{peer / own:.1f} ({1e3 * own / len(clips):.0f} ms a clip)",
        ">= 8",
    )

    (seconds,) = _in_turn(lambda: _described(clips))
    yield (
        "a clip described in words, encoder and all",
        f"{seconds / len(clips):.2f} s",
        "<= 0.5 s",
    )

    peer, own = _in_turn(lambda: _egemaps(clips), lambda: _descriptors(clips))
    yield (
        "all descriptors with speech activity, time of openSMILE's eGeMAPSv02 functionals",
        f"{own / peer:.2f} ({1e3 * own / len(clips):.0f} ms a clip)",
        "<= 1, stretch 0.5",
    )
    if arguments.corpus:
        one, two = (_features(folder, jobs) for jobs in (1, 2))
        yield (
            "5,000 clips through `voxplain features`, two processes",
            f"{two:.0f} s, efficiency {one / two / 2:.2f} (one: {one:.0f} s)",
            ">= 0.85",
        )

    half_minute = speech[: 30 * 16_000]
    analyzer = voxplain.load()
    (seconds,) = _in_turn(lambda: analyzer.analyze(half_minute, 16_000, explain=None))
    yield "30 s recording, analysed once loaded", f"{seconds / 30:.3f} x real time", "<= 0.05"

    three = speech[: 3 * 16_000]
    for effort, aim in (("quick", 1.2), ("full", 6.0)):
        work = functools.partial(analyzer.analyze, three, 16_000, explain=effort)
        (seconds,) = _in_turn(work, rounds=3)
        yield f"3 s recording with {effort} explanation", f"{seconds:.2f} s", f"<= {aim} s"

    peer, own, gap = _occlusions(three)
    yield (
        "occlusion of 3 s in time, time of captum's on the same network, windows and batches",
        f"{own / peer:.2f} (numbers differ by at most {gap:.0e})",
        "<= 1, 1e-5",
    )

    (seconds,) = _in_turn(lambda: _run(command))
    yield "`voxplain analyze clip.wav --json` on 3 s, whole process", f"{seconds:.2f} s", "<= 1.5 s"

    bare, numpy, own = _in_turn(
        *(lambda code=code: _run([sys.executable, "-c", code])
          for code in ("pass", "import numpy", "import voxplain"))
    )  # fmt: skip
    yield (
        "`import voxplain`, times numpy's import",
        f"{(own - bare) / (numpy - bare):.2f} ({1e3 * (own - bare):.0f} ms)",
        "<= 2",
    )


def _in_turn(*works: Callable[[], object], rounds: int = 5) -> list[float]:
    """Median seconds of each, run in turn after one round that does not count."""
    times: list[list[float]] = [[] for _ in works]
    for counted in range(rounds + 1):
        for own, work in zip(times, works, strict=True):
            start = time.perf_counter()
            work()
            if counted:
                own.append(time.perf_counter() - start)
    return [median(own) for own in times]


def _emotion(clips: list[Audio]) -> None:
    model = EmbeddedModel.load("speech")
    for clip in clips:
        judge(model.read(model.embed(clip)), model.calibration)


def _described(clips: list[Audio]) -> None:
    model = ListeningModel.load("listening")
    for clip in clips:
        model.listen(model.embed(clip), segment=0, measured={})


@functools.cache
def _pipeline() -> Any:
    import torch
    import transformers

    torch.set_num_threads(1)
    config = transformers.Wav2Vec2Config(num_labels=6)
    return transformers.pipeline(
        "audio-classification",
        model=transformers.Wav2Vec2ForSequenceClassification(config).eval(),
        feature_extractor=transformers.Wav2Vec2FeatureExtractor(),
    )


def _wav2vec2(clips: list[Audio]) -> None:
    for clip in clips:
        _pipeline()({"raw": clip.waveform, "sampling_rate": 16_000})


@functools.cache
def _smile() -> Any:
    import opensmile

    return opensmile.Smile(feature_set=opensmile.FeatureSet.eGeMAPSv02)


def _occlusions(waveform: np.ndarray) -> tuple[float, float, float]:
    """Seconds of captum's occlusion and of ours, and how far their scores are apart.

    The network is of the shipped encoder's size, in torch, with random weights.
    """
    import torch
    from captum.attr import Occlusion

    from voxplain.audio.log_mel import log_mel
    from voxplain.backbones.whisper import StateEncoder, WhisperEncoder
    from voxplain.explainers import occlusion

    torch.set_num_threads(1)
    torch.manual_seed(0)
    encoder = StateEncoder(WhisperEncoder(width=384, heads=6, hidden=1536, layers=3)).eval()
    head = torch.nn.Linear(768, 6)

    def network(batch: Any) -> Any:
        return head(torch.cat([encoder(one[None]).mean(1) for one in batch]))

    def forward(batch: np.ndarray) -> np.ndarray:
        return network(torch.from_numpy(batch)).numpy()

    inputs = log_mel(waveform)
    window, batch, found = (80, 10), 16, {}

    def theirs() -> None:
        scores = Occlusion(network).attribute(
            torch.from_numpy(inputs)[None],
            target=0,
            sliding_window_shapes=window,
            strides=window,
            baselines=float(inputs.min()),
            perturbations_per_eval=batch,
        )
        found["theirs"] = scores[0, 0, 5 :: window[1]].numpy()

    def ours() -> None:
        found["ours"] = occlusion.attribute(
            forward, inputs, output=0, baseline="silence", window=window, hop=window, batch=batch
        ).scores

    with torch.inference_mode():
        peer, own = _in_turn(theirs, ours, rounds=3)
    return peer, own, float(np.abs(found["theirs"] - found["ours"]).max())


def _egemaps(clips: list[Audio]) -> None:
    for clip in clips:
        _smile().process_signal(clip.waveform, clip.sampling_rate)


def _descriptors(clips: list[Audio]) -> None:
    for clip in clips:
        Measurement(clip.waveform, sampling_rate=clip.sampling_rate).functionals()


def _features(folder: Path, jobs: int) -> float:
    """Seconds of the whole command on 5,000 clips."""
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for number in range(5_000):
        clip = CLIPS[number % len(CLIPS)]
        link = corpus / f"{number}{clip.suffix}"
        if not link.exists():
            link.symlink_to(clip)
    command = [sys.executable, "-m", "voxplain", "features", str(corpus), "--force"]
    return _measured([*command, "-o", str(folder / "t.csv"), "--jobs", str(jobs)])[0]


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _measured(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak memory in MB of a process."""
    import resource

    start = time.perf_counter()
    _run(command)
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def _write(path: Path, speech: np.ndarray, *, minutes: int) -> None:
    with soundfile.SoundFile(path, "w", 16_000, 1) as file:
        left = minutes * 60 * 16_000
        while left:
            file.write(speech[:left])
            left -= len(speech[:left])


if __name__ == "__main__":
    main()
