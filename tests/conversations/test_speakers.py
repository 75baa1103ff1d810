"""Who speaks when: from files, and taken apart."""

import pytest
from praatio import textgrid

from voxplain.conversations.results import Overlap
from voxplain.conversations.speakers import read_speakers, taken_apart
from voxplain.errors import ConfigError, UnknownName
from voxplain.types import Segment

TURNS = [Segment(0.5, 2.0, "ann"), Segment(2.5, 4.0, "bob")]


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def spoken(file, turns=TURNS):
    return "".join(
        f"SPEAKER {file} 1 {turn.start} {turn.duration} <NA> <NA> {turn.speaker} <NA> <NA>\n"
        for turn in turns
    )


def grid(folder, **tiers):
    made = textgrid.Textgrid()
    for name, entries in tiers.items():
        made.addTier(textgrid.IntervalTier(name, entries, 0, 5))
    path = folder / "talk.TextGrid"
    made.save(str(path), "short_textgrid", includeBlankSpaces=True)
    return path


def test_all_formats_say_the_same(tmp_path):
    entries = [(turn.start, turn.end, turn.speaker) for turn in TURNS]
    rows = "".join(f"{start},{end},{who}\n" for start, end, who in entries)
    paths = [
        written(tmp_path, "talk.rttm", spoken("talk")),
        written(tmp_path, "talk.csv", "start,end,speaker\n" + rows),
        grid(tmp_path, words=[(0.6, 0.9, "so")], who=entries),
    ]
    for path, tier in zip(paths, (None, None, "who"), strict=True):
        found, doubts = read_speakers(path, source="/far/talk.wav", tier=tier)
        assert [(one.start, one.end, one.speaker) for one in found] == entries
        assert doubts == []


def test_of_several_recordings_the_one_is_chosen(tmp_path):
    path = written(tmp_path, "all.rttm", spoken("other", TURNS[:1]) + spoken("talk"))
    assert read_speakers(path, source="talk.wav") == (TURNS, [])
    with pytest.raises(
        UnknownName, match=r"recording in .*all.rttm 'tale'; available: other, talk"
    ):
        read_speakers(path, source="tale.wav")
    table = "file,start,end,speaker\na/talk.wav,0.5,2,ann\nb/other.wav,0,9,eve\n"
    found, _ = read_speakers(written(tmp_path, "all.csv", table), source="x/talk.flac")
    assert [(one.start, one.end, one.speaker) for one in found] == [(0.5, 2.0, "ann")]


def test_another_name_is_said(tmp_path):
    path = written(tmp_path, "who.rttm", spoken("other"))
    assert read_speakers(path, source="talk.wav") == (
        TURNS,
        ["who.rttm says that its turns are of other, not of talk"],
    )


@pytest.mark.parametrize(
    ("name", "text", "tier", "kind", "message"),
    [
        ("a.txt", "", None, UnknownName, "kind of speaker file '.txt'; available: .TextGrid, .csv"),
        ("a.rttm", ";; nothing\n", None, ConfigError, "a.rttm has no turn; give one line"),
        ("a.csv", "start,end\n1,2\n", None, UnknownName, "column in .*a.csv 'speaker'"),
        ("a.csv", "start,end,speaker\n1,2,\n", None, ConfigError, "nobody is named from 1 to 2 s"),
        ("a.csv", "start,end,speaker\n3,2,x\n", None, ConfigError, "line 2: the interval 3 to 2"),
        ("a.csv", "start,end,speaker\n1,2,x\n", "who", ConfigError, "a tier is of a TextGrid"),
        ("a.TextGrid", "no grid", None, ConfigError, "is not a TextGrid"),
    ],
)
def test_what_can_not_be_used(tmp_path, name, text, tier, kind, message):
    with pytest.raises(kind, match=message):
        read_speakers(written(tmp_path, name, text), source="talk.wav", tier=tier)


def test_voices_are_taken_apart():
    turns = [
        Segment(5.0, 9.0, "bob"),
        Segment(0.0, 6.0, "ann"),
        Segment(6.0, 7.0, "ann"),  # goes on, within bob's turn
        Segment(8.5, 12.0, "eve"),
        Segment(8.0, 8.75, "ann"),
        Segment(20.0, 21.0, "bob"),
    ]
    alone, several = taken_apart(turns)
    assert alone == [
        Segment(0.0, 5.0, "ann"),
        Segment(7.0, 8.0, "bob"),
        Segment(9.0, 12.0, "eve"),
        Segment(20.0, 21.0, "bob"),
    ]
    assert several == [
        Overlap(5.0, 7.0, ("ann", "bob")),
        Overlap(8.0, 8.5, ("ann", "bob")),
        Overlap(8.5, 8.75, ("ann", "bob", "eve")),
        Overlap(8.75, 9.0, ("bob", "eve")),
    ]


def test_a_voice_does_not_overlap_itself():
    assert taken_apart([Segment(0, 2, "ann"), Segment(1, 3, "ann"), Segment(3, 4, "ann")]) == (
        [Segment(0, 4, "ann")],
        [],
    )
