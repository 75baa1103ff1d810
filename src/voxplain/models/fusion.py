"""Voice and words taken together, by a rule that can be read.

Nothing here is learned: there is no open corpus of natural speech in which both are known.
"""

from __future__ import annotations

import numpy as np

from voxplain.models.calibration import Calibration
from voxplain.models.judgement import verdict
from voxplain.types import Emotion, Fusion, TextEmotion

__all__ = ["MOST", "fuse"]

MOST = 0.5
"""Share of words that are surely recognised and surely emotional: they count like the voice."""
_TELLING = 0.5
"""Probability of any emotion in the words from which on they agree with a voice or don't."""


def fuse(
    voice: Emotion, words: TextEmotion, *, confidence: float, calibration: Calibration
) -> Fusion | None:
    """The mean of both, words weighted by how sure and how telling they are.

    The words count ``MOST`` times ``confidence`` (of the transcript, in [0, 1]) times the
    probability that they are emotional at all: neutral words leave the voice as it is. None where
    either has nothing to say.
    """
    if not voice.categories or not words.categories:
        return None
    labels = calibration.labels
    told = {
        label: words.categories.get(label, 0.0) if label != "neutral" else 0.0 for label in labels
    }
    telling = sum(told.values())
    weight = MOST * confidence * telling
    heard = np.array([voice.categories[label] for label in labels])
    said = np.array(list(told.values())) / max(telling, 1e-9)
    both = (1 - weight) * heard + weight * said
    top = int(np.argmax(both))
    share = float(weight * said[top] / both[top])
    return Fusion(
        dict(zip(labels, both.tolist(), strict=True)),
        verdict(both, calibration),
        {"voice": 1 - share, "words": share},
        _relation(voice, max(told, key=told.__getitem__), telling),
    )


def _relation(voice: Emotion, said: str, telling: float) -> str:
    """Open, unless both name an emotion."""
    heard = voice.verdict.labels
    if telling < _TELLING or not set(heard) - {"neutral"}:
        return "open"
    return "agreement" if said in heard else "conflict"
