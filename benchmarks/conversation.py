"""What ``voxplain conversation`` needs, and how far its intervals and turning points hold.

    python benchmarks/conversation.py memory [--minutes 10 120]
    python benchmarks/conversation.py chance
    python benchmarks/conversation.py errors CREMAD

``memory`` tiles the recordings of tests/data to two lengths and prints the largest memory and the
time of a process each. ``chance`` plants courses and constant voices, and prints how often the 90 %
interval holds the course, and how often a turning point is found where there is none, where turns
err each for themselves and where they don't. ``errors`` prints how alike the shipped model errs in
turns of one voice, in CREMA-D, read by the heads that never heard the speaker.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from importlib.resources import files
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from voxplain.audio import read
from voxplain.audio.activity import SAMPLING_RATE
from voxplain.conversations.curves import SHARED, readings, smoothed
from voxplain.conversations.turning import DIMENSIONS, FALSE_ALARMS, turning_points
from voxplain.models.judgement import DIMENSIONS as AXES
from voxplain.types import Segment

DATA = Path(__file__).parents[1] / "tests/data"
_MEASURED = """
import resource, sys, time
from voxplain.cli import main
start = time.perf_counter()
assert main(["conversation", *sys.argv[1:]]) == 0
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{peak:.0f} MB | {time.perf_counter() - start:.0f} s", file=sys.stderr)
"""


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    memory = commands.add_parser("memory")
    memory.add_argument("--minutes", type=float, nargs="+", default=[10, 120])
    chance = commands.add_parser("chance")
    chance.add_argument("--times", type=int, default=1000)
    errors = commands.add_parser("errors")
    errors.add_argument("corpus", type=Path, help="CREMA-D, with tabulatedVotes.csv below")
    errors.add_argument("--clips", type=int, default=3, help="of each speaker and emotion")
    arguments = parser.parse_args()
    if arguments.what == "memory":
        print_memory(arguments.minutes)
    elif arguments.what == "chance":
        print_chance(arguments.times)
    else:
        print_errors(arguments.corpus, clips=arguments.clips)


def print_memory(lengths: list[float]) -> None:
    """Two speakers take turns; the whole command is measured, page and all."""
    print("| recording | largest memory | time |\n|---|---|---|")
    for minutes in lengths:
        with tempfile.TemporaryDirectory() as folder:
            recording, speakers = _tiled(Path(folder), minutes)
            command = [recording, "--speakers", speakers, "-o", Path(folder, "out")]
            ran = subprocess.run(
                [sys.executable, "-c", _MEASURED, *map(str, command)],
                check=True,
                capture_output=True,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        print(f"| {minutes:g} min | {ran.stderr.splitlines()[-1]} |", flush=True)


def _tiled(folder: Path, minutes: float) -> tuple[Path, Path]:
    clips = [(path, read.read(path).waveform) for path in sorted(DATA.glob("*.[of][pl]*"))]
    recording, speakers = folder / "talk.wav", folder / "talk.rttm"
    place = 0
    with (
        soundfile.SoundFile(recording, "w", SAMPLING_RATE, 1) as sound,
        speakers.open("w") as turns,
    ):
        for path, waveform in itertools.cycle(clips):
            if place >= 60 * minutes * SAMPLING_RATE:
                return recording, speakers
            sound.write(waveform)
            start, duration = place / SAMPLING_RATE, len(waveform) / SAMPLING_RATE
            name = path.stem.split("_")[0]
            turns.write(f"SPEAKER talk 1 {start:.3f} {duration:.3f} <NA> <NA> {name} <NA> <NA>\n")
            place += len(waveform)
    raise AssertionError("there is always another clip")


def print_chance(times: int) -> None:
    """Voices of 10 to 200 turns of 3 to 15 s, read with the deviation of a usual interval."""
    print("| errors of the turns | the interval holds the course | changes where there is none |")
    print("|---|---|---|")
    kinds = {
        f"share {SHARED:g} of their variance": {"shared": SHARED},
        "each for themselves": {"shared": 0.0},
        "each like the last, correlation 0.3": {"shared": 0.0, "last": 0.3},
    }
    for name, kind in kinds.items():
        held = np.mean([_held(seed, **kind) for seed in range(times)])
        alarms = np.mean([_alarms(seed, **kind) for seed in range(times)])
        print(f"| {name} | {held:.3f} | {alarms:.3f} |", flush=True)
    print(f"\nNominal: 0.900, and at most {FALSE_ALARMS:g} of the voices.")


def _voice(
    random: np.random.Generator, *, shared: float, last: float = 0.0
) -> tuple[list[Segment], NDArray[np.float64], NDArray[np.float64]]:
    """Turns, their deviations and their errors."""
    count = int(random.integers(10, 201))
    edges = np.cumsum(random.uniform(3, 15, 2 * count))  # somebody else speaks in between
    turns = [Segment(*pair) for pair in edges.reshape(-1, 2).tolist()]
    own = random.normal(size=count)
    for number in range(1, count):
        own[number] = last * own[number - 1] + np.sqrt(1 - last**2) * own[number]
    deviations = random.uniform(0.06, 0.1, count)
    errors = np.sqrt(shared) * random.normal() + np.sqrt(1 - shared) * own
    return turns, deviations, deviations * errors


def _held(seed: int, **kind: float) -> float:
    """How much of a slow course lies in the interval."""
    random = np.random.default_rng([seed, 0])
    turns, deviations, errors = _voice(random, **kind)
    times = np.array([(turn.start + turn.end) / 2 for turn in turns])
    seconds = np.array([turn.duration for turn in turns])
    course = 0.5 + 0.15 * np.sin(2 * np.pi * (times / 600 + random.uniform()))
    parts = np.zeros(len(times), np.int64)
    found = smoothed(times, seconds, course + errors, deviations, reach=30, parts=parts)
    return float(np.mean((found.low <= course) & (course <= found.high)))


def _alarms(seed: int, **kind: float) -> bool:
    """Whether a change is found in either dimension of a voice that never changes."""
    random = np.random.default_rng([seed, 1])
    found = []
    for name in DIMENSIONS:
        turns, deviations, errors = _voice(random, **kind)
        found += turning_points(turns, 0.5 + errors, deviations, dimension=name)
    return bool(found)


def print_errors(corpus: Path, *, clips: int) -> None:
    """Intraclass correlation of the errors in units of their deviation (one-way, Fisher 1925)."""
    from voxplain.audio.listening import Listener
    from voxplain.models.embedded import EmbeddedModel
    from voxplain.models.judgement import judge
    from voxplain.training import targets
    from voxplain.training.corpora import cremad
    from voxplain.training.held_out import Unseen

    folder = Path(str(files("voxplain") / "assets/models/speech"))
    unseen = Unseen(folder)
    models = {n: EmbeddedModel(folder, fold=n) for n in range(len(unseen.shipped.card["folds"]))}
    cells = defaultdict(list)
    for utterance in cremad.read(corpus):
        if unseen.fold(utterance.speaker) is not None:
            cells[utterance.speaker, utterance.emotion].append(utterance)
    random = np.random.default_rng(0)
    picked = [own[n] for own in cells.values() for n in random.permutation(len(own))[:clips]]
    truth = dict(zip(AXES, targets.dimensions(picked).T, strict=True))
    errors: dict[str, list[float]] = defaultdict(list)
    who = []
    for number, utterance in enumerate(picked):
        stretches = list(Listener().stretches(read.blocks(utterance.path), source="clip"))
        model = models[unseen.fold(utterance.speaker)]
        emotions = [judge(model.read(model.embed(a)), model.calibration) for _, a in stretches]
        if len(emotions) != 1 or not emotions[0].categories:
            continue
        who.append((utterance.speaker, utterance.emotion))
        for name, (value, deviation) in readings(emotions).items():
            true = truth[name][number] if name in truth else name == utterance.emotion
            errors[name].append(float((true - value[0]) / max(deviation[0], 0.03)))
    print(f"{len(who)} clips of {len({speaker for speaker, _ in who})} speakers.\n")
    print("| error of | of one speaker | of one speaker in one emotion |\n|---|---|---|")
    for name, found in errors.items():
        speakers, both = ([w[:parts] for w in who] for parts in (1, 2))
        alike = [round(_alike(found, groups), 2) + 0.0 for groups in (speakers, both)]  # no -0.00
        print(f"| {name} | {alike[0]:.2f} | {alike[1]:.2f} |")


def _alike(values: list[float], groups: list[tuple[str, ...]]) -> float:
    """Intraclass correlation from a one-way analysis of variance."""
    own = defaultdict(list)
    for value, group in zip(values, groups, strict=True):
        own[group].append(value)
    cells = [np.array(cell) for cell in own.values() if len(cell) > 1]
    sizes, means = np.array([len(cell) for cell in cells]), np.array([c.mean() for c in cells])
    total = sizes.sum()
    between = (sizes * (means - np.concatenate(cells).mean()) ** 2).sum() / (len(cells) - 1)
    within = sum(((cell - cell.mean()) ** 2).sum() for cell in cells) / (total - len(cells))
    usual = (total - (sizes**2).sum() / total) / (len(cells) - 1)
    return float((between - within) / (between + (usual - 1) * within))


if __name__ == "__main__":
    main()
