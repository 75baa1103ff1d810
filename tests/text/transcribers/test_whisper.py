"""Whisper by transformers: a random checkpoint, and one that says what was planted."""

import json
import shutil

import numpy as np
import pytest

from voxplain.audio import read
from voxplain.errors import ConfigError, WeightsMissing
from voxplain.text.transcribers import whisper
from voxplain.types import Audio

# A random attention over one token has no spread to divide by.
pytestmark = pytest.mark.filterwarnings("ignore:std\\(\\). degrees of freedom:UserWarning")


def test_a_folder_is_enough(tiny_whisper, clips):
    audio = read.read(clips[0])
    found = whisper.load(str(tiny_whisper))(audio)
    assert found.source == "whisper tiny-whisper"
    assert found.language in {"en", "de"}
    assert len(found.spans) == len(found.words) > 0
    for word in found.words:
        assert 0 <= word.start <= word.end <= audio.duration
        assert 0 < word.confidence < 1


def test_more_than_its_window(tiny_whisper, clips):
    waveform = np.tile(read.read(clips[0]).waveform, 20)[: 45 * 16_000]
    found = whisper.load(str(tiny_whisper), language="en")(Audio(waveform, 16_000, "long"))
    starts = [word.start for word in found.words]
    assert starts == sorted(starts)
    assert starts[-1] > 30


def test_tokens_become_words_with_their_times_and_chances(tiny_whisper, clips, monkeypatch):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.WhisperTokenizer.from_pretrained(tiny_whisper)
    words = ["<|0.50|>", "Ġbe", "Ġco", "ld", ".", "<|2.00|>"]
    tokens = tokenizer.convert_tokens_to_ids(words)
    prompt = tokenizer.convert_tokens_to_ids(["<|startoftranscript|>", "<|de|>", "<|transcribe|>"])
    chances = [1.0, 0.8, 0.9, 0.4, 0.1, 1.0]
    scores = []
    for token, chance in zip(tokens, chances, strict=True):
        rest = torch.full((len(tokenizer),), (1 - chance) / (len(tokenizer) - 1) + 1e-30)
        rest[token] = chance
        scores.append(rest.log() + 3.0)  # logits are known up to a constant
    segment = {
        "start": torch.tensor(0.5),
        "end": torch.tensor(2.0),
        "tokens": torch.tensor(tokens),
        "token_timestamps": torch.tensor([0.5, 0.6, 0.9, 1.2, 1.5, 1.8]),
        "idxs": (3, 9),
        "result": {"sequences": torch.tensor(prompt + tokens), "scores": scores},
    }
    monkeypatch.setattr(
        transformers.WhisperForConditionalGeneration,
        "generate",
        lambda self, **_: {"segments": [[segment]]},
    )
    found = whisper.load(str(tiny_whisper))(read.read(clips[0]))
    assert (found.text, found.language) == ("be cold.", "de")
    be, cold = found.words
    assert (be.start, be.end, be.confidence) == pytest.approx((0.6, 0.9, 0.8), rel=1e-4)
    assert (cold.start, cold.end) == pytest.approx((0.9, 1.8))
    assert cold.confidence == pytest.approx((0.9 * 0.4 * 0.1) ** (1 / 3), rel=1e-4)


def test_a_language_that_the_model_lacks(tiny_whisper):
    with pytest.raises(
        ConfigError, match=r"tiny-whisper does not know the language 'fr'; it knows"
    ):
        whisper.load(str(tiny_whisper), language="fr")


def test_a_folder_without_a_model(tmp_path):
    pytest.importorskip("transformers")
    with pytest.raises(WeightsMissing, match=r"is no Whisper model of transformers in safetensors"):
        whisper.load(str(tmp_path))


def test_a_model_whose_words_would_have_no_times(tiny_whisper, tmp_path):
    folder = shutil.copytree(tiny_whisper, tmp_path / "headless")
    settings = json.loads((folder / "generation_config.json").read_text())
    del settings["alignment_heads"]
    (folder / "generation_config.json").write_text(json.dumps(settings))
    with pytest.raises(WeightsMissing, match=r"headless has no alignment_heads in generation_conf"):
        whisper.load(str(folder))


def test_without_a_folder(monkeypatch, tmp_path):
    pytest.importorskip("transformers")
    monkeypatch.setenv("VOXPLAIN_MODELS", str(tmp_path))
    with pytest.raises(
        WeightsMissing, match=r"no model for Whisper by transformers, neither .*; give the folder"
    ):
        whisper.load()
