"""The embedded recogniser: it hears some words of real speech."""

import numpy as np
import pytest

from voxplain.audio import read
from voxplain.errors import ConfigError
from voxplain.text.transcribers import pocketsphinx
from voxplain.types import Audio

pytest.importorskip("pocketsphinx")


@pytest.fixture(scope="module")
def transcribe():
    return pocketsphinx.load(language="en")


def test_it_hears_what_an_angry_voice_says(transcribe, angry):
    audio = read.read(angry)
    found = transcribe(audio)
    said = {"that", "is", "exactly", "what", "happened"}
    assert len(said & {word.text for word in found.words}) >= 3
    assert (found.language, found.source) == ("en", "pocketsphinx")
    assert len(found.spans) == len(found.words)
    edges = [edge for word in found.words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert 0 < edges[0] < edges[-1] < audio.duration
    assert all(0 <= word.confidence <= 1 for word in found.words)


def test_times_are_those_of_the_whole_recording(transcribe, angry):
    audio = read.read(angry)
    late = np.concatenate([np.zeros(20 * 16_000, np.float32), audio.waveform])
    first = transcribe(Audio(late, 16_000, "late")).words[0]
    assert first.start - 20 == pytest.approx(transcribe(audio).words[0].start, abs=0.1)


def test_where_nobody_speaks_there_are_no_words(transcribe):
    found = transcribe(Audio(np.zeros(32_000, np.float32), 16_000, "silence"))
    assert (found.text, found.words, found.confidence) == ("", (), 0.0)


def test_it_knows_english_alone():
    with pytest.raises(ConfigError, match=r"knows English \(en\) alone, not 'de'; take faster_wh"):
        pocketsphinx.load(language="de")


def test_it_takes_no_other_model():
    with pytest.raises(ConfigError, match=r"brings its model along; leave 'large' out"):
        pocketsphinx.load("large")
