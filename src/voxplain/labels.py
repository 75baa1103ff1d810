"""Emotion labels: the canonical names, their order, their aliases and what may be said of them."""

from __future__ import annotations

from voxplain.errors import UnknownName

__all__ = ["CANONICAL", "EMBEDDED", "KNOWN", "canonical", "phrase"]

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

# What else they are called in tables and by models. No label is one letter: A means angry in
# MSP-Podcast and afraid in EMO-DB, so that the readers of corpora keep their own.
_ALIASES = {
    "angry": "ang anger",
    "disgust": "disgusted dis",
    "fear": "fea fearful afraid",
    "happy": "hap happiness joy joyful",
    "neutral": "neu neutral_state",
    "sad": "sadness",
    "surprise": "sur surprised ps pleasant_surprise pleasant_surprised",
    "boredom": "bor bored",
    "contempt": "contemptuous",
    "excited": "exc excitement",
    "frustrated": "fru frustration",
    "amused": "amusement",
    "sleepy": "sleepiness",
    "": "oth other unk <unk> unknown xxx o x no_agreement",
}
_NAMES = {alias: label for label, aliases in _ALIASES.items() for alias in aliases.split()}
_NAMES |= {label: label for label in KNOWN}


def canonical(raw: str) -> str:
    """The label of ``KNOWN`` that a table or a model means.

    Case doesn't matter, nor does a space, a hyphen or an underscore between words. Empty for what
    says that there is none: ``other``, ``unknown``, ``xxx`` (no agreement in IEMOCAP), ``O`` and
    ``X`` (other, and no agreement, in MSP-Podcast).

    >>> canonical("Happiness"), canonical("exc"), canonical("xxx")
    ('happy', 'excited', '')

    Raises UnknownName.
    """
    name = "_".join(raw.lower().replace("-", " ").replace("_", " ").split())
    if name not in _NAMES:
        raise UnknownName("emotion label", raw, KNOWN)
    return _NAMES[name]


def phrase(label: str) -> str:
    """The adjective that completes "the voice sounds ...".

    >>> phrase("fear"), phrase("angry")
    ('fearful', 'angry')
    """
    return _ADJECTIVES.get(label, label)
