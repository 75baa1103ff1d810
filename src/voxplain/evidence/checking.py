"""Whether a sentence says what its evidence says, and nothing else.

The words are read, whoever wrote them. Every number with its unit, every time, direction, emotion
and name must be found in the evidence that is cited, in the role that the words around it give it.
A word that isn't known could change the meaning. What can't be verified fails.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from voxplain.descriptors import inventory
from voxplain.errors import UnknownName
from voxplain.evidence.grounds import Figure, Ground, ground
from voxplain.labels import CANONICAL, phrase
from voxplain.models.judgement import DIMENSIONS
from voxplain.types import Analysis, Claim

__all__ = ["WORDS", "check"]

_LEXICON = {  # kind -> its words
    "abstains": "there is not enough evidence to say how the voice sounds|not enough evidence",
    "vain": "these moments matter no more than random windows",
    "up": "above|higher|rises|increases|raised|greater",
    "down": "below|lower|falls|drops|decreases|lowered|smaller",
    "same": "stays|usual values",
    "supports": "speaks for|speak for|supports|support|fits|fit|in line with",
    "contradicts": "speaks against|speak against|contradicts|contradict|does not fit|do not fit",
    "usual": "usual|than the usual|than usual|than is usual|average|than average",
    "expected": "experts|expected|expect",
    "rival": "rather than|than",
    "without": "without|removing|removed|taken away",
    "salient": "most salient",
    "loudest": "loudest",
    "random": "random",
    "unchanged": "unchanged",
    "synthetic": "synthetic",
    "listeners": "listeners",
    "call": "call|choose",
    "disagree": "disagree",
    "probability": "probability",
    "time": "of the time",
    "points": "points to",
    "sounds": "sounds",
    "wording": "the words alone sound|on their own, the words sound|by themselves, the words sound",
    "together": (
        "voice and words together sound|the voice and the words together sound"
        "|together, voice and words sound|taken together, voice and words sound"
    ),
    "agreement": "voice and words agree|the voice and the words agree",
    "conflict": (
        "voice and words are in conflict|the voice and the words are in conflict"
        "|voice and words do not agree|the voice and the words do not agree"
        "|voice and words contradict each other"
    ),
    "stressed": "stressed|emphasised|emphasized",
    "prominence": "prominence",
    "reaction": "tell the speaker's own reaction|express the speaker's own reaction",
    "among": "of the words",
    "foremost": "most of all",
    "read": "with the words",
    "part": "of what they do comes from",
    "valence": "valence",
    "arousal": "arousal",
    "dominance": "dominance",
    "sometime": "at one moment|at one point|in one moment|in one part of the recording",
    "break": "and|or|but|while|whereas|although|though|however|on the other hand",
    "plain": (
        "a|against|also|an|are|as|at|between|by|compared with|for|from|has|have|heard|in"
        "|in its place|into|is|it|its|level|lies|of|of all that|of what|on|overall"
        "|proxy|put together|recording|speech|that|the|there|this|to|values|voice|when|which"
        "|windows|with|word|words|would"
    ),
}
WORDS = tuple(word for words in _LEXICON.values() for word in words.split("|"))
"""Words and phrases that are known, besides names, numbers, units and emotions."""
_NOUNS = {"angry": "anger", "happy": "happiness", "sad": "sadness"}
_UNITS = {"seconds": "s", "semitones": "st", "hertz": "Hz", "percent": "%"}

_FREE = {"up", "down", "same", "break", "plain", "number", "emotion"}
"""Kinds that need no leave of the evidence, or are held against it on their own."""
_LASTING = {"title", "probability", "prominence", "listeners", "points", *DIMENSIONS}
_PASSING = {"time", "edit"}
"""What numbers are of; the lasting ones also in the clauses that follow."""
_REMOVED = {"salient", "loudest", "random"}
_CONDITIONS = {"edit", "unchanged", *_REMOVED}
_BARE = {
    "abstains", "vain", "up", "down", "same", "supports", "contradicts", "level", "sounds",
    "wording", "together", "agreement", "conflict", "stressed", "foremost", "disagree",
}  # fmt: skip
"""Kinds of words that say something without a number."""
_SPARED = {"reference", "citation", "fill", "unchanged", "span"}
"""What need not be told to a lay reader."""
_BEFORE_EMOTION = {
    "sounds",
    "wording",
    "together",
    "supports",
    "contradicts",
    "points",
    "rival",
    "number",
}
_SHORTENED = {"title", "edit", "reference", "proxy"}
"""Kinds of names that a lay reader may be told without their parentheses."""
_PARENTHESIS = re.compile(r" \([^()]*\)$")
_NAMED = ("title", "reference", "word", "number")
_ARTICLES = ("a", "an", "the")
_BESIDE = ("above", "below")
_HEARD = ("voice", "recording", "speech")
_SIGNS: dict[str, Callable[[float], bool]] = {
    "up": lambda x: x > 0,
    "down": lambda x: x < 0,
    "same": lambda x: x == 0,
}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    """In lower case; of an emotion its label."""
    value: float = math.nan
    decimals: int = 0
    signed: bool = False
    unit: str = ""
    place: str = ""
    """Of a number first or second of a pair, of an emotion runner-up, or empty."""


@dataclass(frozen=True, slots=True)
class _Clause:
    """What follows a break, and what it takes over from before."""

    tokens: Sequence[_Token]
    kinds: set[str]
    subject: str
    condition: str
    label: str

    def subjects_at(self, place: int) -> set[str]:
        """What a number may be of: the nearest before it, else behind it, else that of before.

        With a unit it may as well be of what stands in this clause alone.
        """
        around = [*reversed(self.tokens[:place]), *self.tokens[place:]]
        named = [token for token in around if token.kind in _LASTING | _PASSING]
        found = {_subject(named[0]) if named else self.subject}
        if self.tokens[place].unit:
            found |= {_subject(token) for token in named if token.kind in _PASSING}
        return found


def check(claim: Claim, analysis: Analysis, *, lay: bool = False) -> tuple[str, ...]:
    """What in a claim its evidence does not bear out; empty when every word of it is true.

    For a ``lay`` reader numbers may be left out where words say as much, and so may references,
    sources and controls; what stands there must be as true as for others.
    """
    try:
        grounds = {path: ground(analysis, path) for path in claim.evidence}
    except UnknownName as error:
        return (str(error),)
    if not grounds:
        return ("no evidence is cited",)
    labels = analysis.emotion.label_set
    return tuple(dict.fromkeys(_problems(claim.text, grounds, labels, lay=lay)))


def _problems(
    text: str, grounds: Mapping[str, Ground], labels: tuple[str, ...], *, lay: bool
) -> Iterator[str]:
    tokens = _in_place(_tokens(text, _names(grounds.values(), lay=lay), labels))
    seen = {token.kind for token in tokens}
    used, subjects_told = set[str](), set[str]()
    for clause in _clauses(tokens):
        counted = set[str]()  # the emotions that its numbers are of
        for place, token in enumerate(clause.tokens):
            if token.kind != "number":
                continue
            subjects = clause.subjects_at(place)
            found = {
                path: figure
                for path, one in grounds.items()
                for figure in one.figures
                if _tells(token, figure, clause, subjects)
            }
            if not found:
                yield f"{token.text!r} is not what the evidence gives there"
            used |= set(found)
            counted |= {figure.label for figure in found.values()}
            for figure in found.values():
                subjects_told.add(figure.subject.lower())
                seen |= {figure.unit}
                seen |= {"when", "span"} if figure.unit == "s" and figure.place else set()
        yield from _wrong_directions(clause, grounds.values())
        yield from _wrong_emotions(clause, grounds.values(), counted, verdict="sounds" in seen)
        if ("without" in clause.kinds) != bool(clause.kinds & _REMOVED):
            yield "it is not clear what is taken away"
    yield from _wrong_order(tokens)
    if lay and "sometime" in seen:
        seen.add("when")
    told = {path: one for path, one in grounds.items() if path in used or _says(one, seen, lay=lay)}
    granted = _FREE.union(*(one.words | {*one.names.values()} for one in told.values()))
    compared = {name.lower() for one in told.values() if "usual" in one.words for name in one.names}
    seen |= {token.place for token in tokens if token.kind == "emotion"}
    for token in tokens:
        if token.kind not in granted:
            yield f"{token.text!r} is not in the evidence"
        elif token.kind == "title" and token.text not in subjects_told | compared:
            yield f"nothing is said of {token.text!r}"
    for path, one in grounds.items():
        if path not in told:
            if not (lay and told):
                yield f"nothing is said of {path}"
            continue
        missing = one.required - seen - (_SPARED if lay else set())
        if missing:
            yield f"of {path} is not told: {', '.join(sorted(missing))}"
        if one.words & {"sounds", "together"} and not _verdict(tokens) >= set(one.labels):
            yield f"the verdict is not told in full: {', '.join(one.labels)}"


def _names(grounds: Iterable[Ground], *, lay: bool) -> dict[str, _Token]:
    """Text that may stand as it is -> what it says; for a lay reader also in brief."""
    found = {}
    for name, kind in (item for one in grounds for item in one.names.items()):
        token = _Token(kind, name.lower())
        found[token.text] = token
        short = "proxy" if kind == "proxy" else _PARENTHESIS.sub("", token.text)
        if lay and kind in _SHORTENED and short not in _ambiguous():
            found.setdefault(short, token)
    return found


@functools.cache
def _ambiguous() -> frozenset[str]:
    """What several descriptors would be called in brief."""
    titles = {one.title.lower() for one in inventory().values()}
    short = Counter(_PARENTHESIS.sub("", title) for title in titles)
    return frozenset(one for one, count in short.items() if count > 1)


def _says(one: Ground, seen: set[str], *, lay: bool) -> bool:
    """Whether words alone say something of a piece of evidence."""
    if not lay:
        return not one.figures and bool(one.words & seen)
    kinds = one.words | {*one.names.values()} | (_SIGNS.keys() if one.directions else set())
    return bool(kinds & seen & _BARE)


def _verdict(tokens: Sequence[_Token]) -> set[str]:
    """The emotions that something sounds like, not those that a number is of."""
    words = [token for token in tokens if token.text not in _ARTICLES]
    return {
        token.text
        for before, token in itertools.pairwise(words)
        if token.kind == "emotion"
        and (before.kind in ("sounds", "together") or before.text == "or")
    }


def _tells(number: _Token, figure: Figure, clause: _Clause, subjects: set[str]) -> bool:
    """Whether a number is that figure, in its role."""
    return (
        number.unit == figure.unit
        and number.place == figure.place
        and figure.subject.lower() in {"", *subjects}
        and figure.condition in ("", clause.condition)
        and figure.label in ("", clause.label)
        and _shows(number, figure)
        and not (figure.directed and (number.signed or not clause.kinds & {"up", "down"}))
        and "expected" not in clause.kinds  # experts give no numbers
    )


def _shows(number: _Token, figure: Figure) -> bool:
    """Whether a number is the value, rounded to what is shown of it."""
    value = abs(figure.value) if figure.directed else figure.value
    rounded = number.decimals >= figure.decimals and round(value, number.decimals) == number.value
    return rounded or math.isclose(value, number.value)


def _wrong_order(tokens: Sequence[_Token]) -> Iterator[str]:
    """Where the same words in another order would say something else."""
    words = [token for token in tokens if token.text not in _ARTICLES]
    for place, token in enumerate(words):
        before, behind = words[:place], words[place + 1 :]
        last, follower = (near[0] if near else _Token("", "") for near in (before[::-1], behind))
        if token.text in _BESIDE and follower.kind != "usual":
            yield f"{token.text!r} does not compare with the usual"
        if token.kind == "usual":
            than = token.text.startswith("than")  # as in: a higher pitch than usual
            lead = [one for one in before if not (than and one.kind == "title")]
            if not (
                lead and lead[-1].kind in ("up", "down") and (lead[-1].text in _BESIDE) != than
            ):
                yield f"{token.text!r} is not what is compared with"
        if token.kind in ("supports", "contradicts") and follower.kind in _NAMED:
            yield f"{token.text!r} is not of an emotion"
        if token.kind == "rival" and not any(one.place for one in behind[:2]):
            yield f"it is not told {token.text} what"
        if token.kind == "edit":
            lead = [one for one in before if one.kind not in ("number", "up", "down")]
            if not (lead and lead[-1].text in ("with", "when")):
                yield f"it is not clear that {token.text!r} is changed"
        if token.kind == "sounds" and last.text not in (*_HEARD, "it", "this"):
            yield "it is not clear what sounds so"
        if token.kind == "wording" and any(one.text in _HEARD for one in before):
            yield f"{token.text!r} is not of the words alone"
        if token.kind == "stressed":
            of = [one for one in before if one.kind == "word" or one.text in _HEARD]
            if not (of and of[-1].kind == "word"):
                yield "only a word is stressed"
        whole = behind[1:2] if token.unit == "%" and follower.text == "of" else []
        if any(one.kind != "listeners" and one.text != "it" for one in whole):
            yield f"it is not clear what {token.text!r} is of"


def _wrong_directions(clause: _Clause, grounds: Collection[Ground]) -> Iterator[str]:
    """A word for a direction must be right of all that it could be about."""
    words = [token for token in clause.tokens if token.kind in _SIGNS]
    if "usual" in clause.kinds and not (clause.subject or "title" in clause.kinds):
        yield "it is not told what differs from the usual"
    about = clause.kinds & {"usual", "expected", "edit", *DIMENSIONS}
    for kind in about & {"usual", "expected"}:
        if not words and not (kind == "expected" and _as_expected(clause, grounds)):
            yield f"{kind!r} has no direction"
    if "probability" in clause.kinds or not about:
        about.add(f"probability {clause.condition}")
    found = [one.directions[kind] for one in grounds for kind in about if kind in one.directions]
    for word in words:
        if not found or not all(map(_SIGNS[word.kind], found)):
            yield f"{word.text!r} is not the direction that the evidence gives"


def _as_expected(clause: _Clause, grounds: Collection[Ground]) -> bool:
    """Whether it may be said that something is as experts expect, and is said so."""
    cues = [one for one in grounds if "expected" in one.words]
    return any(token.text == "as" for token in clause.tokens) and all(
        "as expected" in one.words for one in cues
    )


def _wrong_emotions(
    clause: _Clause, grounds: Collection[Ground], counted: set[str], *, verdict: bool
) -> Iterator[str]:
    """An emotion must be that of the evidence, and said of how a voice sounds."""
    bearing = [one for one in grounds if not verdict or "sounds" in one.words]
    labels = {label for one in bearing for label in one.labels} | (set() if verdict else counted)
    rivals = {one.rival for one in grounds}
    tokens = [token for token in clause.tokens if token.text not in _ARTICLES]
    if (
        any(rivals)
        and "emotion" in clause.kinds
        and not any(token.place == "runner-up" for token in tokens)
    ):
        yield "it is not told rather than what"
    for before, token in zip([_Token("", ""), *tokens], tokens, strict=False):
        if token.kind != "emotion":
            continue
        if token.text not in (rivals if token.place else labels):
            yield f"{token.text!r} is not the emotion that the evidence gives there"
        called = before.text == "choose" or (
            "call" in clause.kinds and before.text in ("it", "this", "voice")
        )
        if not (
            called or before.kind in _BEFORE_EMOTION or before.text in ("of", "for", "in", "or")
        ):
            yield f"{token.text!r} must be said of how a voice sounds"


def _subject(token: _Token) -> str:
    return token.text if token.kind in ("title", "edit") else token.kind


def _clauses(tokens: Sequence[_Token]) -> Iterator[_Clause]:
    """The sentence, cut at its breaks."""
    starts = [0, *(n for n, token in enumerate(tokens) if token.kind == "break" and n)]
    subject = condition = label = ""
    for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
        part = tokens[start:end]
        kinds = {token.kind for token in part}
        conditions = kinds & _CONDITIONS
        if conditions:
            condition = conditions.pop() if len(conditions) == 1 else "several"
        labels = {token.text for token in part if token.kind == "emotion" and not token.place}
        if labels:
            label = labels.pop() if len(labels) == 1 else "several"
        yield _Clause(part, kinds, subject, condition, label)
        subject = next((_subject(t) for t in reversed(part) if t.kind in _LASTING), subject)


def _tokens(text: str, names: Mapping[str, _Token], label_set: tuple[str, ...]) -> list[_Token]:
    """Every name, number, word and mark of a sentence."""
    emotions, pattern = _emotions(label_set), _pattern(label_set)
    longest_first = sorted(names, key=len, reverse=True)
    text, place, tokens = text.lower().removesuffix("."), 0, list[_Token]()
    while match := pattern.search(text, place):
        start = match.start()
        name = next((one for one in longest_first if _stands(one, text, start)), None)
        said = name or match.group()
        place = start + len(said)
        if name:
            tokens.append(names[name])
        elif match["digits"]:
            tokens.append(_number(match))
        elif match["emotion"]:
            tokens.append(_Token("emotion", emotions[said]))
        else:
            kind = "break" if said in ",;:()" else _kinds().get(said, "unknown")
            tokens.append(_Token(kind, said))
    return tokens


def _stands(name: str, text: str, start: int) -> bool:
    """Whether a name stands in a text, and is not the beginning of a longer word."""
    end = start + len(name)
    return text.startswith(name, start) and not text[end : end + 1].isalnum()


def _number(match: re.Match[str]) -> _Token:
    sign, digits = match["sign"], match["digits"]
    return _Token(
        "number",
        match.group(),
        value=float(digits) * (-1 if sign in ("-", "−") else 1),
        decimals=len(digits.partition(".")[2]),
        signed=bool(sign),
        unit=f"{match['z'] or ''}{_units().get(match['unit'], '')}",
    )


def _in_place(tokens: list[_Token]) -> list[_Token]:
    """Numbers of a pair know their place and share a unit; a rival is known by what stands before.

    A pair is "1.2 to 1.6 s", "between 1.2 and 1.6 s" or "1.2–1.6 s".
    """
    found = list(tokens)
    for n, token in enumerate(tokens[2:], start=2):
        first, link = tokens[n - 2], tokens[n - 1]
        between = n > 2 and tokens[n - 3].text == "between"
        pair = link.text in ("to", "–") or (link.text == "and" and between)
        if token.kind == first.kind == "number" and pair and first.unit in ("", token.unit):
            found[n - 2] = replace(first, unit=token.unit, place="first")
            found[n - 1] = replace(link, kind="plain")
            found[n] = replace(token, place="second")
        words = (first, link) if link.text in ("of", "in", "for") else (link,)
        if token.kind == "emotion" and words[0].kind == "rival":
            found[n] = replace(token, place="runner-up")
    return found


@functools.cache
def _pattern(label_set: tuple[str, ...]) -> re.Pattern[str]:
    """Of what a sentence is made of, but for the names in it."""

    def either(texts: Iterable[str]) -> str:
        return "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True))

    return re.compile(
        rf"(?<![\w.])(?:(?P<z>z) )?(?P<sign>[-−+]?)(?P<digits>\d+(?:\.\d+)?)(?!\w)"
        rf"(?: ?(?P<unit>{either(_units())})(?!\w))?"
        rf"|(?P<emotion>{either(_emotions(label_set))})(?!\w)"
        rf"|(?:{either(_kinds())})(?!\w)"
        r"|\w[\w'’-]*|\S"
    )


@functools.cache
def _kinds() -> dict[str, str]:
    """Words -> their kind."""
    return {word: kind for kind, words in _LEXICON.items() for word in words.split("|")}


@functools.cache
def _units() -> dict[str, str]:
    """Ways to write a unit -> the unit."""
    units = {"s", "Hz", "dB", "st", "%", "percentage points", "times"}
    units |= {one.unit for one in inventory().values() if one.unit}
    return {unit.lower(): unit for unit in units} | _UNITS


@functools.cache
def _emotions(label_set: tuple[str, ...]) -> dict[str, str]:
    """Ways to name an emotion -> its label."""
    labels = dict.fromkeys((*CANONICAL, *label_set))
    ways = [(way, label) for label in labels for way in (label, phrase(label), _NOUNS.get(label))]
    return {way.lower(): label for way, label in ways if way}
