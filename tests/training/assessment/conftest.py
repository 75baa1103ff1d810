"""Clips that were judged by hand, and real ones with invented speakers and labels."""

import csv
from pathlib import Path

import numpy as np
import pytest

from voxplain.training.assessment.judging import Judged, Judgement
from voxplain.training.corpora._reading import Ratings, Utterance
from voxplain.types import Dimension, Dimensions, Emotion, Verdict

LABELS = ("angry", "happy", "neutral", "sad")


@pytest.fixture
def utterance():
    def make(number, speaker, emotion, *, votes=None, **more):
        ratings = Ratings(votes, dict.fromkeys(votes, 50.0)) if votes else None
        told = {"sex": "female", "sentence": "A", "ratings": ratings, "corpus": "made"} | more
        return Utterance(Path(f"{number}.wav"), speaker=speaker, emotion=emotion, **told)

    return make


@pytest.fixture
def judgement():
    """What is said of a clip; ``None`` of one that nothing is said of."""

    def make(shares, *, labels=LABELS, reason="", duration=2.0, point=0.5):
        if shares is None:
            silent = Emotion({}, {}, None, labels, Verdict((), reason or "no speech"))
            return Judgement(silent, duration, reason or "no speech")
        dimension = Dimension(point, 0.0, 1.0)
        emotion = Emotion(
            dict(zip(labels, shares, strict=True)),
            dict(zip(labels, shares[::-1], strict=True)),
            Dimensions(dimension, dimension, dimension, "made"),
            labels,
            Verdict((), reason) if reason else Verdict((labels[int(np.argmax(shares))],)),
        )
        return Judgement(emotion, duration, reason)

    return make


@pytest.fixture
def judged(utterance, judgement):
    """Rows of (speaker, emotion, shares) as they were judged."""

    def make(*rows, labels=LABELS):
        return Judged(
            tuple(utterance(n, speaker, emotion) for n, (speaker, emotion, _) in enumerate(rows)),
            tuple(judgement(shares, labels=labels) for *_, shares in rows),
            labels,
        )

    return make


@pytest.fixture(scope="session")
def listed(tmp_path_factory, clips):
    """A table of real clips: two speakers whom the embedded model heard, and a stranger."""
    place = tmp_path_factory.mktemp("listed") / "clips.csv"
    by_name = {clip.stem: clip for clip in clips}
    rows = [
        ("cremad_1089_tie_ang", "cremad_1007", "angry", "female", "train"),
        ("cremad_1089_mti_sad", "cremad_1007", "sad", "female", "train"),
        ("cremad_1089_tie_neu", "cremad_1001", "neutral", "male", "test"),
        ("cremad_1089_mti_hap", "cremad_1001", "happy", "male", "test"),
        ("emodb_03a01Wa", "someone", "angry", "male", "test"),
    ]
    with place.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("file", "speaker", "emotion", "sex", "split"))
        table.writerows((by_name[name], *rest) for name, *rest in rows)
    return place
