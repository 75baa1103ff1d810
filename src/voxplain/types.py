"""What flows through the house: frozen values with read-only arrays, and nothing that acts.

``to_dict`` gives plain JSON values (a number that is not finite becomes ``None``), ``from_dict``
rebuilds the value from them.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types as _types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "SCHEMA_VERSION",
    "AcousticCue",
    "Analysis",
    "Attribution",
    "Audio",
    "Claim",
    "Counterfactual",
    "Descriptors",
    "Dimension",
    "Dimensions",
    "Embedding",
    "Emotion",
    "Estimate",
    "Explanation",
    "Faithfulness",
    "Final",
    "Fusion",
    "Heard",
    "Level",
    "Listening",
    "Moment",
    "Narration",
    "Provisional",
    "Quantity",
    "Removal",
    "Role",
    "Segment",
    "SegmentAnalysis",
    "SemanticFusion",
    "TextEmotion",
    "Track",
    "Transcript",
    "Verdict",
    "Word",
]

SCHEMA_VERSION = "1.7"
"""Of ``Analysis.to_dict``: the first number changes when a reader of the old form would break."""


def _read_only(value: Any) -> Any:
    """Mappings as such that can't be changed, those in them too."""
    if not isinstance(value, dict | _types.MappingProxyType):
        return value
    return _types.MappingProxyType({key: _read_only(item) for key, item in value.items()})


def _writable(value: Any) -> Any:
    """The other way round: what is read-only can't be pickled."""
    if not isinstance(value, _types.MappingProxyType):
        return value
    return {key: _writable(item) for key, item in value.items()}


class _Value:
    """Arrays read-only, mappings read-only, JSON in and out."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                frozen: Any = value.view()
                frozen.flags.writeable = False
            elif isinstance(value, dict):
                frozen = _read_only(value)
            else:
                continue
            object.__setattr__(self, item.name, frozen)

    def __reduce__(self) -> tuple[Any, ...]:
        # Made anew wherever it arrives (another process, a copy), so that it is read-only there.
        values = (getattr(self, item.name) for item in dataclasses.fields(self))
        return type(self), tuple(map(_writable, values))

    def to_dict(self, *, tracks: bool = True) -> dict[str, Any]:
        """Plain JSON values, in the order of the fields; if wanted, without descriptor tracks."""
        return {
            item.name: _plain(getattr(self, item.name), tracks=tracks)
            for item in dataclasses.fields(self)
            if tracks or item.name != "tracks"
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The value that ``to_dict`` was called on."""
        hints = _hints(cls)  # type: ignore[arg-type]
        known = (item.name for item in dataclasses.fields(cls) if item.name in plain)
        return cls(**{name: _rebuilt(hints[name], plain[name]) for name in known})


class _Document(_Value):
    """A value that is kept: its JSON says by which schema."""

    __slots__ = ()
    SCHEMA: ClassVar[str]

    def to_dict(self, *, tracks: bool = False) -> dict[str, Any]:
        """The JSON document; descriptor tracks only when asked for."""
        return {"schema_version": self.SCHEMA, **super().to_dict(tracks=tracks)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The value that ``to_dict`` was called on.

        Raises ConfigError for a document of another schema.
        """
        from voxplain.errors import ConfigError

        version = str(plain.get("schema_version"))
        if version.split(".")[0] != cls.SCHEMA.split(".")[0]:
            raise ConfigError(
                f"schema_version {version!r} can't be read; this voxplain reads {cls.SCHEMA}"
            )
        return super().from_dict(plain)


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _plain(value: Any, *, tracks: bool) -> Any:
    if isinstance(value, _Value):
        return value.to_dict(tracks=tracks)
    if isinstance(value, Mapping):
        return {str(key): _plain(item, tracks=tracks) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist(), tracks=tracks)
    if isinstance(value, tuple | list):
        return [_plain(item, tracks=tracks) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def _rebuilt(hint: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, _types.UnionType):
        if value is None:
            return None
        return _rebuilt(next(a for a in arguments if a is not type(None)), value)
    if isinstance(hint, type) and issubclass(hint, _Value):
        return hint.from_dict(value)
    if origin is np.ndarray:
        dtype = typing.get_args(arguments[1])[0]
        if dtype is np.bool_:
            return np.array(value, bool)
        # None, in rows or in rows of rows, becomes NaN
        return np.array(value, object).astype(dtype)
    if origin is tuple:
        return tuple(_rebuilt(arguments[0], item) for item in value)
    if origin is Mapping:
        return {key: _rebuilt(arguments[1], item) for key, item in value.items()}
    if hint is float:
        return math.nan if value is None else float(value)
    return value


@dataclass(frozen=True, slots=True, eq=False)
class Audio(_Value):
    """Mono sound that has been checked: finite, float32, at least 0.1 s."""

    waveform: NDArray[np.float32]
    """(samples,), full scale is 1."""
    sampling_rate: int
    """Hz."""
    source: str
    """Where it came from: a path, ``<stdin>`` or ``<array>``."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.waveform) / self.sampling_rate


@dataclass(frozen=True, slots=True)
class Segment(_Value):
    """A stretch of a recording in seconds, half-open."""

    start: float
    end: float
    speaker: str | None = None
    label: str | None = None
    """What stands on it in a TextGrid or a table."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, eq=False)
class Track(_Value):
    """A quantity over time; ``values`` are NaN where it can't be measured."""

    times: NDArray[np.float64]
    """(frames,) centres in seconds."""
    values: NDArray[np.float64]
    """(frames,)"""
    unit: str
    voiced: NDArray[np.bool_]
    """(frames,) whether the vocal folds vibrate in the frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedding(_Value):
    """What an encoder makes of a stretch of sound: a state every ``frame_shift`` seconds."""

    frames: NDArray[np.float16]
    """(frames, width); half precision is what is trained on and kept."""
    frame_shift: float
    """Seconds."""
    backbone: str

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.frames) * self.frame_shift


@dataclass(frozen=True, slots=True)
class Quantity(_Value):
    """A number with its unit; NaN and not reliable where it can't be measured."""

    value: float
    unit: str
    reliable: bool


@dataclass(frozen=True, slots=True)
class Level(_Value):
    """A descriptor in words, by its distance from a reference."""

    word: str
    """very low, low, medium, high or very high"""
    z: float
    """Standard deviations above the mean of the reference."""
    reference: str
    title: str = ""
    """What the descriptor is called in a sentence."""


@dataclass(frozen=True, slots=True)
class Descriptors(_Value):
    """How something is said."""

    functionals: Mapping[str, Quantity]
    levels: Mapping[str, Level] = field(default_factory=dict)
    tracks: Mapping[str, Track] = field(default_factory=dict)
    prominent: tuple[str, ...] = ()
    """The most unusual levels, by name, no more than two of a family."""


@dataclass(frozen=True, slots=True)
class Dimension(_Value):
    """One affective dimension in [0, 1] with its 90 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Dimensions(_Value):
    """Valence, arousal and dominance, with the name of what they were derived from.

    Empty where they were learned from ratings of recordings, and are no proxy.
    """

    valence: Dimension
    arousal: Dimension
    dominance: Dimension
    proxy: str


@dataclass(frozen=True, slots=True)
class Verdict(_Value):
    """What the voice sounds like: one label, a few labels, or none and the reason."""

    labels: tuple[str, ...]
    reason: str | None = None

    def __post_init__(self) -> None:
        assert bool(self.labels) != bool(self.reason), "a verdict has labels or a reason"

    @property
    def abstains(self) -> bool:
        """Whether there is not enough evidence for any label."""
        return not self.labels


@dataclass(frozen=True, slots=True)
class Emotion(_Value):
    """What the voice sounds like to listeners; empty where there is nothing to judge."""

    categories: Mapping[str, float]
    """Label -> probability that this emotion was portrayed."""
    perceived: Mapping[str, float]
    """Label -> share of listeners who would choose it from the voice alone."""
    dimensions: Dimensions | None
    label_set: tuple[str, ...]
    verdict: Verdict

    @property
    def ranked(self) -> tuple[str, ...]:
        """The labels, most probable first."""
        return tuple(sorted(self.categories, key=lambda label: -self.categories[label]))

    @property
    def ambiguity(self) -> float:
        """How much listeners would disagree: entropy of ``perceived`` over its maximum, 0 to 1.

        NaN where they were not asked.
        """
        shares = [share for share in self.perceived.values() if share > 0]
        if len(self.perceived) < 2:
            return math.nan
        return -sum(share * math.log(share) for share in shares) / math.log(len(self.perceived))

    @property
    def minor(self) -> tuple[str, ...]:
        """What a fifth of the listeners or more would choose, but not the most; most first."""
        ranked = sorted(self.perceived, key=lambda label: -self.perceived[label])
        return tuple(label for label in ranked[1:] if self.perceived[label] >= 0.2)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The emotion that ``to_dict`` was called on; before 1.2 nothing was ``perceived``."""
        return super(Emotion, cls).from_dict({"perceived": {}, **plain})


@dataclass(frozen=True, slots=True, eq=False)
class Attribution(_Value):
    """How much each part of an input speaks for an output, by one method.

    Positive speaks for it. The scores are in the unit of the output, log-odds for a category.
    """

    method: str
    output: str
    """The label explained."""
    axis: str
    """time, frequency, time_frequency, descriptor or word"""
    scores: NDArray[np.float64]
    """(columns,) in time, (rows,) in frequency, (rows, columns) in both, else (names,)"""
    baseline: str
    """What stood in for what was taken away."""
    times: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """(columns + 1,) edges in seconds of the original recording."""
    hz: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """(rows + 1,) edges in Hz."""
    names: tuple[str, ...] = ()
    """Of descriptors or words."""
    completeness_gap: float = math.nan
    """By how much the scores fail to add up to the output minus that of the baseline."""


@dataclass(frozen=True, slots=True)
class Estimate(_Value):
    """A number with its 90 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class AcousticCue(_Value):
    """A descriptor measured somewhere, beside what experts expect of an emotion."""

    descriptor: str
    title: str
    """What the descriptor is called in a sentence."""
    value: float
    unit: str
    rest: float
    """The same in the rest of the speech."""
    contrast: float
    """Standard deviations above the mean of random windows of that length, same recording."""
    reference: str
    """Whom the z refers to."""
    usual: float
    """The mean of the reference, in the same unit."""
    z: float
    """Standard deviations above the mean of the reference."""
    expected: float
    """-2 strong fall, -1 fall, 0 as in neutral speech, 1 rise, 2 strong rise; NaN: no expectation.

    Of a contrast between two emotions their difference.
    """
    citation: str
    """Keys of the literature that expects it, as in assets/references."""
    judgement: str
    """supports, contradicts, neutral or not measurable"""
    weight: float
    """How much the literature agrees on it, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Moment(_Value):
    """A stretch of sound that speaks for the label explained."""

    start: float
    end: float
    low_hz: float
    high_hz: float
    """The band in which it speaks for it most."""
    score: float
    """Log-odds of the label that are lost without it."""
    share: float
    """Of all that speaks for the label, 0 to 1."""
    cues: tuple[AcousticCue, ...]


@dataclass(frozen=True, slots=True)
class Removal(_Value):
    """The probability of the label explained when a share of the time is taken away."""

    fill: str
    """What stood in for it."""
    share: float
    before: float
    salient: float
    """Without the most salient time."""
    loudest: float
    """Without the loudest time."""
    random: float
    """Without random windows, on average."""
    random_low: float
    random_high: float
    """5 % and 95 % of the draws."""
    beaten: float
    """The share of the draws that leave a higher probability than the most salient time."""


@dataclass(frozen=True, slots=True, eq=False)
class Faithfulness(_Value):
    """Whether what an attribution points at is what the model goes by."""

    method: str
    removals: tuple[Removal, ...]
    shares: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """(points,) of the time that is taken away or left, 0 to 1."""
    deletion: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """(points,) probability without the most salient share."""
    insertion: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """(points,) probability with the most salient share alone."""
    stability: Mapping[str, float] = field(default_factory=dict)
    """Change of the recording -> rank correlation of the attributions before and after."""
    agreement: Mapping[str, float] = field(default_factory=dict)
    """Other method -> rank correlation with its attribution."""

    @property
    def passed(self) -> bool:
        """Whether the salient time matters more than random windows, by every fill."""
        return all(one.salient < one.random for one in self.removals)


@dataclass(frozen=True, slots=True)
class Counterfactual(_Value):
    """What the model makes of the same voice with one cue changed: synthetic sound."""

    edit: Mapping[str, float]
    """What was asked for, such as ``f0_shift_st`` -> 2."""
    before: Emotion
    after: Emotion
    identity: Emotion
    """Of the voice taken apart and put together without a change: the control."""
    measured: Mapping[str, Quantity]
    """Descriptors found again in the changed sound."""


@dataclass(frozen=True, slots=True)
class Explanation(_Value):
    """Why the model says what it says, and how far that may be trusted."""

    effort: str
    """quick or full"""
    output: str
    """The label explained."""
    runner_up: str
    """The most probable other label."""
    segment: int
    """The stretch explained, of ``Analysis.segments``: the one that speaks most for the label."""
    attributions: tuple[Attribution, ...]
    moments: tuple[Moment, ...]
    """In order of time."""
    cues: tuple[AcousticCue, ...]
    """Of the whole stretch."""
    contrast: tuple[AcousticCue, ...]
    """Those whose expectation differs between the label and the runner-up."""
    plausibility: Estimate
    """Weighted share of the cues in the moments that go the expected way."""
    faithfulness: Faithfulness
    counterfactuals: tuple[Counterfactual, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Word(_Value):
    """A spoken word, with its punctuation."""

    text: str
    start: float
    """Seconds of the original recording; NaN where the word has no time."""
    end: float
    confidence: float
    """That the word was said, there: in [0, 1]."""
    prominence: float = math.nan
    """How much the word stands out from its sentence, in [0, 1]; NaN where not measurable."""
    cues: Mapping[str, float] = field(default_factory=dict)
    """What makes it prominent: z of each cue within the sentence."""
    expressive: float = math.nan
    """Chance that the word tells the speaker's own reaction, not what happened; in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Transcript(_Value):
    """What is said: a text, and the words of it in their order."""

    text: str
    words: tuple[Word, ...]
    language: str
    """Two letters, such as en; empty where unknown."""
    source: str
    """The transcriber, or the file that was given and the aligner."""
    confidence: float
    """That these words were said: the mean over the words, in [0, 1]."""
    warnings: tuple[str, ...] = ()

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Characters of ``text`` that each word takes, half-open."""
        found, position = [], 0
        for word in self.words:
            position = self.text.index(word.text, position)
            found.append((position, position + len(word.text)))
            position += len(word.text)
        return tuple(found)

    def share(self, kind: str, roles: tuple[Role, ...]) -> float:
        """Of the words, those that begin in a part of that kind."""
        parts = [(role.start, role.end) for role in roles if role.kind == kind]
        inside = sum(any(start <= at < end for start, end in parts) for at, _ in self.spans)
        return inside / len(self.words) if self.words else math.nan


@dataclass(frozen=True, slots=True)
class Role(_Value):
    """A part of a text that tells what happened, or the speaker's own reaction (arXiv 2510.03060).

    The roles of a text follow each other and leave nothing out.
    """

    kind: str
    """descriptive or expressive"""
    start: int
    """Characters of the text, half-open."""
    end: int
    confidence: float
    """In [0, 1]."""


@dataclass(frozen=True, slots=True)
class TextEmotion(_Value):
    """What the words say, however they are spoken."""

    categories: Mapping[str, float]
    """Label -> calibrated probability; empty where the words tell nothing."""
    writer: Dimensions | None
    """As who says it would mean it."""
    reader: Dimensions | None
    """As it strikes who reads it."""
    attribution: Attribution | None
    """What each word does to the most probable label, in log-odds."""
    reason: str | None = None
    """Why the words were left out of account, where they were."""


@dataclass(frozen=True, slots=True)
class Fusion(_Value):
    """Voice and words taken together."""

    categories: Mapping[str, float]
    verdict: Verdict
    shares: Mapping[str, float]
    """voice and words: what each contributes to the label on top; they add up to 1."""
    relation: str
    """agreement, conflict or open"""


@dataclass(frozen=True, slots=True)
class SemanticFusion(_Value):
    """What a model that also reads makes of voice and words together (MSF-SER, arXiv 2510.05749).

    It reads up to three texts: the ``emphasised`` words, the ``transcript`` as a whole, and an
    ``interpretation`` of it.
    """

    dimensions: Dimensions
    effects: Mapping[str, Mapping[str, float]]
    """Dimension -> text that there was -> by how much it moves the value: its Shapley value.

    Together with the value of the voice alone (``emotion.dimensions``) they add up to the value.
    """
    gates: Mapping[str, float]
    """Text -> how much it counts among the texts; they add up to 1. Empty without such a gate.

    What stands in for a text that is missing has a weight, too.
    """
    routes: Mapping[str, tuple[float, ...]]
    """Dimension -> how much it goes by each expert of the network; they add up to 1."""
    emphasised: tuple[int, ...] = ()
    """Numbers of the words of the transcript that were read as emphasised."""
    extended: str = ""
    """The interpretation that was read."""

    @property
    def texts(self) -> tuple[str, ...]:
        """Those that there were."""
        return tuple(next(iter(self.effects.values())))

    @property
    def voice(self) -> dict[str, float]:
        """Dimension -> value of the voice alone, as if there were no text."""
        moved = {name: sum(effects.values()) for name, effects in self.effects.items()}
        return {name: getattr(self.dimensions, name).value - by for name, by in moved.items()}

    @property
    def shares(self) -> dict[str, dict[str, float]]:
        """Dimension -> text -> what it contributes to all that the texts do, in [0, 1].

        Its effect without the sign over the sum of all; NaN where none has any.
        """
        return {name: _shares(one) for name, one in self.effects.items()}


def _shares(effects: Mapping[str, float]) -> dict[str, float]:
    total = sum(map(abs, effects.values())) or math.nan
    return {name: abs(effect) / total for name, effect in effects.items()}


@dataclass(frozen=True, slots=True)
class Claim(_Value):
    """A sentence, and the places in the Analysis that it stands on."""

    text: str
    evidence: tuple[str, ...]
    """Such as ``explanation.moments.0.cues.2``."""


@dataclass(frozen=True, slots=True)
class Narration(_Value):
    """The claims in the words of a language model, as far as the evidence bears them out."""

    reader: str
    """lay or specialist"""
    sentences: tuple[Claim, ...]
    """Empty where nothing that it wrote could be kept; then the claims stand alone, as always."""
    dropped: Mapping[str, int]
    """Why sentences were left out -> how many."""
    source: str
    """The model."""


@dataclass(frozen=True, slots=True)
class Heard(_Value):
    """A descriptor as a model hears it, beside what was measured of it."""

    word: str
    """Such as high."""
    probability: float
    """Of the word among all that the model could say of the descriptor."""
    measured: str | None
    """The word by what was measured; None where nothing reliable was."""
    quantity: Quantity | None
    """What was measured; None of a descriptor that is no single quantity."""
    agreement: str
    """agree, one step off, disagree, not measured, or not heard: the word is too unsure."""


@dataclass(frozen=True, slots=True)
class Listening(_Value):
    """How a stretch of speech sounds to a small model that tells it in words; not measured."""

    segment: int
    """The stretch, of ``Analysis.segments``."""
    text: str
    """What it is sure enough of, as a phrase."""
    heard: Mapping[str, Heard]
    """Descriptor -> all that it hears, in the order in which it is spoken."""
    categories: Mapping[str, float]
    """Label -> probability that it gives the emotion."""
    source: str
    """The model."""


@dataclass(frozen=True, slots=True)
class SegmentAnalysis(_Value):
    """One stretch of speech."""

    start: float
    end: float
    speaker: str | None
    emotion: Emotion
    descriptors: Descriptors


@dataclass(frozen=True, slots=True)
class Analysis(_Document):
    """The one object that every door returns; its JSON is told in docs/schema.md."""

    SCHEMA: ClassVar[str] = SCHEMA_VERSION

    source: str
    duration: float
    """Seconds of audio."""
    speech_duration: float
    """Seconds in which somebody speaks."""
    emotion: Emotion
    descriptors: Descriptors
    segments: tuple[SegmentAnalysis, ...]
    warnings: tuple[str, ...]
    provenance: Mapping[str, Any]
    explanation: Explanation | None = None
    claims: tuple[Claim, ...] = ()
    transcript: Transcript | None = None
    roles: tuple[Role, ...] = ()
    """Of the transcript's text."""
    text_emotion: TextEmotion | None = None
    fusion: Fusion | None = None
    semantic_fusion: SemanticFusion | None = None
    narration: Narration | None = None
    listening: tuple[Listening, ...] | None = None
    """Of each stretch in which a voice is heard; None where no model listened."""


@dataclass(frozen=True, slots=True)
class Provisional(_Value):
    """How somebody sounds who is still speaking: from the newest seconds alone, and to change."""

    utterance: int
    """Which of the stream, from 0; its Final has the same."""
    start: float
    """Of what it is computed from, seconds into the stream."""
    end: float
    emotion: Emotion
    warnings: tuple[str, ...]

    def to_dict(self, *, tracks: bool = False) -> dict[str, Any]:
        """Plain JSON values, with ``type``."""
        return {"type": "provisional", **_Value.to_dict(self, tracks=tracks)}


@dataclass(frozen=True, slots=True)
class Final(_Value):
    """An utterance of a stream, and the whole Analysis of it."""

    utterance: int
    """Which of the stream, from 0."""
    start: float
    """Seconds into the stream."""
    end: float
    analysis: Analysis
    """Of the utterance; times in it are those of the stream."""
    warnings: tuple[str, ...]
    """What happened to the stream; those of the sound stand in the Analysis."""

    @property
    def emotion(self) -> Emotion:
        """That of the utterance as a whole."""
        return self.analysis.emotion

    def to_dict(self, *, tracks: bool = False) -> dict[str, Any]:
        """Plain JSON values, with ``type`` and ``emotion``; tracks only when asked for."""
        plain = _Value.to_dict(self, tracks=tracks)
        return {"type": "final", "emotion": plain["analysis"]["emotion"], **plain}
