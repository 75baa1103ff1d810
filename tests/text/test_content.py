"""What a transcript tells, and how one is gathered from the stretches of a recording."""

import dataclasses
import math

import numpy as np
import pytest

from voxplain import descriptors
from voxplain.audio.read import read
from voxplain.errors import TextError
from voxplain.text.content import Aligned, Recognised, told
from voxplain.types import Audio, Segment, Transcript, Word

RATE = 16_000
SILENCE = Audio(np.zeros(RATE, np.float32), RATE, "silence")


def transcript(text, *, confidence=0.9, language="en", warnings=()):
    words = tuple(Word(one, n / 10, n / 10 + 0.1, confidence) for n, one in enumerate(text.split()))
    return Transcript(text, words, language, "a recogniser", confidence, warnings)


def test_stretches_become_one_transcript_with_the_times_of_the_recording():
    heard = iter(
        [
            transcript("We met.", warnings=("it is noisy",)),
            transcript(""),
            transcript("Oh no!", confidence=0.6, warnings=("it is noisy",)),
        ]
    )
    said = Recognised(lambda audio: next(heard))
    for start in (1.0, 10.0, 20.0):
        said.hear(Segment(start, start + 3), SILENCE)
    found = said.transcript("memo.wav")
    assert found.text == "We met. Oh no!"
    assert [(word.text, word.start) for word in found.words] == [
        ("We", 1.0), ("met.", pytest.approx(1.1)), ("Oh", 20.0), ("no!", pytest.approx(20.1))
    ]  # fmt: skip
    assert found.confidence == pytest.approx(0.75)
    assert (found.language, found.source) == ("en", "a recogniser")
    assert found.warnings == ("it is noisy",)


def test_where_nothing_is_heard_there_is_no_transcript():
    said = Recognised(lambda audio: transcript(""))
    said.hear(Segment(0, 3), SILENCE)
    assert said.transcript("memo.wav") is None


def test_a_given_text_is_found_in_the_whole_recording(angry):
    pytest.importorskip("pocketsphinx")
    audio = read(angry)
    said = Aligned("That is exactly what happened.")
    blocks = list(said.blocks(iter(np.array_split(audio.waveform, 3))))
    assert np.concatenate(blocks).tolist() == audio.waveform.tolist()
    said.hear(Segment(0, 3), audio)
    found = said.transcript(str(angry))
    assert [word.text for word in found.words] == ["That", "is", "exactly", "what", "happened."]
    assert found.source == "given, aligned by pocketsphinx"
    assert 0.4 < found.words[0].start < 0.8
    assert 2.0 < found.words[-1].end < 2.6


def test_given_times_of_words_are_kept(tmp_path):
    file = tmp_path / "memo.json"
    file.write_text('{"words": [{"word": "Hello", "start": 0.5, "end": 1.25}], "text": "Hello"}')
    said = Aligned(file)
    assert len(list(said.blocks([SILENCE.waveform]))) == 1
    (word,) = said.transcript("memo.wav").words
    assert (word.text, word.start, word.end) == ("Hello", 0.5, 1.25)


def test_a_file_that_is_not_there_is_refused_before_anything_is_heard(tmp_path):
    with pytest.raises(TextError, match=r"missing\.txt can't be read"):
        Aligned(tmp_path / "missing.txt")


@pytest.fixture(scope="module")
def tracks(angry):
    return descriptors.tracks(read(angry))


def test_words_have_stress_and_their_part_in_the_roles(tracks):
    text = "He closed the door and left. It broke my heart, I was devastated!"
    words = tuple(Word(one, 0.6 + n / 8, 0.7 + n / 8, 0.9) for n, one in enumerate(text.split()))
    found, roles, emotion = told(Transcript(text, words, "en", "given", 0.9), tracks)
    assert [role.kind for role in roles] == ["descriptive", "expressive"]
    assert "".join(text[role.start : role.end] for role in roles) == text
    assert max(word.expressive for word in found.words[:6]) < 0.5
    assert min(word.expressive for word in found.words[6:]) > 0.5
    assert any(math.isfinite(word.prominence) for word in found.words)
    assert max(emotion.categories, key=emotion.categories.get) == "sad"
    assert emotion.attribution.names == tuple(word.text for word in words)


def test_unsure_words_are_left_out_of_account(tracks):
    unsure = dataclasses.replace(transcript("I hate you so much"), confidence=0.41)
    found, roles, emotion = told(unsure, tracks)
    assert roles == ()
    assert emotion.categories == {}
    assert emotion.reason == "they are not surely what is said (confidence 0.41)"
    assert len(found.words) == 5
