"""Intervals that know speakers from clips, and tests that find nothing where there is nothing."""

import numpy as np
import pytest
from scipy import stats

from voxplain.errors import InputError, UnknownName
from voxplain.training.metrics.macro_f1 import macro_f1
from voxplain.training.metrics.uar import unweighted_average_recall
from voxplain.training.metrics.wa import accuracy
from voxplain.training.statistics import (
    Bootstrap,
    Difference,
    Interval,
    bootstrap,
    confusion,
    difference,
    holm,
    mcnemar,
    mean,
    speaker_interval,
)


def clustered():
    """Ten speakers of 30 clips: five are understood nearly always, five hardly ever."""
    random = np.random.default_rng(0)
    speakers = np.repeat([f"s{index}" for index in range(10)], 30)
    right = random.random(300) < np.repeat([0.95, 0.15] * 5, 30)
    truth = random.integers(0, 3, 300)
    return truth, np.where(right, truth, (truth + 1) % 3), speakers.tolist()


def test_a_mean_has_the_draws_of_a_mean():
    """Two seeds that err on other speakers: their mean varies less than either."""
    figures = [Bootstrap(0.25, np.array(draws), 8, 4) for draws in ([0.0, 0.5], [0.5, 0.0])]
    found = mean([*figures, Bootstrap(1.0, np.array([1.0, 1.0]), 8, 4)])
    assert (found.value, found.n, found.speakers) == (0.5, 8, 4)
    assert found.draws.tolist() == [0.5, 0.5]


def test_speakers_make_a_wider_interval_than_clips():
    truth, prediction, speakers = clustered()
    by_speaker = speaker_interval(accuracy, truth, prediction, speakers=speakers)
    clips = [str(index) for index in range(300)]
    by_clip = speaker_interval(accuracy, truth, prediction, speakers=clips)
    assert by_speaker.high - by_speaker.low > 2 * (by_clip.high - by_clip.low)
    assert by_speaker.value == by_clip.value == pytest.approx(np.mean(truth == prediction))


def test_the_interval_of_clips_is_that_of_a_binomial_share():
    truth = np.zeros(400, int)
    prediction = (np.arange(400) >= 300).astype(int)  # 3 of 4 are right
    clips = [str(index) for index in range(400)]
    found = speaker_interval(accuracy, truth, prediction, speakers=clips)
    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert (found.low, found.high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.006)


def test_an_interval_says_what_it_stands_on():
    truth, prediction, speakers = clustered()
    found = speaker_interval(unweighted_average_recall, truth, prediction, speakers=speakers)
    assert (found.n, found.speakers) == (300, 10)
    assert found.low < found.value < found.high


def test_an_interval_is_the_same_every_time():
    truth, prediction, speakers = clustered()
    first, again, other = (
        speaker_interval(accuracy, truth, prediction, speakers=speakers, draws=200, seed=seed)
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_an_interval_is_read_at_a_glance():
    assert str(Interval(0.7, 0.6512, 0.75, 100, 5)) == "0.700 [0.651, 0.750]"


@pytest.mark.parametrize("metric", [unweighted_average_recall, macro_f1])
def test_words_are_drawn_as_their_numbers(metric):
    """Neither objects nor negative numbers have a shorter way."""
    truth, prediction, speakers = clustered()
    labels = np.array(["a", "b", "c"])
    one = bootstrap(metric, labels[truth], labels[prediction], speakers=speakers, draws=50)
    for plain in (labels.astype(object), np.array([-1, 2, 7])):
        other = bootstrap(metric, plain[truth], plain[prediction], speakers=speakers, draws=50)
        np.testing.assert_array_equal(one.draws, other.draws)
    short = bootstrap(metric, truth, prediction, speakers=speakers, draws=50)
    np.testing.assert_array_equal(one.draws, short.draws)


def test_a_word_that_is_missing_is_still_named():
    with pytest.raises(InputError, match="1 of 2 labels of the truth are missing"):
        speaker_interval(accuracy, ["a", ""], ["a", "b"], speakers=["s", "t"])


def test_draws_without_a_figure_are_left_out():
    def undefined_without_both(truth, _):
        return float(truth.mean()) if len(set(truth.tolist())) > 1 else float("nan")

    truth = [0, 1, 1, 1]
    found = bootstrap(undefined_without_both, truth, truth, speakers=list("abcd"), draws=200)
    assert np.isnan(found.draws).any()
    assert 0 < found.interval.low < found.interval.high < 1
    never = bootstrap(lambda *_: float("nan"), truth, truth, speakers=list("abcd"), draws=10)
    assert np.isnan([never.interval.low, never.interval.high]).all()


# Differences ------------------------------------------------------------------------------------


def drawn(metric, truth, prediction, speakers, draws=1000):
    return bootstrap(metric, truth, prediction, speakers=speakers, draws=draws)


def test_the_difference_of_means_over_equal_speakers_is_that_of_the_paired_t_test():
    """With equally many clips each, accuracy is a mean over speakers: Student's test is exact."""
    random = np.random.default_rng(0)
    rates = random.random((2, 12)).round(2) * [[0.8], [1.0]]
    truth, speakers = np.zeros(1200, int), np.repeat(np.arange(12), 100).astype(str)
    place = np.tile(np.arange(100), 12)
    one, other = ((place >= np.repeat(rate, 100) * 100).astype(int) for rate in rates)
    shares = [(told == 0).reshape(12, 100).mean(1) for told in (one, other)]
    expected = stats.ttest_rel(*shares)
    found = difference(
        *(drawn(accuracy, truth, told, speakers, draws=4000) for told in (one, other))
    )
    assert found.value == pytest.approx(np.mean(shares[0] - shares[1]))
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=0.01)
    assert found.p == pytest.approx(expected.pvalue, rel=0.1)


def null_p(seed, people, clips=10):
    """p of two systems that are equally good, each with speakers of its own that suit it."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, people * clips)
    speakers = np.repeat(np.arange(people), clips).astype(str)
    told = []
    for _ in range(2):
        chance = np.repeat(random.uniform(0.3, 0.9, people), clips)
        told.append(np.where(random.random(len(truth)) < chance, truth, (truth + 1) % 3))
    one, other = (drawn(_share, truth, each, speakers, draws=200) for each in told)
    return difference(one, other).p


def _share(truth, prediction):
    return np.count_nonzero(truth == prediction) / len(truth)


@pytest.mark.parametrize("people", [4, 12])
def test_equal_systems_differ_no_more_often_than_p_says(people):
    """p <= 0.05 in 5 of 100 on average; 13 of 100 or more would happen once in 700 such tests."""
    found = np.array([null_p(seed, people) for seed in range(100)])
    assert (found <= 0.05).sum() < 13
    assert (found <= 0.5).sum() < 70  # 50 on average, and never but once in 30,000
    assert found.min() > 0


def test_the_same_system_does_not_differ_from_itself():
    truth, prediction, speakers = clustered()
    same = drawn(unweighted_average_recall, truth, prediction, speakers)
    found = difference(same, same)
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert (found.n, found.speakers) == (300, 10)


def test_speakers_who_all_agree_are_as_many_signs_alike():
    truth, speakers = np.zeros(12, int), np.repeat(list("abcdef"), 2)
    right, wrong = (drawn(accuracy, truth, np.full(12, told), speakers) for told in (0, 1))
    found = difference(right, wrong)
    assert (found.value, found.low, found.high) == (1, 1, 1)
    assert found.p == pytest.approx(stats.binomtest(6, 6).pvalue)


def test_where_a_figure_is_not_defined_there_is_no_difference():
    truth, prediction, speakers = clustered()
    figure = drawn(accuracy, truth, prediction, speakers, draws=10)
    none = Bootstrap(float("nan"), np.full(10, np.nan), 300, 10)
    found = difference(figure, none)
    assert np.isnan([found.value, found.low, found.high, found.p]).all()


def test_one_speaker_says_nothing_of_others():
    one = Bootstrap(0.5, np.full(10, 0.5), 20, 1)
    with pytest.raises(InputError, match=r"^all clips are of one speaker: what another would"):
        difference(one, one)


def test_a_paired_test_needs_the_same_clips():
    one, other = Bootstrap(0.5, np.zeros(10), 20, 4), Bootstrap(0.5, np.zeros(10), 21, 4)
    expected = (
        r"^a paired test needs the same clips: 20 of 4 speakers in 10 draws against "
        r"21 of 4 in 10$"
    )
    with pytest.raises(InputError, match=expected):
        difference(one, other)


def test_a_difference_shows_its_sign():
    assert str(Difference(0.02, -0.0112, 0.05, 100, 5, 0.3)) == "+0.020 [-0.011, +0.050]"


# Counts -----------------------------------------------------------------------------------------


def split(both, only_one, only_other, neither):
    """Truth and two predictions with so many clips of each kind."""
    counts = (both, only_one, only_other, neither)
    one, other = np.repeat([0, 0, 1, 1], counts), np.repeat([0, 1, 0, 1], counts)
    return np.zeros(sum(counts), int), one, other


def test_mcnemar_by_hand():
    # Of 5 fair coins none or all show heads: 2 / 32.
    found = mcnemar(*split(30, 0, 5, 7))
    assert (found.only_one, found.only_other) == (0, 5)
    assert found.p == pytest.approx(2 / 32)
    # 2 against 8: twice (1 + 10 + 45) / 1024.
    assert mcnemar(*split(0, 8, 2, 0)).p == pytest.approx(2 * 56 / 1024)
    # Edwards: (|59 - 6| - 1)^2 / 65 = 41.6, one degree of freedom.
    found = mcnemar(*split(10, 59, 6, 16))
    assert found.p == pytest.approx(stats.chi2.sf(41.6, 1))


@pytest.mark.parametrize("counts", [(5, 4, 4, 1), (9, 0, 0, 3), (0, 30, 30, 0)])
def test_systems_that_err_equally_often_do_not_differ(counts):
    assert mcnemar(*split(*counts)).p == 1


def test_mcnemar_is_exact_below_25_and_nearly_so_above():
    for only_one in range(25):
        found = mcnemar(*split(3, only_one, 24 - only_one, 3)).p
        assert found == pytest.approx(stats.binomtest(only_one, 24).pvalue)
    for only_one in range(30, 61):
        found = mcnemar(*split(3, only_one, 90 - only_one, 3)).p
        assert found == pytest.approx(stats.binomtest(only_one, 90).pvalue, abs=0.01)


def test_holm_by_hand():
    """0.005 * 4, then 0.01 * 3; 0.03 * 2 is more than 0.04 * 1, so 0.04 takes its value too."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == pytest.approx([1, 1])
    assert holm([0.02]) == pytest.approx([0.02])
    assert holm([]).tolist() == []


def test_what_has_no_p_value_does_not_count():
    found = holm([0.02, np.nan, 0.03])
    assert found[[0, 2]] == pytest.approx([0.04, 0.04])
    assert np.isnan(found[1])


def test_confusion_has_the_truth_in_rows():
    found = confusion(list("aabbb"), list("abbac"), labels=list("bacd"))
    assert found.tolist() == [[1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize(("truth", "prediction"), [("ax", "aa"), ("aa", "ax")])
def test_confusion_knows_its_labels(truth, prediction):
    with pytest.raises(UnknownName, match=r"^unknown label 'x'; available: a, b\."):
        confusion(list(truth), list(prediction), labels=["a", "b"])
