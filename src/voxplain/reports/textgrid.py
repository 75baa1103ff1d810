"""The analysis as tiers for Praat: stretches of speech with their verdict, and salient moments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from voxplain.reports._words import printable, ranked, z_score
from voxplain.types import Analysis, Moment, Verdict

__all__ = ["SUFFIX", "grid", "render"]

SUFFIX = ".TextGrid"

Interval = tuple[float, float, str]


def render(analysis: Analysis) -> str:
    """A long TextGrid: ``segments`` hold verdicts, ``moments`` the cue that tells most."""
    tiers = {
        "segments": [(one.start, one.end, _said(one.emotion.verdict)) for one in analysis.segments]
    }
    if analysis.explanation is not None:
        label = analysis.explanation.output
        tiers["moments"] = [
            (one.start, one.end, _heard(one, label)) for one in analysis.explanation.moments
        ]
    return grid(tiers, duration=analysis.duration)


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
