"""Texts whose emotion people judged: to learn from, and to be tested on."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import CorpusNotFound
from voxplain.text.emotion import LABELS

__all__ = [
    "FINE",
    "SPLITS",
    "Labelled",
    "Rated",
    "emobank",
    "goemotions",
    "helsinki",
    "isear",
    "meld",
    "norms",
]

SPLITS = ("train", "dev", "test")
FINE = 28
"""Emotions of GoEmotions before they are grouped."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Texts and their emotions."""

    texts: tuple[str, ...]
    labels: NDArray[np.bool_]
    """(n, 7) of ``voxplain.text.emotion.LABELS``: at least one each."""
    fine: NDArray[np.bool_]
    """(n, 28) before they were grouped; (n, 0) where there is no such thing."""


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """Texts and how people rated their valence, arousal and dominance, in [0, 1]."""

    ids: tuple[str, ...]
    """What the corpus calls them."""
    texts: tuple[str, ...]
    writer: NDArray[np.float64]
    """(n, 3) put in the place of who wrote it."""
    reader: NDArray[np.float64]
    """(n, 3) as it strikes them."""
    both: NDArray[np.float64]
    """(n, 3) the mean of all their ratings, which is the corpus' official target."""


_EKMAN = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "joy": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprise": "surprise",
}


_NO_ANSWER = re.compile(r"\s*(\[|no response)", re.IGNORECASE).match


def goemotions(root: Path, split: str) -> Labelled:
    """GoEmotions (Demszky et al. 2020), Ekman grouping: ``data/ekman/*.tsv`` and ``data/original``.

    ``split`` is train, dev or test. A comment has one label or several.

    Raises CorpusNotFound.
    """
    names = _lines(root / "data/ekman/labels.txt")
    rows = [line.split("\t") for line in _lines(root / f"data/ekman/{split}.tsv")]
    finer = [line.split("\t") for line in _lines(root / f"data/original/{split}.tsv")]
    order = [LABELS.index(_EKMAN[name]) for name in names]
    labels, fine = np.zeros((len(rows), len(LABELS)), bool), np.zeros((len(rows), FINE), bool)
    for row, (grouped, original) in enumerate(zip(rows, finer, strict=True)):
        labels[row, [order[int(place)] for place in grouped[1].split(",")]] = True
        fine[row, [int(place) for place in original[1].split(",")]] = True
    return Labelled(tuple(row[0] for row in rows), labels, fine)


def emobank(root: Path, split: str) -> Rated:
    """EmoBank (Buechel & Hahn 2017): ``corpus/{emobank,writer,reader}.csv``, ratings 1 to 5.

    Raises CorpusNotFound.
    """
    both, writer, reader = (
        {row["id"]: row for row in _table(root / f"corpus/{name}.csv")}
        for name in ("emobank", "writer", "reader")
    )
    keys = [key for key, row in both.items() if row["split"] == split]
    found = (
        np.array([[float(rows[key][name]) for name in "VAD"] for key in keys])
        for rows in (writer, reader, both)
    )
    texts = tuple(both[key]["text"] for key in keys)
    return Rated(tuple(keys), texts, *((one - 1) / 4 for one in found))


def helsinki(root: Path) -> tuple[str, ...]:
    """The sentences of LibriTTS in the Helsinki Prosody Corpus (Talman et al. 2019), unlabelled.

    Raises CorpusNotFound.
    """
    sentences: list[list[str]] = []
    for line in (line for name in ("dev", "test") for line in _lines(root / f"{name}.txt")):
        word = line.split("\t")[0]
        if word == "<file>":
            sentences.append([])
        else:
            sentences[-1].append(word)
    return tuple(re.sub(r" ([.,;:!?])", r"\1", " ".join(words)) for words in sentences)


def isear(root: Path) -> Labelled:
    """ISEAR (Scherer & Wallbott 1994), without shame and guilt: ``isear.csv``.

    Remarks such as "[ No response.]" are left out.

    Raises CorpusNotFound.
    """
    rows = _table(root / "isear.csv", delimiter="|", quoting=csv.QUOTE_NONE)
    return _single((row["SIT"], row["Field1"]) for row in rows if not _NO_ANSWER(row["SIT"]))


def meld(root: Path) -> Labelled:
    """The test utterances of MELD (Poria et al. 2019), ``data/MELD/test_sent_emo.csv``.

    Raises CorpusNotFound.
    """
    rows = _table(root / "data/MELD/test_sent_emo.csv")
    return _single((row["Utterance"], row["Emotion"]) for row in rows)


def norms(root: Path) -> Mapping[str, NDArray[np.float64]]:
    """Word -> valence, arousal and dominance, 1 to 9 (Warriner et al. 2013).

    Raises CorpusNotFound.
    """
    rows = _table(root / "Ratings_Warriner_et_al.csv")
    columns = ("V.Mean.Sum", "A.Mean.Sum", "D.Mean.Sum")
    return {row["Word"].lower(): np.array([float(row[c]) for c in columns]) for row in rows}


def _single(rows: Iterable[tuple[str, str]]) -> Labelled:
    known = [(text, LABELS.index(_EKMAN[name])) for text, name in rows if name in _EKMAN]
    labels = np.eye(len(LABELS), dtype=bool)[[place for _, place in known]]
    return Labelled(tuple(text for text, _ in known), labels, np.zeros((len(known), 0), bool))


def _lines(path: Path) -> list[str]:
    return _read(path).removesuffix("\n").split("\n")


def _table(path: Path, **form: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_read(path)), **form))


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusNotFound(f"{path} can't be read as UTF-8 text: {error}; see --root") from error
