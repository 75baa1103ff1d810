"""EMO-DB: 10 speakers, 10 German sentences, 7 acted emotions (Burkhardt et al. 2005)."""

from __future__ import annotations

import re
from pathlib import Path

from voxplain.training.corpora._reading import Card, Utterance, matching_files, meaning

__all__ = ["CARD", "read"]

CARD = Card(
    title="EMO-DB",
    language="de",
    licence="CC0 1.0",
    citation="Burkhardt et al. 2005, Interspeech",
    shippable=True,
)

_NAME = re.compile(r"(?P<speaker>\d\d)(?P<sentence>[ab]\d\d)(?P<label>[A-Z])[a-z]")
_EMOTIONS = {
    "W": "angry",  # Wut
    "L": "boredom",  # Langeweile
    "E": "disgust",  # Ekel
    "A": "fear",  # Angst
    "F": "happy",  # Freude
    "T": "sad",  # Trauer
    "N": "neutral",
}
_TEXTS = {  # as they are spoken: the corpus's own page has "Stück Papier" for a05
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Blatt Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
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
            emotion=meaning(name["label"], _EMOTIONS, path=path),
            sentence=name["sentence"],
            label=name["label"],
            text=_TEXTS.get(name["sentence"], ""),
        )
        for path, name in matching_files(root, _NAME)
    ]
