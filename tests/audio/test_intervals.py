"""Intervals out of TextGrids and tables."""

import math
from pathlib import Path

import pytest

from voxplain.audio.intervals import read_rttm, read_table, read_textgrid
from voxplain.errors import ConfigError, UnknownName
from voxplain.types import Segment

# As Praat writes it ("Save as text file"), by hand.
TEXTGRID = '''File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 2.5
        points: size = 1
        points [1]:
            number = 0.7
            mark = "!"
    item [2]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 2.5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 1.25
            text = "über"
        intervals [3]:
            xmin = 1.25
            xmax = 2.5
            text = "say ""no"""
    item [3]:
        class = "IntervalTier"
        name = "notes"
        xmin = 0
        xmax = 2.5
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 2.5
            text = ""
'''


@pytest.fixture(params=["utf-8", "utf-16"])
def grid(tmp_path, request):
    path = tmp_path / "words.TextGrid"
    path.write_text(TEXTGRID, encoding=request.param)
    return path


def test_the_first_interval_tier_gives_its_labelled_intervals(grid):
    assert read_textgrid(grid) == [
        Segment(0.5, 1.25, label="über"),
        Segment(1.25, 2.5, label='say "no"'),
    ]
    assert read_textgrid(grid, tier="words") == read_textgrid(grid)


def test_a_tier_that_is_not_there(grid):
    with pytest.raises(UnknownName, match=r"words\.TextGrid 'word'; available: notes, words"):
        read_textgrid(grid, tier="word")


def test_a_tier_without_labels(grid):
    with pytest.raises(ConfigError, match="no labelled interval"):
        read_textgrid(grid, tier="notes")


@pytest.mark.parametrize("text", ["", "start,end\n0,1\n", TEXTGRID[:300]])
def test_what_is_no_textgrid(tmp_path, text):
    path = tmp_path / "no.TextGrid"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"no\.TextGrid"):
        read_textgrid(path)


def test_a_textgrid_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="can't be read"):
        read_textgrid(tmp_path / "nowhere.TextGrid")


def table(tmp_path, text):
    path = tmp_path / "index.csv"
    path.write_text(text)
    return path


def test_a_table_gives_intervals_with_speakers_and_labels(tmp_path):
    (tmp_path / "a.wav").touch()
    path = table(
        tmp_path,
        "file,start,end,label,who\n"
        "a.wav,0.5,1.25,hello,ann\n"
        "/far/b.wav,0 days 00:00:01,0 days 00:01:02.5,,bob\n"
        "a.wav,0:00:02,,rest,ann\n",
    )
    assert read_table(path, speaker_column="who") == {
        tmp_path / "a.wav": [
            Segment(0.5, 1.25, "ann", "hello"),
            Segment(2.0, math.inf, "ann", "rest"),
        ],
        Path("/far/b.wav"): [Segment(1.0, 62.5, "bob", "")],
    }


def test_a_table_of_files_alone_means_whole_recordings(tmp_path):
    assert read_table(table(tmp_path, "file\na.wav\n")) == {Path("a.wav"): [Segment(0.0, math.inf)]}


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("path\na.wav\n", UnknownName, "'file'; available: path"),
        ("file\na.wav\n", UnknownName, "'who'; available: file"),
        ("", UnknownName, "'file'"),
        ("file,start,end,who\na,0,1,x\na,soon,2,x\n", ConfigError, "line 3: 'soon' is no time"),
        ("file,start,end,who\na,2,1,x\n", ConfigError, "line 2: the interval 2 to 1 is empty"),
        ("file,start,end,who\na,-1,1,x\n", ConfigError, "'-1' is no time"),
        ("file,start,end,who\n", ConfigError, "has no row below its columns; give one for each"),
    ],
)
def test_tables_that_can_not_be_used(tmp_path, text, kind, message):
    with pytest.raises(kind, match=message):
        read_table(table(tmp_path, text), speaker_column="who")


def test_a_table_that_is_none(tmp_path):
    with pytest.raises(ConfigError, match="can't be read as a table"):
        read_table(tmp_path / "nowhere.csv")
    (tmp_path / "noise.csv").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(ConfigError, match="can't be read as a table"):
        read_table(tmp_path / "noise.csv")


def test_a_table_without_files_is_of_one_recording(tmp_path):
    text = "start,end,who\n0.5,1.25,ann\n2,3,bob\n"
    found = read_table(table(tmp_path, text), speaker_column="who", recording=Path("talk.wav"))
    turns = [Segment(0.5, 1.25, "ann"), Segment(2.0, 3.0, "bob")]
    assert found == {Path("talk.wav"): turns}


def rttm(folder, text):
    path = folder / "talk.rttm"
    path.write_text(text, encoding="utf-8")
    return path


def test_rttm_gives_who_speaks_when(tmp_path):
    text = (  # of the description of NIST's RT-09, with names of our own
        ";; a comment\n"
        "SPKR-INFO talk 1 <NA> <NA> <NA> adult_female ann <NA> <NA>\n"
        "SPEAKER talk 1 10.5 1.25 <NA> <NA> ann <NA> <NA>\n"
        "\n"
        "SPEAKER other 1 0 2 <NA> <NA> Zoë 0.9\n"
        "NOSCORE talk 1 0.00 4.3 <NA> <NA> <NA> <NA> <NA>\n"
        "SPEAKER talk 1 9 0.5 <NA> <NA> bob <NA> <NA>\n"
    )
    assert read_rttm(rttm(tmp_path, text)) == {
        "talk": [Segment(10.5, 11.75, "ann"), Segment(9.0, 9.5, "bob")],
        "other": [Segment(0.0, 2.0, "Zoë")],
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("SPEAKER talk 1 1.0 2.0 ann", r"line 2: 6 fields in 'SPEAKER talk 1 1.0 2.0 ann'; give"),
        ("SPEAKER talk 1 soon 2 <NA> <NA> ann", r"line 2: 'soon' is no time; give seconds"),
        ("SPEAKER talk 1 1 nan <NA> <NA> ann", r"line 2: 'nan' is no time"),
        ("SPEAKER talk 1 1 -2 <NA> <NA> ann", r"line 2: a turn of -2 s from 1 s; give a start of"),
        ("SPEAKER talk 1 -1 2 <NA> <NA> ann", r"line 2: a turn of 2 s from -1 s; give a start of"),
    ],
)
def test_rttm_that_can_not_be_used(tmp_path, line, message):
    with pytest.raises(ConfigError, match=f"talk.rttm, {message}"):
        read_rttm(rttm(tmp_path, f"SPEAKER talk 1 0 1 <NA> <NA> ann <NA> <NA>\n{line}\n"))


def test_rttm_that_is_none(tmp_path):
    with pytest.raises(ConfigError, match="can't be read as RTTM"):
        read_rttm(tmp_path / "nowhere.rttm")
    (tmp_path / "noise.rttm").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="can't be read as RTTM"):
        read_rttm(tmp_path / "noise.rttm")
