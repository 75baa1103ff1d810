"""What can be asked of a recording: our own tools, each with a JSON schema of its arguments.

A tool gives what it found twice: as plain values to reason with, and as sentences made by rule,
each with its place in an Analysis, to which the checker of claims can hold whatever is said of it.
"""

from __future__ import annotations

import functools
import hashlib
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voxplain import descriptors
from voxplain.errors import ConfigError, InputError, TextError, UnknownName
from voxplain.evidence import cues
from voxplain.evidence.claims import claims
from voxplain.evidence.counterfactual import Experiment
from voxplain.evidence.references import labels as expected_labels
from voxplain.evidence.voice import AXES, Edit
from voxplain.labels import phrase
from voxplain.pipeline import Analyzer
from voxplain.plugins import require
from voxplain.types import (
    AcousticCue,
    Analysis,
    Claim,
    Counterfactual,
    Descriptors,
    Emotion,
    Estimate,
    Explanation,
    Faithfulness,
    Moment,
    Segment,
    SegmentAnalysis,
)

__all__ = ["TOOLS", "Finding", "Recording", "Tool", "described", "fit", "fitting"]

_SHORTEST = 0.1
"""Seconds of a part that can be asked about: ten frames."""
_UTTERANCE = 2.0
"""Seconds from which ranges, rates and pauses are told of a part: the norms are of utterances."""
_MOST_LEVELS, _MOST_WORDS = 12, 100
"""Of a part that are told, the most unusual and the first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a tool found."""

    values: Mapping[str, Any]
    """Plain JSON."""
    analysis: Analysis
    """The recording's, with what was found in its place."""
    claims: tuple[Claim, ...]
    """What may be said of it; their evidence lies in ``analysis``."""
    part: Segment | None = None
    """Of the recording, where ``analysis`` describes no more than that."""


class Recording:
    """A recording that is asked about; a question that was answered once is not computed again."""

    def __init__(self, analyzer: Analyzer, path: str | os.PathLike[str], **options: Any) -> None:
        """The ``options`` of ``Analyzer.analyze`` that give the words; raises what it does."""
        self.analyzer, self.path = analyzer, Path(path)
        self.analysis = analyzer.analyze(self.path, explain=None, **options)
        """How it sounds, and what is said where that is known; without an explanation."""
        self._explained: dict[str, Explanation | None] = {}

    @functools.cached_property
    def sha256(self) -> str:
        """Of the bytes of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @functools.cached_property
    def experiment(self) -> Experiment:
        """The voice, taken apart. Raises AudioError."""
        return self.analyzer.experiment(self.path)

    def explained(self, label: str) -> Explanation | None:
        """Why it sounds like a label, or does not; None of what is too short for that."""
        if label not in self._explained:
            found = self.analyzer.analyze(self.path, explain="quick", why=label)
            self._explained[label] = found.explanation
        return self._explained[label]

    @property
    def labels(self) -> tuple[str, ...]:
        """Those that there is a probability or a share of listeners of, the most probable first."""
        emotion = self.analysis.emotion
        return tuple(dict.fromkeys((*emotion.ranked, *emotion.perceived)))

    def part(self, start: float, end: float) -> Segment:
        """Of the recording, in seconds. Raises ConfigError."""
        length = self.analysis.duration
        if not (start >= 0 and end <= length + 0.05 and end - start >= _SHORTEST):
            raise ConfigError(
                f"there is no part from {start} to {end} s; give one of {_SHORTEST} s or more "
                f"between 0 and {length:.2f} s"
            )
        return Segment(float(start), float(min(end, length)))

    def stretch(self, label: str) -> int:
        """Number of the stretch of speech that speaks most for a label. Raises InputError."""

        def told(number: int) -> float:
            one = self.analysis.segments[number]
            return one.emotion.categories.get(label, 0.0) * (one.end - one.start)

        numbers = range(len(self.analysis.segments))
        if not numbers:
            raise InputError("there is no speech in the recording")
        return max(numbers, key=told)


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that can be asked."""

    about: str
    parameters: Mapping[str, Any]
    """JSON schema of the arguments."""
    find: Callable[..., Finding]
    """From a Recording and the arguments. Raises InputError for what can't be asked of it."""


def described() -> list[dict[str, Any]]:
    """The tools as those who call them read it: name, description and parameters of each."""
    return [
        {"name": name, "description": tool.about, "parameters": dict(tool.parameters)}
        for name, tool in TOOLS.items()
    ]


def fitting(name: str, arguments: Any) -> Tool:
    """The tool of a name, whose arguments fit its schema. Raises UnknownName, ConfigError."""
    if name not in TOOLS:
        raise UnknownName("tool", name, TOOLS)
    fit(arguments, TOOLS[name].parameters)
    return TOOLS[name]


def fit(arguments: Any, parameters: Mapping[str, Any]) -> None:
    """Raises ConfigError for arguments that don't fit a schema, which names the first of them."""
    jsonschema = require("jsonschema", extra="llm")
    for error in jsonschema.Draft202012Validator(parameters).iter_errors(arguments):
        raise ConfigError(f"the arguments don't fit at {error.json_path}: {error.message[:200]}")


def _verdict(recording: Recording) -> Finding:
    analysis = recording.analysis
    emotion = analysis.emotion
    told = _claims(analysis, "emotion", "text_emotion", "fusion", "semantic_fusion")
    each = tuple(
        Claim(
            f"The probability of {phrase(label)} is {chance:.2f}.",
            (f"emotion.categories.{label}",),
        )
        for label, chance in emotion.categories.items()
    )
    values = {
        "sounds": emotion.verdict.labels,
        "reason": emotion.verdict.reason,
        "probabilities": emotion.categories,
        "listeners": emotion.perceived,
        "minor": emotion.minor,
        "dimensions": emotion.dimensions and emotion.dimensions.to_dict(),
        "words_alone": analysis.text_emotion and analysis.text_emotion.categories,
        "with_words": analysis.fusion and analysis.fusion.categories,
    }
    return Finding(_plain(values), analysis, told + each)


def _descriptors(recording: Recording, start: float, end: float) -> Finding:
    part, whole = recording.part(start, end), recording.analysis
    tracks = whole.descriptors.tracks
    found = descriptors.functionals(
        tracks, within=part, conditions=descriptors.conditions_of(tracks)
    )
    levels = {
        name: level
        for name, level in recording.analyzer.reference.levels(found).items()
        if descriptors.inventory()[name].telling
        and (part.duration >= _UTTERANCE or "_mean_" in name)
    }
    unusual = sorted(levels, key=lambda name: -abs(levels[name].z))[:_MOST_LEVELS]
    analysis = replace(whole, descriptors=Descriptors(found, levels, prominent=tuple(unusual)))
    values = {
        name: {"value": found[name].value, "unit": found[name].unit, **levels[name].to_dict()}
        for name in unusual
    }
    return Finding(_plain(values), analysis, _claims(analysis, "descriptors"), part)


def _saliency(recording: Recording, label: str) -> Finding:
    explanation = recording.explained(label)
    if explanation is None:
        raise InputError("there is too little speech to explain one part by another")
    analysis = replace(recording.analysis, explanation=explanation)
    keys = ("start", "end", "low_hz", "high_hz", "share")
    values = {
        "moments": [{key: getattr(one, key) for key in keys} for one in explanation.moments],
        "faithful": explanation.faithfulness.passed,
        "warnings": explanation.warnings,
    }
    told = _claims(analysis, "explanation.moments", "explanation.faithfulness")
    return Finding(_plain(values), analysis, told)


def _cues(recording: Recording, label: str, start: float, end: float) -> Finding:
    _expected(label)
    asked, tracks = recording.part(start, end), recording.analysis.descriptors.tracks
    overlaps = [
        Segment(max(asked.start, one.start), min(asked.end, one.end))
        for one in recording.analysis.segments
    ]
    number = max(range(len(overlaps)), key=lambda n: overlaps[n].duration, default=None)
    if number is None or overlaps[number].duration < _SHORTEST:
        raise ConfigError(f"there is no speech from {asked.start:.2f} to {asked.end:.2f} s")
    region, stretch = overlaps[number], recording.analysis.segments[number]
    found = cues.in_region(
        tracks,
        region,
        within=Segment(stretch.start, stretch.end),
        conditions=descriptors.conditions_of(tracks),
        label=label,
        reference=recording.analyzer.reference,
    )
    moment = Moment(region.start, region.end, 0.0, 0.0, 0.0, 1.0, found)
    analysis = replace(
        recording.analysis, explanation=_explanation(label, number, moments=(moment,))
    )
    values = {"start": region.start, "end": region.end, "cues": [_row(one) for one in found]}
    return Finding(_plain(values), analysis, _claims(analysis, "explanation.moments.0.cues"))


def _contrast(recording: Recording, label: str, other: str) -> Finding:
    _expected(label)
    _expected(other)
    number = recording.stretch(label)
    found = cues.contrasts(
        recording.analysis.segments[number].descriptors.functionals,
        label,
        other,
        recording.analyzer.reference,
    )
    analysis = replace(
        recording.analysis,
        explanation=_explanation(label, number, runner_up=other, contrast=found),
    )
    values = {"cues": [_row(one) for one in found]}
    return Finding(_plain(values), analysis, _claims(analysis, "explanation.contrast"))


def _whatif(recording: Recording, change: str, amount: float, label: str) -> Finding:
    edit, whole = Edit(**{change: amount}), recording.analysis
    if not edit.asked:
        raise ConfigError(f"{change} {amount:g} changes nothing; give another amount")
    if label not in whole.emotion.categories:
        raise UnknownName("label", label, whole.emotion.categories)
    found = recording.experiment.whatif(edit)
    # The recording is changed as a whole, so that the claims speak of no part of it.
    everything = SegmentAnalysis(0.0, whole.duration, None, whole.emotion, whole.descriptors)
    analysis = replace(
        whole,
        segments=(everything,),
        explanation=_explanation(label, 0, counterfactuals=(found,)),
    )

    def sounds(emotion: Emotion) -> dict[str, Any]:
        return {"sounds": emotion.verdict.labels, "probability": emotion.categories.get(label)}

    values = {
        "before": sounds(found.before),
        "after": sounds(found.after),
        "unchanged": sounds(found.identity),
        "found_again": found.measured[change].value,
    }
    return Finding(_plain(values), analysis, _claims(analysis, "explanation.counterfactuals"))


def _transcript(recording: Recording, start: float = 0.0, end: float = math.inf) -> Finding:
    whole = recording.analysis
    if whole.transcript is None:
        raise TextError("the words of the recording are not known")
    part = recording.part(start, min(end, whole.duration))
    inside = tuple(
        word
        for word in whole.transcript.words
        if not (word.end <= part.start or word.start >= part.end)
    )
    analysis = replace(whole, transcript=replace(whole.transcript, words=inside[:_MOST_WORDS]))
    keys = ("text", "start", "end", "prominence", "expressive")
    values = {
        "words": [{key: getattr(one, key) for key in keys} for one in inside[:_MOST_WORDS]],
        "left_out": len(inside[_MOST_WORDS:]),
    }
    return Finding(_plain(values), analysis, _claims(analysis, "transcript"))


def _roles(recording: Recording) -> Finding:
    analysis = recording.analysis
    if analysis.transcript is None:
        raise TextError("the words of the recording are not known")
    text = analysis.transcript.text
    values = {
        "parts": [
            {"kind": one.kind, "text": text[one.start : one.end], "confidence": one.confidence}
            for one in analysis.roles[:_MOST_WORDS]
        ]
    }
    return Finding(_plain(values), analysis, _claims(analysis, "roles"))


def _claims(analysis: Analysis, *rooms: str) -> tuple[Claim, ...]:
    """Those that stand on these rooms of the evidence alone."""
    return tuple(
        one
        for one in claims(analysis)
        if all(f"{path}.".startswith(tuple(f"{room}." for room in rooms)) for path in one.evidence)
    )


def _explanation(
    label: str,
    stretch: int,
    *,
    runner_up: str = "",
    moments: tuple[Moment, ...] = (),
    contrast: tuple[AcousticCue, ...] = (),
    counterfactuals: tuple[Counterfactual, ...] = (),
) -> Explanation:
    """One that holds what was asked for and nothing else."""
    return Explanation(
        effort="quick",
        output=label,
        runner_up=runner_up,
        segment=stretch,
        attributions=(),
        moments=moments,
        cues=(),
        contrast=contrast,
        plausibility=Estimate(math.nan, 0.0, 1.0),
        faithfulness=Faithfulness("", ()),
        counterfactuals=counterfactuals,
        warnings=(),
    )


def _expected(label: str) -> None:
    """Raises UnknownName for an emotion without a row in the cue table."""
    if label not in expected_labels():
        raise UnknownName("label with expectations of experts", label, expected_labels())


def _row(cue: AcousticCue) -> dict[str, Any]:
    keys = ("title", "value", "unit", "usual", "z", "expected", "judgement")
    return {key: getattr(cue, key) for key in keys}


def _plain(value: Any) -> Any:
    """JSON values with four figures; what is not finite is None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.4g}") if math.isfinite(value) else None
    return value


def _parameters(*required: str, **properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_LABEL = {"type": "string", "maxLength": 32, "description": "an emotion, such as angry"}
_TIME = {"type": "number", "minimum": 0, "maximum": 1e6, "description": "seconds"}
_SPAN = {"start": _TIME, "end": _TIME}

TOOLS: Mapping[str, Tool] = {
    "verdict": Tool(
        "What the voice sounds like: probability of each emotion, share of listeners who would "
        "choose it, the minor ones (a fifth of the listeners or more), dimensions; what the words "
        "alone say, where they are known.",
        _parameters(),
        _verdict,
    ),
    "descriptors": Tool(
        "How a part of the recording is said: the most unusual descriptors (pitch, energy, voice "
        "quality, rate) with units and standard deviations from the reference. Below "
        f"{_UTTERANCE:g} s means over frames alone.",
        _parameters("start", "end", **_SPAN),
        _descriptors,
    ),
    "saliency": Tool(
        "The moments that speak for an emotion, with times, bands and cues, and whether taking "
        "them away matters more to the model than taking random ones.",
        _parameters("label", label=_LABEL),
        _saliency,
    ),
    "cues": Tool(
        "Descriptors of a part beside what experts expect of an emotion: which support it and "
        "which contradict it.",
        _parameters("label", "start", "end", label=_LABEL, **_SPAN),
        _cues,
    ),
    "contrast": Tool(
        "What speaks for an emotion rather than for another one: descriptors of which experts "
        "expect something else. Ask both ways round.",
        _parameters("label", "other", label=_LABEL, other=_LABEL),
        _contrast,
    ),
    "whatif": Tool(
        "What the model makes of the same voice with one thing changed (synthetic sound), and "
        "what that does to the probability of an emotion: "
        + ", ".join(
            f"{name} {axis.low:g} to {axis.high:g} {axis.unit}".rstrip()
            + f" ({axis.same:g} changes nothing)"
            for name, axis in AXES.items()
        )
        + ".",
        _parameters(
            "change",
            "amount",
            "label",
            change={"type": "string", "enum": list(AXES)},
            amount={"type": "number", "minimum": -40, "maximum": 40},
            label=_LABEL,
        ),
        _whatif,
    ),
    "transcript": Tool(
        "The words that are said, when, how much each stands out (prominence, 0 to 1) and the "
        "chance that it tells the speaker's own reaction; of a part or of all.",
        _parameters(**_SPAN),
        _transcript,
    ),
    "roles": Tool(
        "Which parts of what is said tell what happened (descriptive), and which the speaker's "
        "own reaction (expressive).",
        _parameters(),
        _roles,
    ),
}
"""Name -> the tool."""
