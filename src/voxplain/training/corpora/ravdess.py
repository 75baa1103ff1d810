"""RAVDESS speech: 24 actors, 2 English sentences, 8 acted emotions (Livingstone & Russo 2018)."""

from __future__ import annotations

import re
from pathlib import Path

from voxplain.training.corpora._reading import Card, Utterance, matching_files, meaning

__all__ = ["CARD", "read"]

CARD = Card(
    title="RAVDESS",
    language="en",
    licence="CC BY-NC-SA 4.0",
    citation="Livingstone & Russo 2018, PLoS ONE 13(5)",
    shippable=False,
)

# Modality 03 is audio only, channel 01 is speech (02 is song).
_NAME = re.compile(
    r"03-01-(?P<label>\d\d)-(?P<strength>0[12])-(?P<sentence>0[12])-0[12]-(?P<speaker>\d\d)"
)
_EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
_STRENGTHS = {"01": "normal", "02": "strong"}
_TEXTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
_DUPLICATE = "03-01-03-01-02-02-07"  # the same samples as 03-01-03-01-02-01-07


def read(root: Path) -> list[Utterance]:
    """Every speech clip but one duplicate. Raises CorpusNotFound."""
    return [
        Utterance(
            path=path,
            corpus="ravdess",
            speaker=f"ravdess_{name['speaker']}",
            sex="male" if int(name["speaker"]) % 2 else "female",  # odd numbers are men
            emotion=meaning(name["label"], _EMOTIONS, path=path),
            sentence=name["sentence"],
            label=name["label"],
            text=_TEXTS[name["sentence"]],
            strength=_STRENGTHS[name["strength"]],
        )
        for path, name in matching_files(root, _NAME)
        if path.stem != _DUPLICATE
    ]
