"""Ways to make a claim false, to see whether a checker notices.

Each takes a claim and the Analysis that it is about, and gives claims that differ from it in one
thing and are no longer true, or hide what must be told. Where it can't be applied it gives none.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from voxplain.descriptors import inventory
from voxplain.evidence.grounds import TEXTS, quoted
from voxplain.evidence.references import citations
from voxplain.labels import CANONICAL, phrase
from voxplain.types import Analysis, Claim

__all__ = ["TAMPERINGS"]

Match = re.Match[str]
Tampering = Callable[[Claim, Analysis], Iterator[Claim]]

_NUMBER = r"(?<![\w.])\d+(?:\.\d+)?"
_YEAR = r"(?:19|20)\d\d$"
_TIME = r"rom (\d+\.\d) to (\d+\.\d) s"
_UNITS = ("s", "Hz", "st", "dB", "%", "times", "syllables/s", "percentage points")
_EMOTION = rf"\b(?:{'|'.join(map(phrase, CANONICAL))})\b"
_TITLES = sorted({one.title for one in inventory().values()}, key=len, reverse=True)
_TITLE = rf"(?i)(?<![\w-])(?:{'|'.join(map(re.escape, _TITLES))})(?![\w-])"
_REFERENCE = r"[^():;]+?(?: \([^)]*\))?(?=[,.])"
_REFERENCES = ("adults", "women (CREMA-D, EMO-DB; acted)", "the speaker's own recordings")
_VERB = r"\b(?:sounds|speaks|points|is|falls|rises|stays|expect|would|matter)\b"
_OPPOSITE = {"above": "below", "higher": "lower", "rises": "falls", "for": "against"}
_OPPOSITE |= {other: one for one, other in _OPPOSITE.items()}


def _at_each(pattern: str, *changes: Callable[[Match], str]) -> Tampering:
    """Wherever the pattern is found, changed there in each of the ways."""

    def tampered(claim: Claim, analysis: Analysis) -> Iterator[Claim]:
        for match in re.finditer(pattern, claim.text):
            for change in changes:
                yield from _put(claim, match, change(match))

    return tampered


def _put(claim: Claim, match: Match, text: str) -> Iterator[Claim]:
    if text != match.group():
        whole = claim.text[: match.start()] + text + claim.text[match.end() :]
        yield replace(claim, text=whole)


def _last_digit(match: Match) -> str:
    digits, last = match.group()[:-1], match.group()[-1]
    return f"{digits}{8 if last == '9' else int(last) + 1}"


def _shift(tens: int) -> Callable[[Match], str]:
    return lambda match: _like(match.group(), float(match.group()) * 10.0**tens)


def _like(digits: str, value: float) -> str:
    """A value written as the digits are, unless it is the same."""
    return f"{value:.{len(digits.partition('.')[2])}f}"


def _units(claim: Claim, analysis: Analysis) -> Iterator[Claim]:
    known = "|".join(sorted((*_UNITS, "dB/kHz", "dB/s", "st/s", "1/s"), key=len, reverse=True))
    for match in re.finditer(rf"({_NUMBER})(?: ({known})(?!\w))?", claim.text):
        rest = claim.text[match.end() :]
        for unit in ("", *_UNITS, "ms", "kHz"):
            if f" {unit}" not in rest:  # the first of a pair may have that of the second
                yield from _put(claim, match, f"{match[1]} {unit}".strip())


def _emotions(claim: Claim, analysis: Analysis) -> Iterator[Claim]:
    shares = {phrase(label): f"{one:.2f}" for label, one in analysis.emotion.perceived.items()}
    for match in re.finditer(_EMOTION, claim.text):
        for other in map(phrase, CANONICAL):
            if shares.get(match.group(), "here") != shares.get(other, "there"):
                yield from _put(claim, match, other)


def _probabilities(claim: Claim, analysis: Analysis) -> Iterator[Claim]:
    others = {f"{one:.2f}" for one in analysis.emotion.categories.values()}
    for match in re.finditer(r"(?<![\d.])[01]\.\d\d(?!\d)", claim.text):
        for other in others:
            yield from _put(claim, match, other)


def _numbers(claim: Claim, analysis: Analysis) -> Iterator[Claim]:
    """Two neighbours, each in the other's place; the order of citations does not matter."""
    found = [one for one in re.finditer(_NUMBER, claim.text) if not re.match(_YEAR, one.group())]
    for one, other in itertools.pairwise(found):
        if float(one.group()) != float(other.group()):
            between = claim.text[one.end() : other.start()]
            text = claim.text[: one.start()] + other.group() + between + one.group()
            yield replace(claim, text=text + claim.text[other.end() :])


def _titles(claim: Claim, analysis: Analysis) -> Iterator[Claim]:
    for match in re.finditer(_TITLE, claim.text):
        for title in _TITLES:
            if title.lower() != match.group().lower():
                yield from _put(claim, match, title)


def _citations(claim: Claim, analysis: Analysis) -> Iterator[Claim]:
    for match in re.finditer(r"[A-Z]\w+(?: & [A-Z]\w+)* \d{4}", claim.text):
        for key in citations():
            *authors, year = key.split("_")
            name = " & ".join(map(str.capitalize, authors))
            if f"{name} {year}" not in claim.text:
                yield from _put(claim, match, f"{name} {year}")
        yield from _put(claim, match, f"Nobody {match.group()[-4:]}")


def _evidence(claim: Claim, analysis: Analysis) -> Iterator[Claim]:
    """One that says something else, or does not exist."""
    known = [path for path, _ in _paths(analysis, "") if path not in claim.evidence]
    for place, path in enumerate(claim.evidence):
        kind = path.split(".")[:2]
        alike = [other for other in known if other.split(".")[:2] == kind]
        for other in (*alike[:20], "emotion.categories.relieved", "explanation.moments.99", ""):
            paths = (*claim.evidence[:place], other, *claim.evidence[place + 1 :])
            yield replace(claim, evidence=paths)


def _paths(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Whatever has a name or a number in an Analysis."""
    if dataclasses.is_dataclass(value):
        inside = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    elif isinstance(value, Mapping):
        inside = dict(value)
    elif isinstance(value, tuple):
        inside = {str(number): one for number, one in enumerate(value)}
    else:
        return
    for name, one in inside.items():
        yield f"{path}{name}", one
        yield from _paths(one, f"{path}{name}.")


def _dropped(claim: Claim, analysis: Analysis) -> Iterator[Claim]:
    for place in range(len(claim.evidence)):
        yield replace(claim, evidence=claim.evidence[:place] + claim.evidence[place + 1 :])


def _removals(claim: Claim, analysis: Analysis) -> Iterator[Claim]:
    """What was taken away, if that makes a difference."""
    *path, number = claim.evidence[0].split(".")
    if path[-1:] != ["removals"] or analysis.explanation is None:
        return
    one = analysis.explanation.faithfulness.removals[int(number)]
    if len({f"{value:.2f}" for value in (one.salient, one.loudest, one.random)}) == 3:
        kinds = ("most salient", "loudest", "random windows")
        yield from _at_each("|".join(kinds), *map(_always, kinds))(claim, analysis)


def _spoken(claim: Claim, analysis: Analysis) -> Iterator[Claim]:
    """Another word of the transcript in the place of one."""
    words = (
        {quoted(one.text) for one in analysis.transcript.words} if analysis.transcript else set()
    )
    for match in re.finditer("“[^”]*”", claim.text):
        for other in sorted(words):
            if other.lower() != match.group().lower():
                yield from _put(claim, match, other)


def _texts(claim: Claim, analysis: Analysis) -> Iterator[Claim]:
    """Another text in the place of the one that moves a dimension, if it moves it otherwise."""
    *path, name = claim.evidence[0].split(".")
    if path != ["semantic_fusion", "effects"] or analysis.semantic_fusion is None:
        return
    shown = {
        TEXTS[text]: f"{one:.2f}" for text, one in analysis.semantic_fusion.effects[name].items()
    }
    for one, other in itertools.permutations(shown, 2):
        if shown[one] != shown[other]:
            yield from _at_each(re.escape(one), _always(other))(claim, analysis)


def _clauses(claim: Claim, analysis: Analysis) -> Iterator[Claim]:
    other = next(phrase(one) for one in CANONICAL if phrase(one) not in claim.text)
    for more in (
        "because the speaker shouts",
        f"and the voice sounds {other}",
        f"rather than {other}",
        "which experts expect",
        "and the loudness is higher",
        "as in most recordings",
        "above all",
        "with 3 pauses",
        "for 0.4 s",
    ):
        yield replace(claim, text=f"{claim.text.removesuffix('.')}, {more}.")


def _always(text: str) -> Callable[[Match], str]:
    return lambda match: match.expand(text)


TAMPERINGS: Mapping[str, Tampering] = {
    "number": _at_each(_NUMBER, _last_digit),
    "decimal shift": _at_each(r"(?<![\w.-])\d+\.\d+", _shift(1), _shift(-1)),
    "magnitude": _at_each(r"(?<![\w.-])\d{2,}(?![\w.])", _shift(1), _shift(-1)),
    "unit": _units,
    "sign of z": _at_each(r"z \+(?!0\.0)", _always("z -")),
    "sign of a negative z": _at_each(r"z -(?!0\.0)", _always("z +"), _always("z ")),
    "sign": _at_each(r"(?<=[ (])(?=\d)(?!0(?:\.0+)?(?!\.?\d))", _always("-")),
    "direction": _at_each(
        r"\b(?:above|below|higher|lower|rises|falls)\b", lambda match: _OPPOSITE[match.group()]
    ),
    "usual for expected": _at_each("(?:higher|lower) values", _always("usual values")),
    "expected for usual": _at_each("usual values", _always("higher values")),
    "supports and contradicts": _at_each(
        "(?<=speaks )(?:for|against)", lambda match: _OPPOSITE[match.group()]
    ),
    "start": _at_each(
        _TIME,
        *(lambda m, by=by: f"rom {abs(float(m[1]) + by):.1f} to {m[2]} s" for by in (-1, 0.1)),
    ),
    "end": _at_each(
        _TIME, *(lambda m, by=by: f"rom {m[1]} to {float(m[2]) + by:.1f} s" for by in (0.1, 2))
    ),
    "times exchanged": _at_each(_TIME, _always(r"rom \2 to \1 s")),
    "time left out": _at_each(r"^From [\d.]+ to [\d.]+ s, (?=.*speaks)", _always("")),
    "band": _at_each(
        r"between (\d+) and (\d+) Hz",
        _always(r"between \2 and \1 Hz"),
        _always(r"between 5 and \2 Hz"),
    ),
    "emotion": _emotions,
    "runner-up": _at_each(rf"({_EMOTION}) rather than ({_EMOTION})", _always(r"\2 rather than \1")),
    "descriptor": _titles,
    "citation": _citations,
    "citation left out": _at_each(r" \([^()]*\d{4}\)(?=\.$)", _always("")),
    "reference": _at_each(rf"(?<=against ){_REFERENCE}", *map(_always, _REFERENCES)),
    "reference left out": _at_each(rf" against {_REFERENCE}", _always("")),
    "probability of another label": _probabilities,
    "before and after": _at_each(r"from ([01]\.\d\d) to ([01]\.\d\d)", _always(r"from \2 to \1")),
    "share": _at_each(rf"(?!0 )({_NUMBER}) %", _always(r"\1"), _always(r"0.\1 %")),
    "percent": _at_each(r"(?<![\d.])([01]\.\d\d)(?!\d)", _always(r"\1 %")),
    "numbers exchanged": _numbers,
    "evidence replaced": _evidence,
    "evidence dropped": _dropped,
    "negation": _at_each(
        _VERB, _always(r"\g<0> not"), _always(r"never \g<0>"), _always(r"\g<0> no")
    ),
    "hedge": _at_each(_VERB, _always(r"probably \g<0>"), _always(r"\g<0> far")),
    "is, not sounds": _at_each(
        rf"(?:\w+ \w+ )({_EMOTION})",
        _always(r"it is \1"),
        _always(r"the speaker is \1"),
        _always(r"it feels \1"),
    ),
    "speaker for voice": _at_each("voice", _always("speaker")),
    "clause added": _clauses,
    "word": _spoken,
    "text": _texts,
    "sign of an effect": _at_each(
        r"(?<=\()[+-](?!0\.00)", lambda match: "-" if match.group() == "+" else "+"
    ),
    "words left out": _at_each("^With the words, (.)", lambda match: match[1].upper()),
    "dimension": _at_each(
        "(?:valence|arousal|dominance)(?= (?:rises|falls))",
        *map(_always, ("valence", "arousal", "dominance")),
    ),
    "voice for words": _at_each(r"(?i)\bthe words alone(?= sound)", _always("the voice alone")),
    "words for both": _at_each("(?i)voice and words together", _always("The words alone")),
    "agreement": _at_each(r"agree\b", _always("are in conflict")),
    "conflict": _at_each("are in conflict", _always("agree")),
    "stressed for expressive": _at_each("tell the speaker's own reaction", _always("are stressed")),
    "level": _at_each(
        r"(?<= is )(?:very )?(?:high|low|medium)",
        *map(_always, ("very high", "high", "medium", "low")),
    ),
    "verdict in part": _at_each(rf" or {_EMOTION} \([\d.]+\)", _always("")),
    "reason": _at_each("(?<=voice sounds: ).*", _always("there was no time.")),
    "disagreement": _at_each(r"^(?=\d+ % of listeners)", _always("Listeners would disagree: ")),
    "synthetic left out": _at_each(", a synthetic voice", _always("")),
    "control left out": _at_each("; put together .*", _always(".")),
    "proxy left out": _at_each(", a proxy .*", _always(".")),
    "what was changed": _at_each(
        "(?<=ith )(?=.*synthetic).*?(?=, a)",
        _always("the loudness 2 dB higher"),
        _always("less noise"),
    ),
    "what was taken away": _removals,
    "what stands in": _at_each(
        r"(?<=, )[\w ]+(?= in its place)", *map(_always, ("silence", "local mean", "noise"))
    ),
    "test passed for failed": _at_each("no more than", _always("more than")),
    "test failed for passed": _at_each(
        r"(?i)^(?=without the most)", _always("These moments matter no more than random windows: ")
    ),
}
"""Name -> the way."""
