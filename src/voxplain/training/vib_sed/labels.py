"""What a corpus itself says of how its recordings sound."""

from __future__ import annotations

from voxplain.models.description import Description, distinct_words, tone_of
from voxplain.models.levels import Labels
from voxplain.training.corpora._reading import Utterance

__all__ = ["given"]


def given(utterance: Utterance) -> Labels:
    """What a corpus itself says of a recording: its own levels, emphasis and emotion."""
    words = utterance.text.split()
    stressed = distinct_words(words[place] for place in utterance.emphasis)
    description = Description(
        utterance.described,
        tone_of(utterance.described),
        stressed if len(stressed) == 1 else None,
        utterance.emotion,
    )
    return Labels(description, description)
