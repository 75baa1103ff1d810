"""Why a stretch of speech sounds as it does: saliency, its cues, and the tests of both."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.log_mel import FRAME_SHIFT, band_edges, log_mel
from voxplain.descriptors._levels import Reference
from voxplain.errors import AudioError, UnknownName
from voxplain.evidence import cues, faithfulness
from voxplain.evidence.counterfactual import Experiment
from voxplain.evidence.cue_shares import cue_shares
from voxplain.evidence.moments import salient_regions
from voxplain.explainers import Forward, Grid, occlusion, successive_occlusion
from voxplain.types import (
    Attribution,
    Audio,
    Emotion,
    Explanation,
    Faithfulness,
    Moment,
    Quantity,
    Segment,
    Track,
)

__all__ = ["EFFORTS", "LEAST_DURATION", "Case", "explained", "saliency"]

EFFORTS = ("quick", "full")
LEAST_DURATION = 0.5
"""Seconds of a stretch below which no part of it can be told from the rest."""

# Axis -> bands of a window, frames of the shortest, and how many there may be along the time. What
# is told by several bands at once is hardly missed in one: with the time, bands are few and wide.
_WINDOWS = {"time": (80, 10, 30), "frequency": (10, 1, 1), "time_frequency": (20, 20, 10)}
_DRAWS = 10
_NOISE_DB = 30.0  # below the sound, to see whether an attribution is stable
_SHIFT = 0.05  # seconds, for the same


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A stretch of speech, what was measured in it, and the model that judged it."""

    number: int
    """Of the stretch in the recording."""
    segment: Segment
    audio: Audio
    """Of the stretch, 16 kHz."""
    emotion: Emotion
    """Of the stretch."""
    label: str
    """What is to be explained."""
    functionals: Mapping[str, Quantity]
    """Of the stretch."""
    tracks: Mapping[str, Track]
    """Of the recording, with speech_activity."""
    conditions: Mapping[str, float]
    """Of the recording."""
    reference: Reference
    hearing: Callable[[Audio], Forward]
    """A sound -> what the model makes of changed versions of it: a function from log-mel
    spectrograms (n, bands, frames) to log-odds (n, labels), of ``emotion.label_set``."""
    judge: Callable[[Audio], Emotion]
    """What the model makes of other sound in the place of the stretch."""

    @property
    def forward(self) -> Forward:
        """That of the stretch."""
        return self.hearing(self.audio)

    @property
    def output(self) -> int:
        """The label among the outputs."""
        return self.emotion.label_set.index(self.label)

    @property
    def runner_up(self) -> str:
        """The most probable other label."""
        return next(other for other in self.emotion.ranked if other != self.label)


def explained(case: Case, *, effort: str) -> Explanation:
    """Why the stretch sounds like the label to the model.

    ``quick``: occlusion in time and frequency, the cues of the salient moments, and whether their
    removal matters more than that of random and of loud windows. ``full``: moments by successive
    occlusion, occlusion in time and frequency at once, another fill, deletion and insertion curves,
    stability under noise and shift, agreement between the attributions, and the voice with one cue
    changed.

    Raises UnknownName for another effort.
    """
    if effort not in EFFORTS:
        raise UnknownName("explanation", effort, EFFORTS)
    inputs, full = log_mel(case.audio.waveform), effort == "full"
    attributions = tuple(_attributions(case, inputs, full=full))
    experiment = _voice(case) if full else None
    shares = experiment and cue_shares(
        experiment.voice,
        case.hearing,
        output=case.output,
        label=case.label,
        functionals=case.functionals,
        reference=case.reference,
    )
    moments = tuple(_moments(case, inputs, attributions))
    tested = _tested(case, inputs, attributions, full=full)
    return Explanation(
        effort=effort,
        output=case.label,
        runner_up=case.runner_up,
        segment=case.number,
        attributions=(*attributions, shares) if shares else attributions,
        moments=moments,
        cues=cues.of_stretch(case.functionals, case.label, case.reference),
        contrast=cues.contrasts(case.functionals, case.label, case.runner_up, case.reference),
        plausibility=cues.plausibility(moments),
        faithfulness=tested,
        counterfactuals=experiment.one_by_one() if experiment else (),
        warnings=tuple(_warnings(tested, moments)),
    )


def _attributions(case: Case, inputs: NDArray[np.float32], *, full: bool) -> Iterator[Attribution]:
    """The first says when, the last goes deepest into the bands."""
    look = functools.partial(
        saliency,
        case.forward,
        inputs,
        output=case.output,
        label=case.label,
        start=case.segment.start,
    )
    over_time = [look(axis="time")]
    if full:
        over_time.append(look(axis="time", baseline="silence"))
        yield successive_occlusion.further(case.forward, inputs, over_time, output=case.output)
    yield from over_time
    yield look(axis="frequency")
    if full:
        yield look(axis="time_frequency")


def _voice(case: Case) -> Experiment | None:
    try:
        return Experiment(case.audio, judge=case.judge)
    except AudioError:  # what was speech in its surroundings need not be by itself
        return None


def saliency(
    forward: Forward,
    inputs: NDArray[np.float32],
    *,
    output: int,
    label: str = "",
    axis: str = "time",
    baseline: str = "mean",
    start: float = 0.0,
) -> Attribution:
    """Occlusion of a log-mel spectrogram (80, frames) that begins at ``start`` seconds.

    Over time, windows of 0.1 s without overlap, or as long as lets 30 of them fill the time; over
    frequency eight of 10 bands; over both of 20 bands and 0.2 s, no more than ten in the time.
    Raises TooShort below a window.
    """
    window = _window(inputs, axis)
    return occlusion.attribute(
        forward,
        inputs,
        output=output,
        label=label,
        axis=axis,
        baseline=baseline,
        window=window,
        hop=window,
        grid=Grid(start, FRAME_SHIFT, band_edges()),
    )


def _window(inputs: NDArray[np.float32], axis: str) -> tuple[int, int]:
    bands, shortest, most = _WINDOWS[axis]
    return bands, max(shortest, math.ceil(inputs.shape[1] / most))


def _moments(
    case: Case, inputs: NDArray[np.float32], attributions: tuple[Attribution, ...]
) -> Iterator[Moment]:
    over_time, over_bands = attributions[0], attributions[-1]
    lengths = np.diff(over_time.times)
    centres = over_time.times[:-1] + lengths / 2
    told = np.maximum(over_time.scores, 0)
    for region in salient_regions(over_time):
        inside = (centres >= region.start) & (centres < region.end)
        low_hz, high_hz = _band(over_bands, region)
        in_band = cues.level_in_band(
            inputs,
            np.array(band_edges()),
            _times(case, inputs.shape[1]),
            region,
            low_hz=low_hz,
            high_hz=high_hz,
            label=case.label,
        )
        measured = cues.in_region(
            case.tracks,
            region,
            within=case.segment,
            conditions=case.conditions,
            label=case.label,
            reference=case.reference,
        )
        yield Moment(
            start=region.start,
            end=region.end,
            low_hz=low_hz,
            high_hz=high_hz,
            score=float(over_time.scores[inside].sum()),
            share=float(told[inside].sum() / told.sum()),
            cues=(*measured, *in_band),
        )


def _band(attribution: Attribution, region: Segment) -> tuple[float, float]:
    """Hz: the bands around the most telling one that tell at least half as much; else all."""
    scores: NDArray[np.floating] = attribution.scores
    if attribution.axis == "time_frequency":
        overlap = np.minimum(attribution.times[1:], region.end) - np.maximum(
            attribution.times[:-1], region.start
        )
        scores = scores @ np.maximum(overlap, 0)
    if scores.max() <= 0:
        return float(attribution.hz[0]), float(attribution.hz[-1])
    first = last = int(np.argmax(scores))
    while first > 0 and scores[first - 1] >= scores.max() / 2:
        first -= 1
    while last < len(scores) - 1 and scores[last + 1] >= scores.max() / 2:
        last += 1
    return float(attribution.hz[first]), float(attribution.hz[last + 1])


def _tested(
    case: Case, inputs: NDArray[np.float32], attributions: tuple[Attribution, ...], *, full: bool
) -> Faithfulness:
    over_time, output = attributions[0], case.output
    scores = _on_frames(case, over_time, inputs.shape[1])
    removals = tuple(
        faithfulness.removal(case.forward, inputs, scores, output=output, fill=fill, draws=_DRAWS)
        for fill in (("noise", "local_mean") if full else ("noise",))
    )
    if not full:
        return Faithfulness(over_time.method, removals)
    shares, deletion, insertion = faithfulness.curves(
        case.forward, inputs, scores, output=output, fill="noise"
    )
    others = {
        f"{other.method}, {other.axis}, {other.baseline}": _on_frames(case, other, len(scores))
        for other in attributions[1:]
        if other.axis != "frequency"
    }
    return Faithfulness(
        over_time.method,
        removals,
        shares,
        deletion,
        insertion,
        stability=dict(_stability(case, next(iter(others.values())))),
        agreement={
            name: faithfulness.rank_correlation(scores, other) for name, other in others.items()
        },
    )


def _stability(case: Case, scores: NDArray[np.float64]) -> Iterator[tuple[str, float]]:
    """Rank correlation of occlusion over time, (frames,), with that of the sound a little changed.

    The shift is half a window, so that it also shows what the place of the windows decides.
    """
    waveform, rate = case.audio.waveform, case.audio.sampling_rate
    noise = np.random.default_rng(0).standard_normal(len(waveform), np.float32)
    noise *= waveform.std() * 10 ** (-_NOISE_DB / 20)
    for name, sound, skipped in (
        (f"noise {_NOISE_DB:.0f} dB below", waveform + noise, 0),
        (f"begun {_SHIFT * 1000:.0f} ms later", waveform[round(_SHIFT * rate) :], _SHIFT),
    ):
        other = saliency(
            case.hearing(replace(case.audio, waveform=sound)),
            log_mel(sound),
            output=case.output,
            start=case.segment.start + skipped,
        )
        told = _on_frames(case, other, len(scores))
        first = round(skipped / FRAME_SHIFT)
        yield name, faithfulness.rank_correlation(scores[first:], told[first:])


def _on_frames(case: Case, attribution: Attribution, frames: int) -> NDArray[np.float64]:
    return faithfulness.on_frames(attribution, _times(case, frames))


def _times(case: Case, frames: int) -> NDArray[np.float64]:
    """Middles of the frames in the recording."""
    return Grid(case.segment.start, FRAME_SHIFT).times(np.arange(frames) + 0.5)


def _warnings(tested: Faithfulness, moments: tuple[Moment, ...]) -> Iterator[str]:
    if not moments:
        yield "no part of the recording speaks for the label by itself"
    if not tested.passed:
        yield (
            "the salient moments matter no more to the model than random ones: "
            "don't rely on this explanation"
        )
