"""A transcript that somebody gives: plain text, TextGrid, SRT, WebVTT or JSON.

Each format is read into labelled stretches of time. Where every stretch holds one word, those are
the times of the words; otherwise the words are without times, for ``align`` to find.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from voxplain.audio.intervals import read_textgrid
from voxplain.errors import ConfigError, TextError, UnknownName
from voxplain.text.pronunciation import has_letters
from voxplain.types import Segment, Transcript, Word

__all__ = ["read"]

_WORD_TIERS = ("words", "word", "Words", "Word", "ORT-MAU", "ORT")
_SILENCE = re.compile(r"|sil|sp|spn|silence|pause|#|_+|<.*>|\[.*\]", re.IGNORECASE)
_ARROW = re.compile(r"\s*(\S+)\s*-->\s*(\S+)")
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+[.,]\d+)")
_TEXT_KEYS = ("text", "word")
_CHANCE_KEYS = ("confidence", "probability", "score")
_MARKUP = re.compile(r"<[^>]*>|\{\\[^}]*\}")


class _Stretch(NamedTuple):
    """Some text and its time; a word has ``confidence`` where a recogniser gave it."""

    text: str
    start: float
    end: float
    confidence: float = 1.0


def read(path: Path, *, tier: str | None = None) -> Transcript:
    """The transcript in a file; ``words`` is empty where the file has no times of words.

    The suffix says what it is: ``.TextGrid`` (the interval ``tier``, by default one that is called
    words, else the first), ``.srt``, ``.vtt``, ``.json`` (of voxplain, Whisper, faster-whisper or
    WhisperX), anything else is plain text in UTF-8. What is given is taken as true (confidence 1)
    unless the file says otherwise.

    Raises TextError, naming the file, the place and what is wrong, and UnknownName for a tier.
    """
    suffix = path.suffix.lower()
    if suffix == ".textgrid":
        return _told(path, _textgrid(path, tier))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TextError(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TextError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    if suffix in (".srt", ".vtt"):
        return _told(path, list(_cues(path, text)))
    if suffix == ".json":
        return _from_json(path, text)
    return _transcript(path, text.strip(), ())


def _transcript(
    path: Path, text: str, words: Sequence[Word], *, language: str = "", confidence: float = 1.0
) -> Transcript:
    if not text.strip():
        raise TextError(f"{path} holds no words; give what is said in the recording")
    return Transcript(text, tuple(words), language, str(path), confidence)


def _told(path: Path, stretches: Sequence[_Stretch], *, language: str = "") -> Transcript:
    """The transcript of stretches of time, which must follow each other."""
    for number, one in enumerate(stretches, start=1):
        if not (math.isfinite(one.start) and 0 <= one.start <= one.end < math.inf):
            raise TextError(
                f"{path}, entry {number} ({one.text!r}): it goes from {one.start} to {one.end} s; "
                "give a start and a later end"
            )
        if not 0 <= one.confidence <= 1:
            raise TextError(
                f"{path}, entry {number} ({one.text!r}): the probability {one.confidence} is not "
                "in 0 to 1"
            )
    for number, (one, after) in enumerate(pairwise(stretches), start=2):
        if after.start < one.start:
            raise TextError(
                f"{path}, entry {number} ({after.text!r}): it starts at {after.start} s, before "
                f"the one above it ({one.start} s); put them in order"
            )
    text = " ".join(one.text for one in stretches)
    spoken = [one for one in stretches if has_letters(one.text)]
    if any(len(one.text.split()) > 1 for one in spoken):
        return _transcript(path, text, (), language=language)
    words = [Word(one.text, one.start, one.end, one.confidence) for one in spoken]
    mean = sum(word.confidence for word in words) / len(words) if words else 1.0
    return _transcript(path, text, words, language=language, confidence=mean)


def _textgrid(path: Path, tier: str | None) -> list[_Stretch]:
    try:
        segments = read_textgrid(path, tier=tier) if tier else _word_tier(path)
    except ConfigError as error:
        raise TextError(str(error)) from error
    return [
        _Stretch(label, one.start, one.end)
        for one in segments
        if not _SILENCE.fullmatch(label := (one.label or "").strip())
    ]


def _word_tier(path: Path) -> list[Segment]:
    for name in _WORD_TIERS:
        try:
            return read_textgrid(path, tier=name)
        except UnknownName:
            continue
    return read_textgrid(path)


def _cues(path: Path, text: str) -> Iterator[_Stretch]:
    """The cues of SubRip or WebVTT: a line of times, and lines of text up to an empty one."""
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if "-->" not in line:
            continue
        arrow = _ARROW.match(line)
        times = [_CLOCK.fullmatch(time) for time in arrow.groups()] if arrow else [None]
        if not all(times):
            raise TextError(
                f"{path}, line {number}: {line.strip()!r} are no times; write "
                "00:00:01.250 --> 00:00:02.500"
            )
        start, end = (_seconds(time) for time in times if time)
        told = " ".join(lines[number : _end(lines, number)])
        if told := " ".join(_MARKUP.sub("", told).split()):
            yield _Stretch(told, start, end)


def _end(lines: Sequence[str], start: int) -> int:
    return next((n for n in range(start, len(lines)) if not lines[n].strip()), len(lines))


def _seconds(clock: re.Match[str]) -> float:
    hours, minutes, seconds = clock.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))


def _from_json(path: Path, text: str) -> Transcript:
    try:
        plain = json.loads(text)
    except json.JSONDecodeError as error:
        raise TextError(f"{path}, line {error.lineno}: not JSON ({error.msg})") from error
    if isinstance(plain, Mapping) and isinstance(plain.get("transcript"), Mapping):
        plain = plain["transcript"]  # of an analysis
    if not isinstance(plain, Mapping) or not plain.keys() & {"text", "words", "segments"}:
        raise TextError(f'{path} has no "text", "words" or "segments"; give one of them')
    language = str(plain.get("language") or "")
    language = language if len(language) == 2 else ""  # some write english
    entries = plain.get("words") or [
        entry
        for segment in _list(path, plain.get("segments") or [])
        for entry in (segment.get("words") or [segment])
    ]
    stretches = [_entry(path, number, one) for number, one in enumerate(_list(path, entries), 1)]
    stretches = [one for one in stretches if one.text]
    told = str(plain.get("text") or "").strip()
    if any(math.isnan(one.start) for one in stretches) or not stretches:
        joined = told or " ".join(one.text for one in stretches)
        return _transcript(path, joined, (), language=language)
    timed = _told(path, stretches, language=language)
    if told and _holds(told, timed.words):
        return _transcript(path, told, timed.words, language=language, confidence=timed.confidence)
    return timed


def _holds(text: str, words: Sequence[Word]) -> bool:
    """Whether the words occur in the text, in their order."""
    position = 0
    for word in words:
        found = text.find(word.text, position)
        if found < 0:
            return False
        position = found + len(word.text)
    return True


def _list(path: Path, entries: Any) -> list[Mapping[str, Any]]:
    if isinstance(entries, list) and all(isinstance(entry, Mapping) for entry in entries):
        return entries
    raise TextError(f'{path}: "words" and "segments" must be lists of objects with text and times')


def _entry(path: Path, number: int, entry: Mapping[str, Any]) -> _Stretch:
    """A word or segment, under the names that recognisers give these; NaN without a time."""
    text, chance = (
        next((entry[key] for key in keys if entry.get(key) is not None), default)
        for keys, default in ((_TEXT_KEYS, ""), (_CHANCE_KEYS, 1.0))
    )
    try:
        start, end = (
            math.nan if entry.get(k) is None else float(entry[k]) for k in ("start", "end")
        )
        return _Stretch(str(text).strip(), start, end, float(chance))
    except (TypeError, ValueError) as error:
        raise TextError(
            f"{path}, entry {number} ({text!r}): its times or its probability are no numbers "
            f"({error})"
        ) from error
