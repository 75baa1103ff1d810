"""Folds: a speaker is in one of them, a corpus in all of them."""

from collections import Counter

import pytest

from voxplain.errors import ConfigError
from voxplain.training.splits import speaker_folds

CREMAD = [f"cremad_{1001 + index}" for index in range(71)]
EMODB = [f"emodb_{index:02}" for index in (3, 8, 9, 10, 11, 12, 13, 14, 15, 16)]


def test_every_speaker_has_one_fold():
    folds = speaker_folds([*CREMAD, *EMODB, *CREMAD], folds=5, seed=0)
    assert folds.keys() == {*CREMAD, *EMODB}
    assert set(folds.values()) == set(range(5))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("folds", [2, 5, 10])
def test_every_corpus_is_spread_over_the_folds(folds, seed):
    found = speaker_folds(CREMAD + EMODB, folds=folds, seed=seed)
    for corpus in (CREMAD, EMODB):
        sizes = Counter(found[speaker] for speaker in corpus)
        assert len(sizes) == folds
        assert max(sizes.values()) - min(sizes.values()) <= 1


def test_the_order_of_the_utterances_does_not_matter():
    one = speaker_folds(CREMAD + EMODB, folds=5, seed=0)
    assert speaker_folds([*EMODB[::-1], *CREMAD, *EMODB], folds=5, seed=0) == one


def test_the_seed_deals_anew():
    first, again, other = (speaker_folds(CREMAD, folds=5, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_as_many_folds_as_speakers_leaves_one_out():
    assert sorted(speaker_folds(EMODB, folds=10, seed=0).values()) == list(range(10))


@pytest.mark.parametrize("speakers", [EMODB, EMODB * 3, []])
def test_more_folds_than_speakers_are_refused(speakers):
    expected = rf"^11 folds need as many speakers, found {len(set(speakers))}$"
    with pytest.raises(ConfigError, match=expected):
        speaker_folds(speakers, folds=11, seed=0)
