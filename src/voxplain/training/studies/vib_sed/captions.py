"""Spoken texts as captions: how far their words agree with those of the measured texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voxplain.plugins import require
from voxplain.training.statistics import Bootstrap, bootstrap

__all__ = ["captions"]

_ORDER = 4  # of the longest n-grams


def captions(
    spoken: Sequence[str], measured: Sequence[str], *, speakers: Sequence[str]
) -> dict[str, Bootstrap]:
    """BLEU (Papineni et al. 2002) of all texts, and the mean of each one's chrF (Popović 2015).

    By sacrebleu (Post 2018), as shares of 1. Raises MissingExtra.
    """
    sacrebleu = require("sacrebleu.metrics", extra="train")
    bleu = sacrebleu.BLEU(max_ngram_order=_ORDER, effective_order=True)
    chrf = sacrebleu.CHRF()
    counts, alike = [], []
    for said, truth in zip(spoken, measured, strict=True):
        one = bleu.sentence_score(said, [truth])
        counts.append([*one.counts, *one.totals, one.sys_len, one.ref_len])
        alike.append(chrf.sentence_score(said, [truth]).score / 100)

    def of_all(counts: NDArray[np.int64], _: object) -> float:
        total = counts.sum(0).tolist()
        right, there, (said, truth) = total[:_ORDER], total[_ORDER:-2], total[-2:]
        return float(bleu.compute_bleu(right, there, said, truth).score) / 100

    return {
        "BLEU": bootstrap(of_all, counts, counts, speakers=speakers),
        "chrF": bootstrap(lambda one, _: float(one.mean()), alike, alike, speakers=speakers),
    }
