"""IEMOCAP: 10 actors in 5 sessions of two, scripted and improvised English (Busso et al. 2008)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from voxplain.training.corpora._reading import (
    Card,
    Ratings,
    Utterance,
    half_copied,
    matching_files,
    meaning,
)

__all__ = ["CARD", "read"]

CARD = Card(
    title="IEMOCAP",
    language="en",
    licence="release form of the University of Southern California, for research",
    citation="Busso et al. 2008, Language Resources and Evaluation 42(4)",
    shippable=False,
    source="scripts of emo-box/EmoBox, Strong-AI-Lab/emotion and felixbur/nkululeko for it",
)

# The F of a dialogue's name wears the markers; who speaks is told by the letter of the turn.
_TURN = re.compile(r"(?P<session>Ses0[1-5])[FM]_(?:impro|script)\w+?_(?P<sex>[FM])(?:\d\d|XX)\d")
_EMOTIONS = {
    "ang": "angry",
    "dis": "disgust",
    "exc": "excited",
    "fea": "fear",
    "fru": "frustrated",
    "hap": "happy",
    "neu": "neutral",
    "sad": "sad",
    "sur": "surprise",
    "oth": "",
    "xxx": "",  # the raters did not agree
}
_CHOICES = {
    "Anger": "angry",
    "Disgust": "disgust",
    "Excited": "excited",
    "Fear": "fear",
    "Frustration": "frustrated",
    "Happiness": "happy",
    "Neutral": "neutral",
    "Neutral state": "neutral",
    "Sadness": "sad",
    "Surprise": "surprise",
    "Other": "",
}
_SCALES = ("valence", "arousal", "dominance")
_LABEL = re.compile(
    r"\[[\d.]+ - [\d.]+\]\s+(?P<turn>\w+)\s+(?P<label>\w+)"
    r"\s+\[(?P<valence>[\d.]+), (?P<arousal>[\d.]+), (?P<dominance>[\d.]+)\]"
)
_VOTE = re.compile(r"C-E\d+:(?P<choices>[^(]*)")  # C-F1 and C-M1 are what the actors meant
_SAID = re.compile(r"(?P<turn>\w+) \[[\d.]+-[\d.]+\]:\s*(?P<text>.*)")


def read(root: Path) -> list[Utterance]:
    """Every turn below ``IEMOCAP_full_release``, or below some of its session folders.

    ``session`` is Ses01 to Ses05, each with two speakers of its own; ``turn`` counts through it,
    dialogue by dialogue. Dimensions are the raters' means, moved from 1-5 to 0-1. Votes are those
    of the raters, who heard and saw the dialogue; one who chose two labels has two, ``Other`` is
    not counted. The words are known where the dialogues' transcriptions lie there too.

    Raises CorpusNotFound, also if turns have a label but no sound, or the other way round.
    """
    sounds = {turn[0]: (path, turn) for path, turn in matching_files(root, _TURN)}
    labels = _labels(root)
    total = len(sounds.keys() | labels.keys())
    for missing, what in (
        (labels.keys() - sounds.keys(), "turns have a label but no sound"),
        (sounds.keys() - labels.keys(), "turns have a sound but no label"),
    ):
        half_copied(root, missing, total=total, what=what)
    texts = _texts(root)
    return [
        Utterance(
            path=path,
            corpus="iemocap",
            speaker=f"iemocap_{turn['session']}{turn['sex']}",
            sex={"F": "female", "M": "male"}[turn["sex"]],
            emotion=meaning(labels[name].label, _EMOTIONS, path=path),
            sentence=texts.get(name, ""),
            ratings=Ratings(votes, intensity={}) if (votes := labels[name].votes) else None,
            label=labels[name].label,
            text=texts.get(name, ""),
            session=turn["session"],
            turn=labels[name].number,
            dimensions=labels[name].dimensions,
        )
        for name, (path, turn) in sounds.items()
    ]


@dataclass(frozen=True, slots=True)
class _Label:
    label: str
    number: int
    dimensions: dict[str, float]
    votes: Counter[str] = field(default_factory=Counter)


def _labels(root: Path) -> dict[str, _Label]:
    """Of each turn: its line in the dialogue's file, and those of the raters below it."""
    found: dict[str, _Label] = {}
    numbers: Counter[str] = Counter()
    for path in sorted(root.rglob("dialog/EmoEvaluation/Ses*.txt")):
        turn = ""
        for line in _lines(path):
            if match := _LABEL.match(line):
                turn = match["turn"]
                numbers[turn[:5]] += 1
                means = {scale: (float(match[scale]) - 1) / 4 for scale in _SCALES}
                found[turn] = _Label(match["label"], numbers[turn[:5]], means)
            elif turn and (match := _VOTE.match(line)):
                for choice in filter(None, map(str.strip, match["choices"].split(";"))):
                    if emotion := meaning(choice, _CHOICES, path=path):
                        found[turn].votes[emotion] += 1
    return found


def _texts(root: Path) -> dict[str, str]:
    paths = sorted(root.rglob("dialog/transcriptions/Ses*.txt"))
    said = filter(None, (_SAID.match(line) for path in paths for line in _lines(path)))
    return {match["turn"]: match["text"].strip() for match in said}


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()
