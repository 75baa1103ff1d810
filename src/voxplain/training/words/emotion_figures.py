"""The figures of text emotion on official test splits, and on texts of another kind."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ConfigError
from voxplain.models.calibration import softmax
from voxplain.text.emotion import DIMENSIONS, LABELS, TextModel, TextReadings, parts
from voxplain.training.evaluation.material import Section
from voxplain.training.metrics.ece import expected_calibration_error
from voxplain.training.metrics.wa import accuracy
from voxplain.training.statistics import Interval, speaker_interval
from voxplain.training.words import emotion_corpora as corpora
from voxplain.training.words.emotion_corpora import Labelled, Rated
from voxplain.training.words.text_networks import TextEncoder, outputs

__all__ = ["EncoderModel", "evaluate", "f1", "thresholds"]

_ROUNDS = 5  # in which the speed is measured
_NEUTRAL = LABELS.index("neutral")
_ANCHORS = dict(
    zip(LABELS, ("anger", "disgust", "fear", "joy", "", "sadness", "surprise"), strict=True)
)
"""Label -> the word whose norms stand for it; neutral is the mean of all words."""


class EncoderModel:
    """What ``train_encoder`` wrote, read as ``voxplain.text.emotion.TextModel`` reads."""

    def __init__(self, folder: Path) -> None:
        """Raises WeightsMissing."""
        self._categories = TextEncoder(folder / "categories", outputs=len(LABELS))
        self._dimensions = TextEncoder(folder / "dimensions", outputs=6)

    def read_many(self, texts: Sequence[str]) -> TextReadings:
        """What texts say; no text is too strange."""
        sides = outputs(self._dimensions, texts).astype(np.float64).clip(0, 1)
        categories = softmax(outputs(self._categories, texts))
        return TextReadings(categories, sides[:, :3], sides[:, 3:], np.zeros(len(texts), bool))


def evaluate(model: Path, *, roots: Mapping[str, Path]) -> dict[str, Section]:
    """Every table that the roots allow; written to ``figures.json`` in the model folder.

    GoEmotions and EmoBank on their test splits, ISEAR and MELD zero-shot, beside baselines; that by
    norms of words needs ``warriner``. Every text is read, also what ``read`` would turn away; the
    share of these is a figure of its own. Intervals resample texts.

    Raises WeightsMissing without a trained model, CorpusNotFound, or ConfigError without a root.
    """
    small = (model / "model.json").is_file()
    reader = TextModel.load(model) if small else EncoderModel(model)
    norms = corpora.norms(roots["warriner"]) if "warriner" in roots else {}
    figures: dict[str, Section] = {}
    if "goemotions" in roots:
        splits = {one: corpora.goemotions(roots["goemotions"], one) for one in corpora.SPLITS}
        figures["goemotions"] = _comments(reader, splits)
        if small:
            figures["speed on one core"] = _speed(reader, splits["test"].texts)
    if "emobank" in roots:
        rated = {one: corpora.emobank(roots["emobank"], one) for one in corpora.SPLITS}
        figures["emobank"] = _ratings(reader, rated)
        if isinstance(reader, TextModel):
            figures["emobank: intervals"] = _coverage(reader, rated["test"])
    for name, read in (("isear", corpora.isear), ("meld", corpora.meld)):
        if name in roots:
            figures[f"{name}: never trained on"] = _elsewhere(reader, read(roots[name]), norms)
    if not figures:
        raise ConfigError(
            "there is nothing to judge: give --root CORPUS=DIR with goemotions, emobank, isear or "
            "meld"
        )
    plain = {
        title: {row: {m: asdict(i) for m, i in found.items()} for row, found in section.items()}
        for title, section in figures.items()
    }
    (model / "figures.json").write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    return figures


Reader = TextModel | EncoderModel
Metric = Callable[[NDArray[Any], NDArray[Any]], float]


def f1(truth: NDArray[np.bool_], found: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(labels,) of what is true and what was said (n, labels); 0 where a label is in neither."""
    both = (truth & found).sum(0)
    return 2 * both / np.maximum(truth.sum(0) + found.sum(0), 1)


def macro_f1(truth: NDArray[np.bool_], found: NDArray[np.bool_]) -> float:
    """Mean of ``f1`` over the labels that are true of a text."""
    return float(f1(truth, found)[truth.any(0)].mean())


def thresholds(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(labels,): the score (n, labels) from which on saying a label gives the highest F1."""
    order = np.argsort(-scores, axis=0)
    hits = np.take_along_axis(truth, order, 0).cumsum(0)
    said = np.arange(1, len(scores) + 1)[:, None]
    best = (2 * hits / (said + truth.sum(0))).argmax(0)
    return np.take_along_axis(np.take_along_axis(scores, order, 0), best[None], 0)[0]


def _comments(reader: Reader, splits: Mapping[str, Labelled]) -> Section:
    """Several labels a comment: those above thresholds that were chosen on the dev split."""
    train, dev, test = (splits[name] for name in corpora.SPLITS)
    read = reader.read_many(test.texts)
    judged = {
        "voxplain": (reader.read_many(dev.texts).categories, read.categories),
        "TF-IDF + logistic regression": _counted(train, dev.texts, test.texts),
    }
    figures: dict[str, dict[str, Interval]] = {}
    for name, (on_dev, on_test) in judged.items():
        said = on_test >= thresholds(dev.labels, on_dev)
        figures[name] = {"macro-F1": _interval(macro_f1, test.labels, said)}
        for place, label in enumerate(LABELS):
            one = test.labels[:, [place]], said[:, [place]]
            figures[name][label] = _interval(lambda true, found: float(f1(true, found)[0]), *one)
    most = np.zeros_like(test.labels)
    most[:, train.labels.sum(0).argmax()] = True
    figures["majority"] = {"macro-F1": _interval(macro_f1, test.labels, most)}
    rows, places = test.labels.nonzero()
    figures["voxplain"] |= {
        "ECE": speaker_interval(
            expected_calibration_error, places, read.categories[rows], speakers=rows.astype(str)
        ),
        "not read": _interval(_share, read.strange, read.strange),
    }
    return figures


def _counted(train: Labelled, *texts: Sequence[str]) -> tuple[NDArray[np.float64], ...]:
    """Probabilities of labels (n, 7) by the words and pairs of words that a text holds."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    counting = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    inputs = counting.fit_transform(train.texts)
    regression = OneVsRestClassifier(LogisticRegression(C=4, max_iter=300))
    known = train.labels.any(0)
    regression.fit(inputs, train.labels[:, known])
    found = [np.zeros((len(one), len(LABELS))) for one in texts]
    for scores, one in zip(found, texts, strict=True):
        scores[:, known] = regression.predict_proba(counting.transform(one))
    return tuple(found)


def _ratings(reader: Reader, splits: Mapping[str, Rated]) -> Section:
    """Pearson's r with the mean of all ratings, of both sides or of one."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge

    train, _, test = (splits[name] for name in corpora.SPLITS)
    read = reader.read_many(test.texts)
    counting = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    ridge = Ridge(alpha=1.0).fit(counting.fit_transform(train.texts), train.both)
    rows = {
        "voxplain, mean of both": (test.both, (read.writer + read.reader) / 2),
        "voxplain, writer": (test.writer, read.writer),
        "voxplain, reader": (test.reader, read.reader),
        "TF-IDF + ridge": (test.both, ridge.predict(counting.transform(test.texts))),
    }
    figures = {
        name: {
            f"r of {dimension}": _interval(_pearson, truth[:, place], found[:, place])
            for place, dimension in enumerate(DIMENSIONS)
        }
        for name, (truth, found) in rows.items()
    }
    figures["voxplain, mean of both"]["not read"] = _interval(_share, read.strange, read.strange)
    return figures


def _coverage(reader: TextModel, test: Rated) -> Section:
    """How many ratings of unseen sentences lie inside their interval."""
    read = reader.read_many(test.texts)
    sides = {"writer": (test.writer, read.writer), "reader": (test.reader, read.reader)}
    return {
        side: {
            dimension: _interval(_share, inside[:, place], inside[:, place])
            for place, dimension in enumerate(DIMENSIONS)
        }
        for row, (side, (truth, found)) in enumerate(sides.items())
        for inside in [np.abs(truth - found) <= reader.reach[row]]
    }


def _elsewhere(
    reader: Reader, texts: Labelled, norms: Mapping[str, NDArray[np.float64]]
) -> Section:
    """One label a text, of those that the corpus has."""
    known = texts.labels.any(0)
    read = reader.read_many(texts.texts)
    scores = {"voxplain": np.where(known, read.categories, -np.inf)}
    if norms:
        scores["norms of words, nearest label"] = np.where(
            known, _by_norms(texts.texts, norms), -np.inf
        )
    scores["majority"] = np.tile(texts.labels.sum(0).astype(float), (len(texts.texts), 1))
    metrics: dict[str, Metric] = {
        "macro-F1": macro_f1,
        "weighted F1": lambda true, found: float(np.average(f1(true, found), weights=true.sum(0))),
        "accuracy": lambda true, found: accuracy(true.argmax(1), found.argmax(1)),
    }
    figures = {}
    for name, score in scores.items():
        said = np.eye(len(LABELS), dtype=bool)[score.argmax(1)]
        figures[name] = {m: _interval(one, texts.labels, said) for m, one in metrics.items()}
    figures["voxplain"]["not read"] = _interval(_share, read.strange, read.strange)
    return figures


def _by_norms(
    texts: Sequence[str], norms: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """(n, 7): how near the mean norms of a text's words lie to those of each label's word.

    Distances are in standard deviations over all words; a text without a known word is neutral.
    """
    every = np.array(list(norms.values()))
    mean, deviation = every.mean(0), every.std(0)
    anchors = np.array([norms.get(_ANCHORS[label], mean) for label in LABELS])
    found = np.zeros((len(texts), len(LABELS)))
    for row, text in enumerate(texts):
        known = [norms[part] for part in parts(text) if part in norms]
        place = np.mean(known, axis=0) if known else anchors[_NEUTRAL]
        found[row] = -np.linalg.norm((anchors - place) / deviation, axis=1)
    return found


def _speed(reader: Reader, texts: Sequence[str]) -> Section:
    """Texts a second of one core, with the slowest and the fastest of five rounds."""
    found = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        reader.read_many(texts)
        found.append(len(texts) / (time.process_time() - began))
    middle, least, most = (float(one) for one in (np.median(found), min(found), max(found)))
    return {"read_many": {"texts a second": Interval(middle, least, most, len(texts), len(texts))}}


def _interval(metric: Metric, truth: NDArray[Any], found: NDArray[Any]) -> Interval:
    texts = np.arange(len(truth)).astype(str)
    return speaker_interval(metric, truth, found, speakers=texts)


def _pearson(truth: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    return float(np.corrcoef(truth, found)[0, 1])


def _share(truth: NDArray[np.bool_], _: NDArray[np.bool_]) -> float:
    return float(truth.mean())
