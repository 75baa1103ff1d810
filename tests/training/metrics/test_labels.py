"""WA, UAR, macro-F1 and WF1: on paper, and against scikit-learn and audmetric."""

import audmetric
import numpy as np
import pytest
from sklearn import metrics as sklearn

from voxplain.training.metrics.macro_f1 import macro_f1
from voxplain.training.metrics.uar import unweighted_average_recall
from voxplain.training.metrics.wa import accuracy
from voxplain.training.metrics.weighted_f1 import weighted_f1

METRICS = (accuracy, unweighted_average_recall, macro_f1, weighted_f1)


@pytest.mark.parametrize(
    ("truth", "prediction", "share", "recall"),
    [
        (list("aaab"), list("aaaa"), 3 / 4, (1 + 0) / 2),
        (list("aaab"), list("aabb"), 3 / 4, (2 / 3 + 1) / 2),
        (list("aabbbbcc"), list("abbbbaca"), 5 / 8, (1 / 2 + 3 / 4 + 1 / 2) / 3),
        ([0, 0, 1], [2, 2, 1], 1 / 3, 1 / 2),  # a class that is never true has no recall
        ([1], [1], 1.0, 1.0),
        ([0, 1], [1, 0], 0.0, 0.0),
    ],
)
def test_accuracy_and_unweighted_average_recall(truth, prediction, share, recall):
    assert accuracy(truth, prediction) == pytest.approx(share)
    assert unweighted_average_recall(truth, prediction) == pytest.approx(recall)


@pytest.mark.parametrize(
    ("truth", "prediction", "macro", "weighted"),
    [
        # a: 3 hits, 4 told, 3 true; b: none.
        (list("aaab"), list("aaaa"), (6 / 7 + 0) / 2, 3 / 4 * 6 / 7),
        # c is only predicted: it counts in the mean, but has no weight.
        (list("ab"), list("ac"), (1 + 0 + 0) / 3, 1 / 2),
        (list("aa"), list("aa"), 1.0, 1.0),
        (list("ab"), list("ba"), 0.0, 0.0),
    ],
)
def test_f1(truth, prediction, macro, weighted):
    assert macro_f1(truth, prediction) == pytest.approx(macro)
    assert weighted_f1(truth, prediction) == pytest.approx(weighted)


def samples():
    """Truth and prediction of many kinds: labels that are absent from either, one label, words."""
    random = np.random.default_rng(0)
    for size in (1, 2, 7, 40, 300):
        for true, told in (("abcdef", "abcdef"), ("ab", "abcd"), ("abcd", "ab"), ("a", "abc")):
            yield random.choice(list(true), size), random.choice(list(told), size)
    yield random.integers(0, 4, 50), random.integers(0, 4, 50)
    yield np.array(["a"] * 5), np.array(["a"] * 5)


@pytest.mark.parametrize(("truth", "prediction"), list(samples()))
def test_accuracy_and_f1_are_those_of_sklearn_and_audmetric(truth, prediction):
    listed = truth.tolist(), prediction.tolist()
    found = accuracy(truth, prediction)
    assert found == pytest.approx(sklearn.accuracy_score(truth, prediction))
    assert found == pytest.approx(audmetric.accuracy(*listed))
    found = macro_f1(truth, prediction)
    expected = sklearn.f1_score(truth, prediction, average="macro", zero_division=0)
    assert found == pytest.approx(expected)
    assert found == pytest.approx(audmetric.unweighted_average_fscore(*listed))
    expected = sklearn.f1_score(truth, prediction, average="weighted", zero_division=0)
    assert weighted_f1(truth, prediction) == pytest.approx(expected)


@pytest.mark.parametrize(("truth", "prediction"), list(samples()))
def test_recall_is_that_of_sklearn_and_audmetric_over_the_labels_of_the_truth(truth, prediction):
    kept = np.unique(truth)
    found = unweighted_average_recall(truth, prediction)
    expected = sklearn.recall_score(truth, prediction, average="macro", labels=kept)
    assert found == pytest.approx(expected)
    # audmetric counts an error that leads out of its labels as none, so they are all given, and
    # those that are never true have a recall of 0.
    listed, every = (truth.tolist(), prediction.tolist()), np.union1d(truth, prediction)
    theirs = audmetric.unweighted_average_recall(*listed)
    assert found * len(kept) == pytest.approx(theirs * len(every))
