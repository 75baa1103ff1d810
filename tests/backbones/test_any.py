"""Whatever else transformers knows is heard, if its states follow time."""

import json

import pytest
import torch
import transformers

from voxplain import backbones
from voxplain.backbones.any import AnyEncoder
from voxplain.errors import ArtifactError
from voxplain.testing.backbones import tiny_checkpoint

SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}


@torch.inference_mode()
@pytest.mark.parametrize("model_type", ["data2vec-audio", "unispeech-sat", "wav2vec2-bert"])
def test_it_says_what_transformers_says(tmp_path, model_type):
    folder = tiny_checkpoint(tmp_path, model_type)
    encoder = backbones.load(folder).eval()
    assert isinstance(encoder, AnyEncoder)
    assert encoder.frame_shift == pytest.approx(0.02)
    prepare = transformers.AutoFeatureExtractor.from_pretrained(folder)
    theirs = transformers.AutoModel.from_pretrained(folder).eval()
    waveforms = [0.1 * torch.randn(n) + 0.05 for n in (16_000, 30_000)]
    states, mask = encoder(waveforms)
    for row, waveform in enumerate(waveforms):
        inputs = prepare(waveform.numpy(), sampling_rate=16_000, return_tensors="pt")
        expected = torch.cat(theirs(**inputs, output_hidden_states=True).hidden_states)
        torch.testing.assert_close(states[:, row, mask[row]], expected, atol=1e-4, rtol=1e-4)


def test_a_feature_extractor_that_nobody_knows_is_refused(tmp_path):
    folder = tiny_checkpoint(tmp_path, "data2vec-audio")
    place = folder / "preprocessor_config.json"
    told = json.loads(place.read_text(encoding="utf-8")) | {"feature_extractor_type": "Nothing"}
    place.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"can't be loaded: .*; give an audio encoder"):
        backbones.load(folder)


def test_states_without_time_are_refused(tmp_path):
    """Patches of a spectrogram of fixed size."""
    config = transformers.ASTConfig(**SMALL, intermediate_size=32, max_length=64, num_mel_bins=32)
    transformers.ASTModel(config).save_pretrained(tmp_path)
    transformers.ASTFeatureExtractor(max_length=64, num_mel_bins=32).save_pretrained(tmp_path)
    expected = (
        r"audio-spectrogram-transformer gives (\d+) states for 1 s and \1 for 3 s; give an encoder "
        "whose states follow time"
    )
    with pytest.raises(ArtifactError, match=expected):
        backbones.load(tmp_path)


def test_a_model_of_words_is_refused(tmp_path):
    """With the preprocessor of another, so that only trying tells."""
    config = transformers.BertConfig(**SMALL, intermediate_size=32, vocab_size=20)
    transformers.BertModel(config).save_pretrained(tmp_path)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path)
    expected = r"gives no states of sound \(\w+: .*\); give an audio encoder"
    with pytest.raises(ArtifactError, match=expected):
        backbones.load(tmp_path)
