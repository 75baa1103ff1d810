"""Transcripts that somebody gives, in every format."""

import json
import math

import pytest
from praatio import textgrid

from voxplain.errors import TextError, UnknownName
from voxplain.text import given
from voxplain.types import Transcript, Word


@pytest.fixture
def write(tmp_path):
    def written(name, content):
        path = tmp_path / name
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
        return path

    return written


def timed(transcript):
    return [(word.text, word.start, word.end) for word in transcript.words]


def test_plain_text_has_no_times(write):
    path = write("said.txt", "\ufeffMaybe tomorrow.\nIt will be cold!\n")
    found = given.read(path)
    assert found.text == "Maybe tomorrow.\nIt will be cold!"
    assert (found.words, found.source) == ((), str(path))


@pytest.mark.parametrize("content", ["", " \n\t"])
@pytest.mark.parametrize("name", ["a.txt", "a.srt", "a.vtt"])
def test_an_empty_file(write, name, content):
    with pytest.raises(TextError, match=rf"{name} holds no words; give what is said"):
        given.read(write(name, content))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(TextError, match=r"no\.txt can't be read: No such file"):
        given.read(tmp_path / "no.txt")


def test_a_file_in_another_encoding(tmp_path):
    (tmp_path / "said.txt").write_bytes("Grüße".encode("latin-1"))
    with pytest.raises(TextError, match=r"said\.txt is not UTF-8 \(byte 2\); save it as UTF-8"):
        given.read(tmp_path / "said.txt")


SRT = """1
00:00:00,500 --> 00:00:02,000
<i>Maybe tomorrow,</i>

2
00:00:02,000 --> 01:00:03,250
it will
be cold.
"""


def test_subtitles_of_phrases_give_their_text(write):
    found = given.read(write("said.srt", SRT))
    assert (found.text, found.words) == ("Maybe tomorrow, it will be cold.", ())


def test_subtitles_of_words_give_times(write):
    vtt = "WEBVTT\n\n00:00.500 --> 00:01.000\n<v Ann>Maybe\n\n01:02.000 --> 01:02.500\ntomorrow\n"
    found = given.read(write("said.vtt", vtt))
    assert timed(found) == [("Maybe", 0.5, 1.0), ("tomorrow", 62.0, 62.5)]


def test_subtitles_with_a_time_that_is_none(write):
    path = write("said.srt", SRT.replace("00:00:02,000 -->", "two -->"))
    with pytest.raises(TextError, match=r"said\.srt, line 6: 'two --> 01:00:03,250' are no times"):
        given.read(path)


@pytest.fixture
def grid(tmp_path):
    tiers = {
        "phones": [(0.1, 0.4, "M"), (0.4, 0.6, "EY")],
        "words": [(0.0, 0.1, "sil"), (0.1, 0.6, "Maybe"), (0.7, 1.2, "tomorrow")],
        "said": [(0.0, 1.2, "Maybe tomorrow")],
    }
    file = textgrid.Textgrid()
    for name, entries in tiers.items():
        file.addTier(textgrid.IntervalTier(name, entries, minT=0, maxT=1.5))
    path = tmp_path / "said.TextGrid"
    file.save(str(path), format="long_textgrid", includeBlankSpaces=True)
    return path


def test_a_textgrid_gives_the_words_of_its_tier_of_words(grid):
    found = given.read(grid)
    assert found.text == "Maybe tomorrow"
    assert timed(found) == [("Maybe", 0.1, 0.6), ("tomorrow", 0.7, 1.2)]


def test_a_tier_of_phrases_has_no_words(grid):
    assert given.read(grid, tier="said").words == ()


def test_a_tier_that_is_not_there(grid):
    with pytest.raises(UnknownName, match=r"unknown interval tier in .* 'word'; available"):
        given.read(grid, tier="word")


def test_a_textgrid_that_is_none(write):
    with pytest.raises(TextError, match=r"said\.TextGrid is not a TextGrid"):
        given.read(write("said.TextGrid", "File type = nothing"))


WORDS = [("Maybe", 0.1, 0.6, 0.9), ("cold.", 0.7, 1.2, 0.5)]


def test_our_own_transcripts_come_back(write):
    ours = Transcript("Maybe - cold.", tuple(Word(*word) for word in WORDS), "en", "x", 0.7)
    for plain in (ours.to_dict(), {"schema_version": "1.4", "transcript": ours.to_dict()}):
        found = given.read(write("said.json", plain))
        assert (found.text, found.language) == (ours.text, "en")
        assert [(w.text, w.start, w.end, w.confidence) for w in found.words] == WORDS
        assert found.confidence == pytest.approx(0.7)


def test_segments_of_whisper(write):
    words = [{"word": f" {t}", "start": s, "end": e, "probability": p} for t, s, e, p in WORDS]
    plain = {"text": " Maybe cold.", "language": "english", "segments": [{"words": words}]}
    found = given.read(write("said.json", plain))
    assert (found.text, found.language) == ("Maybe cold.", "")
    assert timed(found) == [(text, start, end) for text, start, end, _ in WORDS]
    assert found.spans == ((0, 5), (6, 11))


def test_segments_without_words(write):
    segments = [{"text": " Maybe tomorrow", "start": 0, "end": 1}, {"text": "it will"}]
    found = given.read(write("said.json", {"segments": segments}))
    assert (found.text, found.words) == ("Maybe tomorrow it will", ())


def test_words_that_the_text_does_not_hold_make_their_own(write):
    words = [{"word": "cold", "start": 0, "end": 1}, {"word": "maybe", "start": 1, "end": 2}]
    found = given.read(write("said.json", {"text": "maybe cold", "words": words}))
    assert (found.text, len(found.spans)) == ("cold maybe", 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "a",\n}', r"line 2: not JSON"),
        ("[1]", r'has no "text", "words" or "segments"; give one of them'),
        ({"words": ["a"]}, r'"words" and "segments" must be lists of objects'),
        ({"words": [{"word": "a", "start": "x", "end": 1}]}, r"entry 1 \('a'\): its times or"),
        ({"words": [{"word": "a", "start": 2, "end": 1}]}, r"it goes from 2.0 to 1.0 s; give"),
        ({"words": [{"word": "a", "start": -1, "end": 1}]}, r"it goes from -1.0 to 1.0 s"),
        ({"words": [{"word": "a", "start": 0, "end": math.inf}]}, r"it goes from 0.0 to inf s"),
        (
            {"words": [{"word": w, "start": s, "end": 9} for w, s in (("a", 1), ("b", 0))]},
            r"entry 2 \('b'\): it starts at 0.0 s, before the one above it \(1.0 s\)",
        ),
        (
            {"words": [{"word": "a", "start": 0, "end": 1, "probability": 7}]},
            r"entry 1 \('a'\): the probability 7.0 is not in 0 to 1",
        ),
        ({"words": []}, r"holds no words"),
    ],
)
def test_json_that_is_wrong(write, content, message):
    with pytest.raises(TextError, match=rf"said\.json.*{message}"):
        given.read(write("said.json", content))
