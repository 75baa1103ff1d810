"""Slices and their gaps, held against tests whose figures are known."""

import numpy as np
import pytest
from scipy import stats

from voxplain.training.assessment.figures import view
from voxplain.training.assessment.judging import Judged
from voxplain.training.assessment.recordings import Recordings
from voxplain.training.assessment.slices import gap, per_speaker, slices, traits

RIGHT, WRONG = (0.1, 0.0, 0.0, 0.9), (0.9, 0.0, 0.0, 0.1)
SAD = ("sad", "happy")  # labels of the views; all clips are sad, so that UAR is a mean


@pytest.fixture
def shares(judged):
    """A view of sad clips: (speaker, share of ten clips that are right) in order."""

    def make(*found):
        rows = [
            (speaker, "sad", RIGHT if number < 10 * share else WRONG)
            for speaker, share in found
            for number in range(10)
        ]
        return view(judged(*rows), ("angry", "sad"), "")

    return make


def test_a_gap_between_people_is_that_of_welch(shares):
    women, men = (0.9, 0.6, 0.8, 0.7, 0.9, 0.5), (0.4, 0.6, 0.3, 0.7, 0.5, 0.5, 0.2)
    found = shares(
        *((f"w{n}", one) for n, one in enumerate(women)),
        *((f"m{n}", one) for n, one in enumerate(men)),
    )
    inside = np.char.startswith(found.table.clusters, "w")
    difference = gap(found, inside, ~inside)
    known = stats.ttest_ind(women, men, equal_var=False)
    assert difference.value == pytest.approx(np.mean(women) - np.mean(men))
    low, high = known.confidence_interval()
    assert (difference.low, difference.high) == pytest.approx((low, high), abs=0.02)
    assert difference.p == pytest.approx(known.pvalue, rel=0.25)
    assert (difference.n, difference.speakers) == (130, 13)


def test_a_gap_between_sentences_of_the_same_people_is_paired(shares):
    first, second = (
        np.array([0.9, 0.6, 0.8, 0.7, 0.9, 0.5]),
        np.array([0.7, 0.5, 0.7, 0.4, 0.8, 0.5]),
    )
    people = [f"p{n}" for n in range(6)]
    found = shares(*zip(people, first, strict=True), *zip(people, second, strict=True))
    inside = np.repeat([True, False], 60)
    difference = gap(found, inside, ~inside)
    known = stats.ttest_rel(first, second)
    assert difference.value == pytest.approx(np.mean(first - second))
    low, high = known.confidence_interval()
    assert (difference.low, difference.high) == pytest.approx((low, high), abs=0.02)
    assert difference.p == pytest.approx(known.pvalue, rel=0.4)


def test_of_a_single_speaker_nothing_can_be_said(shares):
    found = shares(("a", 0.5), ("b", 0.5), ("c", 0.9))
    inside = found.table.clusters == "c"
    difference = gap(found, inside, ~inside)
    assert np.isnan([difference.value, difference.p]).all()
    assert difference.speakers == 3


def test_sides_that_share_no_label_have_no_gap(judged):
    rows = [(f"p{n % 4}", "sad" if n % 4 < 2 else "angry", RIGHT) for n in range(40)]
    found = view(judged(*rows), ("angry", "sad"), "")
    inside = found.table["emotion"] == "sad"
    assert np.isnan(gap(found, inside, ~inside).value)


def test_only_labels_of_both_sides_count(judged):
    """The men are angry too, and never found; of what both have all is found."""
    rows = [(f"w{n % 3}", "sad", RIGHT) for n in range(12)]
    rows += [(f"m{n % 3}", "sad", RIGHT) for n in range(12)]
    rows += [(f"m{n % 3}", "angry", RIGHT) for n in range(12)]
    found = view(judged(*rows), ("angry", "sad"), "")
    inside = np.char.startswith(found.table.clusters, "w")
    assert gap(found, inside, ~inside).value == 0


def test_slices_are_corrected_for_their_number_and_warn_of_few(shares):
    women = ((f"w{n}", 0.8 + 0.1 * (n % 2)) for n in range(6))
    men = ((f"m{n}", 0.4 + 0.1 * (n % 2)) for n in range(6))
    found = shares(*women, *men)
    women_first = np.repeat(["female", "male"], 60)
    split = np.tile(np.repeat(["long", "short"], 5), 12)
    told = slices(found, {"sex": women_first, "duration": split})
    assert [(one.trait, one.value) for one in told] == [
        ("sex", "female"),
        ("sex", "male"),
        ("duration", "long"),
        ("duration", "short"),
    ]
    inside = women_first == "female"
    alone = gap(found, inside, ~inside)
    assert told[0].uar.value == pytest.approx(0.85)
    assert told[0].gap.value == pytest.approx(0.4)
    assert told[0].gap.p == pytest.approx(2 * alone.p)  # two tests: two sides of each
    assert told[1].gap.value == -told[0].gap.value
    assert (told[1].gap.low, told[1].gap.high) == (-told[0].gap.high, -told[0].gap.low)
    assert told[1].gap.p == told[0].gap.p
    assert told[2].gap.p == told[3].gap.p
    assert not told[0].few
    (few, *_) = slices(found, {"age": np.repeat(["old", "young"], [30, 90])})
    assert few.few  # three speakers


def test_values_of_few_clips_and_unknown_ones_are_no_slices(shares):
    found = shares(*((f"p{n}", 0.5) for n in range(6)))
    rare = np.array(["rare"] * 9 + ["common"] * 51)
    assert slices(found, {"strength": rare}) == []
    unknown = np.array([""] * 20 + ["here"] * 40)
    assert slices(found, {"strength": unknown}) == []


def test_traits_are_what_the_corpus_tells(utterance, judgement):
    spoken = (
        utterance(0, "ann", "sad", strength="low", sentence="A"),
        utterance(1, "bob", "sad", strength="", sentence="A", sex="male"),
        utterance(2, "cid", "sad", strength="high", sentence="A", sex="", language="de"),
    )
    found = Judged(
        spoken, tuple(judgement(RIGHT, duration=seconds) for seconds in (1.0, 2.0, 3.0)), SAD
    )
    people = {"ann": {"Age": "29", "Race": "Asian"}, "bob": {"Age": "50", "Race": "Unknown"}}
    told = traits(found, Recordings("made", spoken, None, people))
    assert {name: values.tolist() for name, values in told.items()} == {
        "sex": ["female", "male", ""],
        "age": ["under 30", "50 and over", ""],
        "duration": ["0 to 1.7 s", "1.7 to 2.3 s", "2.3 s and more"],
        "strength": ["low", "", "high"],
    }  # sentence and race are alike; of the language only one is known


def test_the_words_of_conversations_are_no_trait(utterance, judgement):
    spoken = tuple(utterance(n, f"p{n}", "sad", sentence=f"words {n}") for n in range(30))
    found = Judged(spoken, (judgement(RIGHT),) * 30, SAD)
    assert "sentence" not in traits(found, Recordings("made", spoken))


def test_speakers_stand_apart_the_worst_first(shares):
    assert per_speaker(shares(("a", 0.5), ("b", 0.2))) == {"b": (0.2, 10), "a": (0.5, 10)}
