"""Counterfactual voices: what the control does, and whether a change is found again in the sound.

    python benchmarks/counterfactual.py --root cremad=DIR --root emodb=DIR [--flip]

A hundred clips, half of each corpus, drawn by a seed from as many speakers as there are; each is
judged by the head of the embedded model that never heard its speaker. Prints Markdown tables:

- the control, there and back: by how much it moves each category, beside what the change does;
- what is found again: by frames at the same place, and by the descriptors of each sound for
  itself, whose frames differ;
- what changes beside what was asked for;
- with ``--flip``: how small a change flips the verdict.

A clip without speech and a change that the voice does not allow are left out, and counted.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
from numpy.typing import NDArray

from voxplain.audio import read
from voxplain.audio.log_mel import log_mel
from voxplain.cli.train import roots
from voxplain.descriptors._levels import Reference
from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.errors import InputError
from voxplain.evidence.counterfactual import Experiment, found_again
from voxplain.evidence.flip import smallest_flip
from voxplain.evidence.voice import AXES, Edit
from voxplain.models.embedded import EmbeddedModel
from voxplain.pipeline import Analyzer
from voxplain.plugins import find
from voxplain.types import Audio, Emotion

CLIPS = 100
EDITS = (
    *(Edit(f0_shift_st=value) for value in (-4.0, -2.0, 2.0, 4.0)),
    *(Edit(f0_range=value) for value in (0.5, 1.5, 2.0)),
    *(Edit(tempo=value) for value in (0.8, 1.25)),
    *(Edit(gain_db=value) for value in (-6.0, 6.0)),
    *(Edit(tilt_db=value) for value in (-3.0, 3.0)),
    Edit(breathiness=0.3),
)
# Descriptors of each sound for itself, and how they tell of a change.
OWN = {
    "f0_shift_st": (("f0_mean_st", "difference"),),
    "f0_range": (("f0_range_st", "ratio"), ("f0_sd_st", "ratio")),
    "tempo": (("articulation_rate", "ratio"), ("speech_rate", "ratio")),
    "gain_db": (("intensity_mean_db", "difference"),),
    "tilt_db": (("alpha_ratio_mean_db", "difference"),),
    "breathiness": (),
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", action="append", required=True, metavar="CORPUS=DIR")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--flip", action="store_true", help="also the smallest flips (minutes)")
    arguments = parser.parse_args()
    chosen = clips(roots(arguments), seed=arguments.seed)
    with ProcessPoolExecutor(2) as pool:
        found = [one for one in pool.map(partial(measured, flip=arguments.flip), chosen) if one]
    speakers = len({speaker for _, speaker in chosen})
    print(f"{len(chosen)} clips of {speakers} speakers, {len(found)} with speech\n")
    rows = [[one["edits"][number] for one in found] for number in range(len(EDITS))]
    _control(rows)
    _found(rows)
    _beside(rows)
    if arguments.flip:
        _flips([one["flip"] for one in found])


def clips(folders: Mapping[str, Path], *, seed: int) -> list[tuple[Path, str]]:
    """Recordings and who speaks: in turn one of each speaker of a corpus, drawn at random."""
    generator, chosen = np.random.default_rng(seed), []
    for corpus, folder in folders.items():
        speakers: dict[str, list[Path]] = {}
        utterances = find("corpora", corpus).read(folder)
        for row in generator.permutation(len(utterances)):
            speakers.setdefault(utterances[row].speaker, []).append(utterances[row].path)
        turns = sorted(
            (turn, speaker, path)
            for speaker, paths in speakers.items()
            for turn, path in enumerate(paths)
        )
        chosen += [(path, speaker) for _, speaker, path in turns[: CLIPS // len(folders)]]
    return chosen


@cache
def _analyzer(fold: int | None) -> Analyzer:
    folder = Path(str(files("voxplain") / "assets/models/speech"))
    return Analyzer(EmbeddedModel(folder, fold=fold), Reference.of_group("adults"))


def _judge(speaker: str) -> Callable[[Audio], Emotion]:
    folds = _analyzer(None).model.card["folds"]
    fold = next((n for n, fold in enumerate(folds) if speaker in fold["speakers"]), None)
    return lambda sound: (
        _analyzer(fold).analyze(sound.waveform, sound.sampling_rate, explain=None).emotion
    )


def measured(clip: tuple[Path, str], *, flip: bool) -> dict[str, Any] | None:
    """All that the tables are made of; None without speech."""
    path, speaker = clip
    try:
        experiment = Experiment(read.read(path), judge=_judge(speaker))
    except InputError:
        return None
    return {
        "edits": [_edited(experiment, edit) for edit in EDITS],
        "flip": _flipped(experiment) if flip else None,
    }


def _edited(experiment: Experiment, edit: Edit) -> dict[str, Any] | None:
    voice = experiment.voice
    if not voice.allows(edit):
        return None
    sound, control = voice.edited(edit), voice.there_and_back(edit)
    before, after = voice.measurement, Measurement(sound.waveform, sampling_rate=16_000)
    old, new = before.functionals(), after.functionals()
    again = found_again(before.tracks, after.tracks, tempo=edit.tempo)
    ((axis, _),) = edit.asked.items()
    own = []
    for name, how in OWN[axis]:
        values = old[name].value, new[name].value
        own.append(values[1] - values[0] if how == "difference" else values[1] / values[0])
    return {
        "emotions": [experiment.before, experiment.control(edit), experiment.judge(sound)],
        "again": {name: one.value for name, one in again.items()},
        "own": own,
        "control": _distances(voice.audio, control),
    }


def _distances(before: Audio, after: Audio) -> list[float]:
    """Of the control from the recording: log-mel distance in dB, change of HNR and of jitter."""
    length = min(len(before.waveform), len(after.waveform))
    old, new = (log_mel(one.waveform[:length]) for one in (before, after))
    loud = old.mean(axis=0) > np.median(old)
    off = 40 * np.sqrt(np.mean((new - old)[:, loud] ** 2))  # (log10 + 4) / 4: 1 is 40 dB
    told = [
        Measurement(one.waveform, sampling_rate=16_000).functionals() for one in (before, after)
    ]
    names = ("hnr_mean_db", "jitter_mean_percent")
    return [float(off), *(told[1][name].value - told[0][name].value for name in names)]


def _flipped(experiment: Experiment) -> dict[str, Any]:
    """The edit that flips the verdict, if there was one, in usual steps."""
    if experiment.before.verdict.abstains:
        return {"asked": False, "found": None}
    return {"asked": True, "found": smallest_flip(experiment)}


def _control(rows: Sequence[Sequence[dict[str, Any] | None]]) -> None:
    _head(
        "change",
        "control moves a category by",
        "the category moved most",
        "same first label",
        "change moves a category by",
        "control: log-mel distance",
        "HNR",
        "jitter",
    )
    for edit, row in zip(EDITS, rows, strict=True):
        kept = [one for one in row if one]
        before, control, after = (
            np.array([_categories(one["emotions"][place]) for one in kept]) for place in range(3)
        )
        moved, effect = np.abs(control - before), np.abs(after - control)
        same = np.mean(control.argmax(axis=-1) == before.argmax(axis=-1))
        off, hnr, jitter = np.nanmedian([one["control"] for one in kept], axis=0)
        print(
            f"| {_asked(edit)} | {np.nanmean(moved):.3f} | {np.nanmean(moved, 0).max():.3f} | "
            f"{same:.0%} | {np.nanmean(effect):.3f} | {off:.1f} dB | {hnr:+.1f} dB | "
            f"{jitter:+.2f} points |"
        )


def _found(rows: Sequence[Sequence[dict[str, Any] | None]]) -> None:
    _head("change", "refused", "found", "off by, median", "within 5 %", "each for itself")
    for edit, row in zip(EDITS, rows, strict=True):
        ((axis, asked),) = edit.asked.items()
        kept = [one for one in row if one]
        told = [_off(np.array([one["again"][axis] for one in kept]), asked)]
        for number, (name, _) in enumerate(OWN[axis]):
            told.append(f"`{name}` {_off(np.array([one['own'][number] for one in kept]), asked)}")
        own = "; ".join(part.replace(" | ", ", ") for part in told[1:])
        print(f"| {_asked(edit)} | {len(row) - len(kept)} | {told[0]} | {own} |")


def _off(values: NDArray[np.float64], asked: float) -> str:
    off = np.abs(values / asked - 1)
    return f"{np.nanmedian(values):.2f} | {np.nanmedian(off):.1%} | {np.mean(off <= 0.05):.0%}"


def _beside(rows: Sequence[Sequence[dict[str, Any] | None]]) -> None:
    _head("change", *AXES)
    for edit, row in zip(EDITS, rows, strict=True):
        kept = [one["again"] for one in row if one]
        cells = [f"{np.nanmedian([one[axis] for one in kept]):.2f}" for axis in AXES]
        print(f"| {_asked(edit)} | {' | '.join(cells)} |")


def _flips(rows: Sequence[dict[str, Any]]) -> None:
    asked = [one for one in rows if one["asked"]]
    found = [one["found"] for one in asked if one["found"]]
    single = [one for one in found if len(one.edit) == 1]
    print(
        f"\nThe verdict flips in {len(found)} of {len(asked)} clips, by one cue in {len(single)};"
    )
    print("how often by each, alone or with others:")
    for axis in AXES:
        print(f"- {axis}: {sum(axis in one.edit for one in found)}")


def _head(*titles: str) -> None:
    print(f"\n| {' | '.join(titles)} |\n{'|---' * len(titles)}|")


def _asked(edit: Edit) -> str:
    ((axis, value),) = edit.asked.items()
    return f"`{axis}` {value:g}"


def _categories(emotion: Emotion) -> list[float]:
    return [emotion.categories.get(label, np.nan) for label in emotion.label_set]


if __name__ == "__main__":
    main()
