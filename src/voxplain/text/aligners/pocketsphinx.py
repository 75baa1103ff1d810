"""Forced alignment with the English acoustic model of pocketsphinx.

The words and optional pauses between them form a grammar with one path; Viterbi finds when each is
spoken. Every state of the model is scored in every frame, so that a word's score tells how far it
falls behind the sounds that fit best there: that is its confidence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from voxplain.errors import TextError
from voxplain.text import _sphinx
from voxplain.text.aligners import Found
from voxplain.text.pronunciation import pronunciations
from voxplain.types import Audio

__all__ = ["CALIBRATION", "find_words"]

_BEAM = 1e-300  # never give up: a wrong word shall be scored, not refused
_PAUSES = 0.5  # chance of one between two words: read speech at any tempo, and breath
_STATES = 3  # of a phone, each of which takes a frame or more

# Slope and middle of a logistic regression on the score a frame of words that were said and of
# others, of training speakers of CREMA-D and EMO-DB: benchmarks/alignment.py --fit.
CALIBRATION = {"en": (657.0, -0.00692), "de": (528.0, -0.00901)}
_APPROXIMATE = "de"  # how well any language fits that is written in English sounds


def find_words(
    audio: Audio,
    words: Sequence[str],
    *,
    language: str,
    known: Mapping[str, Sequence[str]] | None,
) -> list[Found | None]:
    """Where each word is; None for one that can't be spelled out, or if the path is not found.

    ``known`` are pronunciations that go before all others.

    Raises TextError where the words can't be spoken in so short a time.
    """
    ways = [pronunciations(word, language=language, known=known) for word in words]
    least = _sphinx.FRAME * _STATES * sum(min(_phones(w) for w in way) for way in ways if way)
    if least > audio.duration:
        raise TextError(
            f"the {len(words)} words take at least {least:.1f} s to say, and {audio.source} has "
            f"{audio.duration:.1f} s; give the text of this recording"
        )
    decoder = _sphinx.decoder(
        dict=None,
        lm=None,
        silprob=_PAUSES,
        bestpath=False,
        compallsen=True,
        beam=_BEAM,
        pbeam=_BEAM,
        wbeam=_BEAM,
    )
    names: dict[tuple[str, ...], str] = {}
    for way in filter(None, ways):
        if way not in names:
            names[way] = f"w{len(names)}"
            for n, phones in enumerate(way, start=1):
                decoder.add_word(names[way] + (f"({n})" if n > 1 else ""), phones, update=False)
    if not names:
        return [None] * len(words)
    decoder.set_align_text(" ".join(names[way] for way in ways if way))
    heard = _sphinx.decode(decoder, audio)
    if [one.name for one in heard] != [names[way] for way in ways if way]:
        return [None] * len(words)
    slope, middle = CALIBRATION.get(language, CALIBRATION[_APPROXIMATE])
    remaining = (
        Found(one.start, one.end, 1 / (1 + math.exp(slope * (middle - one.score / one.frames))))
        for one in heard
    )
    return [next(remaining) if way else None for way in ways]


def _phones(way: str) -> int:
    return way.count(" ") + 1
