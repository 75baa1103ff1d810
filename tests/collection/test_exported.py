"""The table of a collection is what the study of semantic roles reads."""

import csv

import pytest

from voxplain.collection.exported import COLUMNS, export
from voxplain.collection.store import Answer
from voxplain.errors import ConfigError, OutputError
from voxplain.training.studies.roles import accounts


@pytest.fixture
def told(collection, spoken):
    """Two participants with two answers each, and a recording that nobody rated; their codes."""
    codes = [collection.enrol("We keep your voice.", language="en") for _ in range(3)]
    rated = [(Answer("train", "happy", "sad", 2, 7), Answer("bowl", "sad", "happy", 9, 1))] * 2
    for code, answers in zip(codes, [*rated, ()], strict=True):
        one = collection.participant(code)
        for answer in answers:
            one.record(answer.item, spoken)
            one.answer(answer)
    collection.participant(codes[2]).record("train", spoken)
    return codes


def test_the_study_reads_it(collection, told, tmp_path, spoken):
    out = tmp_path / "out/accounts.csv"
    found = export(collection, out, transcribe=lambda path, language: f"{language}: {path.name}")
    assert (found.accounts, found.participants) == (4, 2)
    ids = sorted(collection.participant(code).id for code in told[:2])
    read = accounts.read(out)
    assert [one.speaker for one in read] == [ids[0], ids[0], ids[1], ids[1]]
    train, bowl = read[:2]
    assert (train.stimulus, train.intended, train.evoked) == ("train", "happy", "sad")
    assert (train.valence, train.arousal) == (2, 7)
    assert (bowl.stimulus, bowl.evoked, bowl.valence, bowl.arousal) == ("bowl", "happy", 9, 1)
    assert train.audio.read_bytes() == spoken
    assert train.text == f"en: {train.audio.name}"


def test_transcripts_are_empty_unless_asked_for(collection, told, tmp_path):
    export(collection, tmp_path / "accounts.csv")
    with (tmp_path / "accounts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["transcript"] for row in rows] == [""] * 4
    assert {row["language"] for row in rows} == {"en"}
    assert all(one.transcript is None for one in accounts.read(tmp_path / "accounts.csv"))


def test_who_withdraws_is_gone_from_the_next_export(collection, told, tmp_path):
    out = tmp_path / "accounts.csv"
    folder = export(collection, out).recordings
    (folder / "mine.wav").write_bytes(b"of another program")
    gone = collection.participant(told[0]).id
    collection.withdraw(told[0])
    assert export(collection, out).accounts == 2
    assert gone not in out.read_text()
    names = sorted(path.name for path in folder.iterdir())
    assert names[-1] == "mine.wav"
    assert len(names) == 3
    assert not any(gone in name for name in names)


def test_a_recording_that_is_gone_or_no_room_is_said(collection, told, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=r"accounts.csv can't be written: .*place with --out"):
        export(collection, tmp_path / "file/accounts.csv")
    one = collection.participant(told[0])
    (one.folder / "train.wav").unlink()
    with pytest.raises(ConfigError, match=r"train.wav can't be read: .*or withdraw it"):
        export(collection, tmp_path / "accounts.csv")
    assert not (tmp_path / "accounts.csv").exists()
