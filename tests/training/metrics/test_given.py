"""What no metric accepts, and what every metric says of itself."""

import math
import re

import numpy as np
import pytest

from voxplain.errors import InputError
from voxplain.plugins import find, names

SHARES = [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.6, 0.4, 0.0], [1.0, 0.0, 0.0]]
GIVEN = {  # takes -> truth, prediction
    "labels": (["sad", "angry", "sad", "happy"], ["sad", "sad", "sad", "happy"]),
    "probabilities": ([0, 1, 2, 0], SHARES),
    "values": ([0.1, 0.5, 0.9, 0.4], [0.2, 0.4, 0.7, 0.5]),
    "distributions": ([[0.6, 0.4, 0.0], [0.2, 0.2, 0.6], [0.5, 0.1, 0.4], [0.8, 0.1, 0.1]], SHARES),
}
NAMES = names("metrics")
LABELS = [name for name in NAMES if find("metrics", name).CARD.takes == "labels"]
PROBABILITIES = [name for name in NAMES if find("metrics", name).CARD.takes == "probabilities"]
VALUES = [name for name in NAMES if find("metrics", name).CARD.takes == "values"]
DISTRIBUTIONS = [name for name in NAMES if find("metrics", name).CARD.takes == "distributions"]


def measure(name, truth, prediction):
    return find("metrics", name).measure(truth, prediction)


def perfect(takes):
    truth = GIVEN[takes][0]
    return truth, np.eye(3)[truth] if takes == "probabilities" else truth


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_what_is_true_of_the_metric(name):
    card = find("metrics", name).CARD
    truth, prediction = GIVEN[card.takes]
    found = measure(name, truth, prediction)
    best = measure(name, *perfect(card.takes))
    assert isinstance(found, float)
    assert best == pytest.approx(card.best, abs=1e-9)
    assert (found < best) is card.higher_is_better
    assert re.search(r"\d{4}", card.citation)


def test_titles_are_those_of_one_metric():
    cards = [find("metrics", name).CARD for name in NAMES]
    told = [word.lower() for card in cards for word in (card.title, *card.synonyms)]
    assert len(set(told)) == len(told)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_the_clips_does_not_matter(name):
    truth, prediction = map(np.array, GIVEN[find("metrics", name).CARD.takes])
    order = [2, 0, 3, 1]
    found = measure(name, truth[order], prediction[order])
    assert found == pytest.approx(measure(name, truth, prediction))


@pytest.mark.parametrize("name", NAMES)
def test_lists_of_unequal_length_are_refused(name):
    truth, prediction = GIVEN[find("metrics", name).CARD.takes]
    expected = r"^4 clips in the truth, 3 in the prediction; they must be the same$"
    with pytest.raises(InputError, match=expected):
        measure(name, truth, prediction[:3])


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_no_input(name):
    shape = (0, 3) if name in PROBABILITIES + DISTRIBUTIONS else 0
    dtype = int if name in PROBABILITIES else float
    truth = np.empty(shape if name in DISTRIBUTIONS else 0, dtype)
    with pytest.raises(InputError, match=r"^no clip at all: a metric needs one$"):
        measure(name, truth, np.empty(shape))


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("hole", [math.nan, None, ""])
def test_a_missing_label_is_named(name, hole):
    truth, prediction = GIVEN["labels"]
    expected = (
        r"^1 of 4 labels of the prediction are missing, the first in row 2 "
        r"\(rows count from 0\); leave such clips out$"
    )
    with pytest.raises(InputError, match=expected):
        measure(name, truth, [*prediction[:2], hole, prediction[3]])
    holed = np.array([*truth[:2], hole, truth[3]], dtype=object)
    with pytest.raises(InputError, match="labels of the truth are missing"):
        measure(name, holed, prediction)


def test_a_missing_number_among_labels_is_named():
    with pytest.raises(InputError, match=r"^1 of 2 labels of the truth are missing"):
        measure("wa", np.array([1.0, np.nan]), np.array([1.0, 1.0]))


def test_words_are_not_compared_with_numbers():
    expected = (
        r"^the truth has labels like .*'sad'.*, the prediction like .*1.*; "
        r"give both as words or both as numbers$"
    )
    with pytest.raises(InputError, match=expected):
        measure("uar", ["sad", "angry"], [1, 0])


def test_labels_have_one_axis():
    with pytest.raises(InputError, match=r"^the truth has the shape \(2, 1\); 1 axes are needed$"):
        measure("wa", [["sad"], ["sad"]], ["sad", "sad"])


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("hole", [math.nan, math.inf])
def test_a_missing_value_is_named(name, hole):
    truth, prediction = GIVEN["values"]
    expected = (
        rf"^row 1 of the truth \(rows count from 0\) holds {hole}; "
        r"leave out clips without a number$"
    )
    with pytest.raises(InputError, match=expected):
        measure(name, [truth[0], hole, *truth[2:]], prediction)


@pytest.mark.parametrize("name", PROBABILITIES + DISTRIBUTIONS)
@pytest.mark.parametrize("row", [[0.5, 0.5, 0.5], [1.5, -0.5, 0.0]])
def test_shares_add_to_one_and_are_not_negative(name, row):
    truth, prediction = GIVEN[find("metrics", name).CARD.takes]
    told = re.escape(str([float(share) for share in row]))
    expected = rf"^row 1 of the prediction is {told}; shares are not negative and add to 1$"
    with pytest.raises(InputError, match=expected):
        measure(name, truth, [prediction[0], row, *prediction[2:]])


@pytest.mark.parametrize("name", PROBABILITIES + DISTRIBUTIONS)
def test_a_missing_share_is_named(name):
    truth, prediction = GIVEN[find("metrics", name).CARD.takes]
    with pytest.raises(InputError, match=r"^row 0 of the prediction .* holds \[ ?nan"):
        measure(name, truth, [[math.nan, 0.5, 0.5], *prediction[1:]])


@pytest.mark.parametrize("name", PROBABILITIES)
@pytest.mark.parametrize("column", [3, -2])
def test_a_label_without_a_column_is_named(name, column):
    expected = (
        rf"^the truth names column {column}, but there are 3 labels; "
        r"-1 stands for a truth that has no column$"
    )
    with pytest.raises(InputError, match=expected):
        measure(name, [0, 1, 2, column], SHARES)


@pytest.mark.parametrize("name", PROBABILITIES)
def test_words_stand_for_no_column(name):
    expected = r"^beside probabilities the truth is the number of a column, not .*'sad'"
    with pytest.raises(InputError, match=expected):
        measure(name, ["sad"] * 4, SHARES)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_votes_and_prediction_are_of_the_same_labels(name):
    expected = r"^the truth has shares of 2 labels, the prediction of 3$"
    with pytest.raises(InputError, match=expected):
        measure(name, [[0.5, 0.5]] * 4, SHARES)
