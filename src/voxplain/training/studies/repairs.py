"""What each defect of the published code changes, put back one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.evidence.references import expectations
from voxplain.training.statistics import Interval
from voxplain.training.studies import maps
from voxplain.training.studies.explained import CUTS, FORGOTTEN, ZEROS, Explained
from voxplain.training.studies.findings import Findings
from voxplain.training.studies.outcomes import clustered_mean
from voxplain.training.studies.regions import overlap
from voxplain.training.studies.tables import Table, over, rightly
from voxplain.types import Segment

__all__ = ["defects"]

_PITCH, _INTENSITY = "f0_mean_st", "intensity_mean_db"


def defects(findings: Findings) -> Table:
    """A row for each defect but the first, which is a matter of training."""
    found = {
        "2 offset forgotten": _offset(findings),
        "3 zeros where unvoiced": _zeros(findings),
        "4 tracks of cuts": _cuts(findings),
        "7 summed over frequency": _bands(findings),
    }
    if maps.LOUD_FILL in findings.methods:  # what only the published network shows
        found["5 another front end"] = _front_end(findings)
        found["6 one channel, one clip"] = _channel(findings)
        found["8 filled with 0 dB"] = _fill(findings)
    return dict(sorted(found.items()))


def _figure(findings: Findings, values: object) -> Interval:
    """Mean over all clips where there is a value."""
    known = np.asarray(values, np.float64)
    return clustered_mean(known, np.zeros(len(known), str), findings.speakers)


def _changed(findings: Findings, defect: str) -> Interval:
    """Plausibility with a defect minus that without, as in the main table."""
    spoilt = findings.plausibility(findings.z_with(defect))
    return over(findings, spoilt - findings.inside(maps.PUBLISHED), rightly(findings))


def _cue(findings: Findings, name: str, defect: str = "") -> NDArray[np.float64]:
    number = findings.cues.index(name)
    return np.array(
        [
            (one.defects[defect] if defect else one.methods[maps.PUBLISHED].inside)[number]
            for one in findings.clips
        ]
    )


def _offset(findings: Findings) -> dict[str, Any]:
    offsets = np.array([one.offset for one in findings.clips])
    return {
        "clips with an offset": _figure(findings, offsets > 0),
        "offset, s": _figure(findings, offsets),
        "salient time that stays": _figure(findings, [_staying(one) for one in findings.clips]),
        "change of plausibility": _changed(findings, FORGOTTEN),
    }


def _staying(one: Explained) -> float:
    regions = one.methods[maps.PUBLISHED].regions
    moved = [Segment(r.start - one.offset, r.end - one.offset) for r in regions]
    return overlap(regions, moved)


def _zeros(findings: Findings) -> dict[str, Any]:
    return {
        "pitch with zeros, st": _figure(findings, _cue(findings, _PITCH, ZEROS)),
        "pitch, st": _figure(findings, _cue(findings, _PITCH)),
        "change of plausibility": _changed(findings, ZEROS),
    }


def _cuts(findings: Findings) -> dict[str, Any]:
    error = np.abs(findings.z_with(CUTS) - findings.z(maps.PUBLISHED, "inside"))
    number = findings.cues.index(_PITCH)
    return {
        "voiced frames in cuts": _figure(findings, [one.voiced[CUTS] for one in findings.clips]),
        "voiced frames": _figure(findings, [one.voiced[""] for one in findings.clips]),
        "error of pitch, SD": _figure(findings, error[:, number]),
        "change of plausibility": _changed(findings, CUTS),
    }


def _front_end(findings: Findings) -> dict[str, Any]:
    misread = np.array([one.at_24_khz for one in findings.clips])
    other = findings.labels[misread.argmax(1)]

    def recall(right: NDArray[np.bool_]) -> Interval:
        return clustered_mean(right.astype(float), findings.truth, findings.speakers)

    return {
        "UAR at 24 kHz": recall(other == findings.truth),
        "UAR": recall(findings.right),
        "other predictions": _figure(findings, other != findings.predicted),
    }


def _channel(findings: Findings) -> dict[str, Any]:
    _, every, one = maps.GRADIENTS
    single = findings.inside(one)
    known = single[rightly(findings) & np.isfinite(single)]
    spread = np.quantile(known if len(known) else np.nan, [0.05, 0.95])
    return {
        "salient time shared with LRP": _figure(findings, _shared(findings, every, one)),
        "change of plausibility": over(
            findings, single - findings.inside(every), rightly(findings)
        ),
        "plausibility of single clips, 5 % to 95 %": "{:.2f} to {:.2f}".format(*spread),
    }


def _bands(findings: Findings) -> dict[str, Any]:
    signs = [expectations(label)[_INTENSITY].expected for label in findings.predicted.tolist()]
    expected = np.nan_to_num(np.sign(signs))
    rows = rightly(findings) & (expected != 0)
    banded, summed = (
        np.where(np.isnan(z), np.nan, z * expected > 0)
        for z in (findings.level_z(lambda one: one.band), findings.level_z(lambda _: slice(None)))
    )
    return {
        "agreement of intensity in the band": over(findings, banded, rows),
        "over all bands": over(findings, summed, rows),
        "change": over(findings, summed - banded, rows),
    }


def _fill(findings: Findings) -> dict[str, Any]:
    beyond = {
        f"beyond the sound: {method}": _figure(
            findings, [one.methods[method].beyond for one in findings.clips]
        )
        for method in (maps.LOUD_FILL, maps.PUBLISHED, *maps.GRADIENTS)
    }
    loud, silent = maps.LOUD_FILL, maps.PUBLISHED
    return {
        "salient time shared with silence": _figure(findings, _shared(findings, silent, loud)),
        "one band at a time with all": _figure(findings, _shared(findings, maps.EVERY_BAND, loud)),
        "change of plausibility": over(
            findings, findings.inside(loud) - findings.inside(silent), rightly(findings)
        ),
        **beyond,
    }


def _shared(findings: Findings, one: str, other: str) -> NDArray[np.float64]:
    """(n,) the share of the time that one method points at, which another points at too."""
    return np.array(
        [
            overlap(clip.methods[one].regions, clip.methods[other].regions)
            if {one, other} <= clip.methods.keys()
            else np.nan
            for clip in findings.clips
        ]
    )
