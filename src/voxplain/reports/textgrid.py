"""The analysis as tiers for Praat: stretches with their verdict, moments, words and roles."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from voxplain.reports._words import printable, ranked, z_score
from voxplain.types import Analysis, Moment, Role, Transcript, Verdict

__all__ = ["SUFFIX", "grid", "render"]

SUFFIX = ".TextGrid"

Interval = tuple[float, float, str]


def render(analysis: Analysis) -> str:
    """A long TextGrid: ``segments`` hold verdicts, ``moments`` the cue that tells most.

    With a transcript also ``words``, ``stress`` (the chance of it) and ``roles``.
    """
    tiers = {
        "segments": [(one.start, one.end, _said(one.emotion.verdict)) for one in analysis.segments]
    }
    if analysis.explanation is not None:
        label = analysis.explanation.output
        tiers["moments"] = [
            (one.start, one.end, _heard(one, label)) for one in analysis.explanation.moments
        ]
    if analysis.transcript is not None:
        words = [word for word in analysis.transcript.words if word.start < word.end]
        tiers["words"] = [(word.start, word.end, word.text) for word in words]
        tiers["stress"] = [
            (word.start, word.end, f"{word.prominence:.2f}")
            for word in words
            if math.isfinite(word.prominence)
        ]
        tiers["roles"] = list(_parts(analysis.transcript, analysis.roles))
    return grid(tiers, duration=analysis.duration)


def _parts(transcript: Transcript, roles: Iterable[Role]) -> Iterator[Interval]:
    """From the first word of a part to its last, as far as they have times."""
    places = list(zip(transcript.words, transcript.spans, strict=True))
    for role in roles:
        inside = [word for word, (start, _) in places if role.start <= start < role.end]
        times = [t for word in inside for t in (word.start, word.end) if math.isfinite(t)]
        if times:
            yield min(times), max(times), role.kind


def grid(tiers: Mapping[str, Iterable[Interval]], *, duration: float) -> str:
    """A long TextGrid of interval tiers; ``duration`` in seconds, blank where nothing is."""
    from praatio.utilities import textgrid_io

    found = [
        {
            "class": textgrid_io.INTERVAL_TIER,
            "name": name,
            "xmin": 0.0,
            "xmax": duration,
            # What ends with the recording may do so a rounding error later.
            "entries": [
                (float(start), float(min(end, duration)), printable(text))
                for start, end, text in intervals
            ],
        }
        for name, intervals in tiers.items()
    ]
    whole = {"xmin": 0.0, "xmax": duration, "tiers": found}
    text: str = textgrid_io.getTextgridAsStr(whole, "long_textgrid", includeBlankSpaces=True)
    return text


def _said(verdict: Verdict) -> str:
    return " or ".join(verdict.labels) or "not enough evidence"


def _heard(moment: Moment, label: str) -> str:
    for _, cue in ranked(moment.cues):
        if cue.judgement in ("supports", "contradicts"):
            return f"{cue.title}, {z_score(cue.z)}, {cue.judgement} {label}"
    return label
