"""CREMA-D: 91 actors, 12 English sentences, 6 acted emotions (Cao et al. 2014)."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from voxplain.training.corpora._reading import Card, Ratings, Utterance, matching_files

__all__ = ["CARD", "demographics", "read"]

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
            emotion=_EMOTIONS[name["emotion"]],
            sentence=name["sentence"],
            ratings=ratings.get(path.stem),
        )
        for path, name in matching_files(root, _NAME)
        if path.stem not in _FAULTY
    ]


def demographics(root: Path) -> dict[str, Mapping[str, str]]:
    """Speaker -> Age, Sex, Race and Ethnicity; nothing without ``VideoDemographics.csv``."""
    return {f"cremad_{row['ActorID']}": row for row in _rows(root, "VideoDemographics.csv")}


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
    for row in _rows(root, "tabulatedVotes.csv"):
        if 100_000 <= int(row[""]) < 200_000:  # voice alone; faces are 2xxxxx, both 3xxxxx
            chosen = [(vote, *named) for vote, named in _VOTES.items() if int(row[vote])]
            found[row["fileName"]] = Ratings(
                votes={label: int(row[vote]) for vote, label, _ in chosen},
                intensity={label: float(row[column]) for _, label, column in chosen},
            )
    return found


def _rows(root: Path, name: str) -> Iterator[dict[str, str]]:
    for path in sorted(root.rglob(name))[:1]:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
