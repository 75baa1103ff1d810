"""The figures of the embedded segmenter, on accounts told in manners that it never met."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.text.roles.clauses import bare, words
from voxplain.text.roles.embedded import KINDS, Segmenter
from voxplain.training.evaluation.material import Section
from voxplain.training.metrics.ece import expected_calibration_error
from voxplain.training.statistics import Interval, speaker_interval
from voxplain.training.words.agreement import (
    Counts,
    boundary_f1,
    compared,
    kappa,
    kinds,
    macro_f1,
)
from voxplain.training.words.role_accounts import Account, accounts, worn
from voxplain.training.words.roles import SegmenterRecipe

__all__ = ["by_rule", "by_sentence", "evaluate"]

FIRST_PERSON = ("first person", "me")
AFFECT = (
    "sense of self", "joy", "sadness", "fear", "anger", "disgust", "surprise", "nothing",
    "body", "wish", "good", "bad",
)  # fmt: skip
"""Lists of cues that the rule goes by."""

METRICS = {"kappa": kappa, "macro-F1": macro_f1, "boundary F1": boundary_f1}

Judge = Callable[[Account], Sequence[str]]
"""Gives the kind of each word of an account."""


def evaluate(recipe: SegmenterRecipe, *, folder: Path, model: Path) -> dict[str, Section]:
    """Every table of the model's card; written to ``figures.json`` in the model folder.

    ``folder`` is that of the recipe. First the test accounts; then those of training, each judged
    by the one network that left out its register.

    Raises WeightsMissing without a trained model, or ConfigError.
    """
    segmenter = Segmenter.read(model)
    folds = json.loads((model / "segmenter.json").read_text(encoding="utf-8"))["folds"]
    fold = {register: index for index, registers in enumerate(folds) for register in registers}

    def of(account: Account) -> Segmenter:
        return segmenter.alone(fold[account.register]) if account.register in fold else segmenter

    figures = {}
    for title, files in (("test accounts", recipe.test), ("registers left out", recipe.train)):
        told = accounts(folder, files, design=recipe.design)
        figures[title] = _beside_baselines(told, of)
        figures[f"{title}: by register"] = {
            register: _figures([one for one in told if one.register == register], _by(of))
            for register in dict.fromkeys(one.register for one in told)
        }
    plain = {
        title: {row: {m: asdict(i) for m, i in found.items()} for row, found in section.items()}
        for title, section in figures.items()
    }
    (model / "figures.json").write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    return figures


def by_rule(text: str, cues: Mapping[str, frozenset[str]]) -> list[str]:
    """Kind of each word by a rule that learned nothing.

    A sentence is expressive if it holds the first person and a word of affect, body, wish or
    judgement.
    """
    stems = [bare(text[start:end]) for start, end in words(text)]
    first, affect = (
        frozenset().union(*(cues[name] for name in lists)) for lists in (FIRST_PERSON, AFFECT)
    )
    sentence = _sentences(text)
    both = set(sentence[np.isin(stems, list(first))]) & set(sentence[np.isin(stems, list(affect))])
    return [KINDS[one in both] for one in sentence]


def by_sentence(text: str, found: Sequence[str]) -> list[str]:
    """Kind that most words of a sentence have; the descriptive one in a draw.

    >>> by_sentence("Oh no! He fell and I cried.", ["expressive"] * 3 + ["descriptive"] * 4)[1:3]
    ['expressive', 'descriptive']
    """
    sentence = _sentences(text)
    share = np.bincount(sentence, np.equal(found, KINDS[1])) / np.bincount(sentence)
    return [KINDS[int(one > 0.5)] for one in share[sentence]]


def _sentences(text: str) -> NDArray[np.int64]:
    """(words,) number of the sentence that a word is in, by punctuation alone."""
    ends = [text[start:end].rstrip("\"'”’)»")[-1:] for start, end in words(text)]
    return np.cumsum([0, *(end != "" and end in ".!?…" for end in ends[:-1])])


def _beside_baselines(told: Sequence[Account], of: Callable[[Account], Segmenter]) -> Section:
    judge = _by(of)
    unpunctuated = list(map(worn, told))
    return {
        "embedded": _figures(told, judge) | {"ECE": _calibration(told, of)},
        "embedded, no punctuation": _figures(unpunctuated, judge)
        | {"ECE": _calibration(unpunctuated, of)},
        "embedded, majority of a sentence": _figures(
            told, lambda one: by_sentence(one.text, judge(one))
        ),
        "truth, majority of a sentence": _figures(
            told, lambda one: by_sentence(one.text, kinds(one.text, one.roles))
        ),
        "rule": _figures(told, lambda one: by_rule(one.text, of(one).lexicon.cues)),
        "all descriptive": _figures(told, lambda one: [KINDS[0]] * len(words(one.text))),
    }


def _by(of: Callable[[Account], Segmenter]) -> Judge:
    return lambda one: kinds(one.text, of(one).segment(one.text))


def _figures(told: Sequence[Account], judge: Judge) -> dict[str, Interval]:
    counts = [compared(kinds(one.text, one.roles), judge(one)) for one in told]
    narrators = [one.narrator for one in told]
    return {
        name: speaker_interval(
            partial(_of_all, metric),
            counts,
            counts,
            speakers=narrators,
        )
        for name, metric in METRICS.items()
    }


def _of_all(metric: Callable[[Counts], Any], counts: Counts, _: Counts) -> float:
    """A measure of agreement of some accounts taken together."""
    return float(metric(counts.sum(0)))


def _calibration(told: Sequence[Account], of: Callable[[Account], Segmenter]) -> Interval:
    """Of the chances of single words."""
    chances = np.concatenate([of(one).chances(one.text) for one in told])
    truth = [KINDS.index(kind) for one in told for kind in kinds(one.text, one.roles)]
    tellers = [one.narrator for one in told for _ in words(one.text)]
    both = np.stack([1 - chances, chances], axis=1)
    return speaker_interval(expected_calibration_error, truth, both, speakers=tellers, draws=200)
