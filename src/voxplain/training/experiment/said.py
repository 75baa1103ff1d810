"""What takes long to know of a recording: its words, when and how each is said, and its voice.

It is found out once for each recording, whatever a recipe then chooses of it, and kept by content.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.audio.read import SUFFIXES
from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.errors import ConfigError, TextError
from voxplain.plugins import find, names, require
from voxplain.text.alignment import align
from voxplain.text.content import Recognised
from voxplain.text.emphasis import prominence
from voxplain.text.pronunciation import has_letters
from voxplain.text.transcribers import Transcriber
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.hearing import digest
from voxplain.types import Audio, Transcript, Word, _Value

__all__ = ["GIVEN", "Said", "is_recording", "listen", "unheard"]

log = logging.getLogger(__name__)

GIVEN = "given"
"""Transcripts that come with the corpus."""


@dataclass(frozen=True, slots=True)
class Said(_Value):
    """What is said in a recording, and how."""

    transcript: Transcript
    """Its words have their prominence by the embedded method."""
    lemf: tuple[float, ...]
    """Their prominence by the published method; NaN where not measurable."""
    measured: Mapping[str, float]
    """Functionals of the voice in the whole recording, as far as they are reliable."""


def is_recording(utterance: Utterance) -> bool:
    """Whether there is anything to listen to, or a text alone."""
    return utterance.path.suffix.lower() in SUFFIXES


def unheard(utterance: Utterance, *, warning: str = "nobody listened") -> Said:
    """What an utterance's text says by itself: words without times."""
    words = [token for token in utterance.text.split() if has_letters(token)]
    timed = tuple(Word(word, math.nan, math.nan, 0.0) for word in words)
    transcript = Transcript(utterance.text, timed, _language(utterance), GIVEN, 0.0, (warning,))
    return Said(transcript, (math.nan,) * len(words), {})


def listen(
    utterances: Sequence[Utterance], *, transcripts: str, model: str, cache: Path, jobs: int
) -> list[Said]:
    """What is said in each recording; ``jobs`` processes share what was not heard before.

    ``transcripts`` are given, or heard by the transcriber of that name with its ``model`` (empty:
    its own). A text that can't be laid over its recording has words without times. Each recording
    is kept in ``cache`` as soon as it was heard: its key are its bytes, start and end, the text,
    the transcriber and the code.

    Raises AudioError, and what transcribers raise.
    """
    if not utterances:
        return []
    shelf = cache / "said" / _setting(transcripts, model)
    contents = {path: digest(str(path)) for path in {one.path for one in utterances}}
    keys = [_key(one, contents[one.path]) for one in utterances]
    known = {key: said for key in set(keys) if (said := _taken(shelf / key)) is not None}
    missing = {key: one for key, one in zip(keys, utterances, strict=True) if key not in known}
    log.info("%d of %d recordings were heard before", len(known), len(known) + len(missing))
    if missing:
        shelf.mkdir(parents=True, exist_ok=True)
        joblib = require("joblib", extra="train")
        hear = joblib.delayed(functools.partial(_heard, transcripts=transcripts, model=model))
        work = joblib.Parallel(jobs, return_as="generator_unordered")(
            hear(one, shelf / key) for key, one in missing.items()
        )
        for number, (key, said) in enumerate(work, 1):
            known[key] = said
            if number % 200 == 0 or number == len(missing):
                log.info("heard %d of %d recordings", number, len(missing))
    found = [known[key] for key in keys]
    lost = [one.transcript.warnings for one in found if _is_lost(one.transcript)]
    if lost:
        log.warning(
            "%d of %d texts could not be laid over their recordings, the first: %s",
            len(lost), len(found), lost[0][0],
        )  # fmt: skip
    return found


def _is_lost(transcript: Transcript) -> bool:
    placed = any(math.isfinite(word.start) for word in transcript.words)
    return bool(transcript.words and transcript.warnings) and not placed


def _heard(one: Utterance, place: Path, *, transcripts: str, model: str) -> tuple[str, Said]:
    """What is said in a recording, kept at its place; and the name of that."""
    audio = sound(one)
    measured = Measurement(audio.waveform, sampling_rate=SAMPLING_RATE)
    if transcripts == GIVEN:
        transcript = _given(one, audio)
    else:
        hear = _transcriber(transcripts, model, _language(one))
        transcript = _recognised(audio, hear, measured)
    words = prominence(transcript.words, measured.tracks)
    published = prominence(transcript.words, measured.tracks, method="lemf")
    said = Said(
        replace(transcript, words=tuple(replace(word, cues={}) for word in words)),
        tuple(word.prominence for word in published),
        {name: one.value for name, one in measured.functionals().items() if one.reliable},
    )
    # Whole or not at all: it takes its place once it is written.
    with tempfile.NamedTemporaryFile(
        "w", dir=place.parent, suffix=".part", encoding="utf-8", delete=False
    ) as file:
        json.dump(said.to_dict(), file)
    Path(file.name).replace(place)
    return place.name, said


def _given(one: Utterance, audio: Audio) -> Transcript:
    try:
        return align(audio, one.text, language=_language(one))
    except (TextError, ConfigError) as error:  # no words, too many, or not of a known language
        return unheard(one, warning=str(error)).transcript


def _recognised(audio: Audio, transcriber: Transcriber, measured: Measurement) -> Transcript:
    """As in an analysis: one stretch of speech at a time."""
    recognised = Recognised(transcriber)
    for stretch in measured.stretches:
        rows = slice(*(round(time * SAMPLING_RATE) for time in (stretch.start, stretch.end)))
        recognised.hear(stretch, replace(audio, waveform=audio.waveform[rows]))
    return recognised.transcript(audio.source) or Transcript("", (), "", audio.source, 0.0)


@functools.cache
def _transcriber(name: str, model: str, language: str) -> Transcriber:
    """Loaded once in each process."""
    loaded: Transcriber = find("transcribers", name).load(model or None, language=language)
    return loaded


def _language(utterance: Utterance) -> str:
    """Its own, or the first of its corpus; English where nobody says."""
    return utterance.language or _usual_language(utterance.corpus)


@functools.cache
def _usual_language(corpus: str) -> str:
    if corpus not in names("corpora"):
        return "en"
    return str(find("corpora", corpus).CARD.language).partition(",")[0]


def _taken(place: Path) -> Said | None:
    """What was kept; None if there is nothing."""
    try:
        return Said.from_dict(json.loads(place.read_bytes()))
    except (OSError, ValueError):
        return None


def _setting(transcripts: str, model: str) -> str:
    """Of all that a recording is heard with."""
    package = Path(__file__).parents[2]
    files = [Path(__file__), package / "assets/models/emphasis/weights.json"]
    for room in ("audio", "descriptors"):
        files += sorted((package / room).rglob("*.py"))
    own = ["emphasis"]
    versions = []
    if transcripts == GIVEN:
        require("pocketsphinx", extra="asr")
        versions.append(metadata.version("pocketsphinx"))
        own += ["alignment", "pronunciation", "_sphinx", "aligners/pocketsphinx"]
    else:
        files.append(Path(str(find("transcribers", transcripts).__file__)))
        files += sorted(one for one in Path(model or "?").glob("*") if one.is_file())
        own += ["content"]
    files += [package / "text" / f"{name}.py" for name in own]
    return _sum([transcripts, model, versions, [digest(str(file)) for file in files]])


def _key(one: Utterance, content: str) -> str:
    return _sum([content, one.start, one.end, one.text, _language(one)])


def _sum(facts: list[object]) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
