"""Intervals that somebody marked in recordings: a TextGrid of Praat, a table (CSV) or RTTM."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

from voxplain.errors import ConfigError, UnknownName
from voxplain.types import Segment

__all__ = ["read_rttm", "read_table", "read_textgrid", "seconds"]


def read_textgrid(path: Path, *, tier: str | None = None) -> list[Segment]:
    """The labelled intervals of one tier, by default the first interval tier.

    Raises ConfigError for a file that is no TextGrid or has no such intervals, UnknownName for a
    tier.
    """
    from praatio import textgrid
    from praatio.utilities.errors import PraatioException

    try:
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}") from error
    except (PraatioException, ValueError, IndexError, KeyError) as error:
        raise ConfigError(f"{path} is not a TextGrid: {error}") from error
    tiers = {found.name: found for found in grid.tiers if found.tierType == "IntervalTier"}
    if tier is not None and tier not in tiers:
        raise UnknownName(f"interval tier in {path}", tier, tiers)
    chosen = tiers[tier] if tier is not None else next(iter(tiers.values()), None)
    if chosen is None or not chosen.entries:
        raise ConfigError(f"{path} has no labelled interval; label what is to be measured")
    return [Segment(start, end, label=label) for start, end, label in chosen.entries]


def read_table(
    path: Path, *, speaker_column: str | None = None, recording: Path | None = None
) -> dict[Path, list[Segment]]:
    """Recording -> its intervals, from a CSV with a column ``file``.

    Without that column all are of the ``recording``, if one is given.

    ``start`` and ``end`` make a row an interval (seconds, h:mm:ss or audformat's "0 days h:mm:ss"),
    perhaps with a ``label``; a row without an end reaches to the end of the recording (infinity).
    Recordings are looked for from the folder of the table, then from the current one.

    Raises ConfigError, naming the line, and UnknownName for a column.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            columns, rows = reader.fieldnames or (), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} can't be read as a table: {error}") from error
    if "file" in columns:
        recording = None
    for needed in (*([] if recording else ["file"]), *([speaker_column] if speaker_column else [])):
        if needed not in columns:
            raise UnknownName(f"column in {path}", needed, map(str, columns))
    if not rows:
        raise ConfigError(f"{path} has no row below its columns; give one for each interval")
    found: dict[Path, list[Segment]] = {}
    for line, row in enumerate(rows, start=2):
        start, end = (
            seconds(row.get(key), where=f"{path}, line {line}") for key in ("start", "end")
        )
        segment = Segment(
            0.0 if start is None else start,
            math.inf if end is None else end,
            row[speaker_column] if speaker_column else None,
            row.get("label"),
        )
        if not segment.start < segment.end:
            raise ConfigError(
                f"{path}, line {line}: the interval {row['start']} to {row['end']} is empty; "
                "give an end after the start"
            )
        file = recording or path.parent / row["file"]
        found.setdefault(file if recording or file.exists() else Path(row["file"]), []).append(
            segment
        )
    return found


def read_rttm(path: Path) -> dict[str, list[Segment]]:
    """Name of a recording, as the file has it -> who speaks when, from a file of RTTM.

    Of the lines of NIST's Rich Transcription Time Marked format those that begin with SPEAKER
    count: file, channel, start and duration in seconds, two fields, name. Others are skipped.

    Raises ConfigError, naming the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} can't be read as RTTM: {error}") from error
    found: dict[str, list[Segment]] = {}
    for number, line in enumerate(lines, start=1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER":
            continue
        where = f"{path}, line {number}"
        if len(fields) < 8:
            raise ConfigError(
                f"{where}: {len(fields)} fields in {line!r}; give SPEAKER file channel start "
                "duration <NA> <NA> name"
            )
        start, duration = (_plain_seconds(field, where=where) for field in fields[3:5])
        if start < 0 or duration <= 0:
            raise ConfigError(
                f"{where}: a turn of {fields[4]} s from {fields[3]} s; give a start of 0 or more "
                "and a duration above 0"
            )
        segment = Segment(start, start + duration, fields[7])
        found.setdefault(fields[1], []).append(segment)
    return found


def _plain_seconds(text: str, *, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(f"{where}: {text!r} is no time; give seconds (1.25)")
    return value


_TIME = re.compile(r"(?:(?P<days>\d+) days? )?(?:(?P<h>\d+):(?P<m>\d+):)?(?P<s>\d+(?:\.\d*)?)")


def seconds(text: str | None, *, where: str) -> float | None:
    """A time of a table: a number, h:mm:ss or "0 days h:mm:ss"; None for an empty cell.

    Raises ConfigError that names ``where`` it stands.
    """
    if text is None or text.strip() in ("", "NaT", "nan"):
        return None
    match = _TIME.fullmatch(text.strip())
    if not match:
        raise ConfigError(
            f"{where}: {text!r} is no time; give seconds (1.25) or h:mm:ss (0:00:01.25)"
        )
    part = {name: float(value or 0) for name, value in match.groupdict().items()}
    return part["days"] * 86_400 + part["h"] * 3_600 + part["m"] * 60 + part["s"]
