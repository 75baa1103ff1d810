"""Folds in which no speaker is on both sides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voxplain.errors import ConfigError

__all__ = ["speaker_folds"]


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
