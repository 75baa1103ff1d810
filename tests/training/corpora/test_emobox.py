"""EmoBox's lists: both of their key variants, the label map, and paths of somebody else's disk."""

import json
from collections import Counter
from pathlib import Path

import pytest

from voxplain.errors import CorpusNotFound, InputError
from voxplain.training.corpora import emobox

SHARED = Path(__file__).parents[4] / "shared/data"
LINE = {
    "key": "emodb-03a01Wa", "dataset": "emodb", "wav": "downloads/emodb/wav/03a01Wa.wav",
    "type": "raw", "sample_rate": 16000, "num_frame": 30045.0, "task": "category",
    "length": 1.8778125, "emo": "anger", "channel": 1,
}  # fmt: skip
OTHER = {
    "key": "emodb-08b02Tc", "dataset": "emodb", "audio": "downloads/emodb/wav/08b02Tc.wav",
    "type": "raw", "sample_rate": 16000, "num_frame": 1.0, "task": "category", "label": "boredem",
}  # fmt: skip


@pytest.fixture
def fold(tmp_path):
    """A list in its folder of a fold, and the recordings in another format elsewhere."""
    path = tmp_path / "emodb/fold_1/emodb_test_fold_1.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in (LINE, OTHER)))
    (tmp_path / "emodb/label_map.json").write_text('{"anger": "Angry", "boredem": "Boredom"}')
    (tmp_path / "audio").mkdir()
    for name in ("03a01Wa.flac", "08b02Tc.opus"):
        (tmp_path / "audio" / name).touch()
    return path


def test_both_variants_of_the_keys_are_read(fold, tmp_path):
    one, other = emobox.read(fold, audio=tmp_path / "audio")
    assert (one.path.name, other.path.name) == ("03a01Wa.flac", "08b02Tc.opus")
    assert (one.label, one.emotion) == ("anger", "angry")
    assert (other.label, other.emotion) == ("boredem", "boredom")
    assert (one.end, other.end) == (1.8778125, None)


def test_the_names_of_the_files_tell_what_emobox_does_not(fold, tmp_path):
    found = emobox.read(fold, audio=tmp_path / "audio")
    assert [(one.corpus, one.speaker, one.sentence) for one in found] == [
        ("emodb", "emodb_03", "a01"),
        ("emodb", "emodb_08", "b02"),
    ]


def test_without_the_folder_of_the_recordings_they_are_not_there(fold):
    with pytest.raises(
        CorpusNotFound, match=r"2 of 2 recordings .*downloads/emodb/wav/03a01Wa\.wa"
    ):
        emobox.read(fold)
    assert len(emobox.read(fold, partial=True)) == 2


def test_without_a_label_map_labels_must_be_known(fold):
    (fold.parent.parent / "label_map.json").unlink()
    with pytest.raises(InputError, match=r"fold_1\.jsonl line 2: unknown emotion label 'boredem'"):
        emobox.read(fold, partial=True)


def test_a_broken_label_map_is_named(fold):
    (fold.parent / "label_map.json").write_text("{")  # beside the list counts before above
    with pytest.raises(InputError, match=r"fold_1/label_map\.json is not JSON"):
        emobox.read(fold, partial=True)


@pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is not here")
def test_the_published_folds():
    splits = SHARED / "emobox_splits"
    train = emobox.read(splits / "cremad/fold_1/cremad_train_fold_1.jsonl", partial=True)
    assert (len(train), len({one.speaker for one in train})) == (5586, 91)
    place = splits / "ravdess/fold_3/ravdess_test_fold_3.jsonl"
    test = emobox.read(place, audio=SHARED / "speech/ravdess")
    assert Counter(one.emotion for one in test)["neutral"] == 16
    assert len({one.speaker for one in test}) == 4
    older = splits / "emodb/fold_2/emodb_train_fold2.jsonl"
    newer = splits / "emodb/fold_2/emodb_train_fold_2.jsonl"
    found = [emobox.read(path, audio=SHARED / "speech/emodb") for path in (older, newer)]
    assert {one.path for one in found[0]} == {one.path for one in found[1]}
    assert [one.emotion for one in found[0]] == [one.emotion for one in found[1]]
