"""MSP-Podcast: natural English from podcasts, judged by crowds (Lotfian & Busso 2019)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

from voxplain.errors import CorpusNotFound
from voxplain.training.corpora._reading import (
    Card,
    Ratings,
    Utterance,
    half_copied,
    lying,
    matching_files,
    meaning,
    rows,
)

__all__ = ["CARD", "read"]

CARD = Card(
    title="MSP-Podcast",
    language="en",
    licence="academic licence agreement of the University of Texas at Dallas",
    citation="Lotfian & Busso 2019, IEEE Transactions on Affective Computing 10(4)",
    shippable=False,
    source="scripts of felixbur/nkululeko, Strong-AI-Lab/emotion and emo-box/EmoBox for it",
    uncertain="how labels_detailed.csv writes a choice differs between releases; two ways are read",
)

_NAME = re.compile(r"MSP-PODCAST_\w+")
_EMOTIONS = {
    "A": "angry",
    "S": "sad",
    "H": "happy",
    "U": "surprise",
    "F": "fear",
    "D": "disgust",
    "C": "contempt",
    "N": "neutral",
    "O": "",  # another one
    "X": "",  # the workers did not agree
}
# What a worker chose. Anything else was typed in: it is what O stands for, and is not counted.
_CHOICES = _EMOTIONS | {
    "Angry": "angry",
    "Sad": "sad",
    "Happy": "happy",
    "Surprise": "surprise",
    "Fear": "fear",
    "Disgust": "disgust",
    "Contempt": "contempt",
    "Neutral": "neutral",
}
_SPLITS = {
    "Train": "train",
    "Development": "dev",
    "Validation": "dev",  # its name until release 1.8
    "Test1": "test1",
    "Test2": "test2",
    "Test3": "test3",
}
_COLUMNS = (
    "FileName", "EmoClass", "EmoAct", "EmoVal", "EmoDom", "SpkrID", "Gender", "Split_Set",
)  # fmt: skip
_SCALES = {"valence": "EmoVal", "arousal": "EmoAct", "dominance": "EmoDom"}


def read(root: Path) -> list[Utterance]:
    """Every clip of ``labels_consensus.csv``; what has no label (Test3) is left out.

    Dimensions are the workers' means, moved from 1-7 to 0-1. Who speaks is empty where the corpus
    says Unknown: such clips can't be kept apart from any speaker. With the workers' votes if
    ``labels_detailed.csv`` lies there too, and with the words if the folder ``Transcripts`` does.

    Raises CorpusNotFound, also for labels without their sound.
    """
    labels = lying(root, "labels_con[cs]ensus.csv")  # there are releases with either
    table = list(rows(labels, *_COLUMNS))
    if not table:
        raise CorpusNotFound(f"{root} holds no labels_consensus.csv; give the corpus's own folder")
    sounds = {path.stem: path for path, _ in matching_files(root, _NAME)}
    missing = {row["FileName"] for row in table if Path(row["FileName"]).stem not in sounds}
    half_copied(root, missing, total=len(table), what="clips have a label but no sound")
    votes = _votes(root)
    texts = {path.stem: path for path in root.rglob("Transcripts/**/MSP-PODCAST_*.txt")}
    found = []
    for row in table:
        name = Path(row["FileName"]).stem
        text = _text(texts[name]) if name in texts else ""
        known = row["SpkrID"] not in ("", "Unknown")
        found.append(
            Utterance(
                path=sounds[name],
                corpus="msp_podcast",
                speaker=f"msp_podcast_{row['SpkrID']}" if known else "",
                sex={"Female": "female", "Male": "male"}.get(row["Gender"], ""),
                emotion=meaning(row["EmoClass"], _EMOTIONS, path=sounds[name]),
                sentence=text,
                ratings=Ratings(votes=votes[name], intensity={}) if name in votes else None,
                label=row["EmoClass"],
                text=text,
                split=meaning(row["Split_Set"], _SPLITS, path=sounds[name]),
                dimensions={
                    scale: (float(row[column]) - 1) / 6
                    for scale, column in _SCALES.items()
                    if row[column]
                }
                or None,
            )
        )
    return found


def _votes(root: Path) -> dict[str, Counter[str]]:
    """Of each clip; a column holds the choice, or one cell all of it: ``WORKER1; Sad; ...``."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows(lying(root, "labels_detailed.csv"), "FileName"):
        choice = row.get("EmoClass_Major") or "".join(row.get("EmoDetail", "").split(";")[1:2])
        if emotion := _CHOICES.get(choice.strip()):
            found[Path(row["FileName"]).stem][emotion] += 1
    return dict(found)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip()
