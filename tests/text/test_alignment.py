"""A given text laid over its recording, and over others."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from voxplain.audio import read
from voxplain.errors import ConfigError, TextError
from voxplain.text.alignment import UNLIKELY, align
from voxplain.types import Audio

pytest.importorskip("pocketsphinx")
SHARED = Path(__file__).parents[3] / "shared/data"
MTI = "Maybe tomorrow, it will be cold!"
TIE = "That is exactly what happened."


@pytest.fixture(scope="module")
def audio():
    """1089_MTI_HAP_XX: maybe tomorrow it will be cold."""
    return read.read(Path(__file__).parents[1] / "data/cremad_1089_mti_hap.opus")


@pytest.fixture(scope="module")
def aligned(audio):
    return align(audio, MTI)


def with_waveform(audio, waveform):
    return Audio(waveform.astype(np.float32), audio.sampling_rate, audio.source)


def starts(transcript):
    return np.array([word.start for word in transcript.words])


def test_the_words_are_those_of_the_text_in_their_order(aligned):
    assert (aligned.text, aligned.language, aligned.source) == (MTI, "en", "pocketsphinx")
    assert [aligned.text[slice(*span)] for span in aligned.spans] == MTI.split()
    assert np.all(np.diff(starts(aligned)) > 0)
    assert aligned.confidence == pytest.approx(np.mean([w.confidence for w in aligned.words]))
    assert aligned.warnings == ()


def test_a_speech_is_found_where_others_found_it():
    """OpenAI's own test of Whisper asks that "Americans" is spoken at 1.8 s."""
    path = SHARED / "aligned/whisper/tests/jfk.flac"
    if not path.exists():
        pytest.skip(f"needs {path}")
    text = (
        "And so, my fellow Americans, ask not what your country can do for you, "
        "ask what you can do for your country."
    )
    found = align(read.read(path), text)
    assert (found.words[4].text, found.warnings) == ("Americans,", ())
    assert found.words[4].start < 1.8 < found.words[4].end


def test_german_syllables_lie_where_a_phonetician_marked_them():
    labels = SHARED / "speech/emodb_alignments/silb/03a01Wa.silb"
    if not labels.exists():
        pytest.skip(f"needs {labels}")
    marks = list(csv.reader(labels.read_text().splitlines(), delimiter="\t"))
    path = Path(__file__).parents[1] / "data/emodb_03a01Wa.flac"
    found = align(read.read(path), " ".join(text for _, text in marks[:-1]), language="de")
    off = starts(found) - [float(start) for start, _ in marks[:-1]]
    assert np.median(np.abs(off)) <= 0.05
    assert found.warnings == ()


def test_a_second_of_silence_before_them_moves_the_words_by_a_second(audio, aligned):
    late = np.concatenate([np.zeros(audio.sampling_rate), audio.waveform])
    moved = starts(align(with_waveform(audio, late), MTI)) - starts(aligned)
    assert moved == pytest.approx(1.0, abs=0.03)


def test_a_whisper_is_as_good_as_a_shout(audio, aligned):
    quiet = align(with_waveform(audio, audio.waveform * 1e-4), MTI)
    assert starts(quiet) == pytest.approx(starts(aligned), abs=0.03)


def test_the_transcript_of_another_recording_is_noticed(audio):
    found = align(audio, TIE)
    assert len(found.words) == 5
    (warning,) = found.warnings
    assert warning.startswith("the words fit the sound badly (confidence 0.")
    assert warning.endswith("this may be the transcript of another recording")


def test_silence_fits_no_words(audio):
    found = align(with_waveform(audio, np.zeros(3 * audio.sampling_rate)), MTI)
    assert found.confidence < UNLIKELY
    assert found.warnings


def test_an_emoji_is_no_word_and_other_letters_lie_between_their_neighbours(audio):
    text = "😀 Maybe שלום tomorrow it will be cold - 🥶"
    found = align(audio, text)
    maybe, strange, tomorrow = found.words[:3]
    assert [word.text for word in found.words[-1:]] == ["cold"]
    assert (strange.text, strange.confidence) == ("שלום", 0.0)
    assert maybe.end <= strange.start <= strange.end <= tomorrow.start
    assert [text[slice(*span)] for span in found.spans] == [word.text for word in found.words]
    (warning,) = found.warnings
    assert warning.startswith("1 of 7 words could not be spelled out in sounds; their times are")


def test_a_text_in_another_script_has_no_times(audio):
    found = align(audio, "שלום עולם")
    assert all(math.isnan(word.start) and math.isnan(word.end) for word in found.words)
    assert found.confidence == 0
    assert found.warnings == (
        "none of the words could be found in the recording; they have no times",
    )


@pytest.mark.parametrize("text", ["", " \n", "😀 ... 🎉"])
def test_a_text_without_words(audio, text):
    with pytest.raises(TextError, match=r"the text '.*' has no words; give what is said in .*opus"):
        align(audio, text)


def test_more_words_than_there_is_time_for(audio):
    with pytest.raises(TextError, match=r"the 10000 words take at least 600\.0 s to say, and .* 2"):
        align(audio, "so " * 10_000)


def test_a_language_that_pocketsphinx_does_not_know(audio):
    with pytest.raises(ConfigError, match=r"align the language 'fr', only de, en; give the folder"):
        align(audio, "Peut-être", language="fr")


def test_pronunciations_serve_a_language_that_it_does_not_know(audio):
    said = {"ehkä": ("M EY B IY",), "huomenna": ("T AH M AA R OW",), "on": ("IH T W IH L B IY",)}
    found = align(audio, "Ehkä huomenna on kylmä", language="fi", pronunciations=said)
    english = align(audio, MTI)
    for word, same in ((0, 0), (1, 1), (2, 2)):
        assert found.words[word].start == pytest.approx(english.words[same].start, abs=0.05)
    assert found.words[3].confidence == 0
