"""Which words are emphasised, what is read of a text, and what is left after recognition errors."""

import dataclasses
import itertools
import json
import math
from collections import Counter
from importlib.resources import files

import numpy as np
import pytest

from voxplain.errors import ConfigError, UnknownName
from voxplain.labels import KNOWN, canonical, phrase
from voxplain.text import semantics
from voxplain.text.semantics import (
    MASK,
    WAYS,
    Semantics,
    emphasised,
    mask_emotion,
    misheard,
    spoken,
)
from voxplain.types import Role, Transcript, Word

NAN = math.nan
TEXT = "So the boy dropped his ice cream and nobody helped him. It broke my heart, honestly!"


def transcript(text):
    words = tuple(Word(one, 0.0, 0.0, 1.0) for one in text.split())
    return Transcript(text, words, "en", "given", 1.0)


def words(*prominences):
    return [Word("word", 0.0, 1.0, 1.0, one) for one in prominences]


@pytest.mark.parametrize("way", ["prominence", "lemf"])
def test_the_most_prominent_words_in_their_order(way):
    told = words(0.2, 0.9, 0.1, 0.8, 0.3, 0.4, 0.5, 0.7)
    assert emphasised(told, how=way) == (1, 3)
    assert emphasised(told, how=way, share=0.4) == (1, 3, 7)


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [(2, 0.25, 1), (5, 0.25, 1), (6, 0.25, 2), (9, 0.5, 4), (4, 1, 4)],
)
def test_every_way_chooses_as_many(count, share, expected):
    told = [dataclasses.replace(w, text=f"w{n}") for n, w in enumerate(words(*[0.5] * count))]
    for way in set(WAYS) - {"oracle"}:
        chosen = emphasised(told, how=way, share=share)
        assert len(chosen) == len(set(chosen)) == expected
        assert list(chosen) == sorted(chosen)


def test_what_has_no_prominence_is_not_chosen_by_it():
    assert emphasised(words(NAN, 0.1, NAN, NAN), how="prominence", share=0.5) == (1,)
    assert emphasised(words(NAN, NAN, NAN), how="lemf") == ()
    assert len(emphasised(words(NAN, NAN, NAN), how="random")) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("told", [[], words(0.9)])
def test_no_words_and_one_word_have_no_emphasis(way, told):
    assert emphasised(told, how=way, given=range(len(told))) == ()


def test_the_rarest_words_by_the_shipped_order_of_frequency():
    path = files("voxplain") / "assets/models/words/vocabulary.txt"
    rank = {entry: place for place, entry in enumerate(path.read_text("utf-8").split("\n"))}
    told = transcript("The meeting of the surgeon and the dog, again!").words
    plain = [word.text.strip(",!").lower() for word in told]
    rarest = sorted(range(len(plain)), key=lambda row: -rank[plain[row]])[:2]
    assert emphasised(told, how="surprisal") == tuple(sorted(rarest))


def test_punctuation_tells_nothing_and_an_unknown_word_most():
    assert emphasised(transcript("- a zyxgrwq -").words, how="surprisal", share=1) == (1, 2)
    assert emphasised(transcript("a zyxgrwq of the day").words, how="surprisal", share=0.1) == (1,)


def test_random_words_are_drawn_evenly_and_again_the_same():
    told = transcript("one two three four five").words
    drawn = [emphasised(told, how="random", seed=seed) for seed in range(500)]
    assert drawn == [emphasised(told, how="random", seed=seed) for seed in range(500)]
    counts = Counter(itertools.chain(*drawn))
    assert all(60 < counts[row] < 140 for row in range(5))  # 100 expected, of deviation 9
    others = transcript("six seven eight nine ten").words
    assert drawn != [emphasised(others, how="random", seed=seed) for seed in range(500)]


def test_the_oracle_tells_however_many():
    told = words(0.1, 0.9, 0.9)
    assert emphasised(told, how="oracle", given=[2, 0, 2]) == (0, 2)
    assert emphasised(told, how="oracle") == ()
    with pytest.raises(ConfigError, match="word 3 can't be emphasised: there are 3 words"):
        emphasised(told, how="oracle", given=[3])


def test_what_can_not_be_chosen_by():
    with pytest.raises(UnknownName, match=r"'prominance'.*Did you mean 'prominence'"):
        emphasised([], how="prominance")
    for share in (0, -0.1, 1.1):
        with pytest.raises(ConfigError, match=f"at most 1: {share}"):
            emphasised([], how="random", share=share)
    with pytest.raises(UnknownName, match="view of a text 'all'"):
        spoken(transcript("a"), (), view="all")


def shown(found):
    return [found.text[start:end] for start, end in found.emphasised]


def test_emphasised_words_are_characters_of_the_text_without_punctuation():
    found = spoken(transcript("“Don't!” he said, twice… 42 %"), (0, 2, 3, 4, 5), extended="Loud.")
    assert shown(found) == ["Don't", "said", "twice", "42", "%"]
    assert (found.text, found.extended) == ("“Don't!” he said, twice… 42 %", "Loud.")


def test_a_view_keeps_its_clauses_and_the_emphasis_in_them():
    told = transcript(TEXT)
    rows = (2, 12, 15)  # boy, broke, honestly
    happened = spoken(told, rows, view="descriptive", extended="Slow.")
    assert happened.text == "So the boy dropped his ice cream and nobody helped him."
    assert shown(happened) == ["boy"]
    own = spoken(told, rows, view="expressive")
    assert own.text == "It broke my heart, honestly!"
    assert shown(own) == ["broke", "honestly"]
    assert happened.extended == "Slow."


def test_parts_of_a_view_are_joined():
    between = transcript(f"My god! {TEXT.partition('. ')[0]}. I was so scared!")
    found = spoken(between, range(len(between.words)), view="expressive")
    assert found.text == "My god! I was so scared!"
    assert shown(found) == ["My", "god", "I", "was", "so", "scared"]


def test_a_word_that_lies_in_two_clauses_is_in_neither(monkeypatch):
    parts = (Role("descriptive", 0, 8, 1.0), Role("expressive", 8, 19, 1.0))
    monkeypatch.setattr(semantics, "roles", lambda text: parts)
    told = transcript("He fell—ouch! Badly.")
    assert told.text[:8] == "He fell—"
    assert shown(spoken(told, (0, 1), view="descriptive")) == ["He"]
    assert shown(spoken(told, (1, 2), view="expressive")) == ["Badly"]


def test_nothing_said_is_nothing_in_any_view():
    for view in ("whole", "descriptive", "expressive"):
        assert spoken(transcript(""), (), view=view) == Semantics("", (), "")
    assert spoken(transcript("The train left."), (1,), view="expressive") == Semantics("", (), "")


@pytest.mark.parametrize("label", KNOWN)
def test_labels_and_what_they_are_called_are_masked(label):
    for word in (label, phrase(label), phrase(label).upper()):
        assert mask_emotion(f"It sounds {word}, or so.") == f"It sounds {MASK}, or so."


def test_words_of_the_same_families_are_masked():
    told = "anger angrily furious fury joy joyful happiness sadness afraid frightened disgusting"
    assert mask_emotion(told) == " ".join([MASK] * 11)
    for alias in ("anger", "fearful", "happiness", "sadness", "excitement", "frustration"):
        assert canonical(alias) in KNOWN
        assert mask_emotion(alias) == MASK


def test_what_a_voice_is_like_is_not_masked():
    told = "Pitch is very low, voice onsets are steep, warm and trembling; the sadder… saddle."
    assert mask_emotion(told) == told.replace("sadder", MASK)
    assert mask_emotion("") == ""


def edits(said, heard):
    """Levenshtein's distance (1966), row by row."""
    row = list(range(len(heard) + 1))
    for n, one in enumerate(said, 1):
        before, row = row, [n]
        for m, other in enumerate(heard, 1):
            row.append(min(before[m] + 1, row[-1] + 1, before[m - 1] + (one != other)))
    return row[-1]


VOCABULARY = [f"{a}{b}{c}" for a, b, c in itertools.product("bdgklmnprst", "aeiou", "bdgklmnprst")]


def garbled(rate, *, count=200, length=12):
    """What is said and heard in sentences whose third word is emphasised."""
    draw = np.random.default_rng(1)
    told = [transcript(" ".join(draw.choice(VOCABULARY, length))) for _ in range(count)]
    return [
        (one, *misheard(one, (2,), rate=rate, vocabulary=VOCABULARY, seed=n))
        for n, one in enumerate(told)
    ]


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.6])
def test_the_word_error_rate_is_the_wanted_one(rate):
    found = garbled(rate)
    wrong = sum(edits(one.text.split(), heard.text.split()) for one, heard, _ in found)
    assert wrong / (200 * 12) == pytest.approx(rate, abs=0.03)


def test_errors_are_of_three_kinds():
    found = garbled(0.5, count=400)
    said, heard = (sum(len(row[n].words) for row in found) for n in (0, 1))
    assert (heard - said) / said == pytest.approx(0.5 * (0.15 - 0.25), abs=0.015)
    new = sum(math.isnan(word.start) for _, heard, _ in found for word in heard.words)
    assert new / said == pytest.approx(0.5 * 0.15, abs=0.015)


def test_emphasis_stays_at_its_place_unless_that_was_left_out():
    found = garbled(0.6, count=500)
    left_out = sum(not rows for *_, rows in found) / 500
    assert left_out == pytest.approx(0.6 * 0.25, abs=0.04)
    exchanged = 0
    for one, heard, rows in found:
        for row in rows:
            exchanged += heard.words[row].text != one.words[2].text
            assert shown(spoken(heard, (row,))) == [heard.words[row].text]
    assert exchanged / 500 == pytest.approx(0.6 * 0.6, abs=0.06)


def test_emphasis_that_is_heard_keeps_its_time():
    told = transcript("a b c d")
    told = dataclasses.replace(
        told,
        words=tuple(dataclasses.replace(w, start=n, end=n + 1) for n, w in enumerate(told.words)),
    )
    for seed in range(50):
        heard, rows = misheard(told, (1, 3), rate=0.7, vocabulary=["x", "y"], seed=seed)
        assert {heard.words[row].start for row in rows} <= {1, 3}
        assert len(rows) == sum(word.start in (1, 3) for word in heard.words)


def test_without_errors_nothing_changes_and_with_a_seed_all_comes_again():
    told = transcript("That is exactly what happened.")
    assert misheard(told, (2,), rate=0, vocabulary=["x"], seed=0) == (told, (2,))
    again = [misheard(told, (2,), rate=0.5, vocabulary=VOCABULARY, seed=7) for _ in range(2)]
    assert json.dumps(again[0][0].to_dict()) == json.dumps(again[1][0].to_dict())
    assert misheard(transcript(""), (), rate=0.5, vocabulary=[], seed=0)[0].text == ""


def test_a_word_is_never_exchanged_for_itself():
    told = transcript("Yes! yes, yes")
    for seed in range(20):
        heard, _ = misheard(told, (), rate=1, vocabulary=["yes", "no", "Yes."], seed=seed)
        assert "no" in heard.text or len(heard.words) < 3
        assert set(heard.text.split()) - {"no"} <= {"Yes!", "yes,", "yes"}


def test_what_can_not_be_misheard():
    for rate in (-0.1, 1.5):
        with pytest.raises(ConfigError, match=f"in 0 to 1, not {rate}"):
            misheard(transcript("a b"), (), rate=rate, vocabulary=["x"], seed=0)
    with pytest.raises(ConfigError, match="without a vocabulary"):
        misheard(transcript("a b"), (), rate=0.1, vocabulary=[], seed=0)
