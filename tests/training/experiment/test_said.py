"""What is known of a recording after listening once: words, times, stress, voice."""

import json
import logging
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voxplain import analyze
from voxplain.errors import AudioError
from voxplain.training.corpora._reading import Utterance
from voxplain.training.experiment import said
from voxplain.training.experiment.said import is_recording, listen, unheard
from voxplain.types import Transcript, Word

SENTENCE = "That is exactly what happened"
pytest.importorskip("pocketsphinx", reason="words are found by pocketsphinx")


def utterance(path, text=SENTENCE, **more):
    return Utterance(path, "cremad", "ann", "female", "angry", "TIE", text=text, **more)


@pytest.fixture
def heard(tmp_path):
    """What is said in utterances; one process, one cache."""

    def listened(*utterances, transcripts="given", model=""):
        return listen(
            utterances, transcripts=transcripts, model=model, cache=tmp_path / "cache", jobs=1
        )

    return listened


@pytest.fixture
def times(monkeypatch):
    """How often a recording was opened."""
    count, opened = [], said.sound
    monkeypatch.setattr(said, "sound", lambda one: count.append(one) or opened(one))
    return count


def test_it_is_what_an_analysis_finds(heard, angry):
    (found,) = heard(utterance(angry))
    told = analyze(angry, transcript=SENTENCE, explain=None)
    assert [(w.text, w.start, w.end) for w in found.transcript.words] == [
        (w.text, w.start, w.end) for w in told.transcript.words
    ]
    assert [w.prominence for w in found.transcript.words] == pytest.approx(
        [w.prominence for w in told.transcript.words]
    )
    reliable = {k: q.value for k, q in told.descriptors.functionals.items() if q.reliable}
    assert dict(found.measured) == pytest.approx(reliable)
    assert len(found.lemf) == 5
    assert np.isfinite(found.lemf).all()


def test_what_was_heard_is_kept_by_content(heard, angry, tmp_path, times):
    (first,) = heard(utterance(angry))
    copy = utterance(Path(shutil.copy(angry, tmp_path / "copy.opus")))
    assert [one.to_dict() for one in heard(copy, utterance(angry))] == [first.to_dict()] * 2
    assert len(times) == 1
    heard(utterance(angry, "That is what happened"), utterance(angry, end=2.5))
    assert len(times) == 3


def test_a_file_that_was_cut_short_is_heard_again(heard, angry, tmp_path, times):
    (before,) = heard(utterance(angry))
    (kept,) = (one for one in (tmp_path / "cache").rglob("*") if one.is_file())
    kept.write_bytes(kept.read_bytes()[:500])
    assert heard(utterance(angry))[0].to_dict() == before.to_dict()
    assert len(times) == 2
    assert json.loads(kept.read_bytes())


def test_other_code_is_another_place(heard, angry, monkeypatch, times):
    heard(utterance(angry))
    changed = said.digest
    monkeypatch.setattr(
        said, "digest", lambda path: changed(path) + ("!" if path.endswith("emphasis.py") else "")
    )
    heard(utterance(angry))
    assert len(times) == 2


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        (" ".join(["unbelievable"] * 60), "en", "take at least"),
        (SENTENCE, "fi", "can't align the language 'fi'"),
    ],
)
def test_a_text_that_can_not_be_laid_over_has_words_without_times(
    heard, angry, text, language, reason, caplog
):
    caplog.set_level(logging.WARNING)
    found, other = heard(utterance(angry, text, language=language), utterance(angry))
    assert [word.text for word in found.transcript.words] == text.split()
    assert all(math.isnan(word.start + word.prominence) for word in found.transcript.words)
    assert np.isnan(found.lemf).all()
    assert found.measured == other.measured
    assert "1 of 2 texts could not be laid over their recordings, the first: " in caplog.text
    assert reason in caplog.text


def test_no_text_and_silence_are_no_failures(heard, angry, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    soundfile.write(tmp_path / "silence.wav", np.zeros(32_000), 16_000)
    wordless, silent = heard(utterance(angry, ""), utterance(tmp_path / "silence.wav", ""))
    assert wordless.transcript.words == silent.transcript.words == ()
    assert wordless.measured
    assert not silent.measured
    assert caplog.text == ""


def test_in_silence_no_word_is_prominent(heard, tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(32_000), 16_000)
    (found,) = heard(utterance(tmp_path / "silence.wav"))
    assert np.isnan([word.prominence for word in found.transcript.words]).all()


def test_a_transcriber_hears_each_stretch_in_its_language(heard, angry, monkeypatch):
    """Scripted, and moved to the times of the recording."""
    calls = []

    def recogniser(model, language):
        def hear(audio):
            calls.append((model, language, audio.duration))
            words = (Word("It", 0.1, 0.3, 0.9), Word("happened.", 0.3, 1.0, 0.9))
            return Transcript("It happened.", words, language, "scripted", 0.9)

        return hear

    class Plugin:
        __file__ = str(angry)
        load = staticmethod(lambda model, *, language: recogniser(model, language))

    real = said.find
    monkeypatch.setattr(
        said, "find", lambda kind, name: Plugin if kind == "transcribers" else real(kind, name)
    )
    said._transcriber.cache_clear()
    (found,) = heard(utterance(angry), transcripts="scripted", model="base")
    (stretch,) = analyze(angry, explain=None).segments
    assert calls == [("base", "en", pytest.approx(stretch.end - stretch.start))]
    assert found.transcript.text == "It happened."
    assert found.transcript.words[0].start == pytest.approx(stretch.start + 0.1)
    assert np.isfinite([word.prominence for word in found.transcript.words]).all()


def test_a_recording_that_is_none_is_told(heard, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"no sound")
    with pytest.raises(AudioError, match=r"a\.wav"):
        heard(utterance(tmp_path / "a.wav"))


def test_texts_alone():
    row = utterance(Path("emobank.csv"), "Oh - no , that 's it !")
    assert not is_recording(row)
    assert is_recording(replace(row, path=Path("A.WAV")))
    found = unheard(row)
    assert [word.text for word in found.transcript.words] == ["Oh", "no", "that", "'s", "it"]
    assert [row.text[a:b] for a, b in found.transcript.spans] == ["Oh", "no", "that", "'s", "it"]
    assert np.isnan(found.lemf).all()
    assert not found.measured
    assert listen([], transcripts="given", model="", cache=Path("nowhere"), jobs=1) == []
