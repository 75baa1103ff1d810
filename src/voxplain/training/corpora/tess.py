"""TESS: 2 actresses, 200 English words in a carrier phrase, 7 acted emotions (2010)."""

from __future__ import annotations

import re
from pathlib import Path

from voxplain.training.corpora._reading import Card, Utterance, matching_files, meaning

__all__ = ["CARD", "read"]

CARD = Card(
    title="TESS",
    language="en",
    licence="CC BY-NC-ND 4.0",
    citation="Pichora-Fuller & Dupuis 2020, Borealis, doi 10.5683/SP2/E8H2MF",
    shippable=False,
    source="scripts of Strong-AI-Lab/emotion, emo-box/EmoBox and felixbur/nkululeko for it",
)

_NAME = re.compile(r"(?P<speaker>OAF?|YAF)_(?P<word>[a-z]+)_(?P<label>[a-z]+)", re.IGNORECASE)
_SPEAKERS = {"OAF": "OAF", "OA": "OAF", "YAF": "YAF"}  # one name is misspelt: OA_bite_neutral
_EMOTIONS = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "surprise",  # pleasant surprise
    "sad": "sad",
}


def read(root: Path) -> list[Utterance]:
    """Every clip, once where the folder holds a copy of itself. Raises CorpusNotFound."""
    return [
        Utterance(
            path=path,
            corpus="tess",
            speaker=f"tess_{_SPEAKERS[name['speaker'].upper()]}",
            sex="female",
            emotion=meaning(name["label"], _EMOTIONS, path=path),
            sentence=name["word"],
            label=name["label"],
            text=f"Say the word {name['word']}.",
        )
        for path, name in matching_files(root, _NAME)
    ]
