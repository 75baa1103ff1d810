"""What is given becomes a list: folders, patterns, tables, databases."""

import math
import os
import shutil
from pathlib import Path

import pytest

from voxplain.annotation.entries import Entry
from voxplain.annotation.listing import entries
from voxplain.audio.read import find_files
from voxplain.errors import AudioError, ConfigError, UnknownName
from voxplain.types import Segment


@pytest.fixture
def folder(tmp_path):
    """Names alone: nothing is opened to be listed."""
    for name in ("b/a.wav", "b/.hidden.wav", ".h/a.wav", "a.b/c.flac", "b.wav", "B/x.MP3", "n.txt"):
        place = tmp_path / "corpus" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    (tmp_path / "corpus/loop").symlink_to(tmp_path)
    return tmp_path / "corpus"


def files(*inputs):
    return [entry.file for entry in entries(inputs)]


def test_a_folder_is_walked_as_everywhere(folder):
    assert files(folder) == [str(path) for path in find_files(folder)]


def test_inputs_come_in_their_order_and_absolute(folder, monkeypatch):
    monkeypatch.chdir(folder)
    first, second = entries(["nowhere.wav", "b.wav"])
    assert first == Entry("nowhere.wav", str(folder / "nowhere.wav"))
    assert second == Entry("b.wav", str(folder / "b.wav"))


def test_a_pattern_takes_what_a_shell_takes(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert files("**/*.wav") == ["b/a.wav", "b.wav"]
    assert files("[a-b]*") == ["a.b/c.flac", "b/a.wav", "b.wav"]
    assert files("b/**/*") == files("**/b/*") == ["b/a.wav"]
    assert files("[b]/**/*", "*/*.flac") == ["b/a.wav", "a.b/c.flac"]
    (folder / "a[1].wav").touch()
    assert files("a[1].wav") == ["a[1].wav"]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("x*.wav", ConfigError, r"nothing matches x\*.wav; check the pattern"),
        ("-", ConfigError, r"standard input \(-\) can't be read again after an interruption"),
        ("empty", AudioError, "no audio or video in the folder empty"),
        ("words.csv", UnknownName, "unknown column in words.csv 'file'; available: name"),
        ("gone.csv", ConfigError, "gone.csv can't be read as a table: "),
        ("noise.parquet", ConfigError, "noise.parquet can't be read as a table: "),
        ("blank.csv", ConfigError, "blank.csv, line 3: there is no file; fill the cell or drop"),
        ("time.csv", ConfigError, "time.csv, line 2: 'soon' is no time; give seconds"),
        ("back.csv", ConfigError, "back.csv, line 2: the interval 2 s to 1 s is empty; give an"),
        ("data", ConfigError, "data/db.yaml is no header of an audformat database"),
        ("base", ConfigError, r"base holds no db.files.parquet or .csv; save the database anew"),
    ],
)
def test_what_cannot_be_listed_is_named(tmp_path, monkeypatch, given, error, message):
    monkeypatch.chdir(tmp_path)
    for place in ("empty", "data", "base"):
        Path(place).mkdir()
    Path("words.csv").write_text("name\na\n")
    Path("noise.parquet").write_text("noise")
    Path("blank.csv").write_text("file,start\na.wav,1\n,2\n")
    Path("time.csv").write_text("file,start\na.wav,soon\n")
    Path("back.csv").write_text("file,start,end\na.wav,2,1\n")
    Path("data/db.yaml").write_text("[")
    Path("base/db.yaml").write_text("tables: {files: {}}")
    with pytest.raises(error, match=message):
        list(entries([given]))


def test_what_cannot_be_entered_is_named(folder, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(AudioError, match=r"can't be listed \(Permission denied\); check its perm"):
        list(entries([folder]))


TABLE = """file,start,end,speaker
b.wav,0 days 00:00:01.5,0 days 00:00:02,ann
b.wav,0:01:00,,
b/a.wav,,,bob
b/a.wav,0,NaT,
b.wav,3,4.5,ann
else.wav,,,
"""


def expected(folder):
    return [
        Entry(
            str(folder / "b.wav"),
            str(folder / "b.wav"),
            intervals=(Segment(1.5, 2.0, "ann"), Segment(60.0, math.inf, None)),
        ),
        Entry(str(folder / "b/a.wav"), str(folder / "b/a.wav"), speaker="bob"),
        Entry(str(folder / "b/a.wav"), str(folder / "b/a.wav")),
        Entry(str(folder / "b.wav"), str(folder / "b.wav"), intervals=(Segment(3.0, 4.5, "ann"),)),
        Entry("else.wav", str(Path("else.wav").absolute())),
    ]


def test_a_csv_in_its_order(folder):
    (folder / "index.csv").write_text(TABLE)
    assert list(entries([folder / "index.csv"])) == expected(folder)


def test_parquet_with_durations_or_seconds(folder):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(
        {
            "file": ["b.wav", "b.wav", "b/a.wav", "b/a.wav", "b.wav", "else.wav"],
            "start": [1.5, 60.0, None, 0.0, 3.0, None],
            "end": [2.0, None, None, None, 4.5, None],
            "speaker": ["ann", None, "bob", "", "ann", None],
            "emotion": ["sad"] * 6,
        }
    )
    table.to_parquet(folder / "seconds.parquet")
    assert list(entries([folder / "seconds.parquet"])) == expected(folder)
    for time in ("start", "end"):
        table[time] = pandas.to_timedelta(table[time], unit="s")
    table.to_parquet(folder / "durations.parquet")
    assert list(entries([folder / "durations.parquet"])) == expected(folder)


def test_entries_travel_as_lines(folder):
    for entry in [*expected(folder), Entry("a.zip/x", "/a.zip", "x", 3, 9, problem="is a link")]:
        assert Entry.from_json(entry.to_json()) == entry


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_database_of_audformat(folder, kind):
    audformat = pytest.importorskip("audformat")
    database = audformat.Database("spoken")
    database.schemes["speaker"] = audformat.Scheme("str")
    told = audformat.Table(audformat.filewise_index(["b.wav", "b/a.wav"]))
    database["speakers"] = told
    told["speaker"] = audformat.Column(scheme_id="speaker")
    told["speaker"].set(["ann", "bob"])
    index = audformat.segmented_index(["b/a.wav", "b/a.wav"], ["0s", "1s"], ["1s", "2.5s"])
    database["turns"] = audformat.Table(index)
    database.save(folder, storage_format=kind)
    shutil.rmtree(folder / "B")
    whole, cut = entries([folder])
    assert whole == Entry(str(folder / "b.wav"), str(folder / "b.wav"), speaker="ann")
    assert cut.file == str(folder / "b/a.wav")
    assert cut.intervals == (Segment(0.0, 1.0), Segment(1.0, 2.5))
