"""What a corpus holds: counts by hand, quartiles and the share of variance by another way."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

import voxplain
from voxplain.descriptors import inventory
from voxplain.training.assessment.documents import Spread
from voxplain.training.assessment.exploration import (
    Descriptor,
    _descriptors,
    document,
    explore,
    plain,
    summary,
)
from voxplain.training.assessment.markdown import render
from voxplain.training.assessment.recordings import Recordings, recordings


@pytest.fixture(scope="module")
def found(listed):
    steps = []
    explored = explore(recordings(f"mine={listed}"), progress=lambda: steps.append(1))
    assert len(steps) == 5
    return explored


def test_everything_is_counted(found):
    told = plain(found)
    assert (told["clips"], told["speakers"], told["sample"]) == (5, 3, 5)
    assert told["emotion"] == {"angry": 2, "sad": 1, "neutral": 1, "happy": 1}
    assert told["split"] == {"test": 3, "train": 2}
    assert told["sex"] == {"male": 3, "female": 2}
    lengths = [
        voxplain.analyze(one.path, explain=None).duration for one in found.recordings.utterances
    ]
    assert told["seconds"] == pytest.approx(sum(lengths), abs=0.01)


def measured(values, unreliable=()):
    """Tables of clips with one descriptor."""
    return [
        {"f0_mean_st": [value], "unreliable": ["f0_mean_st" if n in unreliable else ""]}
        | {name: [np.nan] for name in inventory() if name != "f0_mean_st"}
        for n, value in enumerate(values)
    ]


def test_the_variance_between_emotions_is_that_of_an_analysis_of_variance(utterance):
    values = np.array([30.0, 32, 35, 31, 40, 44, 39, 42, 28, 99])
    labels = ["sad"] * 4 + ["angry"] * 4 + ["sad", "happy"]
    clips = [utterance(n, "ann", label) for n, label in enumerate(labels)]
    found = _descriptors(clips, measured(values, unreliable=[8]))
    assert set(found) == {"f0_mean_st"}
    one = found["f0_mean_st"]
    groups = values[:4], values[4:8]  # one clip of happy is too few; the ninth is not reliable
    f = stats.f_oneway(*groups).statistic
    between, within = 1, 6
    assert one.explained == pytest.approx(f * between / (f * between + within))
    assert one.by_chance == pytest.approx(1 / 7)
    assert one.spreads["sad"] == Spread(31.5, *np.quantile(groups[0], [0.25, 0.75]))


def test_what_cannot_be_measured_is_left_out(utterance):
    clips = [utterance(n, "ann", label) for n, label in enumerate(["sad", "angry"] * 4)]
    broken = measured(np.arange(8.0))
    broken[0] = {"error": ["broken"], "file": ["0.wav"]}
    assert _descriptors(clips, broken)["f0_mean_st"].clips == 7


def test_a_sample_is_drawn_by_its_seed(listed):
    corpus = recordings(f"mine={listed}")
    told = [explore(corpus, sample=2, seed=seed) for seed in (0, 0)]
    assert told[0].sample == 2
    assert plain(told[0]) == plain(told[1])


def explored(utterances):
    return explore(Recordings("made", tuple(utterances)), sample=0)


def test_warnings_name_what_a_split_would_stumble_over(utterance, angry):
    clips = [
        utterance(0, "ann", "sad", split="train"),
        utterance(1, "ann", "angry", split="test"),
        utterance(2, "bob", "angry", split="test"),
        utterance(3, "cid", "angry", split="train"),
        utterance(4, "", "angry", split="train"),
    ]
    found = explored(dataclasses.replace(one, path=angry) for one in clips)
    assert document([found]).warnings == (
        "made: nobody knows the speakers of 1 of 5 clips, and splits of them may share some",
        "made: all that is labelled sad comes from 1 speaker",
        "made: test and train share speakers, 1 in all",
    )


def test_the_summary_fits_a_terminal(found, utterance, angry):
    for told in (found, explored([dataclasses.replace(utterance(0, "", ""), path=angry)])):
        assert max(map(len, summary(told).splitlines())) <= 80
    assert "angry" in summary(found)


def test_the_document_has_a_part_for_each_question(found):
    text = render(document([found, found]))
    for line in (
        "# mine and mine",
        "## mine: labels",
        "| angry | 2 | 40 % | 2 |",
        "| cremad\\_1007 | 1 |",
    ):
        assert line in text
    described = dataclasses.replace(
        found, descriptors={"f0_mean_st": Descriptor({"sad": Spread(3, 2, 4)}, 0.5, 9)}
    )
    text = render(document([described]))
    assert "pitch (st), explained 0.50: median and quartiles" in text
    part = dataclasses.replace(found, recordings=dataclasses.replace(found.recordings, name="a#b"))
    assert "](figures/durations-a%23b.svg)" in render(document([part]))
    assert "| sad | 3.00 (2.00 to 4.00) |" in text
