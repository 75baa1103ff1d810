"""How words are spoken: what is said for a written word, and with which sounds (ARPAbet).

English words stand in the CMU dictionary that comes with pocketsphinx; what it lacks is read letter
by letter (``recipes/words/letter_to_sound.py``). German is written in the nearest English sounds,
good enough to find its words in a recording. Sounds are those of the dictionary: 39 phones without
stress.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import yaml

from voxplain.errors import TextError
from voxplain.plugins import require

__all__ = [
    "LANGUAGES",
    "LONGEST",
    "PHONES",
    "context",
    "has_letters",
    "number",
    "pronunciations",
    "read_letters",
    "spoken",
]

PHONES = frozenset((
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH",
    "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH",
    "UW", "V", "W", "Y", "Z", "ZH",
))  # fmt: skip
"""Of the CMU dictionary, which pocketsphinx's English model knows."""
LANGUAGES = ("de", "en")
LONGEST = 7
"""Letters around a letter that may decide how it sounds."""

_ALTERNATIVES = 8  # ways to say one written word that are tried
_EDGE = "#"
_LETTER_NAMES = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY",
    "h": "EY CH", "i": "AY", "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N",
    "o": "OW", "p": "P IY", "q": "K Y UW", "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW",
    "v": "V IY", "w": "D AH B AH L Y UW", "x": "EH K S", "y": "W AY", "z": "Z IY",
}  # fmt: skip
_SIGNS = {"&": "and", "%": "percent", "@": "at", "+": "plus", "=": "equals"}
_NUMBER = re.compile(
    r"(?P<money>[$€£]?)(?P<whole>\d[\d,]*)(?:\.(?P<decimals>\d+))?(?P<ending>st|nd|rd|th|s)?"
)
_PART = re.compile(rf"{_NUMBER.pattern}|[^\W\d_]+(?:'[^\W\d_]+)*'?|[&%@+=]")
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth",
    "nine": "ninth", "twelve": "twelfth",
}  # fmt: skip
_MONEY = {"$": "dollars", "€": "euros", "£": "pounds"}
_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"), (100, "hundred"))


def has_letters(token: str) -> bool:
    """Whether anything of a token is spoken: a letter, a digit or a sign such as &."""
    return any(char.isalnum() or char in _SIGNS for char in token)


def pronunciations(
    token: str, *, language: str = "en", known: Mapping[str, Sequence[str]] | None = None
) -> tuple[str, ...]:
    """The ways to say a written word with its punctuation, each as phones with spaces between.

    ``known`` are pronunciations that go before all others, by word in lower case without
    punctuation. Empty where the word can't be spelled out in sounds: another script, an emoji.

    Raises TextError for a known pronunciation with a phone that does not exist, MissingExtra
    without pocketsphinx for English.
    """
    bare = token.casefold().strip("".join(c for c in token if not c.isalnum()))
    if known and bare in known:
        return tuple(_checked(bare, phones) for phones in known[bare])
    ways = []
    for words in spoken(token, language=language):
        each = [_of_word(word, language) for word in words]
        if all(each):
            ways += [" ".join(way) for way in itertools.product(*each)]
    return tuple(dict.fromkeys(ways))[:_ALTERNATIVES]


def _checked(word: str, phones: str) -> str:
    for phone in phones.split():
        if phone not in PHONES:
            raise TextError(
                f"the pronunciation {phones!r} of {word!r} has {phone!r}, which is no phone; "
                f"there are {' '.join(sorted(PHONES))}"
            )
    return phones


def spoken(token: str, *, language: str = "en") -> tuple[tuple[str, ...], ...]:
    """What may be said for a written word: ways, each a sequence of words in lower case.

    >>> spoken("o'clock,"), spoken("well-known"), spoken("1984")
    ((("o'clock",),), (('well', 'known'),), (('nineteen', 'eighty', 'four'), ('one', 'thousand', \
'nine', 'hundred', 'eighty', 'four')))
    """
    plain = token.casefold().translate({0x2019: "'", 0x2018: "'", 0x02BC: "'"})
    if language == "en":
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not _is_mark(c))
    parts = (match[0] for match in _PART.finditer(plain))
    ways = (_ways(part) if language == "en" else ((part,),) for part in parts)
    joined = (tuple(itertools.chain(*way)) for way in itertools.product(*ways))
    return tuple(itertools.islice((way for way in joined if way), _ALTERNATIVES))


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) == "Mn"


def _ways(part: str) -> tuple[tuple[str, ...], ...]:
    """What may be said for a word, a sign, or a number such as $5.50, 3rd and 90s."""
    if part in _SIGNS:
        return ((_SIGNS[part],),)
    if not (match := _NUMBER.fullmatch(part)):
        return ((part,),)
    whole, decimals = match["whole"].replace(",", ""), match["decimals"] or ""
    ways = []
    for way in _cardinals(whole):
        if match["ending"]:
            way = (*way[:-1], _ended(way[-1], match["ending"]))
        if money := _MONEY.get(match["money"]):
            cents = number(int(decimals)) if len(decimals) == 2 else ()
            ways.append((*way, money, *cents))
        elif decimals:
            ways.append((*way, "point", *_digits(decimals)))
        else:
            ways.append(way)
    return tuple(ways)


def _cardinals(digits: str) -> Iterator[tuple[str, ...]]:
    if len(digits) > 12 or (digits[0] == "0" and len(digits) > 1):
        yield _digits(digits)
        return
    value = int(digits)
    if 1100 <= value < 10_000 and value % 1000 >= 100:  # 1984, as a year
        century, rest = divmod(value, 100)
        tail = ("hundred",) if not rest else number(rest) if rest > 9 else ("oh", *number(rest))
        yield (*number(century), *tail)
    yield number(value)


def _digits(digits: str) -> tuple[str, ...]:
    return tuple(_ONES[int(one)] for one in digits)


def number(value: int) -> tuple[str, ...]:
    """The English words of a whole number below 10^12.

    >>> number(42_017)
    ('forty', 'two', 'thousand', 'seventeen')
    """
    if value < len(_ONES):
        return (_ONES[value],)
    if value < 100:
        tens, ones = divmod(value, 10)
        return (_TENS[tens], *(number(ones) if ones else ()))
    size, name = next(scale for scale in _SCALES if value >= scale[0])
    many, rest = divmod(value, size)
    return (*number(many), name, *(number(rest) if rest else ()))


def _ended(word: str, ending: str) -> str:
    """A number word as an ordinal, or of a decade: forty -> fortieth, forties."""
    stem = f"{word[:-1]}ie" if word.endswith("y") else word
    if ending == "s":
        return f"{stem}s"
    return _ORDINALS.get(word, f"{stem}th")


def _of_word(word: str, language: str) -> tuple[str, ...]:
    if language == "de":
        return _german(word)
    if language != "en" or not word.isascii():
        return ()
    if known := _dictionary().get(word):
        return known
    if len(word) > 1 and not set(word) & set("aeiouy"):
        return (" ".join(_LETTER_NAMES[letter] for letter in word if letter != "'"),)
    return (" ".join(read_letters(word, _table("english.json"))),)


@functools.cache
def _dictionary() -> dict[str, tuple[str, ...]]:
    """Word -> the pronunciations of the CMU dictionary."""
    path = require("pocketsphinx", extra="asr").get_model_path("en-us/cmudict-en-us.dict")
    found: dict[str, tuple[str, ...]] = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        word, _, phones = line.partition(" ")
        word = word.partition("(")[0]
        found[word] = (*found.get(word, ()), phones.strip())
    return found


def context(word: str, at: int, size: int) -> str:
    """The letter at a place with ``size`` letters around it, more of them on the right.

    The place is marked, so that no two contexts look alike; the word's edges count as a letter.
    """
    left, right = size // 2, (size + 1) // 2
    edged = _EDGE * LONGEST + word + _EDGE * LONGEST
    here = at + LONGEST
    return f"{edged[here - left : here]}.{edged[here : here + right + 1]}"


def read_letters(word: str, table: Mapping[str, str]) -> tuple[str, ...]:
    """The phones of a word by what is known of its letters: the longest context decides."""
    phones: list[str] = []
    for at in range(len(word)):
        keys = (context(word, at, size) for size in range(LONGEST, -1, -1))
        phones += next((table[key] for key in keys if key in table), "").split()
    return tuple(phones)


@functools.cache
def _table(name: str) -> dict[str, str]:
    text = (files("voxplain") / "assets/pronunciation" / name).read_text(encoding="utf-8")
    table: dict[str, str] = json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
    return table


def _german(word: str) -> tuple[str, ...]:
    """By letters alone: at each place the longest group of letters that is known."""
    groups, phones, at = _table("german.yaml"), [], 0
    edged = f"{_EDGE}{word}{_EDGE}"
    while at < len(edged):
        size = next((n for n in range(5, 0, -1) if edged[at : at + n] in groups), 0)
        if not size:
            return ()  # a letter that German lacks
        phones += groups[edged[at : at + size]].split()
        at += size
    return (" ".join(phones),)
