"""What a piece of evidence lets a sentence say: numbers with their unit and role, names, words."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voxplain.descriptors import inventory
from voxplain.errors import UnknownName
from voxplain.types import (
    AcousticCue,
    Analysis,
    Attribution,
    Counterfactual,
    Dimension,
    Explanation,
    Fusion,
    Level,
    Moment,
    Quantity,
    Removal,
    SegmentAnalysis,
    SemanticFusion,
    Transcript,
    Verdict,
    Word,
)

__all__ = [
    "STRESS",
    "TEXTS",
    "Figure",
    "Ground",
    "emphasised",
    "ground",
    "quoted",
    "resolve",
]

STRESS = {
    "duration": "length",
    "f0": "pitch",
    "f0_range": "pitch range",
    "intensity": "intensity",
    "lengthening": "length for its letters",
    "pause": "pause around it",
    "tilt": "high-frequency energy",
    "total_loudness": "total loudness",
}
"""Cue of a stressed word -> what it is called in a sentence."""

TEXTS = {
    "emphasised": "the emphasised words",
    "transcript": "the transcript as a whole",
    "interpretation": "the interpretation",
}
"""Text that a model reads beside the voice -> what it is called in a sentence."""

_LISTED = 3
"""Emphasised words that are named in a sentence."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that may be told, and what the words around it must say."""

    value: float
    unit: str
    decimals: int
    """So many must be shown, unless the number is exact."""
    subject: str = ""
    """What is spoken of; empty: anything."""
    place: str = ""
    """first or second of a pair, or empty: alone."""
    condition: str = ""
    """What was done to the recording; empty: anything."""
    label: str = ""
    """The emotion spoken of; empty: any."""
    directed: bool = False
    """A difference: told by its size, with a word for its direction."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What one piece of evidence lets a sentence say."""

    figures: tuple[Figure, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """Text that may stand as it is -> its kind."""
    words: frozenset[str] = frozenset()
    """Kinds of words that may be used."""
    directions: Mapping[str, float] = field(default_factory=dict)
    """What a word for a direction may be about -> the sign that it must have."""
    labels: tuple[str, ...] = ()
    """Emotions that may be named without a number."""
    rival: str = ""
    """The one that may stand behind ``than``."""
    required: frozenset[str] = frozenset()
    """Kinds without which the sentence would hide something."""


def resolve(analysis: Analysis, path: str) -> Any:
    """What stands at a path such as ``explanation.moments.0``. Raises UnknownName."""
    value: Any = analysis
    for name in path.split("."):
        if dataclasses.is_dataclass(value):
            inside = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
        elif isinstance(value, Mapping):
            inside = dict(value)
        elif isinstance(value, tuple):
            inside = {str(number): one for number, one in enumerate(value)}
        else:
            inside = {}
        if name not in inside:
            raise UnknownName(f"part of the evidence {path!r}", name, inside)
        value = inside[name]
    return value


def ground(analysis: Analysis, path: str) -> Ground:
    """What stands at the path; nothing, if that is about neither the whole nor the explanation.

    Raises UnknownName for a path that leads nowhere.
    """
    value, (room, *parts) = resolve(analysis, path), path.split(".")
    dimensions, explanation = analysis.emotion.dimensions, analysis.explanation
    transcript, read = analysis.transcript, analysis.semantic_fusion
    match room, value:
        case "emotion", Verdict():
            return _verdict(value)
        case "emotion", float() if parts[0] == "categories":
            return _category(value, parts[1])
        case "emotion", Mapping() if parts[0] == "perceived" and value:
            return _perceived(value)
        case "emotion", Dimension() if dimensions is not None:
            return _dimension(value, parts[-1], dimensions.proxy)
        case "descriptors", Level():
            return _level(value)
        case "descriptors", Quantity():
            return _quantity(value, parts[-1])
        case "explanation", _ if explanation is not None:
            return _explained(value, parts, explanation, analysis.segments)
        case "transcript", Word():
            return _word(value)
        case "transcript", Mapping() if parts[-1] == "cues":
            return _lifted(value)
        case "roles", tuple() if transcript is not None and not parts:
            share = transcript.share("expressive", analysis.roles)
            figures = (Figure(100 * share, "%", 0),)
            return Ground(
                figures, words=frozenset({"reaction", "among"}), required=frozenset({"%"})
            )
        case "text_emotion", float() if parts[0] == "categories":
            return _wording(value, parts[1])
        case "text_emotion", Attribution() if value.scores.size:
            return _most_telling(value)
        case "fusion", Fusion():
            return _together(value)
        case "fusion", str():
            return Ground(words=frozenset({value}))
        case "semantic_fusion", Mapping() if read and transcript and len(parts) == 2:
            return _moved(read, parts[1], transcript)
    return Ground()


def _verdict(verdict: Verdict) -> Ground:
    if verdict.reason is None:
        return Ground(words=frozenset({"sounds"}), labels=verdict.labels)
    return Ground(
        names={verdict.reason: "reason"},
        words=frozenset({"abstains"}),
        required=frozenset({"abstains", "reason"}),
    )


def _category(probability: float, label: str) -> Ground:
    figure = Figure(probability, "", 2, "probability", label=label)
    return Ground((figure,), words=frozenset({"probability"}))


def _perceived(shares: Mapping[str, float]) -> Ground:
    words = {"listeners", "call"} | ({"disagree"} if max(shares.values()) < 0.5 else set())
    figures = (Figure(100 * one, "%", 0, "listeners", label=label) for label, one in shares.items())
    return Ground(tuple(figures), words=frozenset(words))


def _dimension(dimension: Dimension, name: str, proxy: str) -> Ground:
    return Ground(
        (
            Figure(dimension.value, "", 2, name),
            Figure(dimension.low, "", 2, name, "first"),
            Figure(dimension.high, "", 2, name, "second"),
        ),
        names={proxy: "proxy"} if proxy else {},
        words=frozenset({name}),
        required=frozenset({"proxy"} if proxy else ()),
    )


def _level(level: Level) -> Ground:
    return Ground(
        (Figure(level.z, "z", 1, level.title),),
        names={level.title: "title", level.word: "level", level.reference: "reference"},
        words=frozenset({"usual"}),
        directions={"usual": level.z if level.word != "medium" else math.nan},
        required=frozenset({"title", "reference"}),
    )


def _quantity(quantity: Quantity, name: str) -> Ground:
    title = inventory()[name].title if name in inventory() else name
    return Ground((Figure(quantity.value, quantity.unit, _two(quantity.value), title),))


def _explained(
    value: Any, parts: list[str], explanation: Explanation, segments: tuple[SegmentAnalysis, ...]
) -> Ground:
    """With the label, and the time, which must be told of a part of the recording."""
    label = explanation.output
    match value:
        case Moment():
            found = _moment(value)
        case AcousticCue():
            found = _cue(value, explanation.runner_up if parts[0] == "contrast" else "")
        case Removal():
            found = _removal(value, label)
        case Counterfactual(edit, before, after, identity) if len(edit) == 1 and all(
            label in emotion.categories for emotion in (before, after, identity)
        ):
            found = _counterfactual(value, label)
        case _:
            return Ground()
    inside = parts[0] == "moments"
    part = inside or len(segments) > 1
    where = explanation.moments[int(parts[1])] if inside else segments[explanation.segment]
    time = (Figure(where.start, "s", 1, place="first"), Figure(where.end, "s", 1, place="second"))
    return dataclasses.replace(
        found,
        figures=(*found.figures, *time),
        words=found.words | ({"sometime"} if part else set()),
        labels=(label,),
        required=found.required | ({"when"} if part else set()),
    )


def _moment(moment: Moment) -> Ground:
    return Ground(
        (
            Figure(100 * moment.share, "%", 0, "points"),
            Figure(moment.low_hz, "Hz", 0, place="first"),
            Figure(moment.high_hz, "Hz", 0, place="second"),
        ),
        words=frozenset({"points"}),
        required=frozenset({"%"}),
    )


def _cue(cue: AcousticCue, rival: str) -> Ground:
    above = cue.value - cue.usual
    unit = "percentage points" if cue.unit == "%" else cue.unit
    as_expected = cue.judgement == "supports" and above * cue.expected > 0
    cited = {text: "citation" for key in cue.citation.split(",") for text in _short(key)}
    return Ground(
        (
            Figure(cue.z, "z", 1, cue.title),
            Figure(above, unit, _two(above), cue.title, directed=True),
        ),
        names={cue.title: "title", cue.reference: "reference", **cited},
        words=frozenset(
            {"usual", "expected", cue.judgement}
            | ({"rival"} if rival else set())
            | ({"as expected"} if as_expected else set())
        ),
        directions={
            "usual": cue.z if cue.z * above > 0 else math.nan,
            "expected": cue.expected,
        },
        rival=rival,
        required=frozenset(
            {"title", "reference", "citation"}
            | ({"runner-up"} if rival else set())
            # what is nearly usual is told by how much
            | ({"z", "expected"} if cue.expected == 0 else set())
        ),
    )


def _short(key: str) -> tuple[str, ...]:
    """Of a key such as juslin_laukka_2003 the two ways to write it."""
    *authors, year = key.strip().split("_")
    return tuple(f"{one.join(authors)} {year}" for one in (" & ", " and "))


def _removal(removal: Removal, label: str) -> Ground:
    after = {key: getattr(removal, key) for key in ("salient", "loudest", "random")}
    vain = frozenset() if removal.salient < removal.random else frozenset({"vain"})
    return Ground(
        (Figure(100 * removal.share, "%", 0, "time"), *_after(after, removal.before, label)),
        names={removal.fill.replace("_", " "): "fill"},
        words=frozenset({"without", "time", "probability", *after}) | vain,
        directions=_directions(after, removal.before),
        required=vain | {"fill"},
    )


def quoted(word: str) -> str:
    """A word of the transcript as it stands in a sentence, without its punctuation.

    >>> quoted("'Never!'"), quoted("...")
    ('“Never”', '“...”')
    """
    bare = re.sub(r"^\W+|\W+$", "", word)
    return f"“{bare or word}”"


def _word(word: Word) -> Ground:
    return Ground(
        (
            Figure(word.prominence, "", 2, "prominence"),
            Figure(word.start, "s", 1, place="first"),
            Figure(word.end, "s", 1, place="second"),
        ),
        names={quoted(word.text): "word"},
        words=frozenset({"stressed", "prominence"}),
        required=frozenset({"word", "stressed", "span"}),
    )


def _lifted(cues: Mapping[str, float]) -> Ground:
    titled = {STRESS.get(name, name): z for name, z in cues.items() if math.isfinite(z)}
    return Ground(
        tuple(Figure(z, "z", 1, title) for title, z in titled.items()),
        names={**dict.fromkeys(titled, "title"), "the other words": "reference"},
        required=frozenset({"title", "reference"}),
    )


def _wording(probability: float, label: str) -> Ground:
    figure = Figure(probability, "", 2, "probability", label=label)
    return Ground(
        (figure,),
        words=frozenset({"wording", "probability"}),
        labels=(label,),
        required=frozenset({"wording"}),
    )


def _most_telling(words: Attribution) -> Ground:
    return Ground(
        names={quoted(words.names[int(words.scores.argmax())]): "word"},
        words=frozenset({"supports", "foremost", "among"}),
        labels=(words.output,),
        required=frozenset({"word"}),
    )


def _together(fusion: Fusion) -> Ground:
    label = max(fusion.categories, key=fusion.categories.__getitem__)
    return Ground(
        (
            Figure(fusion.categories[label], "", 2, "probability", label=label),
            Figure(100 * fusion.shares["words"], "%", 0, "probability", label=label),
        ),
        words=frozenset({"together", "probability"}),
        labels=fusion.verdict.labels,
        required=frozenset({"together"}),
    )


def emphasised(fusion: SemanticFusion, transcript: Transcript) -> str:
    """The words that were read as emphasised, the first of many, as they stand in a sentence."""
    words = [quoted(transcript.words[number].text) for number in fusion.emphasised]
    return ", ".join(words[:_LISTED]) + (" and others" if len(words) > _LISTED else "")


def _moved(fusion: SemanticFusion, name: str, transcript: Transcript) -> Ground:
    """What the texts make of a dimension."""
    effects, shares = fusion.effects[name], fusion.shares[name]
    before, after = fusion.voice[name], getattr(fusion.dimensions, name).value
    words = emphasised(fusion, transcript)
    return Ground(
        (
            Figure(before, "", 2, name, "first"),
            Figure(after, "", 2, name, "second"),
            *(Figure(effect, "", 2, TEXTS[text]) for text, effect in effects.items()),
            *(Figure(100 * share, "%", 0, TEXTS[text]) for text, share in shares.items()),
        ),
        names={TEXTS[text]: "title" for text in effects} | ({words: "word"} if words else {}),
        words=frozenset({name, "read", "part"}),
        directions={name: after - before},
        required=frozenset({"read"}),
    )


_EDITS = {  # key -> what is changed, and the unit
    "breathiness": ("breathiness", ""),
    "f0_range": ("pitch range", "times"),
    "f0_shift_st": ("pitch", "st"),
    "gain_db": ("intensity", "dB"),
    "tempo": ("tempo", "times"),
    "tilt_db": ("high-frequency energy (alpha)", "dB"),
}


def _counterfactual(changed: Counterfactual, label: str) -> Ground:
    ((key, value),) = changed.edit.items()
    title, unit = _EDITS.get(key, (key, ""))
    directed = unit in ("st", "dB")
    edit = Figure(value, unit, _two(value), title, directed=directed)
    before = changed.before.categories[label]
    after = {
        "edit": changed.after.categories[label],
        "unchanged": changed.identity.categories[label],
    }
    return Ground(
        (edit, *_after(after, before, label)),
        names={title: "edit"},
        words=frozenset({"synthetic", "unchanged", "probability"}),
        directions=_directions(after, before) | ({"edit": value} if directed else {}),
        required=frozenset({"synthetic", "unchanged"}),
    )


def _after(after: Mapping[str, float], before: float, label: str) -> tuple[Figure, ...]:
    """The probabilities of a label: first of a pair the one before, then or alone those after."""
    return (
        Figure(before, "", 2, "probability", "first", label=label),
        *(
            Figure(value, "", 2, "probability", place, condition, label)
            for condition, value in after.items()
            for place in ("second", "")
        ),
    )


def _directions(after: Mapping[str, float], before: float) -> dict[str, float]:
    """Of the probability as it is told, with two decimals."""
    return {
        f"probability {key}": round(value, 2) - round(before, 2) for key, value in after.items()
    }


def _two(value: float) -> int:
    """Decimals that show two figures."""
    if not math.isfinite(value) or value == 0:
        return 0
    return max(0, 1 - math.floor(math.log10(abs(value))))
