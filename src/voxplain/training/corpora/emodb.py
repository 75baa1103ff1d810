"""EMO-DB: 10 speakers, 10 German sentences, 7 acted emotions (Burkhardt et al. 2005)."""

from __future__ import annotations

import re
from pathlib import Path

from voxplain.training.corpora._reading import Card, Utterance, matching_files

__all__ = ["CARD", "read"]

CARD = Card(
    title="EMO-DB",
    language="de",
    licence="CC0 1.0",
    citation="Burkhardt et al. 2005, Interspeech",
    shippable=True,
)

_NAME = re.compile(r"(?P<speaker>\d\d)(?P<sentence>[ab]\d\d)(?P<emotion>[WLEAFTN])[a-z]")
_EMOTIONS = {
    "W": "angry",  # Wut
    "L": "boredom",  # Langeweile
    "E": "disgust",  # Ekel
    "A": "fear",  # Angst
    "F": "happy",  # Freude
    "T": "sad",  # Trauer
    "N": "neutral",
}
_MEN = ("03", "10", "11", "12", "15")


def read(root: Path) -> list[Utterance]:
    """Every clip. Raises CorpusNotFound."""
    return [
        Utterance(
            path=path,
            corpus="emodb",
            speaker=f"emodb_{name['speaker']}",
            sex="male" if name["speaker"] in _MEN else "female",
            emotion=_EMOTIONS[name["emotion"]],
            sentence=name["sentence"],
        )
        for path, name in matching_files(root, _NAME)
    ]
