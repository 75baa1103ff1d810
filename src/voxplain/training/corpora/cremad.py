"""CREMA-D: 91 actors, 12 English sentences, 6 acted emotions (Cao et al. 2014)."""

from __future__ import annotations

import re
from pathlib import Path

from voxplain.training.corpora._reading import Card, Utterance, matching_files

__all__ = ["CARD", "read"]

CARD = Card(
    title="CREMA-D",
    language="en",
    licence="ODbL 1.0 (database), DbCL 1.0 (contents)",
    citation="Cao et al. 2014, IEEE Transactions on Affective Computing 5(4)",
    shippable=True,
)

_NAME = re.compile(
    r"(?P<speaker>10(?!00)[0-8]\d|109[01])_(?P<sentence>[A-Z]{3})_(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)_(LO|MD|HI|XX?)"
)
_EMOTIONS = {
    "ANG": "angry",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
# Of the actors 1001 to 1091 (VideoDemographics.csv of the corpus).
_SEXES = (
    "MFFFMFFFFFMFFMMMMFMFFMMFFMMFFFMMMMMMFMMMMMFMMFFMFMMFFFFFMFMFFMFMMMMMMMMFFFFFMFFMMFMFMMMMFMF"
)
# Faults of the published corpus: a silent clip, and recordings that occur under two labels.
_FAULTY = {
    "1076_MTI_SAD_XX",
    "1013_WSI_SAD_XX",
    "1013_WSI_DIS_XX",
    "1017_IWW_ANG_XX",
    "1017_IWW_FEA_XX",
    "1006_TIE_HAP_XX",
    "1006_TIE_NEU_XX",
}


def read(root: Path) -> list[Utterance]:
    """Every clip but the seven faulty ones. Raises CorpusNotFound."""
    return [
        Utterance(
            path=path,
            corpus="cremad",
            speaker=f"cremad_{name['speaker']}",
            sex={"F": "female", "M": "male"}[_SEXES[int(name["speaker"]) - 1001]],
            emotion=_EMOTIONS[name["emotion"]],
            sentence=name["sentence"],
        )
        for path, name in matching_files(root, _NAME)
        if path.stem not in _FAULTY
    ]
