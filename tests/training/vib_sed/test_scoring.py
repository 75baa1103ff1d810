"""Scores of what is spoken: as scikit-learn has them, counted by hand, and by speaker."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from voxplain.errors import InputError
from voxplain.models.description import ATTRIBUTES, Described, Description, confident, slots
from voxplain.models.levels import Labels
from voxplain.training.vib_sed.scoring import (
    agreement,
    balanced,
    hallucination,
    surest,
    unsaid,
    word_error_rate,
)

SIZE = 60
SPEAKERS = [f"s{row % 6}" for row in range(SIZE)]
NAMES = [attribute.name for attribute in ATTRIBUTES]


def drawn(seed, *, known=1.0):
    """Descriptions at random, as far as levels are known."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(SIZE):
        levels = random.integers(-1, 2, len(NAMES)).tolist()
        kept = random.random(len(NAMES)) < known
        found.append(
            Description(
                {
                    name: level
                    for name, level, is_kept in zip(NAMES, levels, kept, strict=True)
                    if is_kept
                },
                str(random.choice(["soft", "lively"])),
                (str(random.choice(["one", "two"])),) if random.random() < 0.7 else (),
                str(random.choice(["angry", "sad", "happy"])),
            )
        )
    return found


def test_each_slot_has_its_figure_and_the_attributes_their_mean():
    truth, spoken = drawn(0, known=0.6), drawn(1)
    found = agreement(spoken, truth, speakers=SPEAKERS, draws=20)
    expected = {}
    for name in NAMES:
        rows = [row for row in range(SIZE) if name in truth[row].levels]
        expected[name] = f1_score(
            [truth[row].levels[name] for row in rows],
            [spoken[row].levels[name] for row in rows],
            average="macro",
        )
        assert found[name].n == len(rows) < SIZE
    expected["descriptors"] = np.mean(list(expected.values()))
    tones = ([one.tone for one in side] for side in (truth, spoken))
    expected["tone"] = f1_score(*tones, average="macro")
    stressed = ([str(one.emphasised) for one in side] for side in (truth, spoken))
    expected["stress"] = accuracy_score(*stressed)
    labels = [[one.label for one in side] for side in (truth, spoken)]
    expected |= {"UAR": balanced_accuracy_score(*labels), "WA": accuracy_score(*labels)}
    assert {name: one.value for name, one in found.items()} == pytest.approx(expected)
    assert {one.speakers for one in found.values()} == {6}


def test_draws_are_of_speakers():
    """Half of the six speakers are always right, half never: a draw is right in whole sixths."""
    truth = [Description(label="sad" if row % 2 else "angry") for row in range(SIZE)]
    right = [row % 6 < 3 for row in range(SIZE)]
    spoken = [
        one if ok else Description(label="happy") for one, ok in zip(truth, right, strict=True)
    ]
    found = agreement(spoken, truth, speakers=SPEAKERS, draws=200)["WA"]
    assert found.value == 0.5
    np.testing.assert_allclose(found.draws * 6, np.round(found.draws * 6), atol=1e-9)
    assert found.draws.std() == pytest.approx(np.sqrt(0.25 / 6), rel=0.2)


def test_what_is_known_but_not_spoken_counts_as_wrong():
    truth = [Description({"pitch": level}) for level in (-1, -1, 0, 1)]
    spoken = [Description({"pitch": -1}), Description({"range": 1}), *truth[2:]]
    found = agreement(spoken, truth, speakers=["a", "a", "b", "b"], draws=2)
    # -1 has precision 1 and recall 1/2, the two others are right, and "nothing" is a fourth.
    assert found["pitch"].value == pytest.approx((2 / 3 + 1 + 1 + 0) / 4)
    assert set(found) == {"pitch", "descriptors"}  # nobody knows the range


def test_what_is_never_spoken_has_no_figure():
    spoken = [Description(label="sad")] * 2
    found = agreement(
        spoken, [Description({"pitch": 1}, label="sad")] * 2, speakers=["a", "b"], draws=2
    )
    assert set(found) == {"UAR", "WA"}


def label(level, *, certain):
    return Labels(Description({"pitch": level}), Description({"pitch": level} if certain else {}))


@pytest.mark.parametrize(
    ("spoken", "true", "certain", "false"),
    [(1, 1, True, 0), (1, 0, True, 1), (1, 0, False, 0), (1, -1, True, 1), (1, -1, False, 1),
     (-1, 0, True, 1), (-1, 0, False, 0), (0, 0, False, 0)],
)  # fmt: skip
def test_two_steps_are_false_and_one_from_what_is_certain(spoken, true, certain, false):
    found = hallucination(
        [Description({"pitch": spoken})], [label(true, certain=certain)], speakers=["a"], draws=1
    )
    assert found.value == false


def test_the_rate_is_of_all_levels_that_can_be_checked():
    spoken = [Description({"pitch": 1, "tempo": 1, "range": 0}), Description({"pitch": 1})]
    measured = [Description({"pitch": 1, "range": 1}), Description({"pitch": -1, "tempo": 0})]
    labels = [Labels(one, one) for one in measured]
    found = hallucination(spoken, labels, speakers=["a", "b"], draws=100)
    assert found.value == pytest.approx(2 / 3)
    assert set(np.round(found.draws, 6)) == {0.5, round(2 / 3, 6), 1.0}
    nothing = hallucination([Description()] * 2, labels, speakers=["a", "b"], draws=1)
    assert np.isnan(nothing.value)


def heard(*pitches):
    """Clips of which "high" is heard, each with a probability."""
    return [
        Described(Description({"pitch": 1}), {"pitch": {"low": 0.0, "medium": 1 - p, "high": p}})
        for p in pitches
    ]


@pytest.mark.parametrize(
    ("most", "least"), [(1.0, 0.0), (0.5, 0.0), (0.4, 0.6), (0.34, 0.6), (0.3, 0.9), (0.0, 0.9)]
)
def test_the_least_sure_are_left_unsaid_until_few_enough_are_false(most, least):
    clips = heard(0.5, 0.9, 0.8, 0.6)  # false: the first and the third
    labels = [label(level, certain=True) for level in (0, 1, -1, 1)]
    assert surest(clips, labels, false=most) == least


def test_where_too_many_of_the_surest_are_false_nothing_is_said():
    clips = heard(0.9, 1.0)
    labels = [label(level, certain=True) for level in (1, 0)]
    least = surest(clips, labels, false=0.1)
    assert not any(confident(one, least=least).levels for one in clips)


def test_what_can_not_be_checked_says_nothing_of_who_is_sure():
    clips = heard(0.4, 0.9)
    unknown = Labels(Description(), Description())
    assert surest(clips, [unknown, label(1, certain=True)], false=0.0) == 0.0
    assert surest(clips, [unknown, unknown], false=0.0) == 0.0


def test_each_level_is_spoken_as_often_as_it_was_measured():
    """Eight clips that lean evenly from low to high, the medium level never the most probable."""
    generator = np.random.default_rng(0)
    shares = [(0.8 - 0.09 * n, 0.1, 0.1 + 0.09 * n) for n in range(8)]
    clips = [
        Described(
            Description({"pitch": 1}),
            {"pitch": dict(zip(("low", "medium", "high"), one, strict=True))},
        )
        for one in shares
    ]
    measured = generator.permutation([-1, 0, 0, 0, 0, 1, 1, 1])
    found = balanced(clips, [label(int(one), certain=False) for one in measured])
    assert found.keys() == {"pitch"}
    (slot, _) = slots(labels=["sad"], taught={"pitch"}, middles=found)
    assert [slot.choice(one) for one in shares] == [0, 1, 1, 1, 1, 2, 2, 2]


def test_what_was_not_measured_has_no_middle():
    unknown = Labels(Description(), Description())
    assert balanced(heard(0.4, 0.9), [unknown, unknown]) == {}


def test_what_is_left_unsaid_is_counted_by_levels():
    clips = [Description({"pitch": 1, "range": 0, "tempo": 0}), Description({"pitch": 1})]
    said = [Description({"pitch": 1}), Description({"pitch": 1})]
    assert unsaid(said, clips, speakers=["a", "b"], draws=1).value == 0.5


@pytest.mark.parametrize(
    ("said", "heard", "rate"),
    [
        ("It's eleven o'clock.", "its eleven o’clock", 1 / 3),
        ("the cat sat", "the cat sat", 0),
        ("the cat sat", "", 1),
        ("the cat sat", "cat sat", 1 / 3),
        ("the cat sat", "the fat cat sat down there", 1),
        ("a b c d", "b c d a", 0.5),
        ("", "", np.nan),
    ],
)
def test_word_errors_are_the_fewest_changes(said, heard, rate):
    found = word_error_rate([said], [heard], speakers=["a"], draws=1)
    assert found.value == pytest.approx(rate, nan_ok=True)


def test_long_clips_weigh_more():
    found = word_error_rate(
        ["one", "two three four"], ["", "two three four"], speakers=["a", "b"], draws=5
    )
    assert found.value == 0.25


def test_each_clip_needs_one_of_each():
    one = [Description()]
    with pytest.raises(InputError, match="2 clips, 1 spoken, 2 speakers: each clip needs one of e"):
        agreement(one, one * 2, speakers=["a", "b"])
    with pytest.raises(InputError, match="0 clips, 0 spoken, 0 speakers"):
        hallucination([], [], speakers=[])
    with pytest.raises(InputError, match="1 clips, 2 heard: each clip needs one of each"):
        surest(heard(0.5, 0.5), [label(1, certain=True)], false=0.1)
    with pytest.raises(InputError, match="2 clips, 1 spoken, 2 speakers"):
        unsaid(one, one * 2, speakers=["a", "b"])
    with pytest.raises(InputError, match="1 clips, 1 heard, 2 speakers"):
        word_error_rate(["a"], ["a"], speakers=["a", "b"])
