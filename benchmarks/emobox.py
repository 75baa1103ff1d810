"""What shared speakers are worth: EmoBox's folds beside folds of speakers, on the same clips.

    python benchmarks/emobox.py --splits DIR --encoder whisper-tiny.en-encoder \
        --root cremad=DIR --root emodb=DIR --root ravdess=DIR

The folds are read by the reader that `voxplain audit` uses. A frozen encoder (mean and standard
deviation over the frames of its second and its last layer) and a logistic regression are tested on
the clips that EmoBox tests: trained by EmoBox's folds, and by as many folds in which no speaker is
on both sides, dealt out with three seeds. Prints a Markdown table of UAR with 95 % intervals
clustered by speaker; docs/audit.md holds one run. Clips that are not below a root are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from voxplain.cli.train import add_data, roots
from voxplain.training.baselines import held_out, probe
from voxplain.training.corpora._manifest import manifest
from voxplain.training.corpora._reading import Utterance
from voxplain.training.layers import layer_states
from voxplain.training.metrics.uar import unweighted_average_recall
from voxplain.training.splits import speaker_folds
from voxplain.training.statistics import bootstrap, difference

LAYERS = (2, 4)
SEEDS = (0, 1, 2)
TITLES = {"cremad": "CREMA-D", "emodb": "EMO-DB", "ravdess": "RAVDESS"}

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Folds:
    """The clips that EmoBox's folds name and that are there, and which of them each fold takes."""

    utterances: Sequence[Utterance]
    train: Sequence[Rows]
    test: Sequence[Rows]
    missing: int


def read(splits: Path, *, audio: Path) -> Folds:
    """EmoBox's folds of one corpus."""
    sides: dict[str, list[list[Utterance]]] = {"train": [], "test": []}
    for train in sorted(splits.glob("fold_*/*_train_fold_*.jsonl")):
        test = train.with_name(train.name.replace("_train_", "_test_"))
        sides["train"].append(manifest(train, audio=audio, partial=True))
        sides["test"].append(manifest(test, audio=audio, partial=True))
    clips = {one.path: one for lists in sides.values() for side in lists for one in side}
    there = sorted(path for path in clips if path.is_file())
    row = {path: number for number, path in enumerate(there)}
    rows = {
        part: [np.array([row[one.path] for one in side if one.path in row]) for side in lists]
        for part, lists in sides.items()
    }
    missing = len(clips) - len(there)
    return Folds([clips[path] for path in there], rows["train"], rows["test"], missing)


def shared(folds: Folds) -> str:
    """How many of the speakers that are tested are trained on too, over all folds."""
    pairs = set()
    for train, test in zip(folds.train, folds.test, strict=True):
        known = {folds.utterances[row].speaker for row in train.tolist()}
        pairs |= {(who := folds.utterances[row].speaker, who in known) for row in test.tolist()}
    return f"{sum(both for _, both in pairs)} of {len(pairs)}"


def by_emobox(folds: Folds, features: NDArray[Any], truth: Rows) -> Rows:
    """(n,) predictions of the clips that a fold tests."""
    prediction = np.full(len(truth), -1)
    for train, test in zip(folds.train, folds.test, strict=True):
        prediction[test] = clone(probe()).fit(features[train], truth[train]).predict(features[test])
    return prediction


def by_speaker(folds: Folds, features: NDArray[Any], truth: Rows, *, seed: int) -> Rows:
    """(n,) predictions of all clips, by folds of speakers that test as much as EmoBox's."""
    speakers = [one.speaker for one in folds.utterances]
    clips = [len(train) + len(test) for train, test in zip(folds.train, folds.test, strict=True)]
    number = round(sum(clips) / sum(map(len, folds.test)))
    dealt = speaker_folds(speakers, folds=number, seed=seed)
    return held_out(probe(), features, truth, np.array([dealt[one] for one in speakers]))


def mean_recall(truth: Rows, predictions: Rows) -> float:
    """UAR, mean over the columns of predictions (n, runs)."""
    runs = [unweighted_average_recall(truth, one) for one in predictions.T]
    return float(np.mean(runs))


def row(corpus: str, folds: Folds, features: NDArray[Any]) -> str:
    """One row of the table."""
    labels = sorted({one.emotion for one in folds.utterances})
    truth = np.array([labels.index(one.emotion) for one in folds.utterances])
    tested = np.unique(np.concatenate(folds.test))
    speakers = np.array([one.speaker for one in folds.utterances])[tested]
    theirs = by_emobox(folds, features, truth)[tested, None]
    ours = np.stack([by_speaker(folds, features, truth, seed=seed)[tested] for seed in SEEDS], 1)
    drawn = [
        bootstrap(mean_recall, truth[tested], one, speakers=speakers) for one in (theirs, ours)
    ]
    gap = difference(*drawn)
    cells = [
        TITLES.get(corpus, corpus), f"{len(tested)}", f"{len(set(speakers))}", f"{len(labels)}",
        f"{len(folds.test)}", shared(folds), f"{1 / len(labels):.3f}",
        str(drawn[0].interval), str(drawn[1].interval), str(gap), f"{gap.p:.2g}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def table(found: Mapping[str, Folds], arguments: argparse.Namespace) -> None:
    """Print a row for each corpus as it comes."""
    print(
        "| corpus | clips tested | speakers | classes | folds | tested speakers also trained on | "
        "chance | UAR, EmoBox's folds | UAR, folds of speakers | gap | p |\n" + "|---" * 11 + "|"
    )
    for corpus, folds in found.items():
        states = layer_states(
            folds.utterances,
            encoder=arguments.encoder,
            cache=arguments.cache,
            jobs=arguments.jobs,
            layers=LAYERS,
            pooled=True,
        )
        print(row(corpus, folds, np.stack(states).reshape(len(states), -1)), flush=True)


def main() -> None:
    """Read everything, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=Path, required=True, metavar="DIR", help="of EmoBox")
    parser.add_argument("--encoder", type=Path, required=True, metavar="DIR")
    add_data(parser)
    arguments = parser.parse_args()
    found = {
        corpus: read(arguments.splits / corpus, audio=audio)
        for corpus, audio in roots(arguments).items()
    }
    table(found, arguments)
    for corpus, folds in found.items():
        print(f"{TITLES.get(corpus, corpus)}: {folds.missing} clips of EmoBox's are not there")


if __name__ == "__main__":
    main()
