"""Words cover all that is visible, and clauses are found with punctuation or without."""

import pytest

from voxplain.text.roles.clauses import bare, may_begin, words

NASTY = (
    "", "   \n\t", "word", "...!?", "— – …", "Oh—no--not...that…again", "😀😀 🏳️‍🌈 ok",
    "هذا نص عربي، أشعر بالحزن.", "我很难过。他关上了门。",
    "a\u200bb\u00a0c\u2028d", "x" * 3000, "' \" ' -",
)  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
def test_words_follow_each_other_and_only_white_space_lies_between(text):
    end = 0
    for start, stop in words(text):
        assert text[end:start].strip() == ""
        assert start < stop
        assert not any(character.isspace() for character in text[start:stop])
        end = stop
    assert text[end:].strip() == ""


def test_a_dash_or_an_ellipsis_ends_a_word_though_no_space_follows():
    text = "I ran—well, walked...home 1.5 km"
    said = ["I", "ran—", "well,", "walked...", "home", "1.5", "km"]
    assert [text[start:end] for start, end in words(text)] == said


@pytest.mark.parametrize(
    ("word", "stem"),
    [("“Don’t!”", "don't"), ("(GOD)", "god"), ("_so_", "so"), ("—", ""), ("'cause", "cause")],
)
def test_what_stands_around_a_word_is_taken_off(word, stem):
    assert bare(word) == stem


def test_without_punctuation_clauses_begin_with_the_words_that_begin_them():
    text = "she shut the door and i froze because he looked at me oh god it was awful"
    said = text.split()
    begins = [word for word, begin in zip(said, may_begin(said), strict=True) if begin]
    assert {"she", "and", "i", "because", "oh", "it"} <= set(begins)
    assert not {"shut", "froze", "looked", "awful"} & set(begins)


def test_with_punctuation_any_word_may_begin_one_after_it():
    assert may_begin(["Vile.", "Old", "dog", "“Wicked”"]) == [True, True, False, True]
