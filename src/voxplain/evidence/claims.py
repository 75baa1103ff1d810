"""Claims: what an Analysis has found, as sentences made by rule, each with its evidence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import zip_longest

from voxplain.evidence.grounds import STRESS, TEXTS, emphasised, quoted
from voxplain.labels import phrase
from voxplain.types import (
    AcousticCue,
    Analysis,
    Claim,
    Descriptors,
    Emotion,
    Explanation,
    Fusion,
    Role,
    SemanticFusion,
    TextEmotion,
    Transcript,
)

__all__ = ["claims"]

_OF_A_KIND = 2
"""Cues of a moment, cues of the contrast and changes of the voice that are told, the strongest."""
_STRESSED = 0.7
"""Prominence from which on a word is told; the choice is that of its card."""
_FELT = 0.05
"""Of a probability or a dimension, from where on a change of it is worth a sentence."""
_IN_HZ = {"f0_mean_st": "f0_mean_hz"}  # semitones compare pitches, hertz are what people know
_EDITS = {  # key -> what was changed
    "breathiness": "a breathiness of {size}",
    "f0_range": "{size} times the pitch range",
    "f0_shift_st": "the pitch {size} st {direction}",
    "gain_db": "the intensity {size} dB {direction}",
    "tempo": "{size} times the tempo",
    "tilt_db": "the high-frequency energy (alpha) {size} dB {direction}",
}


def claims(analysis: Analysis) -> tuple[Claim, ...]:
    """Reasons, what speaks against them, tests of both, the verdict, and how the voice sounds.

    Reasons come by strength: the strongest of each kind, then the second of each. What can't be
    measured isn't told. ``evidence.checking.check`` finds nothing wrong with any sentence.
    """
    explanation, emotion = analysis.explanation, analysis.emotion
    found: list[Claim] = []
    if explanation is not None:
        when = _when(analysis, explanation)
        kinds = (
            _heard(explanation),
            _changed(explanation, when),
            _cues(explanation, "supports"),
            _contrasts(explanation, when),
        )
        found += (claim for row in zip_longest(*kinds) for claim in row if claim)
        found += [*_cues(explanation, "contradicts"), *_tests(explanation, when)]
    found += [_verdict(emotion), *_listeners(emotion), *_words(analysis)]
    return (*found, *_levels(analysis.descriptors), *_dimensions(emotion))


def _heard(explanation: Explanation) -> Iterator[Claim]:
    """Where it is heard."""
    moments = enumerate(explanation.moments)
    for number, moment in sorted(moments, key=lambda item: -item[1].share):
        yield _claim(
            f"of all that points to {phrase(explanation.output)}, {100 * moment.share:.0f} % is "
            f"heard {_time(moment.start, moment.end)}, "
            f"between {moment.low_hz:.0f} and {moment.high_hz:.0f} Hz",
            f"explanation.moments.{number}",
        )


def _cues(explanation: Explanation, judgement: str) -> Iterator[Claim]:
    """What experts listen for in the moments."""
    label = phrase(explanation.output)
    for number, place, cue in _in_moments(explanation, judgement):
        moment = explanation.moments[number]
        said = _said(cue, label, f"in {label} speech")
        path = f"explanation.moments.{number}.cues.{place}"
        yield _claim(f"{_time(moment.start, moment.end)}, {said}", path)


def _contrasts(explanation: Explanation, when: str) -> Iterator[Claim]:
    """What tells it from the runner-up, where the cue itself goes the way of the difference.

    Last comes the descriptor that is told first of the moments: it needs no second place.
    """
    label, rival = phrase(explanation.output), phrase(explanation.runner_up)
    first = {cue.descriptor for _, _, cue in _in_moments(explanation, "supports")[:1]}
    found = _strongest(explanation.contrast, "supports")
    for place, cue in sorted(found, key=lambda item: item[1].descriptor in first):
        if cue.z * cue.expected > 0:
            said = _said(cue, f"{label} rather than {rival}", f"in {label} than in {rival} speech")
            yield _claim(f"{when}{said}", f"explanation.contrast.{place}")


def _in_moments(explanation: Explanation, judgement: str) -> list[tuple[int, int, AcousticCue]]:
    """The strongest cues of each moment, with the number of the moment and their place in it."""
    found = [
        (number, place, cue)
        for number, moment in enumerate(explanation.moments)
        for place, cue in _strongest(moment.cues, judgement)
    ]
    moments = explanation.moments
    return sorted(found, key=lambda item: -moments[item[0]].share * _strength(item[2]))


def _strongest(cues: tuple[AcousticCue, ...], judgement: str) -> list[tuple[int, AcousticCue]]:
    """Of the cues so judged that can be told, the strongest with their places."""
    found = [
        (place, cue)
        for place, cue in enumerate(cues)
        if cue.judgement == judgement and cue.z * (cue.value - cue.usual) > 0
    ]
    return sorted(found, key=lambda item: -_strength(item[1]))[:_OF_A_KIND]


def _strength(cue: AcousticCue) -> float:
    """Where the usual is expected, the nearer the better."""
    near = cue.judgement == "supports" and cue.expected == 0
    return cue.weight * (1 / (1 + abs(cue.z)) if near else abs(cue.z))


def _said(cue: AcousticCue, point: str, speech: str) -> str:
    """A cue beside what is usual and what is expected."""
    above = cue.value - cue.usual
    unit = "percentage points" if cue.unit == "%" else cue.unit
    verb = "speaks for" if cue.judgement == "supports" else "speaks against"
    values = "higher" if cue.expected > 0 else "lower" if cue.expected < 0 else "usual"
    sources = "; ".join(map(_short, cue.citation.split(",")))
    return (
        f"{cue.title} {_with_unit(abs(above), unit)} {'above' if above > 0 else 'below'} the "
        f"usual, z {cue.z:+.1f} against {cue.reference}, {verb} {point}: "
        f"experts expect {values} values {speech} ({sources})"
    )


def _short(key: str) -> str:
    """A reference in brief.

    >>> _short("juslin_laukka_2003")
    'Juslin & Laukka 2003'
    """
    *authors, year = key.strip().split("_")
    return f"{' & '.join(map(str.capitalize, authors))} {year}"


def _changed(explanation: Explanation, when: str) -> Iterator[Claim]:
    """What the model makes of the voice with one thing changed, by how much that matters.

    What moves the probability by less than 0.05, or no more than taking the voice apart does, is
    not told.
    """
    label, told = explanation.output, []
    for number, one in enumerate(explanation.counterfactuals):
        versions = (one.before, one.identity, one.after)
        if len(one.edit) > 1 or not all(label in version.categories for version in versions):
            continue
        before, identity, after = (version.categories[label] for version in versions)
        ((key, value),) = one.edit.items()
        if key not in _EDITS or abs(after - identity) <= max(_FELT, abs(identity - before)):
            continue
        edit = _EDITS[key].format(
            size=f"{abs(value):.3g}", direction="higher" if value > 0 else "lower"
        )
        text = (
            f"{when}with {edit}, a synthetic voice, the probability of {phrase(label)} "
            f"{_moves(before, after)}; put together unchanged it is {identity:.2f}"
        )
        told.append((abs(after - identity), text, f"explanation.counterfactuals.{number}"))
    for _, text, path in sorted(told, reverse=True)[:_OF_A_KIND]:
        yield _claim(text, path)


def _tests(explanation: Explanation, when: str) -> Iterator[Claim]:
    """What comes of taking the moments away."""
    for number, one in enumerate(explanation.faithfulness.removals):
        if not math.isfinite(one.before + one.salient + one.random + one.loudest):
            continue
        removed = (
            f"without the most salient {100 * one.share:.0f} % of the time, "
            f"{one.fill.replace('_', ' ')} in its place, "
            f"the probability of {phrase(explanation.output)}"
        )
        if one.salient < one.random:
            text = (
                f"{removed} {_moves(one.before, one.salient)}; without random windows it is "
                f"{one.random:.2f}, without the loudest {one.loudest:.2f}"
            )
        else:
            text = (
                f"these moments matter no more than random windows: {removed} is "
                f"{one.salient:.2f}, without random windows {one.random:.2f}"
            )
        yield _claim(f"{when}{text}", f"explanation.faithfulness.removals.{number}")


def _moves(before: float, after: float) -> str:
    one, other = f"{before:.2f}", f"{after:.2f}"
    if one == other:
        return f"stays at {other}"
    return f"{'rises' if after > before else 'falls'} from {one} to {other}"


def _verdict(emotion: Emotion) -> Claim:
    labels = emotion.verdict.labels
    if not labels:
        reason = (
            f"there is not enough evidence to say how the voice sounds: {emotion.verdict.reason}"
        )
        return _claim(reason, "emotion.verdict")
    named = [f"{phrase(label)} ({emotion.categories[label]:.2f})" for label in labels]
    sounds = " or ".join(named).replace("(", "(probability ", 1)
    paths = (f"emotion.categories.{label}" for label in labels)
    return _claim(f"the voice sounds {sounds}", "emotion.verdict", *paths)


def _listeners(emotion: Emotion) -> Iterator[Claim]:
    """What they would say."""
    if not emotion.perceived:
        return
    most, *others = (
        (f"{100 * emotion.perceived[label]:.0f} %", phrase(label))
        for label in (max(emotion.perceived, key=emotion.perceived.__getitem__), *emotion.minor)
    )
    whose = (
        "listeners would disagree: {} would"
        if max(emotion.perceived.values()) < 0.5
        else "{} of listeners would"
    )
    named = "".join(f", {share} {label}" for share, label in others)
    yield _claim(f"{whose.format(most[0])} call the voice {most[1]}{named}", "emotion.perceived")


def _words(analysis: Analysis) -> Iterator[Claim]:
    """What is said: beside the voice, which words are stressed, and what they are about."""
    if analysis.transcript is None:
        return
    if analysis.fusion is not None:
        yield from _fused(analysis.fusion)
    if analysis.semantic_fusion is not None:
        yield from _read(analysis.semantic_fusion, analysis.transcript)
    if analysis.text_emotion is not None:
        yield from _said_in_words(analysis.text_emotion)
    yield from _stressed(analysis.transcript)
    if analysis.roles:
        yield _reaction(analysis.transcript, analysis.roles)


def _fused(fusion: Fusion) -> Iterator[Claim]:
    if fusion.relation != "open":
        said = "agree" if fusion.relation == "agreement" else "are in conflict"
        yield _claim(f"voice and words {said}", "fusion.relation")
    if fusion.verdict.labels:
        top = fusion.verdict.labels[0]
        named = " or ".join(phrase(label) for label in fusion.verdict.labels)
        yield _claim(
            f"voice and words together sound {named}; the probability of {phrase(top)} is "
            f"{fusion.categories[top]:.2f}, {100 * fusion.shares['words']:.0f} % of it from the "
            "words",
            "fusion",
        )


def _read(fusion: SemanticFusion, transcript: Transcript) -> Iterator[Claim]:
    """The dimensions that the words move, and which of the texts do it, the strongest first."""
    for name, effects in fusion.effects.items():
        before, after = fusion.voice[name], getattr(fusion.dimensions, name).value
        if abs(after - before) < _FELT:
            continue
        parts: list[str] = []
        for text, effect in sorted(effects.items(), key=lambda item: -abs(item[1])):
            share, does = 100 * fusion.shares[name][text], "" if parts else "of what they do comes "
            listed = f" {emphasised(fusion, transcript)}" if text == "emphasised" else ""
            parts.append(f"{share:.0f} % {does}from {TEXTS[text]}{listed} ({effect:+.2f})")
        said = f"with the words, {name} {_moves(before, after)}: {', '.join(parts)}"
        yield _claim(said, f"semantic_fusion.effects.{name}")


def _said_in_words(found: TextEmotion) -> Iterator[Claim]:
    if not found.categories:
        return
    top = max(found.categories, key=found.categories.__getitem__)
    yield _claim(
        f"the words alone sound {phrase(top)} (probability {found.categories[top]:.2f})",
        f"text_emotion.categories.{top}",
    )
    most = found.attribution
    if most is not None and most.scores.size and most.scores.max() > 0:
        word = quoted(most.names[int(most.scores.argmax())])
        yield _claim(
            f"of the words, {word} speaks for {phrase(most.output)} most of all",
            "text_emotion.attribution",
        )


def _stressed(transcript: Transcript) -> Iterator[Claim]:
    """The words that stand out most, with the cues that lift them."""
    found = [
        (word.prominence, number)
        for number, word in enumerate(transcript.words)
        if word.prominence >= _STRESSED
    ]
    for prominence, number in sorted(found, reverse=True)[:_OF_A_KIND]:
        word = transcript.words[number]
        raised = sorted(word.cues.items(), key=lambda item: -item[1])[:_OF_A_KIND]
        lifted = "".join(f", {STRESS.get(name, name)} z {z:+.1f}" for name, z in raised if z > 0)
        beside = f"{lifted} against the other words" if lifted else ""
        yield _claim(
            f"{quoted(word.text)} is stressed {_time(word.start, word.end)}, with a prominence of "
            f"{prominence:.2f}{beside}",
            f"transcript.words.{number}",
            *([f"transcript.words.{number}.cues"] if lifted else []),
        )


def _reaction(transcript: Transcript, roles: tuple[Role, ...]) -> Claim:
    share = 100 * transcript.share("expressive", roles)
    return _claim(f"{share:.0f} % of the words tell the speaker's own reaction", "roles")


def _levels(found: Descriptors) -> Iterator[Claim]:
    """The most unusual descriptors."""
    for name in found.prominent:
        level, shown = found.levels[name], _IN_HZ.get(name, name)
        quantity = found.functionals[shown]
        yield _claim(
            f"{level.title} is {level.word}: {_with_unit(quantity.value, quantity.unit)}, "
            f"z {level.z:+.1f} against {level.reference}",
            f"descriptors.levels.{name}",
            f"descriptors.functionals.{shown}",
        )


def _dimensions(emotion: Emotion) -> Iterator[Claim]:
    if emotion.dimensions is None:
        return
    for name in ("valence", "arousal", "dominance"):
        found, proxy = getattr(emotion.dimensions, name), emotion.dimensions.proxy
        said = f"{name} is {found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
        yield _claim(f"{said}, a proxy {proxy}" if proxy else said, f"emotion.dimensions.{name}")


def _when(analysis: Analysis, explanation: Explanation) -> str:
    """Of several stretches the one that is explained; nothing where there is one."""
    if len(analysis.segments) == 1:
        return ""
    stretch = analysis.segments[explanation.segment]
    return f"{_time(stretch.start, stretch.end)}, "


def _time(start: float, end: float) -> str:
    return f"from {start:.1f} to {end:.1f} s"


def _with_unit(value: float, unit: str) -> str:
    return f"{_figures(value)} {unit}".strip()


def _figures(value: float) -> str:
    """Two figures, or all of what stands before the point.

    >>> _figures(317.2), _figures(-4.15), _figures(0.0123), _figures(2.0)
    ('317', '-4.2', '0.012', '2.0')
    """
    decimals = 1 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{max(0, decimals)}f}"


def _claim(text: str, *evidence: str) -> Claim:
    return Claim(f"{text[0].upper()}{text[1:]}.", evidence)
