"""MELD: dialogues of the series Friends, in sound and words (Poria et al. 2019)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from voxplain.errors import CorpusNotFound
from voxplain.training.corpora._reading import (
    Card,
    Utterance,
    half_copied,
    lying,
    matching_files,
    meaning,
    rows,
)

__all__ = ["CARD", "read", "texts"]

CARD = Card(
    title="MELD",
    language="en",
    licence="GPL 3.0 (repository); sound and words belong to the makers of the series",
    citation="Poria et al. 2019, ACL",
    shippable=False,
    source="declare-lab/MELD; scripts of Strong-AI-Lab/emotion and emo-box/EmoBox for it",
)

_COLUMNS = ("Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")
_FOLDERS = {
    "train": "train",
    "train_splits": "train",
    "dev": "dev",
    "dev_splits_complete": "dev",
    "test": "test",
    "output_repeated_splits_test": "test",
}
_CLIP = re.compile(
    rf"(?P<folder>{'|'.join(_FOLDERS)})/(?:[^/]+/)*dia(?P<dialogue>\d+)_utt(?P<turn>\d+)"
)
_EMOTIONS = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "joy": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprise": "surprise",
}
_SEXES = {
    **dict.fromkeys(("Monica", "Phoebe", "Rachel"), "female"),
    **dict.fromkeys(("Chandler", "Joey", "Ross"), "male"),
}
_SEVERAL = re.compile(r"all|both|.+ and .+", re.IGNORECASE)
_FAULTY = ("train_dia125_utt3", "dev_dia110_utt7")  # a damaged clip, and one that is not there


def read(root: Path) -> list[Utterance]:
    """Every utterance but two whose clips are faulty, as published in mp4 or as wav.

    Clips lie in ``train_splits``, ``dev_splits_complete`` and ``output_repeated_splits_test``, or
    in ``train``, ``dev`` and ``test``; leave the table of a part away that you don't have.
    ``session`` is the dialogue and ``turn`` its utterance. A speaker is a name of the series,
    empty where several speak at once; the same six friends speak in all parts.

    Raises CorpusNotFound, also for utterances without a clip (``texts`` asks for none).
    """
    told = {_name(one.session, one.turn): one for one in texts(root)}
    clips = {
        _name(f"{_FOLDERS[clip['folder']]}_dia{clip['dialogue']}", int(clip["turn"])): path
        for path, clip in matching_files(root, _CLIP)
    }
    wanted = [name for name in told if name not in _FAULTY]
    missing = set(wanted) - clips.keys()
    half_copied(root, missing, total=len(wanted), what="utterances have no clip")
    return [replace(told[name], path=clips[name]) for name in wanted]


def texts(root: Path) -> list[Utterance]:
    """Every utterance for those who need its words only: ``path`` is the table it stands in.

    Raises CorpusNotFound if there is no ``train_sent_emo.csv``, nor one for ``dev`` or ``test``.
    """
    found = [one for split in ("train", "dev", "test") for one in _part(root, split)]
    if not found:
        raise CorpusNotFound(f"{root} holds no train_sent_emo.csv; give the corpus's own folder")
    return found


def _part(root: Path, split: str) -> Iterator[Utterance]:
    if table := lying(root, f"{split}_sent_emo.csv"):
        for row in rows(table, *_COLUMNS):
            speaker = row["Speaker"].strip()
            yield Utterance(
                path=table,
                corpus="meld",
                speaker="" if _SEVERAL.fullmatch(speaker) else f"meld_{speaker}",
                sex=_SEXES.get(speaker, ""),
                emotion=meaning(row["Emotion"], _EMOTIONS, path=table),
                sentence=row["Utterance"],
                label=row["Emotion"],
                text=row["Utterance"],
                split=split,
                session=f"{split}_dia{row['Dialogue_ID']}",
                turn=int(row["Utterance_ID"]),
            )


def _name(session: str, turn: int) -> str:
    return f"{session}_utt{turn}"
