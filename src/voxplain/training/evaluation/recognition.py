"""How often is the portrayed emotion found: beside baselines, in noise, in another corpus?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxplain.training.conditions import Noise
from voxplain.training.corpora._reading import Utterance
from voxplain.training.evaluation import rivals
from voxplain.training.evaluation.material import Judged, Material, Section
from voxplain.training.evaluation.verdicts import covered
from voxplain.training.metrics.ece import expected_calibration_error
from voxplain.training.metrics.uar import unweighted_average_recall
from voxplain.training.metrics.wa import accuracy
from voxplain.training.statistics import Interval, speaker_interval

__all__ = ["corpora", "elsewhere", "found_by", "in_noise", "recognised"]


def recognised(judged: Judged) -> dict[str, Interval]:
    """UAR, accuracy and calibration error of the most probable label."""
    calibrated = speaker_interval(
        expected_calibration_error, judged.truth, judged.probabilities, speakers=judged.speakers
    )
    return {**found_by(judged, judged.probabilities.argmax(1)), "ECE": calibrated}


def corpora(material: Material, *, cache: Path, jobs: int) -> dict[str, Section]:
    """The recipe's corpora by held-out fold: the model, and baselines on the same folds."""
    predictions = rivals.held_out(material, cache=cache, jobs=jobs)
    sections: dict[str, Section] = {}
    for corpus in material.recipe.corpora:
        own = material.judged.of(corpus)
        rows = np.array([one.corpus == corpus for one in material.judged.utterances])
        sections[corpus] = {"voxplain": recognised(own) | covered(own)} | {
            name: found_by(own, prediction[rows]) for name, prediction in predictions.items()
        }
    return sections


def in_noise(material: Material, *, corpus: str, snr_db: float = 10.0) -> Section:
    """A third of the recordings as they are, and with noise; n is what was heard in it."""
    everything = [one for one in material.utterances if one.corpus == corpus]
    drawn = np.random.default_rng(0).permutation(len(everything))[: -(-len(everything) // 3)]
    utterances = [everything[row] for row in sorted(drawn.tolist())]
    rows = {"as recorded": recognised(material.judge(material.hear(utterances)))}
    for kind in _noises(material, everything):
        heard = material.hear(utterances, Noise(kind, snr_db))
        rows[f"{kind} noise, {snr_db:.0f} dB"] = recognised(material.judge(heard))
    return rows


def _noises(material: Material, utterances: Sequence[Utterance]) -> tuple[str, ...]:
    """Babble is made of others in the fold, of whom there may be none."""
    speakers = {utterance.speaker for utterance in utterances}
    company = Counter(material.unseen.fold(speaker) for speaker in speakers)
    return ("white", "pink", "babble") if min(company.values()) > 1 else ("white", "pink")


def elsewhere(material: Material, corpus: str, *, cache: Path, jobs: int) -> Section:
    """A corpus that was never trained on, over the labels it shares; and over four of them.

    The baselines learned from the same recordings as the model.
    """
    heard = material.corpus(corpus)
    plain = material.judge(heard)
    known = material.judge(heard, heard.profiles(len(heard.utterances)))
    labels = material.recipe.labels
    four = np.array([labels.index(label) for label in _FOUR if label in labels])
    found = {}
    for name, judged in (("", plain), (", speaker known", known)):
        shared = judged.some(judged.truth >= 0)
        found[f"{len(set(shared.truth))} labels{name}"] = recognised(shared) | covered(shared)
        few = judged.some(np.isin(judged.truth, four))
        best = four[few.probabilities[:, four].argmax(1)]
        found[f"{len(four)} labels{name}"] = found_by(few, best)
    named = plain.truth >= 0
    predictions = rivals.carried_over(material, heard, cache=cache, jobs=jobs)
    return found | {
        name: found_by(plain.some(named), prediction[named])
        for name, prediction in predictions.items()
    }


_FOUR = ("angry", "happy", "neutral", "sad")


def found_by(judged: Judged, prediction: NDArray[np.int64]) -> dict[str, Interval]:
    """UAR and accuracy of predictions."""
    figure = partial(speaker_interval, speakers=judged.speakers)
    return {
        "UAR": figure(unweighted_average_recall, judged.truth, prediction),
        "accuracy": figure(accuracy, judged.truth, prediction),
    }
