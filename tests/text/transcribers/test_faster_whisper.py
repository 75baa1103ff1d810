"""Whisper by CTranslate2: a random checkpoint, converted, and one that says what was planted."""

from types import SimpleNamespace

import numpy as np
import pytest

from voxplain.audio import read
from voxplain.errors import ConfigError, WeightsMissing
from voxplain.text.transcribers import faster_whisper

package = pytest.importorskip("faster_whisper")


@pytest.fixture(scope="module")
def folder(tiny_whisper):
    ctranslate2 = pytest.importorskip("ctranslate2")
    ctranslate2.set_random_seed(0)  # unsure as it is, it draws its words
    place = tiny_whisper.parent / "tiny-ctranslate2"
    converter = ctranslate2.converters.TransformersConverter(
        str(tiny_whisper), copy_files=["tokenizer.json", "preprocessor_config.json"]
    )
    converter.convert(str(place))
    return place


def test_a_folder_is_enough(folder, clips):
    audio = read.read(clips[0])
    found = faster_whisper.load(str(folder), language="en")(audio)
    assert found.source == "faster_whisper tiny-ctranslate2"
    assert found.language == "en"
    assert len(found.spans) == len(found.words) > 0
    for word in found.words:
        assert 0 <= word.start <= word.end <= audio.duration + 0.1
        assert 0 < word.confidence < 1


def test_words_come_with_their_times_and_chances(folder, clips, monkeypatch):
    def word(text, start, chance):
        return SimpleNamespace(
            word=text, start=np.float64(start), end=start + 1, probability=chance
        )

    segments = [
        SimpleNamespace(words=[word(" Maybe", 0.5, 0.9), word(" tomorrow,", 1.5, 0.7)]),
        SimpleNamespace(words=[word(" ", 2.5, 0.1), word(" it will.", 2.5, 0.5)]),
    ]
    monkeypatch.setattr(
        package.WhisperModel,
        "transcribe",
        lambda *_, **__: (iter(segments), SimpleNamespace(language="en")),
    )
    found = faster_whisper.load(str(folder))(read.read(clips[0]))
    assert found.text == "Maybe tomorrow, it will."
    assert [word.text for word in found.words] == ["Maybe", "tomorrow,", "it will."]
    assert [word.start for word in found.words] == [0.5, 1.5, 2.5]
    assert found.confidence == pytest.approx(0.7)
    assert type(found.words[0].start) is float  # not numpy's, which JSON does not know


def test_a_language_that_the_model_lacks(folder):
    with pytest.raises(ConfigError, match=r"does not know the language 'xx'; it knows en"):
        faster_whisper.load(str(folder), language="xx")


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(WeightsMissing, match=r"is no Whisper model of CTranslate2.* models pull w"):
        faster_whisper.load(str(tmp_path))
