"""CREMA-D: 91 actors, 12 English sentences, 6 acted emotions (Cao et al. 2014)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from voxplain.training.corpora._reading import (
    Card,
    Ratings,
    Utterance,
    lying,
    matching_files,
    meaning,
    rows,
)

__all__ = ["CARD", "demographics", "read"]

CARD = Card(
    title="CREMA-D",
    language="en",
    licence="ODbL 1.0 (database), DbCL 1.0 (contents)",
    citation="Cao et al. 2014, IEEE Transactions on Affective Computing 5(4)",
    shippable=True,
)

_NAME = re.compile(
    r"(?P<speaker>10(?!00)[0-8]\d|109[01])_(?P<sentence>[A-Z]{3})_(?P<label>[A-Z]{3})_(?P<strength>LO|MD|HI|XX?)"
)
_EMOTIONS = {
    "ANG": "angry",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
_STRENGTHS = {"LO": "low", "MD": "medium", "HI": "high"}  # X and XX leave it open
_TEXTS = {
    "DFA": "Don't forget a jacket",
    "IEO": "It's eleven o'clock",
    "IOM": "I'm on my way to the meeting",
    "ITH": "I think I have a doctor's appointment",
    "ITS": "I think I've seen this before",
    "IWL": "I would like a new alarm clock",
    "IWW": "I wonder what this is about",
    "MTI": "Maybe tomorrow it will be cold",
    "TAI": "The airplane is almost full",
    "TIE": "That is exactly what happened",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
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
    """Every clip but the seven faulty ones. Raises CorpusNotFound.

    With the listeners' ratings, if ``tabulatedVotes.csv`` lies below the folder too.
    """
    ratings = _ratings(root)
    return [
        Utterance(
            path=path,
            corpus="cremad",
            speaker=f"cremad_{name['speaker']}",
            sex={"F": "female", "M": "male"}[_SEXES[int(name["speaker"]) - 1001]],
            emotion=meaning(name["label"], _EMOTIONS, path=path),
            sentence=name["sentence"],
            ratings=ratings.get(path.stem),
            label=name["label"],
            text=_TEXTS.get(name["sentence"], ""),
            strength=_STRENGTHS.get(name["strength"], ""),
        )
        for path, name in matching_files(root, _NAME)
        if path.stem not in _FAULTY
    ]


def demographics(root: Path) -> dict[str, Mapping[str, str]]:
    """Speaker -> Age, Sex, Race and Ethnicity; nothing without ``VideoDemographics.csv``."""
    table = lying(root, "VideoDemographics.csv")
    return {f"cremad_{row['ActorID']}": row for row in rows(table)}


# The label a listener chose, and the column of how strong it was found.
_VOTES = {
    "A": ("angry", "meanAngerResp"),
    "D": ("disgust", "meanDisgustResp"),
    "F": ("fear", "meanFearResp"),
    "H": ("happy", "meanHappyResp"),
    "N": ("neutral", "meanNeutralResp"),
    "S": ("sad", "meanSadResp"),
}


def _ratings(root: Path) -> dict[str, Ratings]:
    found = {}
    for row in rows(lying(root, "tabulatedVotes.csv")):
        if 100_000 <= int(row[""]) < 200_000:  # voice alone; faces are 2xxxxx, both 3xxxxx
            chosen = [(vote, *named) for vote, named in _VOTES.items() if int(row[vote])]
            found[row["fileName"]] = Ratings(
                votes={label: int(row[vote]) for vote, label, _ in chosen},
                intensity={label: float(row[column]) for _, label, column in chosen},
            )
    return found
