"""Splits: a speaker is on one side, a corpus on all of them."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voxplain.errors import ConfigError
from voxplain.training.corpora._reading import Utterance
from voxplain.training.splits import (
    Split,
    check,
    emobox_splits,
    official_splits,
    session_splits,
    shared_speakers,
    speaker_folds,
    speaker_splits,
)

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


def said(speaker, emotion="angry", *, session="", split="", name=""):
    return Utterance(
        path=Path(f"{name or speaker}.wav"),
        corpus=speaker.partition("_")[0],
        speaker=speaker,
        sex="",
        emotion=emotion,
        sentence="",
        session=session,
        split=split,
    )


EVERYBODY = [said(name, emotion) for name in CREMAD + EMODB for emotion in ("angry", "sad")]


def people(utterances, rows):
    return {utterances[row].speaker for row in rows}


def test_every_speaker_is_tested_once_and_on_one_side_alone():
    splits = speaker_splits(EVERYBODY, folds=5, dev=0.15, seed=0)
    tested = [people(EVERYBODY, split.test) for split in splits]
    assert sorted(name for some in tested for name in some) == sorted(CREMAD + EMODB)
    for split in splits:
        sides = [people(EVERYBODY, rows) for rows in (split.train, split.dev, split.test)]
        assert len(set.union(*sides)) == sum(map(len, sides)) == len(CREMAD + EMODB)
        rows = np.concatenate([split.train, split.dev, split.test])
        assert sorted(rows) == list(range(len(EVERYBODY)))
        assert shared_speakers(split, EVERYBODY) == []


def test_dev_has_its_share_of_the_speakers_of_every_corpus():
    for split in speaker_splits(EVERYBODY, folds=5, dev=0.15, seed=0):
        chosen = people(EVERYBODY, split.dev)
        assert len(chosen & {*EMODB}) == 1  # 0.15 of eight
        assert len(chosen & {*CREMAD}) in (8, 9)  # of 56 or 57
    smallest, *_ = speaker_splits(EVERYBODY, folds=5, dev=0.001, seed=0)
    assert len(people(EVERYBODY, smallest.dev)) == 2


def test_dev_is_drawn_anew_for_every_fold_and_the_same_for_the_same_seed():
    one, again = (speaker_splits(EVERYBODY, folds=5, dev=0.15, seed=3) for _ in range(2))
    assert [people(EVERYBODY, a.dev) for a in one] == [people(EVERYBODY, b.dev) for b in again]
    assert len({frozenset(people(EVERYBODY, split.dev)) for split in one}) == 5


def test_nobody_knows_whom_is_refused():
    with pytest.raises(ConfigError, match=r"^clip\.wav: nobody knows who speaks.*'by: official'$"):
        speaker_splits([*EVERYBODY, said("", name="clip")], folds=5, dev=0.15, seed=0)


IEMOCAP = [
    said(f"iemocap_{session}{sex}", emotion, session=session)
    for session in ("Ses01", "Ses02", "Ses03", "Ses04", "Ses05")
    for sex in "FM"
    for emotion in ("angry", "sad")
]


def test_one_session_is_left_out_and_another_chooses():
    splits = session_splits(IEMOCAP, dev=0.25, seed=0)
    sessions = [{IEMOCAP[row].session for row in split.test} for split in splits]
    assert sorted(map(sorted, sessions)) == [[f"Ses0{n}"] for n in range(1, 6)]
    for split in splits:
        assert len({IEMOCAP[row].session for row in split.dev}) == 1
        assert len({IEMOCAP[row].session for row in split.train}) == 3
        assert shared_speakers(split, IEMOCAP) == []


@pytest.mark.parametrize(
    ("utterances", "message"),
    [
        (EVERYBODY, r"^cremad_1001\.wav belongs to no session; use 'by: speaker'$"),
        (IEMOCAP[:8], r"^leaving one session out needs three, found iemocap_Ses01, iemocap_Ses02$"),
    ],
)
def test_sessions_that_can_not_be_left_out_are_refused(utterances, message):
    with pytest.raises(ConfigError, match=message):
        session_splits(utterances, dev=0.25, seed=0)


def podcast(split, speaker):
    return said(f"msp_{speaker}", split=split)


def test_the_official_partition_is_kept_with_all_its_tests():
    parts = ["train", "dev", "test1", "test2", "train", ""]
    utterances = [podcast(part, row) for row, part in enumerate(parts)]
    (split,) = official_splits(utterances, dev=0.5, seed=0)
    assert split.train.tolist() == [0, 4]
    assert split.dev.tolist() == [1]
    assert {name: rows.tolist() for name, rows in split.tests.items()} == {
        "test1": [2],
        "test2": [3],
    }
    assert split.test.tolist() == [2, 3]


def test_without_an_official_dev_speakers_of_the_training_choose():
    utterances = [podcast("train", row // 2) for row in range(20)] + [podcast("test", 99)]
    (split,) = official_splits(utterances, dev=0.2, seed=0)
    assert (len(split.train), len(split.dev)) == (16, 4)
    assert not people(utterances, split.train) & people(utterances, split.dev)


def test_a_corpus_without_a_partition_is_refused():
    with pytest.raises(ConfigError, match=r"'train', found no part at all; use 'by: speaker'$"):
        official_splits(EVERYBODY, dev=0.2, seed=0)
    with pytest.raises(ConfigError, match=r"'train', found test; use 'by: speaker'$"):
        official_splits([podcast("test", 1)], dev=0.2, seed=0)


def emobox(folder, folds):
    for number, sides in folds.items():
        (folder / f"fold_{number}").mkdir(parents=True)
        for side, names in sides.items():
            lines = [
                json.dumps({"key": n, "wav": f"downloads/{n}.wav", "emo": "anger"}) for n in names
            ]
            place = folder / f"fold_{number}/x_{side}_fold_{number}.jsonl"
            place.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_emobox_folds_go_by_file_name_and_show_the_speakers_that_they_share(tmp_path):
    utterances = [said(f"x_{n % 5}", name=f"clip{n}") for n in range(20)]
    emobox(
        tmp_path,
        {
            1: {"train": [f"clip{n}" for n in range(15)], "test": [f"clip{n}" for n in (15, 16)]},
            2: {"train": ["clip0", "clip1", "clip2"], "valid": ["clip3"], "test": ["clip4"]},
        },
    )
    first, second = emobox_splits(utterances, folder=tmp_path, dev=0.2, seed=0)
    assert first.tests["1"].tolist() == [15, 16]
    assert sorted([*first.train, *first.dev]) == list(range(15))
    assert len(people(utterances, first.dev)) == 1
    assert not people(utterances, first.dev) & people(utterances, first.train)
    assert set(shared_speakers(first, utterances)) == {"x_0", "x_1"}
    assert (second.train.tolist(), second.dev.tolist()) == ([0, 1, 2], [3])
    assert shared_speakers(second, utterances) == []


def test_emobox_folds_that_are_not_there_or_of_other_recordings_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"holds no \*_train_fold_\*\.jsonl; give EmoBox's"):
        emobox_splits(EVERYBODY, folder=tmp_path, dev=0.2, seed=0)
    emobox(tmp_path, {1: {"train": ["other"], "test": ["more"]}})
    with pytest.raises(ConfigError, match=r"names other recordings, such as other; see --root$"):
        emobox_splits(EVERYBODY, folder=tmp_path, dev=0.2, seed=0)


SIX = [said(f"x_{n}", emotion) for n in range(6) for emotion in ("angry", "sad")]
GOOD = Split("fold_0", np.arange(8), np.arange(8, 10), {"0": np.arange(10, 12)})


def refused(utterances=SIX, split=GOOD, labels=("angry", "sad"), **options):
    with pytest.raises(ConfigError) as caught:
        check([split], utterances, labels=labels, **options)
    return str(caught.value)


def test_good_splits_pass():
    check([GOOD], SIX, labels=("angry", "sad"))


@pytest.mark.parametrize("side", ["train", "dev", "test"])
def test_an_empty_side_is_refused(side):
    empty = np.array([], int)
    change = {"tests": {"0": empty}} if side == "test" else {side: empty}
    name = "0" if side == "test" else side
    assert refused(split=replace(GOOD, **change)).startswith(f"fold_0: {name} is empty")


def test_no_test_at_all_is_refused():
    assert refused(split=replace(GOOD, tests={})).startswith("fold_0: test is empty")


@pytest.mark.parametrize(("side", "rows"), [("train", 8), ("dev", 2), ("0", 2)])
def test_a_side_with_one_label_alone_is_refused(side, rows):
    place = {"train": range(8), "dev": range(8, 10), "0": range(10, 12)}[side]
    utterances = [replace(one, emotion="sad") if n in place else one for n, one in enumerate(SIX)]
    told = refused(utterances)
    assert told.startswith(f"fold_0: {side} holds one label alone, 'sad', in {rows} recordings")


def test_without_categories_labels_do_not_matter():
    check([GOOD], [replace(one, emotion="sad") for one in SIX], labels=())


def test_a_label_that_training_lacks_is_refused():
    told = refused(labels=("angry", "fear", "sad"))
    assert told.startswith("fold_0: train lacks the label 'fear'; take it out of 'labels'")


def test_a_speaker_on_two_sides_is_refused_unless_allowed():
    utterances = [*SIX[:10], *(replace(one, speaker="x_0") for one in SIX[10:])]
    told = refused(utterances)
    assert told.startswith("fold_0: 1 speakers are on two sides, such as 'x_0'")
    assert "allow_shared_speakers: true" in told
    check([GOOD], utterances, labels=("angry", "sad"), allow_shared_speakers=True)
