"""What the generic readers share: the rows of any list become utterances."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

from voxplain import labels
from voxplain.audio.read import SUFFIXES
from voxplain.errors import CorpusNotFound, InputError
from voxplain.models.judgement import DIMENSIONS
from voxplain.training.corpora._reading import Utterance

__all__ = ["NAMES", "Recordings", "Row", "utterances"]

Row = tuple[str, Mapping[str, Any]]
"""Where it stands (for messages), and its cells by the name of their column."""

NAMES = {
    "file": ("file", "path", "file_name", "filename", "wav", "audio"),
    "emotion": ("emotion", "emo", "label"),
    "speaker": ("speaker", "speaker_id"),
    "sex": ("sex", "gender"),
    "text": ("text", "transcription", "transcript"),
    "corpus": ("corpus", "dataset"),
    **{
        name: (name,)
        for name in (
            "start", "end", "split", "sentence", "language", "session", "turn", "strength",
            "emphasis", *DIMENSIONS,
        )
    },
}  # fmt: skip
"""What is known of an utterance -> the columns that may say it; the first that is there does."""

_SEXES = {"f": "female", "female": "female", "m": "male", "male": "male"}
_SPLITS = dict.fromkeys(["val", "valid", "validation", "devel", "development"], "dev")
_CLOCK = re.compile(r"(?:(\d+) days? )?\+?(\d+):(\d\d):(\d\d(?:\.\d+)?)")  # as pandas writes it


class Recordings:
    """Finds recordings by what a list calls them.

    ``folder`` is where the list lies and its relative paths begin. With ``audio``, they begin
    there instead, and what is not found so is looked for below it by its name: with any suffix of
    a recording, in the folder whose path ends most like the one that is listed.
    """

    def __init__(self, folder: Path, audio: Path | None) -> None:
        if audio is not None and not audio.is_dir():
            raise CorpusNotFound(f"there is no folder {audio}; give the one with the recordings")
        self.folder = folder if audio is None else audio
        self._elsewhere = audio is not None

    def find(self, name: str) -> Path:
        """Where it lies, or where it should: who needs it asks whether it is there.

        Raises InputError if several recordings fit equally well.
        """
        listed = self.folder / name
        if not self._elsewhere or listed.is_file():
            return listed
        places = self._by_name.get(listed.stem, [])
        fits = [_alike(place.parent, listed.parent) for place in places]
        best = [place for place, fit in zip(places, fits, strict=True) if fit == max(fits)]
        if len(best) > 1:
            raise InputError(
                f"{name} may be {best[0]} or {best[1]}; give the folder that only one lies in"
            )
        return best[0] if best else listed

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for path in sorted(self.folder.rglob("*")):
            if path.suffix.lower() in SUFFIXES:
                found.setdefault(path.stem, []).append(path)
        return found


def _alike(one: Path, other: Path) -> int:
    """How many of the last folders of two paths are the same."""
    pairs = zip(reversed(one.parts), reversed(other.parts), strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))


def utterances(
    rows: Iterable[Row],
    *,
    recordings: Recordings,
    partial: bool,
    label_map: Mapping[str, str] | None = None,
    labelled: bool = True,
) -> list[Utterance]:
    """An utterance of each row, in their order.

    Columns go by any of NAMES; others are passed over. A raw label becomes a canonical one by
    ``voxplain.labels.canonical``, after the ``label_map`` of the list if it has one. Times are
    seconds or what pandas writes of a timedelta; ratings lie in [0, 1]. Where a corpus is named,
    it stands before its speakers' names.

    Raises InputError, which says where, for a column that is missing, an empty or unknown label
    (unless the list need not be ``labelled``), a number or time that is none, a row that is given
    twice in one split and a list without rows; CorpusNotFound for recordings that are not there,
    unless the list may be ``partial``.
    """
    found: list[Utterance] = []
    lines: dict[tuple[Path, float, float | None, str], str] = {}
    where = "the list"
    for where, cells in rows:
        _check_columns(where, cells, labelled=labelled)
        one = _utterance(where, cells, recordings, label_map or {}, labelled=labelled)
        place = (one.path, one.start, one.end, one.split)  # two splits may share: see the audit
        if place in lines:
            raise InputError(f"{where}: {one.path} stands already in {lines[place]}; keep one")
        lines[place] = where
        found.append(one)
    if not found:
        raise InputError(f"{recordings.folder}: the list has no rows; give one with recordings")
    gone = [one.path for one in found if not one.path.is_file()]
    if gone and not partial:
        raise CorpusNotFound(
            f"{len(gone)} of {len(found)} recordings are not there, e.g. {gone[0]}; "
            "say where they lie (audio folder)"
        )
    return found


def _check_columns(where: str, cells: Mapping[str, Any], *, labelled: bool) -> None:
    def missing(what: str, columns: Sequence[str]) -> InputError:
        return InputError(
            f"{where}: no column for the {what} ({', '.join(columns)}); "
            f"there are {', '.join(map(str, cells)) or 'none'}"
        )

    if not any(name in cells for name in NAMES["file"]):
        raise missing("recording", NAMES["file"])
    told = (*NAMES["emotion"], *DIMENSIONS)
    if labelled and not any(name in cells for name in told):
        raise missing("emotion", told)


def _utterance(
    where: str,
    cells: Mapping[str, Any],
    recordings: Recordings,
    label_map: Mapping[str, str],
    *,
    labelled: bool,
) -> Utterance:
    said = {what: _said(cells, columns) for what, columns in NAMES.items()}
    if not said["file"]:
        raise InputError(f"{where}: the name of the recording is empty")
    raw, emotion = said["emotion"], ""
    if raw:
        try:
            emotion = labels.canonical(label_map.get(raw, raw))
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
    elif labelled and any(name in cells for name in NAMES["emotion"]):
        raise InputError(f"{where}: the label is empty; fill it, or leave the row out")
    start = _seconds(where, "start", said["start"]) or 0.0
    end = _seconds(where, "end", said["end"])
    if end is not None and end <= start:
        raise InputError(f"{where}: it ends at {end:g} s but starts at {start:g} s")
    rated = {name: _rating(where, name, said[name]) for name in DIMENSIONS if said[name]}
    corpus, speaker = said["corpus"], said["speaker"]
    if corpus and speaker and not speaker.startswith(f"{corpus}_"):
        speaker = f"{corpus}_{speaker}"
    return Utterance(
        path=recordings.find(said["file"]),
        corpus=corpus,
        speaker=speaker,
        sex=_SEXES.get(said["sex"].lower(), ""),
        emotion=emotion,
        sentence=said["sentence"] or said["text"],
        label=raw,
        text=said["text"],
        start=start,
        end=end,
        split=_SPLITS.get(said["split"].lower(), said["split"].lower()),
        session=said["session"],
        turn=int(_number(where, "turn", said["turn"])) if said["turn"] else 0,
        dimensions=rated or None,
        strength=said["strength"],
        language=said["language"],
        emphasis=_places(where, said["emphasis"], said["text"]),
    )


def _said(cells: Mapping[str, Any], columns: Sequence[str]) -> str:
    """The cell as text; empty if it is missing, None, NaN or NaT."""
    value = next((cells[name] for name in columns if name in cells), None)
    if value is None or value != value:
        return ""
    if isinstance(value, timedelta):  # so is that of pandas
        return repr(value.total_seconds())
    return str(value).strip()


def _seconds(where: str, what: str, text: str) -> float | None:
    if text in ("", "NaT"):
        return None
    clock = _CLOCK.fullmatch(text)
    if clock:
        days, hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    value = _number(where, what, text)
    if value < 0:
        raise InputError(f"{where}: {what} is {text}; times count from the start of the file")
    return value


def _rating(where: str, what: str, text: str) -> float:
    value = _number(where, what, text)
    if not 0 <= value <= 1:
        raise InputError(
            f"{where}: {what} is {text}; ratings lie in [0, 1]: (x - lowest) / (highest - lowest)"
        )
    return value


def _places(where: str, told: str, text: str) -> tuple[int, ...]:
    """Which words of the text."""
    places, words = [_number(where, "emphasis", part) for part in told.split()], text.split()
    if not all(place in range(len(words)) for place in places):
        raise InputError(
            f"{where}: emphasis is {told!r}; it counts the words of the text from 0, such as 3 or "
            f"3 5, and the text has {len(words)}"
        )
    return tuple(int(place) for place in places)


def _number(where: str, what: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: {what} is {text!r}, which is no number")
    return value
