"""What is spoken of a voice: descriptors in three levels, in a fixed order, then the emotion.

::

    pitch high, range wide, contour falling, loudness loud, dynamics varied, tempo fast, pauses few,
    voice tense, brightness bright, tone urgent, stress on eleven: sounds angry

A word stands in a *slot* behind its fixed *lead*; what may stand there are the slot's candidates.
After the fine-grained descriptors of Chen et al. 2025 (arXiv 2505.23236), measured instead of
tagged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from voxplain.errors import BadReply, ConfigError, UnknownName
from voxplain.labels import phrase
from voxplain.types import _Value

__all__ = [
    "ATTRIBUTES",
    "NO_STRESS",
    "SLOTS",
    "TONES",
    "Attribute",
    "Described",
    "Description",
    "Middle",
    "Part",
    "Slot",
    "confident",
    "distinct_words",
    "leaning",
    "parsed",
    "parts",
    "slots",
    "spoken",
    "tone_of",
]


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that is heard in three levels."""

    name: str
    title: str
    words: tuple[str, str, str]
    """Of a low, a middle and a high value of the descriptor."""
    descriptor: str
    """The functional it is measured by, of ``voxplain.descriptors.inventory()``."""


ATTRIBUTES = (
    Attribute("pitch", "pitch", ("low", "medium", "high"), "f0_mean_st"),
    Attribute("range", "pitch range", ("narrow", "medium", "wide"), "f0_range_st"),
    Attribute(
        "contour", "final contour", ("falling", "level", "rising"), "f0_final_slope_st_per_s"
    ),
    # Of the recording: how loud a voice was depends on the microphone, too. ``loudness_mean`` is
    # not reliable in soft voices, and would teach "quiet" by loud ones.
    Attribute("loudness", "loudness", ("quiet", "medium", "loud"), "intensity_mean_db"),
    Attribute(
        "dynamics", "loudness variability", ("even", "medium", "varied"), "intensity_range_db"
    ),
    Attribute("tempo", "tempo", ("slow", "medium", "fast"), "articulation_rate"),
    Attribute("pauses", "pauses", ("few", "some", "many"), "pause_share"),
    # A glottis that closes slowly leaves little of the upper harmonics (Hanson 1997).
    Attribute("voice", "voice quality", ("tense", "clear", "breathy"), "h1_a3_mean_db"),
    Attribute("brightness", "brightness", ("dark", "medium", "bright"), "alpha_ratio_mean_db"),
)
"""In the order in which they are spoken."""

_NAMED = {attribute.name: attribute for attribute in ATTRIBUTES}

TONES = ("urgent", "firm", "lively", "soft", "flat", "even")
"""What the levels amount to; ``tone_of`` has the rule."""

NO_STRESS = "none"
"""Stands where no word is stressed."""

_LEADS = {name: name for name in _NAMED} | {
    "tone": "tone",
    "stress": "stress on",
    "emotion": "sounds",
}

SLOTS = tuple(_LEADS)
"""Names of all slots, in order."""


@dataclass(frozen=True, slots=True)
class Description(_Value):
    """How a voice sounds, as far as it is known.

    Raises UnknownName for what is no attribute or tone, ConfigError for what is no level or more
    than one stressed word.
    """

    levels: Mapping[str, int] = field(default_factory=dict)
    """Name of an attribute -> -1, 0 or 1; those that are not known are left out."""
    tone: str = ""
    """Of ``TONES``; empty where it is not known."""
    emphasised: tuple[str, ...] | None = None
    """The stressed word as ``distinct_words`` has it, or no word; None where it is not known."""
    label: str = ""
    """The emotion; empty where it is not known."""

    def __post_init__(self) -> None:
        for name, level in self.levels.items():
            if name not in _NAMED:
                raise UnknownName("attribute", name, _NAMED)
            if level not in (-1, 0, 1):
                raise ConfigError(f"{name} has the level {level!r}; give -1, 0 or 1")
        if self.tone and self.tone not in TONES:
            raise UnknownName("tone", self.tone, TONES)
        if self.emphasised is not None and distinct_words(self.emphasised) != self.emphasised[:1]:
            raise ConfigError(
                f"stressed is {self.emphasised!r}; give at most one word, in lower case and "
                "without punctuation"
            )
        super(Description, self).__post_init__()  # slots=True makes another class of this one


Middle = tuple[float, float]
"""Where the middle level of an attribute begins and ends, in what ``leaning`` gives."""


class Slot(NamedTuple):
    """A place in the spoken text."""

    name: str
    """Of an attribute, ``tone``, ``stress`` or ``emotion``."""
    lead: str
    """The text before its word, without the space between the two."""
    candidates: tuple[str, ...]
    middle: Middle | None = None
    """Of an attribute: where its middle level is spoken. None: the most probable candidate is."""

    @property
    def spoken(self) -> tuple[str, ...]:
        """The candidates as they are spoken: of an emotion its adjective."""
        return tuple(map(phrase, self.candidates)) if self.name == "emotion" else self.candidates

    def choice(self, probabilities: Sequence[float]) -> int:
        """Which of the candidates is spoken.

        Of three levels the most probable one is hardly ever the middle of what is unsure. Where a
        ``middle`` is known the level goes by which way the probabilities lean.
        """
        if self.middle is None:
            return max(range(len(probabilities)), key=probabilities.__getitem__)
        low, high = self.middle
        lean = leaning(probabilities)
        return 1 + int(lean > high) - int(lean < low)


def leaning(levels: Sequence[float]) -> float:
    """What three levels are expected to be, of their probabilities: -1 to 1.

    >>> leaning([0.5, 0.25, 0.25])
    -0.25
    """
    low, _, high = levels
    return high - low


class Part(NamedTuple):
    """A slot that is filled."""

    name: str
    lead: str
    word: str


class Described(NamedTuple):
    """What is heard in a clip."""

    description: Description
    probabilities: dict[str, dict[str, float]]
    """Of the candidates of each slot, given the words before it; they add up to 1."""


def slots(
    *,
    words: Sequence[str] = (),
    labels: Sequence[str],
    taught: Collection[str] = SLOTS,
    middles: Mapping[str, Middle] = MappingProxyType({}),
) -> tuple[Slot, ...]:
    """The slots that were taught, in order, with their candidates; the emotion always is.

    ``words`` are those of the transcript, in any spelling: each may be stressed. ``middles`` are
    those of attributes.

    Raises ConfigError without labels.
    """
    if not labels:
        raise ConfigError("there are no labels to choose from; give at least one emotion")
    candidates = {name: one.words for name, one in _NAMED.items()} | {
        "tone": TONES,
        "stress": (NO_STRESS, *distinct_words(words)),
        "emotion": tuple(labels),
    }
    led = _led({*taught, "emotion"})
    return tuple(Slot(name, lead, candidates[name], middles.get(name)) for name, lead in led)


def parts(description: Description) -> tuple[Part, ...]:
    """What is known, in the order in which it is spoken."""
    words = {name: _NAMED[name].words[level + 1] for name, level in description.levels.items()}
    if description.tone:
        words["tone"] = description.tone
    if description.emphasised is not None:
        words["stress"] = next(iter(description.emphasised), NO_STRESS)
    if description.label:
        words["emotion"] = phrase(description.label)
    return tuple(Part(name, lead, words[name]) for name, lead in _led(words))


def spoken(description: Description) -> str:
    """The text that is learned and generated; what is not known is left out.

    >>> spoken(Description({"range": 1, "pitch": 1}, "urgent", ("eleven",), "angry"))
    'pitch high, range wide, tone urgent, stress on eleven: sounds angry'
    """
    return "".join(f"{part.lead} {part.word}" for part in parts(description))


def confident(described: Described, *, least: float) -> Description:
    """Without the words whose probability is below ``least``: who is not sure leaves them unsaid.

    The emotion is always told.

    >>> sure = {"pitch": {"low": 0.1, "medium": 0.2, "high": 0.7}}
    >>> dict(confident(Described(Description({"pitch": 1}), sure), least=0.8).levels)
    {}
    """
    description, probabilities = described
    unsure = {
        part.name
        for part in parts(replace(description, label=""))
        if probabilities[part.name][part.word] < least
    }
    return replace(
        description,
        levels={name: one for name, one in description.levels.items() if name not in unsure},
        tone="" if "tone" in unsure else description.tone,
        emphasised=None if "stress" in unsure else description.emphasised,
    )


def parsed(text: str, *, labels: Sequence[str]) -> Description:
    """What a spoken text says.

    Raises BadReply for a text that ``spoken`` does not give of any description.
    """
    lead, space, label = text.rpartition("sounds ")
    said, label = (lead.removesuffix(": "), label) if space else (text, "")
    levels: dict[str, int] = {}
    tone, emphasised = "", None
    for part in filter(None, said.split(", ")):
        name, _, word = part.removeprefix("stress on ").rpartition(" ")
        if part.startswith("stress on "):
            emphasised = () if word == NO_STRESS else (word,)
        elif name == "tone":
            tone = word
        elif name in _NAMED and word in _NAMED[name].words:
            levels[name] = _NAMED[name].words.index(word) - 1
        else:
            raise _unreadable(text, f"{part!r} is nothing that is known")
    known = {phrase(one): one for one in labels}
    if label and label not in known:
        raise _unreadable(text, f"{label!r} is not among {', '.join(known)}")
    try:
        description = Description(levels, tone, emphasised, known.get(label, ""))
    except (ConfigError, UnknownName) as error:
        raise _unreadable(text, str(error)) from error
    if spoken(description) != text:  # another order, something twice, a stray sign
        raise _unreadable(text, f"this would be {spoken(description)!r}")
    return description


def distinct_words(words: Iterable[str]) -> tuple[str, ...]:
    """Each word once: in lower case, without punctuation, in the order of the first occurrence.

    Signs inside a word stay, but for commas. "none" is left out: it says that no word is stressed.

    >>> distinct_words(["Don't", "forget", "a", "jacket,", "a", "-"])
    ("don't", 'forget', 'a', 'jacket')
    """
    bare = map(_letters, words)
    return tuple(dict.fromkeys(word for word in bare if word not in ("", NO_STRESS)))


def tone_of(levels: Mapping[str, int]) -> str:
    """What the levels amount to, of ``TONES``; empty where one that it goes by is not known.

    Loud: urgent if high or fast rather than low or slow, else firm. Not loud: lively with a wide
    pitch range; else soft if quiet, flat with a narrow range, even otherwise.
    """
    if not levels.keys() >= {"pitch", "range", "loudness", "tempo"}:
        return ""
    if levels["loudness"] > 0:
        return "urgent" if levels["pitch"] + levels["tempo"] > 0 else "firm"
    if levels["range"] > 0:
        return "lively"
    if levels["loudness"] < 0:
        return "soft"
    return "flat" if levels["range"] < 0 else "even"


def _led(names: Collection[str]) -> list[tuple[str, str]]:
    """The slots among the names, in order, with what stands before their words."""
    known = [name for name in SLOTS if name in names]
    signs = ["", *(": " if name == "emotion" else ", " for name in known[1:])]
    return [(name, sign + _LEADS[name]) for name, sign in zip(known, signs, strict=False)]


def _letters(word: str) -> str:
    lower = "".join(word.lower().split()).replace(",", "")
    return lower.strip("".join(sign for sign in lower if not sign.isalnum()))


def _unreadable(text: str, reason: str) -> BadReply:
    return BadReply(f"{text!r} is no description: {reason}; generate it slot by slot")
