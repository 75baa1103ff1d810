"""Systems on the same clips: what is matched, what is refused, and what the tests are."""

import numpy as np
import pytest

from voxplain.errors import ConfigError
from voxplain.training.comparison import compare, shared
from voxplain.training.metrics.uar import unweighted_average_recall
from voxplain.training.predictions import Predictions
from voxplain.training.statistics import bootstrap, difference, holm, mcnemar

LABELS = np.array(["angry", "happy", "sad"])


def system(rate, *, seed, clips=120, **columns):
    """A table of a system that is right so often."""
    truth = np.random.default_rng(0).integers(0, 3, clips)
    random = np.random.default_rng(seed)
    told = np.where(random.random(clips) < rate, truth, random.integers(0, 3, clips))
    return Predictions(
        {
            "file": [f"{index}.wav" for index in range(clips)],
            "start": np.zeros(clips),
            "end": np.full(clips, 2.0),
            "speaker": [f"s{index % 8}" for index in range(clips)],
            "emotion": LABELS[truth],
            "prediction": LABELS[told],
        }
        | columns
    )


@pytest.fixture(scope="module")
def systems():
    rates = {"good": 0.9, "fair": 0.6, "poor": 0.1}
    return {name: system(rate, seed=seed) for seed, (name, rate) in enumerate(rates.items(), 1)}


def test_pairs_are_tested_as_the_statistics_say(systems):
    found = compare(systems, metrics=["uar", "wa"], draws=200)
    assert (found.clips, found.speakers, found.without_speaker) == (120, 8, 0)
    assert found.left_out == {"good": 0, "fair": 0, "poor": 0}
    names = [("good", "fair"), ("good", "poor"), ("fair", "poor")]
    assert [(pair.one, pair.other) for pair in found.pairs] == names
    for pair in found.pairs:
        one, other = systems[pair.one], systems[pair.other]
        drawn = (
            bootstrap(
                unweighted_average_recall,
                one["emotion"],
                each["prediction"],
                speakers=one["speaker"],
                draws=200,
            )
            for each in (other, one)
        )
        assert pair.differences["UAR"] == difference(*drawn)
        expected = mcnemar(one["emotion"], one["prediction"], other["prediction"])
        assert pair.discordance == expected
    every = [d.p for pair in found.pairs for d in pair.differences.values()]
    corrected = [p for pair in found.pairs for p in pair.corrected.values()]
    assert corrected == pytest.approx(holm(every))
    assert max(corrected) < 0.05
    uneven = [pair.discordance.p for pair in found.pairs]
    assert [pair.discordance_corrected for pair in found.pairs] == pytest.approx(holm(uneven))


def test_clips_are_matched_whatever_their_order(systems):
    turned = {"good": systems["good"], "fair": systems["fair"].some(np.arange(119, -1, -1))}
    found = compare(turned, metrics=["uar"], draws=100).pairs[0]
    straight = {name: systems[name] for name in turned}
    assert found.differences == compare(straight, metrics=["uar"], draws=100).pairs[0].differences


def test_other_clips_are_compared_only_when_told_to(systems):
    other = systems["fair"].some(np.arange(5, 120))
    given = {"a": systems["good"].some(np.arange(110)), "b": other}
    expected = (
        r"^these are not the same clips: 105 are shared, and beside them has a 5, b 10; "
        r"--common compares the shared ones$"
    )
    with pytest.raises(ConfigError, match=expected):
        compare(given, draws=100)
    found = compare(given, common=True, metrics=["wa"], draws=100)
    assert (found.clips, found.left_out) == (105, {"a": 5, "b": 10})
    assert found.scores["a"]["WA"].found.n == 105


def test_systems_without_a_clip_in_common_can_not_be_compared(systems):
    elsewhere = Predictions(dict(systems["fair"].columns) | {"start": np.full(120, 1.0)})
    expected = (
        r"^a and b share no clip; a clip is file, start and end, and the first of a is "
        r"\('0.wav', 0.0, 2.0\)$"
    )
    with pytest.raises(ConfigError, match=expected):
        compare({"a": systems["good"], "b": elsewhere}, common=True)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [("emotion", "calm", "(angry|happy|sad) and calm"), ("speaker", "s9", "s7 and s9")],
)
def test_another_truth_is_refused(systems, column, value, told):
    changed = systems["fair"][column].copy()
    changed[7::8] = value
    other = Predictions(dict(systems["fair"].columns) | {column: changed})
    expected = (
        rf"^a and b differ in the column '{column}' of 15 of 120 clips, such as 7.wav: "
        rf"{told}; only systems held against one truth can be compared$"
    )
    with pytest.raises(ConfigError, match=expected):
        shared({"a": systems["good"], "b": other})


def test_other_ratings_are_another_truth():
    told = {"p_valence": np.full(120, 0.5)}
    one = system(0.5, seed=1, valence=np.append(np.full(119, 0.5), np.nan), **told)
    rounded = system(0.5, seed=2, valence=np.append(np.full(119, 0.5 + 1e-9), np.nan), **told)
    other = system(0.5, seed=2, valence=np.full(120, 0.5), **told)
    assert compare({"a": one, "b": rounded}, draws=100).clips == 120
    with pytest.raises(ConfigError, match=r"differ in the column 'valence' of 1 of 120 clips"):
        compare({"a": one, "b": other}, draws=100)


def test_only_what_all_can_be_asked_is_compared():
    dimensions = {"valence": np.linspace(0, 1, 120), "p_valence": np.linspace(0.2, 1, 120)}
    both = system(0.8, seed=1, **dimensions)
    found = compare({"both": both, "labels": system(0.5, seed=2)}, draws=100)
    assert set(found.scores["both"]) == {"WA", "UAR", "macro-F1", "WF1"}


def test_dimensions_alone_have_no_mcnemar():
    columns = system(0.8, seed=1).columns
    valence = {"valence": np.linspace(0, 1, 120), "prediction": [""] * 120}
    random = np.random.default_rng(0)
    one, other = (
        Predictions(dict(columns) | valence | {"p_valence": random.random(120)}) for _ in range(2)
    )
    found = compare({"a": one, "b": other}, draws=100)
    assert set(found.scores["a"]) == {f"{m} of valence" for m in ("CCC", "Pearson's r", "RMSE")}
    assert found.pairs[0].discordance is None
    assert np.isnan(found.pairs[0].discordance_corrected)
    labels = Predictions(dict(columns))
    with pytest.raises(ConfigError, match=r"^no metric can be asked of all of a, b$"):
        compare({"a": one, "b": labels}, draws=100)


def test_a_comparison_needs_two(systems):
    with pytest.raises(ConfigError, match=r"^a comparison needs two systems, not 1$"):
        compare({"good": systems["good"]})
