"""The spoken text can always be read again, and nothing else can."""

import itertools
import pickle

import pytest

from voxplain import descriptors
from voxplain.errors import BadReply, ConfigError, UnknownName
from voxplain.labels import CANONICAL
from voxplain.models.description import (
    ATTRIBUTES,
    NO_STRESS,
    TONES,
    Described,
    Description,
    confident,
    distinct_words,
    parsed,
    parts,
    slots,
    spoken,
    tone_of,
)

NAMES = [attribute.name for attribute in ATTRIBUTES]
WHOLE = Description(dict.fromkeys(NAMES, 1), "urgent", ("eleven",), "angry")
TEXT = (
    "pitch high, range wide, contour rising, loudness loud, dynamics varied, tempo fast, "
    "pauses many, voice breathy, brightness bright, tone urgent, stress on eleven: sounds angry"
)
KNOWN = [
    WHOLE,
    Description(),
    Description(label="sad"),
    Description({"tempo": -1}),
    Description({"voice": 0, "pitch": -1}, label="fear"),  # not in the order of speech
    Description(tone="flat", emphasised=()),
    Description(emphasised=("sounds",), label="happy"),
    Description(emphasised=("tone",)),
    Description(emphasised=("it's",), label="neutral"),
]


def test_attributes_are_measured_by_what_there_is():
    inventory = descriptors.inventory()
    assert all(attribute.descriptor in inventory for attribute in ATTRIBUTES)
    assert len({attribute.descriptor for attribute in ATTRIBUTES}) == len(ATTRIBUTES) == 9


def test_no_word_can_be_taken_for_another():
    for attribute in ATTRIBUTES:
        assert len(set(attribute.words)) == 3
        assert all(word.isalpha() and word.islower() for word in attribute.words)
    assert not set(TONES) & set(CANONICAL)


def test_what_is_spoken_is_the_text_that_was_agreed_upon():
    assert spoken(WHOLE) == TEXT


@pytest.mark.parametrize("description", KNOWN, ids=spoken)
def test_what_was_spoken_can_be_read(description):
    assert parsed(spoken(description), labels=CANONICAL) == description


def test_every_choice_of_candidates_can_be_read():
    """Each slot takes each of its candidates, with the others at their first."""
    wanted = slots(words=["It's", "eleven", "o'clock."], labels=CANONICAL)
    first = [slot.spoken[0] for slot in wanted]
    for place, slot in enumerate(wanted):
        for candidate in slot.spoken:
            chosen = [*first[:place], candidate, *first[place + 1 :]]
            pairs = zip(wanted, chosen, strict=True)
            text = "".join(f"{one.lead} {word}" for one, word in pairs)
            assert spoken(parsed(text, labels=CANONICAL)) == text
            assert [part.word for part in parts(parsed(text, labels=CANONICAL))] == chosen


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sounds glad", "'glad' is not among angry, disgusted"),
        ("range wide, pitch high", "this would be 'pitch high, range wide'"),
        ("pitch high, pitch low", "this would be 'pitch low'"),
        ("pitch big", "'pitch big' is nothing that is known"),
        ("mood high", "'mood high' is nothing that is known"),
        ("pitch", "'pitch' is nothing that is known"),
        ("tone angry", "unknown tone 'angry'"),
        ("stress on Eleven", "give at most one word"),
        ("pitch high, sounds angry", "this would be 'pitch high: sounds angry'"),
        (": sounds angry", "this would be 'sounds angry'"),
        ("sounds angry.", "'angry.' is not among"),
        ("pitch high ", "'pitch high ' is nothing"),
    ],
)
def test_anything_else_is_refused(text, reason):
    with pytest.raises(BadReply, match=f"is no description: .*{reason}.*generate it slot by slot"):
        parsed(text, labels=CANONICAL)


def test_slots_stand_in_a_fixed_order():
    wanted = slots(words=["Eleven,", "none", "ELEVEN"], labels=["sad", "angry"])
    assert [slot.name for slot in wanted] == [*NAMES, "tone", "stress", "emotion"]
    assert wanted[0].lead == "pitch"
    assert wanted[1].lead == ", range"
    assert wanted[-2][1:] == (", stress on", (NO_STRESS, "eleven"), None)
    assert wanted[-1][1:] == (": sounds", ("sad", "angry"), None)


def test_who_is_not_sure_leaves_words_of_every_kind_unsaid():
    said = Description({"pitch": 1, "tempo": 0}, "urgent", ("eleven",), "angry")
    chances = {
        "pitch": {"high": 0.8},
        "tempo": {"medium": 0.4},
        "tone": {"urgent": 0.45},
        "stress": {"eleven": 0.9},
        "emotion": {"angry": 0.3},
    }
    told = confident(Described(said, chances), least=0.5)
    assert told == Description({"pitch": 1}, "", ("eleven",), "angry")
    told = confident(Described(said, chances), least=0.95)
    assert told == Description(label="angry")
    unstressed = Described(Description(emphasised=()), {"stress": {"none": 0.4}})
    assert confident(unstressed, least=0.3).emphasised == ()
    assert confident(unstressed, least=0.5).emphasised is None


def test_what_was_not_taught_has_no_slot():
    (only,) = slots(words=["eleven"], labels=["sad"], taught=())
    assert only == ("emotion", "sounds", ("sad",), None)
    some = slots(labels=["sad"], taught={"tone", "pitch"})
    assert [slot.name for slot in some] == ["pitch", "tone", "emotion"]


def test_an_emotion_is_spoken_as_its_adjective():
    assert spoken(Description(label="fear")) == "sounds fearful"
    (emotion,) = slots(labels=["fear", "sad"], taught=())
    assert (emotion.candidates, emotion.spoken) == (("fear", "sad"), ("fearful", "sad"))


@pytest.mark.parametrize(
    ("chances", "most_probable", "by_its_middle"),
    [
        ((0.4, 0.25, 0.35), 0, 1),  # leans by -0.05
        ((0.2, 0.6, 0.2), 1, 1),
        ((0.45, 0.35, 0.2), 0, 0),  # -0.25
        ((0.25, 0.4, 0.35), 1, 2),  # 0.1
        ((0.3, 0.4, 0.3), 1, 1),
    ],
)
def test_a_level_goes_by_which_way_it_leans(chances, most_probable, by_its_middle):
    pitch, tempo, *others = slots(labels=["sad"], middles={"pitch": (-0.2, 0.08)}, taught={
        "pitch", "tempo", "tone"})  # fmt: skip
    assert (pitch.middle, tempo.middle) == ((-0.2, 0.08), None)
    assert all(one.middle is None for one in others)
    assert (tempo.choice(chances), pitch.choice(chances)) == (most_probable, by_its_middle)


def test_labels_are_needed():
    with pytest.raises(ConfigError, match="no labels to choose from; give at least one emotion"):
        slots(labels=[])


def test_words_are_bare_and_stay_so():
    words = ["“Don't", "go”,", "go", "—", "a,b", "New York", "NONE", "İstanbul", "x-ray;"]
    found = distinct_words(words)
    assert found[:2] == ("don't", "go")
    assert found[2:4] == ("ab", "newyork")
    assert NO_STRESS not in found
    assert distinct_words(found) == found
    for word in found:
        said = Description(emphasised=(word,), label="sad")
        assert parsed(spoken(said), labels=["sad"]) == said


def test_the_tone_follows_from_four_levels():
    levels = list(itertools.product((-1, 0, 1), repeat=4))
    tones = {
        level: tone_of(dict(zip(("pitch", "range", "loudness", "tempo"), level, strict=True)))
        for level in levels
    }
    assert set(tones.values()) == set(TONES)
    assert tones[1, 0, 1, 0] == tones[0, -1, 1, 1] == "urgent"
    assert tones[0, 1, 1, 0] == tones[-1, 1, 1, 1] == "firm"
    assert tones[-1, 1, 0, -1] == tones[0, 1, -1, 0] == "lively"
    assert tones[1, -1, -1, 1] == tones[0, 0, -1, 0] == "soft"
    assert tones[1, -1, 0, 1] == "flat"
    assert tones[1, 0, 0, 1] == tones[0, 0, 0, 0] == "even"


@pytest.mark.parametrize("missing", ["pitch", "range", "loudness", "tempo"])
def test_without_one_of_them_the_tone_is_not_known(missing):
    assert tone_of({name: 0 for name in NAMES if name != missing}) == ""


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"levels": {"pich": 1}}, UnknownName, "unknown attribute 'pich'.*Did you mean 'pitch'"),
        ({"levels": {"pitch": 2}}, ConfigError, "pitch has the level 2; give -1, 0 or 1"),
        ({"tone": "angry"}, UnknownName, "unknown tone 'angry'"),
        ({"emphasised": ("a", "b")}, ConfigError, r"stressed is \('a', 'b'\); give at most one"),
        ({"emphasised": ("A",)}, ConfigError, "in lower case and without punctuation"),
        ({"emphasised": ("none",)}, ConfigError, r"stressed is \('none',\)"),
    ],
)
def test_what_can_not_be_is_refused(wrong, error, message):
    with pytest.raises(error, match=message):
        Description(**wrong)


def test_a_description_travels():
    assert pickle.loads(pickle.dumps(WHOLE)) == WHOLE
    for description in KNOWN:
        assert Description.from_dict(description.to_dict()) == description
    with pytest.raises(TypeError):
        WHOLE.levels["pitch"] = 0
