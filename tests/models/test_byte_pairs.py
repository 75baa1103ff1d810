"""Tokens without the tokenizers library."""

import pytest

from voxplain.models import decoder
from voxplain.models.byte_pairs import BytePairs

TEXTS = [
    "pitch high, range wide, stress on eleven: sounds angry",
    "Don't forget a jacket.",
    "It's eleven o'clock.",
    "Der Lappen liegt auf dem Eisschrank.",
    "The airplane is almost full.",
]


@pytest.fixture(scope="module")
def tokenizer():
    return decoder.build(TEXTS * 5, size="0.5M").tokenizer


@pytest.mark.parametrize(
    "text",
    [
        *TEXTS, "", " don't", "'tis; he'll, we're I'd you've", "  two  spaces ", "tab\tnew\n line",
        "Größe äöü ß", "日本語 42", "snake_case x_1", " naïve café", "x²½ ①", "a" * 40, "😀",
    ],
)  # fmt: skip
def test_the_tokens_are_those_of_the_library(tokenizer, text):
    pairs = BytePairs.of_tokenizer(tokenizer.backend_tokenizer.to_str())
    assert pairs.tokens(text) == tokenizer(text, add_special_tokens=False)["input_ids"]


def test_the_pair_that_was_learned_first_is_merged_first():
    vocabulary = {"a": 0, "b": 1, "c": 2, "ab": 3, "bc": 4}
    assert BytePairs(vocabulary, [("b", "c"), ("a", "b")]).tokens("abc") == [0, 4]
    assert BytePairs(vocabulary, [("a", "b"), ("b", "c")]).tokens("abc") == [3, 2]
