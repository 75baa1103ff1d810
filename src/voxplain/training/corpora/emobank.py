"""EmoBank: 10,062 English sentences, rated as they read; nobody speaks (Buechel & Hahn 2017)."""

from __future__ import annotations

from pathlib import Path

from voxplain.models.judgement import DIMENSIONS
from voxplain.training.corpora._reading import Card, Utterance
from voxplain.training.words import emotion_corpora

__all__ = ["CARD", "read"]

CARD = Card(
    title="EmoBank",
    language="en",
    licence="CC BY-SA 4.0",
    citation="Buechel & Hahn 2017, EACL (2), 578-585",
    shippable=True,
    source="README.md of github.com/JULIELab/EmoBank",
)


def read(root: Path) -> list[Utterance]:
    """Every sentence, with its official split, and no sound: for experiments on texts alone.

    Dimensions are the means over all raters, whether they took the writer's place or the reader's,
    moved from 1-5 to 0-1. The path names a sentence within the table, ``emobank.csv#ID``, so that
    each is told apart as recordings are. Nobody knows who wrote it.

    Raises CorpusNotFound.
    """
    table = root / "corpus/emobank.csv"
    found = []
    for split in emotion_corpora.SPLITS:
        rated = emotion_corpora.emobank(root, split)
        for name, text, values in zip(rated.ids, rated.texts, rated.both.tolist(), strict=True):
            found.append(
                Utterance(
                    path=table.with_name(f"{table.name}#{name}"),
                    corpus="emobank",
                    speaker="",
                    sex="",
                    emotion="",
                    sentence=name,
                    text=text,
                    split=split,
                    dimensions=dict(zip(DIMENSIONS, values, strict=True)),
                )
            )
    return found
