"""Hugging Face datasets, as their own library writes them, and folders of recordings."""

import hashlib
import shutil

import pyarrow
import pytest
from pyarrow import parquet

from voxplain.audio.read import read as hear
from voxplain.errors import AudioError, CorpusNotFound, InputError
from voxplain.training.corpora import datasets as reader


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """The variable of that name is read once, for whatever comes after as well."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("VOXPLAIN_MODELS", str(tmp_path / "models"))


@pytest.fixture
def dataset(angry, clips):
    """Two recordings with a class label, as the library holds them."""
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    paths = [str(angry), str(clips[0])]
    features = {
        "audio": datasets.Value("string"),
        "label": datasets.ClassLabel(names=["anger", "joy"]),
        "speaker_id": datasets.Value("int64"),
    }
    rows = {"audio": paths, "label": [0, 1], "speaker_id": [3, 4]}
    made = datasets.Dataset.from_dict(rows, features=datasets.Features(features))
    return made.cast_column("audio", datasets.Audio(decode=False))


def told(found):
    return [(one.speaker, one.label, one.emotion, one.split) for one in found]


def test_what_save_to_disk_wrote_is_read_with_its_recordings(dataset, angry, clips, tmp_path):
    dataset.save_to_disk(str(tmp_path / "saved"))  # the recordings go into the rows
    found = reader.read(tmp_path / "saved")
    assert told(found) == [("3", "anger", "angry", ""), ("4", "joy", "happy", "")]
    for one, original in zip(found, (angry, clips[0]), strict=True):
        assert one.path.read_bytes() == original.read_bytes()
        assert one.path.name == original.name
        assert one.path.is_relative_to(tmp_path / "recordings")  # beside $VOXPLAIN_MODELS
        assert hashlib.sha256(original.read_bytes()).hexdigest().startswith(one.path.parent.name)
        assert len(hear(one.path).waveform) == len(hear(original).waveform)


def test_recordings_are_written_once_and_where_it_was_asked(dataset, tmp_path):
    dataset.save_to_disk(str(tmp_path / "saved"))
    (tmp_path / "here").mkdir()
    first, _ = reader.read(tmp_path / "saved", audio=tmp_path / "here")
    before = first.path.stat().st_mtime_ns
    assert reader.read(tmp_path / "saved", audio=tmp_path / "here")[0].path == first.path
    assert first.path.stat().st_mtime_ns == before
    assert len([path for path in (tmp_path / "here").rglob("*") if path.is_file()]) == 2
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"row 1: its recording can't be written"):
        reader.read(tmp_path / "saved", audio=tmp_path / "file")


def test_splits_are_those_of_the_folders(dataset, tmp_path):
    datasets = pytest.importorskip("datasets")
    both = datasets.DatasetDict({"train": dataset, "validation": dataset.select([1])})
    both.save_to_disk(str(tmp_path / "saved"))
    found = reader.read(tmp_path / "saved")
    assert [one.split for one in found] == ["train", "train", "dev"]
    assert [one.label for one in found] == ["anger", "joy", "joy"]


def test_parquet_files_may_name_the_recordings_by_path(dataset, angry, clips, tmp_path):
    (tmp_path / "data").mkdir()
    dataset.to_parquet(str(tmp_path / "data/test-00000-of-00001.parquet"))
    found = reader.read(tmp_path)
    assert [one.path for one in found] == [angry, clips[0]]
    assert told(found) == [("3", "anger", "angry", "test"), ("4", "joy", "happy", "test")]


def test_without_class_labels_the_texts_count(angry, tmp_path):
    rows = {"file": [str(angry)], "emotion": ["sad"], "split": ["dev"]}
    parquet.write_table(pyarrow.table(rows), tmp_path / "rows.parquet")
    assert told(reader.read(tmp_path)) == [("", "sad", "sad", "dev")]


def test_folders_of_recordings_are_labels_or_have_a_list(clips, tmp_path):
    for place in ("train/anger", "test/neutral"):
        (tmp_path / place).mkdir(parents=True)
        shutil.copy(clips[0], tmp_path / place)
    assert told(reader.read(tmp_path)) == [
        ("", "neutral", "neutral", "test"),
        ("", "anger", "angry", "train"),
    ]
    name = f"anger/{clips[0].name}"
    (tmp_path / "train/metadata.csv").write_text(f"file_name,label,speaker\n{name},fear,s1\n")
    (one,) = reader.read(tmp_path)
    assert told([one]) == [("s1", "fear", "fear", "train")]
    assert one.path == tmp_path / "train" / name


def test_what_is_wrong_is_told_by_its_row(dataset, tmp_path, clips):
    dataset.to_parquet(str(tmp_path / "rows.parquet"))
    table = parquet.read_table(tmp_path / "rows.parquet")
    wrong = table.set_column(1, "label", pyarrow.array([0, -1]))
    parquet.write_table(
        wrong.replace_schema_metadata(table.schema.metadata), tmp_path / "rows.parquet"
    )
    with pytest.raises(InputError, match=r"rows\.parquet row 2: label -1 is none of anger, joy"):
        reader.read(tmp_path)
    (tmp_path / "rows.parquet").write_text("no")
    with pytest.raises(CorpusNotFound, match=r"rows\.parquet can't be read"):
        reader.read(tmp_path)
    (tmp_path / "rows.parquet").unlink()
    (tmp_path / "metadata.csv").write_text("name,label\nx,fear\n")
    with pytest.raises(InputError, match=r"metadata\.csv line 2: no column for the recording"):
        reader.read(tmp_path)
    (tmp_path / "metadata.csv").unlink()
    with pytest.raises(AudioError, match="no audio or video in the folder"):
        reader.read(tmp_path)
    with pytest.raises(CorpusNotFound, match="nowhere holds no dataset"):
        reader.read(tmp_path / "nowhere")
    shutil.copy(clips[0], tmp_path)
    with pytest.raises(InputError, match="unknown emotion label"):
        reader.read(tmp_path)
