"""Emotion labels: the canonical names, their order and what may be said of them."""

from __future__ import annotations

__all__ = ["CANONICAL", "EMBEDDED", "KNOWN", "phrase"]

EMBEDDED = ("angry", "disgust", "fear", "happy", "neutral", "sad")
"""Label order of the embedded model."""

CANONICAL = (*EMBEDDED, "surprise", "calm", "boredom")
"""The labels that voxplain speaks of."""

KNOWN = (*CANONICAL, "contempt", "excited", "frustrated", "amused", "sleepy")
"""Every label a corpus may map to, and a foreign model may have."""

_ADJECTIVES = {
    "disgust": "disgusted",
    "fear": "fearful",
    "surprise": "surprised",
    "boredom": "bored",
    "contempt": "contemptuous",
}


def phrase(label: str) -> str:
    """The adjective that completes "the voice sounds ...".

    >>> phrase("fear"), phrase("angry")
    ('fearful', 'angry')
    """
    return _ADJECTIVES.get(label, label)
