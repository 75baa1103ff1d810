"""How numbers and findings are put in words, the same in every format."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from voxplain.descriptors import inventory
from voxplain.descriptors.f0 import SEMITONE_ZERO_HZ
from voxplain.evidence.grounds import TEXTS, emphasised
from voxplain.labels import phrase
from voxplain.models.description import ATTRIBUTES
from voxplain.types import (
    AcousticCue,
    Analysis,
    Attribution,
    Descriptors,
    Dimensions,
    Emotion,
    Explanation,
    Faithfulness,
    Listening,
    Narration,
    Word,
)

__all__ = [
    "LIMITS",
    "LISTENING",
    "ORIGIN",
    "RELATIONS",
    "agreements",
    "certainty",
    "changes",
    "clock",
    "described",
    "dimensions",
    "doubts",
    "effect",
    "expectation",
    "facts",
    "heard",
    "keys",
    "legend",
    "listened",
    "marked",
    "measured",
    "narration",
    "number",
    "phrased",
    "place",
    "printable",
    "probability",
    "quantity",
    "ranked",
    "read",
    "share",
    "sources",
    "stressed",
    "tested",
    "titled",
    "trusted",
    "unsure",
    "view",
    "z_score",
]

LIMITS = (
    "This report says what a voice sounds like to listeners, never what a person feels. It makes "
    "no claim about health, deception, personality or fitness.",
    "Not for the workplace, education, hiring, policing or diagnosis: Regulation (EU) 2024/1689 "
    "forbids inferring emotions at work and in education, and asks that people be informed "
    "elsewhere. The people recorded must know and agree.",
    "The embedded model learned from acted speech of adults. On spontaneous speech, other "
    "languages, children or poor recordings its probabilities may not hold, and a portrayed "
    "emotion is not what every listener hears.",
    "What experts expect was compiled from reviews of the literature at second hand; a cue that "
    "goes the expected way makes a reading plausible, it does not prove it.",
)
"""What a report must say about itself."""

ORIGIN = (
    "voxplain is Apache-2.0. Its embedded model holds layers of OpenAI Whisper tiny.en (MIT) and "
    "learned from CREMA-D (ODbL 1.0) and EMO-DB (CC0); the norms derive from both (ODbL 1.0); the "
    "speech detector is Silero VAD (MIT). Words are read by models that start from "
    "all-MiniLM-L6-v2 (Apache-2.0) and learned from GoEmotions (Apache-2.0), EmoBank (CC BY-SA "
    "4.0), the Helsinki Prosody Corpus (CC BY 4.0) and CREMA-D. The recording keeps the rights it "
    "has."
)
"""Licences of what the report stands on."""

LISTENING = (
    "What a small model hears and puts in words, which is no measurement. Beside it stands the "
    "word that was measured; what it is hardly sure of counts as not heard."
)
"""What a listening description is."""

RELATIONS = {
    "agreement": "The words say what the voice says.",
    "conflict": "The words say something else than the voice.",
    "open": "The words neither confirm nor contradict the voice.",
}
"""What becomes of voice and words, as a sentence."""

_AGREEMENTS = ("agree", "one step off", "disagree", "not measured", "not heard")
_STRESSED = 0.7
_UNSURE = 0.5
_IN_HZ = {"f0_mean_st": "f0_mean_hz"}
_UNMEASURED = "not measurable"
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_EDITS = {
    "breathiness": "breathiness {:g}",
    "f0_range": "pitch range × {:g}",
    "f0_shift_st": "pitch {:+g} st",
    "gain_db": "intensity {:+g} dB",
    "tempo": "tempo × {:g}",
    "tilt_db": "high-frequency energy (alpha) {:+g} dB",
}


def printable(text: str) -> str:
    """Control characters, and halves of characters, as escapes: no file of text can hold them.

    >>> printable("a\\x1b[31m\\x00")
    'a\\\\x1b[31m\\\\x00'
    """
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def number(value: float, *, signed: bool = False) -> str:
    """About three figures, but no more than two after the point.

    >>> number(1141.4), number(-0.0731), number(25.96, signed=True), number(math.nan)
    ('1,141', '−0.07', '+26.0', 'not measurable')
    """
    if not math.isfinite(value):
        return _UNMEASURED
    decimals = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:{'+' if signed else ''},.{decimals}f}".replace("-", "−")


def quantity(descriptor: str, value: float, unit: str) -> str:
    """A measured value with its unit; semitones compare pitches, hertz are what people know.

    >>> quantity("f0_mean_st", 41.9854, "st"), quantity("jitter_mean_percent", 2.9, "%")
    ('311 Hz', '2.90 %')
    """
    if descriptor in _IN_HZ and unit == "st":
        value, unit = SEMITONE_ZERO_HZ * 2 ** (value / 12), "Hz"
    return f"{number(value)} {unit}".strip() if math.isfinite(value) else _UNMEASURED


def probability(value: float) -> str:
    """Two decimals, never certainty.

    >>> probability(0.9985), probability(0.5), probability(0.0001)
    ('> 0.99', '0.50', '< 0.01')
    """
    if not math.isfinite(value):
        return "–"
    return "> 0.99" if value > 0.995 else "< 0.01" if value < 0.005 else f"{value:.2f}"


def share(value: float) -> str:
    """Of a hundred.

    >>> share(0.853)
    '85\\xa0%'
    """
    return f"{100 * value:.0f}\N{NO-BREAK SPACE}%" if math.isfinite(value) else "–"


def effect(value: float, part: float) -> str:
    """By how much a text moves a dimension, and its share of what all texts do.

    >>> effect(-0.042, 0.31)
    '−0.04 (31\\xa0%)'
    """
    return f"{number(value, signed=True)} ({share(part)})"


def z_score(z: float) -> str:
    """Standard deviations from the mean of the reference.

    >>> z_score(-2.06)
    'z −2.1'
    """
    return f"z {z:+.1f}".replace("-", "−") if math.isfinite(z) else _UNMEASURED


def clock(seconds: float) -> str:
    """Minutes and seconds, or hours.

    >>> clock(7.4), clock(3725)
    ('0:07', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def place(start: float, end: float) -> str:
    """Where a stretch lies in the recording.

    >>> place(0.384, 2.8)
    '0.38–2.80 s'
    """
    return f"{start:.2f}–{end:.2f} s"


def expectation(expected: float, *, explanation: Explanation | None = None) -> str:
    """What experts expect; with an explanation, of its label against the runner-up.

    >>> expectation(2.0), expectation(0.0), expectation(math.nan)
    ('strong rise', 'as in neutral speech', 'no expectation')
    """
    if not math.isfinite(expected):
        return "no expectation"
    if explanation is not None:
        pair = phrase(explanation.output), phrase(explanation.runner_up)
        higher, lower = pair if expected > 0 else pair[::-1]
        return f"higher in {higher} than in {lower} speech" if expected else "the same in both"
    if expected == 0:
        return "as in neutral speech"
    return ("strong " if abs(expected) > 1.5 else "") + ("rise" if expected > 0 else "fall")


def narration(found: Narration) -> str:
    """Who wrote it, that it was checked, and how much of it was left out.

    >>> narration(Narration("lay", (), {"said before": 1, "too much": 2}, "llama"))
    'Of what llama, a language model, wrote nothing was kept, and 3 sentences were left out (said \
before: 1, too much: 2). The findings made by rule stand.'
    """
    count = sum(found.dropped.values())
    why = ", ".join(f"{reason}: {number}" for reason, number in found.dropped.items())
    left_out = (
        f"{count} sentence{' was' if count == 1 else 's were'} left out{f' ({why})' if why else ''}"
    )
    if not found.sentences:
        return (
            f"Of what {found.source}, a language model, wrote nothing was kept, and {left_out}. "
            "The findings made by rule stand."
        )
    return (
        f"Written by {found.source}, a language model, for a {found.reader} reader. Each sentence "
        f"was held to the evidence; {left_out}."
    )


def listened(analysis: Analysis) -> tuple[Listening, list[Listening]] | None:
    """What was heard in the stretch explained, else in the first, and in the others."""
    found = list(analysis.listening or ())
    if not found:
        return None
    told = analysis.explanation.segment if analysis.explanation else found[0].segment
    one = next((one for one in found if one.segment == told), found[0])
    return one, [other for other in found if other is not one]


def phrased(analysis: Analysis, found: Listening) -> str:
    """What was heard in a stretch, and in which one where there are several."""
    if len(analysis.segments) < 2:
        return found.text
    stretch = analysis.segments[found.segment]
    return f"{place(stretch.start, stretch.end)}: {found.text}"


def agreements(found: Listening) -> str:
    """Which descriptors are heard as they are measured, and which are not.

    >>> from voxplain.types import Heard
    >>> loud = Heard("loud", 0.8, "medium", None, "one step off")
    >>> fast = Heard("fast", 0.9, "fast", None, "agree")
    >>> agreements(Listening(0, "", {"loudness": loud, "tempo": fast}, {}, ""))
    'agree: tempo; one step off: loudness (measured medium)'
    """
    groups: dict[str, list[str]] = {}
    for name, one in found.heard.items():
        off = one.agreement in ("one step off", "disagree")
        said = f"{name} (measured {one.measured})" if off else name
        groups.setdefault(one.agreement, []).append(said)
    order = sorted(groups, key=_AGREEMENTS.index)
    return "; ".join(f"{agreement}: {', '.join(groups[agreement])}" for agreement in order)


def heard(found: Listening) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Descriptor, its word and probability, the word and value by measurement, the agreement."""
    functional = {attribute.name: attribute.descriptor for attribute in ATTRIBUTES}
    for name, one in found.heard.items():
        value = ""
        if one.quantity is not None and one.measured is not None:
            value = quantity(functional[name], one.quantity.value, one.quantity.unit)
        yield name, one.word, probability(one.probability), one.measured or "", value, one.agreement


def changes(edit: Mapping[str, float]) -> str:
    """What was changed in a voice.

    >>> changes({"f0_shift_st": -3, "tempo": 0.85})
    'pitch −3 st, tempo × 0.85'
    >>> changes({"tilt_db": -3.857})
    'high-frequency energy (alpha) −3.86 dB'
    """
    said = (
        _EDITS.get(name, f"{name} {{:g}}").format(round(value, 2)) for name, value in edit.items()
    )
    return re.sub(r"-(?=\d)", "−", ", ".join(said))


def titled(descriptor: str) -> str:
    """What a descriptor is called in a sentence.

    >>> titled("f0_mean_st"), titled("unheard_of")
    ('pitch', 'unheard_of')
    """
    known = inventory().get(descriptor)
    return known.title if known else descriptor


def keys(cue: AcousticCue) -> list[str]:
    """Of the literature that a cue cites."""
    return [key for key in map(str.strip, cue.citation.split(",")) if key]


def sources(explanation: Explanation) -> dict[str, str]:
    """Key -> full reference of what its cues cite, in the order of a report."""
    from voxplain.evidence.references import citations

    inside = [cue for moment in explanation.moments for cue in moment.cues]
    cues = [*inside, *explanation.cues, *explanation.contrast]
    return {key: citations().get(key, key) for cue in cues for key in keys(cue)}


def ranked(cues: Iterable[AcousticCue]) -> list[tuple[int, AcousticCue]]:
    """Cues with their places, what speaks most for or against first, the not measurable last."""

    def telling(item: tuple[int, AcousticCue]) -> tuple[bool, float]:
        cue = item[1]
        strength = abs(cue.z) * cue.weight if math.isfinite(cue.z) else -1.0
        return cue.judgement in ("supports", "contradicts"), strength

    return sorted(enumerate(cues), key=telling, reverse=True)


def measured(cue: AcousticCue) -> list[str]:
    """The value of a cue, then what may be said beside it."""

    def said(value: float) -> str:
        return quantity(cue.descriptor, value, cue.unit)

    beside = [
        f"{name} {said(value)}"
        for name, value in (("rest", cue.rest), ("usual", cue.usual))
        if math.isfinite(value)
    ]
    lines = [said(cue.value), *([", ".join(beside)] if beside else [])]
    if math.isfinite(cue.contrast):
        side = "above" if cue.contrast > 0 else "below"
        lines.append(f"{abs(cue.contrast):.1f} SD {side} random windows")
    return lines


def view(attribution: Attribution) -> str:
    """What an attribution looks at, and how.

    >>> view(Attribution("occlusion", "angry", "time", [], "noise"))
    'time: occlusion (noise)'
    """
    axis, method = (text.replace("_", " ") for text in (attribution.axis, attribution.method))
    return f"{axis}: {method} ({attribution.baseline.replace('_', ' ')})"


def trusted(faithfulness: Faithfulness) -> bool:
    """Whether an explanation was tested and passed."""
    return bool(faithfulness.removals) and faithfulness.passed


def tested(faithfulness: Faithfulness) -> str:
    """What came of the test, as a sentence."""
    if not faithfulness.removals:
        return "This explanation was not tested: nothing shows that the model goes by it."
    if trusted(faithfulness):
        return (
            "Taking away the most salient time lowers the probability more than taking away "
            "random windows of the same length."
        )
    return (
        "This explanation failed its test: taking away what it calls salient lowers the "
        "probability no more than taking away random windows. Don't rely on it."
    )


def stressed(word: Word) -> bool:
    """Whether a word stands out from its sentence."""
    return word.prominence >= _STRESSED


def unsure(word: Word) -> bool:
    """Whether it may well be another word."""
    return not word.confidence >= _UNSURE


def legend(analysis: Analysis) -> str:
    """What the marks of ``marked`` mean."""
    reaction = ", [the speaker's own reaction]" if analysis.roles else ""
    return f"*stressed*{reaction}, ?not surely recognised?"


def marked(analysis: Analysis) -> str:
    """The transcript with signs around words and parts of it."""
    if analysis.transcript is None:
        return ""
    text, marks = analysis.transcript.text, list[tuple[int, int, str]]()  # place, order there, sign
    for word, (start, end) in zip(
        analysis.transcript.words, analysis.transcript.spans, strict=True
    ):
        sign = "?" if unsure(word) else "*" if stressed(word) else ""
        marks += [(start, 3, sign), (end, 0, sign)]
    for role in analysis.roles:
        inside = len(text[role.start : role.end].rstrip())
        if role.kind == "expressive" and inside:
            marks += [(role.start, 2, "["), (role.start + inside, 1, "]")]
    parts, place = [], 0
    for at, _, sign in sorted(marks):
        parts.append(f"{text[place:at]}{sign}")
        place = at
    return "".join((*parts, text[place:]))


def read(analysis: Analysis) -> Iterator[str]:
    """What a model that also reads has read and how it weighs it, in sentences."""
    found, transcript = analysis.semantic_fusion, analysis.transcript
    if found is None or transcript is None:
        return
    if found.emphasised:
        yield f"Read as emphasised: {emphasised(found, transcript)}."
    if found.extended:
        yield f"Read as the interpretation: {found.extended}"
    if found.gates:
        weights = ", ".join(
            f"{TEXTS[text]} {share(weight)}{'' if text in found.texts else ' (missing)'}"
            for text, weight in found.gates.items()
        )
        yield f"Weight among the texts: {weights}."
    if found.routes:
        experts = "; ".join(
            f"{name} {', '.join(map(share, weights))}" for name, weights in found.routes.items()
        )
        yield f"Weight of each expert of the network: {experts}."


def described(found: Descriptors, name: str) -> str:
    """The value that a level stands for."""
    one = found.functionals.get(_IN_HZ.get(name, name))
    return quantity(name, one.value, one.unit) if one else "–"


def facts(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names and values of a provenance; what lies inside another is named by both.

    >>> list(facts({"model": "speech", "config": {"relative": False}}))
    [('model', 'speech'), ('config.relative', 'False')]
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from facts(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)


def certainty(emotion: Emotion) -> str:
    """How sure the verdict is."""
    labels = emotion.verdict.labels
    if emotion.verdict.abstains:
        return f"No emotion is named: {emotion.verdict.reason}."
    meant = ", ".join(
        f"{phrase(label)} {probability(emotion.categories.get(label, math.nan))}"
        for label in labels
    )
    said = (
        "Probability that it was meant to sound so, among "
        f"{len(emotion.label_set)} emotions: {meant}."
    )
    if emotion.perceived:
        heard = ", ".join(
            f"{phrase(label)} {share(emotion.perceived.get(label, 0))}" for label in labels
        )
        said += f" Listeners who would say so from the voice alone: {heard}."
    if len(labels) > 1:
        said += (
            " As many emotions are named as it takes to hold the one that was meant in about nine "
            "of ten recordings."
        )
    return said


def dimensions(found: Dimensions) -> str:
    """What they are, without a full stop."""
    said = "Dimensions from 0 to 1 with 90 % intervals"
    return f"{said}: {found.proxy}" if found.proxy else said


def doubts(analysis: Analysis) -> list[str]:
    """What must be known before anything else, each a sentence."""
    found = [*analysis.warnings]
    if analysis.explanation is not None:
        test = analysis.explanation.faithfulness
        found += analysis.explanation.warnings or ([] if trusted(test) else [tested(test)])
    return [f"{doubt.rstrip('.')}." for doubt in found]
