"""Who is learned from, who chooses, who is tested: splits in which no speaker is on two sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ConfigError
from voxplain.training.corpora import emobox
from voxplain.training.corpora._reading import Utterance

__all__ = [
    "Split",
    "check",
    "emobox_splits",
    "group_splits",
    "official_splits",
    "session_splits",
    "shared_speakers",
    "speaker_folds",
    "speaker_splits",
]

Rows = NDArray[np.int64]


def speaker_folds(speakers: Sequence[str], *, folds: int, seed: int) -> dict[str, int]:
    """Deal the speakers of each corpus out to the folds at random: speaker -> fold.

    A speaker's corpus is what stands before the first underscore of the name, so that every fold
    holds its share of every corpus. Raises ConfigError if there are fewer speakers than folds.
    """
    names = sorted(set(speakers))
    if len(names) < folds:
        raise ConfigError(f"{folds} folds need as many speakers, found {len(names)}")
    shuffled = np.random.default_rng(seed).permutation(names).tolist()
    by_corpus = sorted(shuffled, key=lambda name: name.partition("_")[0])
    return {name: index % folds for index, name in enumerate(by_corpus)}


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows of utterances: to learn from, to choose by, and to test."""

    name: str
    train: Rows
    dev: Rows
    tests: Mapping[str, Rows]
    """Name of the part -> its rows; corpora may have several test sets."""

    @property
    def test(self) -> Rows:
        """Of all parts."""
        return np.concatenate([*self.tests.values(), np.array([], int)])


def speaker_splits(
    utterances: Sequence[Utterance], *, folds: int, dev: float, seed: int
) -> list[Split]:
    """A split for each fold of speakers, which it tests; ``dev`` is the share of the others.

    Raises ConfigError for fewer speakers than folds, or a recording of nobody knows whom.
    """
    for one in utterances:
        if not one.speaker:
            raise ConfigError(
                f"{one.path}: nobody knows who speaks, so folds could share the speaker; "
                "name the speakers, or use 'by: official'"
            )
    return group_splits([one.speaker for one in utterances], folds=folds, dev=dev, seed=seed)


def session_splits(utterances: Sequence[Utterance], *, dev: float, seed: int) -> list[Split]:
    """A split for each session, which it tests; ``dev`` is the share of the other sessions.

    Raises ConfigError for a recording without a session, or fewer than three sessions.
    """
    for one in utterances:
        if not one.session:
            raise ConfigError(f"{one.path} belongs to no session; use 'by: speaker'")
    names = [f"{one.corpus}_{one.session}" for one in utterances]
    if len(set(names)) < 3:
        raise ConfigError(
            f"leaving one session out needs three, found {', '.join(sorted(set(names)))}"
        )
    return group_splits(names, folds=len(set(names)), dev=dev, seed=seed)


def group_splits(groups: Sequence[str], *, folds: int, dev: float, seed: int) -> list[Split]:
    """A split for each fold of groups; ``groups`` (n,) names that begin with ``corpus_``.

    Raises ConfigError for fewer groups than folds.
    """
    fold = speaker_folds(groups, folds=folds, seed=seed)
    own = np.array([fold[group] for group in groups])
    found = []
    for number in range(folds):
        others = np.flatnonzero(own != number)
        train, chosen = _with_dev(groups, others, dev=dev, seed=(seed, number))
        tests = {str(number): np.flatnonzero(own == number)}
        found.append(Split(f"fold_{number}", train, chosen, tests))
    return found


def official_splits(utterances: Sequence[Utterance], *, dev: float, seed: int) -> list[Split]:
    """The corpus's own partition: train, dev and every other part, which is tested.

    Without a part ``dev``, that share of the training's speakers. What is in no part is left out.

    Raises ConfigError where there is no part ``train``.
    """
    parts = np.array([one.split for one in utterances])
    names = sorted(set(parts.tolist()) - {""})
    if "train" not in names:
        raise ConfigError(
            f"no recording is in the part 'train', found {', '.join(names) or 'no part at all'}; "
            "use 'by: speaker'"
        )
    train, chosen = np.flatnonzero(parts == "train"), np.flatnonzero(parts == "dev")
    if not len(chosen):
        speakers = [one.speaker for one in utterances]
        train, chosen = _with_dev(speakers, train, dev=dev, seed=(seed, 0))
    tests = {name: np.flatnonzero(parts == name) for name in names if name not in ("train", "dev")}
    return [Split("official", train, chosen, tests)]


def emobox_splits(
    utterances: Sequence[Utterance], *, folder: Path, dev: float, seed: int
) -> list[Split]:
    """EmoBox's folds (Ma et al. 2024) of the recordings of a corpus, matched by file name.

    ``folder`` holds ``fold_1/NAME_train_fold_1.jsonl`` and ``..._test_fold_1.jsonl`` and so on. Its
    rows name no speakers: ``utterances`` do, so that what the folds share is seen. Without a
    ``..._valid_...`` file, dev is that share of the training's speakers. What a fold does not
    name is left out of it.

    Raises ConfigError for a folder without folds, or folds of other recordings.
    """
    rows = {one.path.stem: row for row, one in enumerate(utterances)}
    speakers = [one.speaker for one in utterances]
    found = []
    for place in sorted(folder.glob("**/*_train_fold_*.jsonl")):
        number = place.stem.rpartition("_")[2]
        parts = {
            part: _named(place.with_name(place.name.replace("_train_", f"_{part}_")), rows)
            for part in ("train", "valid", "test")
        }
        train, chosen = parts["train"], parts["valid"]
        if not len(chosen):
            train, chosen = _with_dev(speakers, train, dev=dev, seed=(seed, int(number)))
        found.append(Split(f"fold_{number}", train, chosen, {number: parts["test"]}))
    if not found:
        raise ConfigError(f"{folder} holds no *_train_fold_*.jsonl; give EmoBox's data/CORPUS")
    return found


def _named(place: Path, rows: Mapping[str, int]) -> Rows:
    if not place.is_file():
        return np.array([], int)
    stems = [one.path.stem for one in emobox.read(place, partial=True)]
    found = np.array([rows[stem] for stem in stems if stem in rows], int)
    if stems and not len(found):
        raise ConfigError(f"{place} names other recordings, such as {stems[0]}; see --root")
    return found


def _with_dev(
    groups: Sequence[str], rows: Rows, *, dev: float, seed: Sequence[int]
) -> tuple[Rows, Rows]:
    """Rows of the groups that stay, and of a share of each corpus's, drawn at random."""
    generator = np.random.default_rng(seed)
    names = np.array(groups)
    by_corpus: dict[str, list[str]] = {}
    for name in sorted(set(names[rows].tolist())):
        by_corpus.setdefault(name.partition("_")[0], []).append(name)
    chosen: list[str] = []
    for members in by_corpus.values():
        size = min(max(1, round(dev * len(members))), len(members) - 1)
        chosen += generator.choice(members, size, replace=False).tolist()
    aside = np.isin(names[rows], chosen)
    return rows[~aside], rows[aside]


def check(
    splits: Sequence[Split],
    utterances: Sequence[Utterance],
    *,
    labels: Sequence[str],
    allow_shared_speakers: bool = False,
) -> None:
    """Refuse, before anything is trained, what would give no figure or a wrong one.

    ``labels`` are those to be told apart, none where categories are not learned. Raises ConfigError
    for an empty side, one with a single label, a label that the training side lacks, a speaker on
    two sides (unless allowed).
    """
    emotions = np.array([one.emotion for one in utterances])
    for split in splits:
        sides = {"train": split.train, "dev": split.dev, **split.tests}
        for side, rows in {**sides, "test": split.test}.items():
            where = f"{split.name}: {side}"
            if not len(rows):
                raise ConfigError(f"{where} is empty; change the section 'split', or see --root")
            held = sorted(set(emotions[rows].tolist()) & set(labels))
            if labels and len(held) == 1:
                raise ConfigError(
                    f"{where} holds one label alone, {held[0]!r}, in {len(rows)} recordings; "
                    "deal by fewer folds or another seed"
                )
        lacking = [label for label in labels if label not in emotions[split.train]]
        if lacking:
            raise ConfigError(
                f"{split.name}: train lacks the label {lacking[0]!r}; take it out of 'labels', or "
                "see whether the corpus was copied whole"
            )
        shared = shared_speakers(split, utterances)
        if shared and not allow_shared_speakers:
            raise ConfigError(
                f"{split.name}: {len(shared)} speakers are on two sides, such as {shared[0]!r}; "
                "with 'allow_shared_speakers: true' it runs, and every result says so"
            )


def shared_speakers(split: Split, utterances: Sequence[Utterance]) -> list[str]:
    """The known speakers who are on more than one side."""
    sides = [
        {utterances[row].speaker for row in rows.tolist()} - {""}
        for rows in (split.train, split.dev, split.test)
    ]
    train, dev, test = sides
    return sorted((train & dev) | (train & test) | (dev & test))
