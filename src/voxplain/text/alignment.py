"""Alignment: a text that is given, and when in the recording each of its words is spoken."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from voxplain.errors import ConfigError, TextError
from voxplain.text.aligners import Found, ctc, pocketsphinx
from voxplain.text.pronunciation import LANGUAGES, has_letters
from voxplain.types import Audio, Transcript, Word

__all__ = ["POCKETSPHINX", "UNLIKELY", "align"]

POCKETSPHINX = "pocketsphinx"
UNLIKELY = 0.5
"""Confidence of a transcript below which it is said to be of another recording."""


def align(
    audio: Audio,
    text: str,
    *,
    language: str = "en",
    aligner: str | Path = POCKETSPHINX,
    pronunciations: Mapping[str, Sequence[str]] | None = None,
) -> Transcript:
    """The words of ``text`` with their times in a 16 kHz recording.

    A word is what stands between white space, if it has a letter, digit or spoken sign. One that
    the aligner can't spell out lies between its neighbours, with confidence 0; where no word can
    be placed, all are without times (NaN). A warning says so, and also where the words fit the
    sound so badly that they seem to be of another recording.

    ``aligner`` is "pocketsphinx", for English and German, or the folder of a Hugging Face CTC
    checkpoint (wav2vec2, HuBERT, WavLM) for its language. ``pronunciations`` says how words are
    spoken, in ARPAbet: {"voxplain": ("V AA K S P L EY N",)}; they are for pocketsphinx.

    Raises TextError for a text without words, or with more than can be said in so short a time,
    ConfigError for a language that pocketsphinx does not know, MissingExtra, WeightsMissing.
    """
    words = [token for token in text.split() if has_letters(token)]
    if not words:
        raise TextError(
            f"the text {_short(text)} has no words; give what is said in {audio.source}"
        )
    if aligner == POCKETSPHINX:
        if language not in LANGUAGES and not pronunciations:
            raise ConfigError(
                f"pocketsphinx can't align the language {language!r}, only {', '.join(LANGUAGES)}; "
                "give the folder of a CTC checkpoint (wav2vec2) of that language as the aligner"
            )
        found = pocketsphinx.find_words(audio, words, language=language, known=pronunciations)
    else:
        found = ctc.find_words(audio, words, folder=Path(aligner))
    return _transcript(text, words, found, language=language, source=str(aligner))


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def _transcript(
    text: str, words: Sequence[str], found: Sequence[Found | None], *, language: str, source: str
) -> Transcript:
    timed = tuple(
        Word(word, one.start, one.end, one.confidence)
        for word, one in zip(words, _between(found), strict=True)
    )
    confidence = sum(word.confidence for word in timed) / len(timed)
    warnings = []
    if not any(found):
        warnings.append("none of the words could be found in the recording; they have no times")
    else:
        if missing := sum(one is None for one in found):
            warnings.append(
                f"{missing} of {len(words)} words could not be spelled out in sounds; "
                "their times are guessed from their neighbours"
            )
        if confidence < UNLIKELY:
            warnings.append(
                f"the words fit the sound badly (confidence {confidence:.2f}, usually above "
                f"{UNLIKELY:g}): this may be the transcript of another recording"
            )
    return Transcript(text, timed, language, source, confidence, tuple(warnings))


def _between(found: Sequence[Found | None]) -> list[Found]:
    """What was not found shares the time between its neighbours."""
    known = {n: one for n, one in enumerate(found) if one}
    if not known:
        return [Found(math.nan, math.nan, 0.0)] * len(found)
    edges = [edge for n in known for edge in (n, n + 1)]
    times = [time for one in known.values() for time in (one.start, one.end)]

    def time(edge: int) -> float:
        return float(np.interp(edge, edges, times))

    return [one or Found(time(n), time(n + 1), 0.0) for n, one in enumerate(found)]
