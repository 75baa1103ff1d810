"""What is said for a written word, and with which sounds."""

import pytest

from voxplain.errors import TextError
from voxplain.text import pronunciation
from voxplain.text.pronunciation import PHONES, number, pronunciations, read_letters, spoken


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("Cold.", "cold"),
        ("it’s", "it's"),
        ("well-known", "well known"),
        ("Café", "cafe"),
        ("42", "forty two"),
        ("1,000,000", "one million"),
        ("3.14", "three point one four"),
        ("$5.50", "five dollars fifty"),
        ("50%", "fifty percent"),
        ("3rd", "third"),
        ("20th", "twentieth"),
        ("'90s", "nineties"),
        ("007", "zero zero seven"),
        ("R&B", "r and b"),
    ],
)
def test_what_is_said(token, words):
    assert [" ".join(way) for way in spoken(token)] == [words]


def test_a_year_may_be_said_in_two_ways():
    ways = {" ".join(way) for way in spoken("1905")}
    assert ways == {"nineteen oh five", "one thousand nine hundred five"}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "zero"),
        (19, "nineteen"),
        (100, "one hundred"),
        (7_000_015, "seven million fifteen"),
        (999_000_000_000, "nine hundred ninety nine billion"),
    ],
)
def test_numbers(value, words):
    assert " ".join(number(value)) == words


def test_thousands_of_digits_are_read_one_by_one():
    (way,) = spoken("9" * 5000)
    assert way == ("nine",) * 5000


def test_a_known_word_has_all_its_pronunciations():
    assert set(pronunciations("Tomorrow!")) == {"T AH M AA R OW", "T UW M AA R OW"}


def test_an_unknown_word_is_read_by_its_letters():
    # No dictionary has them; written down before the model was asked.
    assert pronunciations("blick") == ("B L IH K",)
    assert pronunciations("shumping") == ("SH AH M P IH NG",)
    (phones,) = pronunciations("voxplain")
    assert phones[:12] + phones[-2:] == "V AA K S P L N"


def test_letters_without_a_vowel_are_spelled():
    assert pronunciations("XQZ") == ("EH K S K Y UW Z IY",)


def test_the_longest_context_decides():
    table = {".a": "AH", ".ab": "EY", ".b": "B"}
    assert read_letters("aab", table) == ("AH", "EY", "B")


@pytest.mark.parametrize("token", ["שלום", "😀", "привет", "—", ""])
def test_what_has_no_english_sounds_has_none(token):
    assert pronunciations(token) == ()


def test_german_words_in_english_sounds():
    said = {word: pronunciations(word, language="de") for word in ("Stück", "ist", "schön", "3")}
    assert said == {"Stück": ("SH T IH K",), "ist": ("IH S T",), "schön": ("SH ER N",), "3": ()}


@pytest.mark.parametrize("name", ["english.json", "german.yaml"])
def test_the_tables_know_no_other_phones(name):
    table = pronunciation._table(name)
    assert {phone for phones in table.values() for phone in phones.split()} <= PHONES


def test_given_pronunciations_go_first():
    assert pronunciations("Tomorrow,", known={"tomorrow": ("T UW",)}) == ("T UW",)


def test_a_given_pronunciation_has_phones_that_exist():
    with pytest.raises(TextError, match=r"'T ÜÜ' of 'tomorrow' has 'ÜÜ', which is no phone; there"):
        pronunciations("tomorrow", known={"tomorrow": ("T ÜÜ",)})
