"""Cues: descriptors beside what experts expect, of a stretch of speech and in its moments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from voxplain import descriptors
from voxplain.descriptors._family import ENOUGH, in_speech
from voxplain.descriptors._levels import Norm, Reference
from voxplain.evidence.references import Expectation, expectations, labels
from voxplain.types import AcousticCue, Estimate, Moment, Quantity, Segment, Track

__all__ = ["CONSPICUOUS", "contrasts", "in_region", "level_in_band", "of_stretch", "plausibility"]

CONSPICUOUS, VERY = 0.674, 1.282
"""Standard deviations at which the words "high" and "very high" begin (descriptors/_levels.py)."""

_MARK = 0.7
"""Standard deviations that one mark of the cue table (+) stands for: what makes a voice "high"."""


def of_stretch(
    functionals: Mapping[str, Quantity], label: str, reference: Reference
) -> tuple[AcousticCue, ...]:
    """The cues of a whole stretch of speech, against the reference."""
    return tuple(
        _cue(name, functionals[name], expected, reference.norms.get(name), reference.name)
        for name, expected in _expected(label).items()
    )


def in_region(
    tracks: Mapping[str, Track],
    region: Segment,
    *,
    within: Segment,
    conditions: Mapping[str, float],
    label: str,
    reference: Reference,
) -> tuple[AcousticCue, ...]:
    """The cues of a region, against the rest of its stretch, chance, and the reference.

    From the tracks of the whole recording with ``speech_activity``, as ``descriptors.functionals``
    takes them. Chance is every window of the region's length in the stretch; their spread adds to
    that of the reference, which is about utterances, as squares. Only means over frames are cues of
    a region: the range, the rate and the pauses of a few syllables are not those of an utterance.
    """
    here = descriptors.cut(tracks, within)
    inside = descriptors.functionals(tracks, within=region, conditions=conditions)
    outside = descriptors.functionals(_silenced(here, region), conditions=conditions)
    found = []
    for name, expected in _expected(label).items():
        if "_mean_" not in name:
            continue
        contrast, sd = _chance(_frames(here, name), here["f0_hz"].times, region)
        norm = reference.norms.get(name)
        if norm:
            norm = replace(norm, within_sd=math.hypot(norm.within_sd, sd))
        cue = _cue(name, inside[name], expected, norm, reference.name)
        found.append(replace(cue, rest=outside[name].value, contrast=contrast))
    return tuple(found)


def level_in_band(
    spectrogram: NDArray[np.float32],
    edges_hz: NDArray[np.float64],
    times: NDArray[np.float64],
    region: Segment,
    *,
    low_hz: float,
    high_hz: float,
    label: str,
) -> Iterator[AcousticCue]:
    """The intensity of a region in the band in which it is salient, if experts expect one.

    Of a log-mel spectrogram (bands, frames), the edges of its bands and the middles of its frames:
    mean of the dB, beside the rest and all windows of that length. There is no reference: it
    depends on the microphone.
    """
    expected = _expected(label).get("intensity_mean_db")
    if expected is None:
        return
    middles = (edges_hz[1:] + edges_hz[:-1]) / 2
    bands = spectrogram[(middles >= low_hz) & (middles < high_hz)].astype(np.float64)
    levels = 10 * np.log10((10 ** (4 * bands - 4)).sum(0))
    inside = (times >= region.start) & (times < region.end)
    contrast, _ = _chance(levels, times, region)
    found = Quantity(float(levels[inside].mean()), "dB", reliable=False)
    cue = _cue("intensity_mean_db", found, expected, None, "")
    yield replace(
        cue,
        descriptor="intensity_in_band_db",
        title=f"intensity of {low_hz:.0f}-{high_hz:.0f} Hz",
        rest=float(levels[~inside].mean()) if (~inside).any() else math.nan,
        contrast=contrast,
    )


def contrasts(
    functionals: Mapping[str, Quantity], label: str, other: str, reference: Reference
) -> tuple[AcousticCue, ...]:
    """The cues that experts expect to differ between two emotions; which of them they speak for.

    A mark of the cue table is taken for 0.7 standard deviations: a cue supports the emotion that it
    lies nearer to by more than half a mark, seen from the middle. The strongest difference first.
    """
    found = []
    others = {cue.descriptor: cue for cue in of_stretch(functionals, other, reference)}
    for cue in of_stretch(functionals, label, reference):
        rival = others.get(cue.descriptor)
        if rival is None or cue.expected == rival.expected:
            continue
        difference = cue.expected - rival.expected
        middle = _MARK * (cue.expected + rival.expected) / 2
        found.append(
            replace(
                cue,
                expected=difference,
                judgement=_sided((cue.z - middle) * np.sign(difference), _MARK / 2),
                weight=min(cue.weight, rival.weight),
            )
        )
    return tuple(sorted(found, key=lambda cue: -abs(cue.expected) * cue.weight))


def plausibility(moments: Iterable[Moment]) -> Estimate:
    """How far the cues in salient moments go the way that experts expect of the label.

    Of the cues that stand out, the share that supports the label, by weight and by the share of
    the moment; NaN where none stands out. The interval is Wilson's (1927) at 90 %, with Kish's
    effective number of cues; cues that go together make it too narrow.
    """
    told = [
        (cue.weight * moment.share, cue.judgement == "supports")
        for moment in moments
        for cue in moment.cues
        if cue.judgement in ("supports", "contradicts")
    ]
    weights = np.array([weight for weight, _ in told])
    if weights.sum() == 0:
        return Estimate(math.nan, 0.0, 1.0)
    share = float(weights @ np.array([agrees for _, agrees in told]) / weights.sum())
    n = float(weights.sum() ** 2 / (weights @ weights))
    z = NormalDist().inv_cdf(0.95)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Estimate(share, middle - half, middle + half)


def _expected(label: str) -> dict[str, Expectation]:
    """Descriptor -> what is expected, where the literature gives a direction."""
    known = expectations(label) if label in labels() else {}
    return {name: one for name, one in known.items() if not math.isnan(one.expected)}


def _cue(
    name: str, found: Quantity, expected: Expectation, norm: Norm | None, reference: str
) -> AcousticCue:
    z = (found.value - norm.mean) / norm.sd if norm and found.reliable else math.nan
    return AcousticCue(
        descriptor=name,
        title=descriptors.inventory()[name].title,
        value=found.value,
        unit=found.unit,
        rest=math.nan,
        contrast=math.nan,
        reference=reference,
        usual=norm.mean if norm else math.nan,
        z=z,
        expected=expected.expected,
        citation=expected.citation,
        judgement=_judged(z, expected.expected),
        weight=expected.agreement,
    )


def _judged(z: float, expected: float) -> str:
    if expected == 0:  # as in neutral speech
        return _sided(CONSPICUOUS + (VERY - CONSPICUOUS) / 2 - abs(z), (VERY - CONSPICUOUS) / 2)
    return _sided(z * np.sign(expected), CONSPICUOUS)


def _sided(signed: float, dead_band: float) -> str:
    if math.isnan(signed):
        return "not measurable"
    if abs(signed) < dead_band:
        return "neutral"
    return "supports" if signed > 0 else "contradicts"


def _silenced(tracks: Mapping[str, Track], region: Segment) -> dict[str, Track]:
    """The tracks as if nobody spoke in the region."""
    activity = tracks["speech_activity"]
    inside = (activity.times >= region.start) & (activity.times < region.end)
    silent = replace(activity, values=np.where(inside, 0.0, activity.values))
    return {**tracks, "speech_activity": silent}


def _chance(
    values: NDArray[np.float64], times: NDArray[np.float64], region: Segment
) -> tuple[float, float]:
    """How far the mean in a region lies above that of all windows of its length, in SD; the SD.

    NaN and 0 where there are too few values, (frames,) with NaN, to say so.
    """
    first, last = np.searchsorted(times, [region.start, region.end])
    length = last - first
    sums = np.cumsum(np.concatenate([[0.0], np.nan_to_num(values)]))
    counts = np.cumsum(np.concatenate([[0], np.isfinite(values)]))
    held = counts[length:] - counts[:-length]
    enough = held > ENOUGH
    means = (sums[length:] - sums[:-length])[enough] / held[enough]
    own = counts[last] - counts[first]
    sd = float(means.std()) if len(means) > 1 else 0.0
    if own <= ENOUGH or sd == 0:
        return math.nan, 0.0
    return float((sums[last] - sums[first]) / own - means.mean()) / sd, sd


def _frames(tracks: Mapping[str, Track], name: str) -> NDArray[np.float64]:
    """What the mean ``name`` goes over: values (frames,), NaN where it takes none."""
    if name == "f0_mean_st":
        track = tracks["f0_hz"]
        values = 12 * np.log2(track.values)
    else:
        track = tracks[name.replace("_mean", "")]
        values = track.values
    spoken = in_speech(track.times, tracks["speech_activity"])
    counts = spoken if name.startswith("intensity") else spoken & track.voiced
    found: NDArray[np.float64] = np.where(counts, values, np.nan)
    return found
