"""wav2vec 2.0, HuBERT and WavLM say what transformers says of one recording."""

import pytest
import torch
import transformers
from torch import nn

from voxplain import backbones
from voxplain.errors import TooShort
from voxplain.testing.backbones import tiny_checkpoint

FAMILIES = ("hubert", "wav2vec2", "wavlm")
BASE = {"feat_extract_norm": "group"}
LARGE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}


@pytest.fixture
def waveforms():
    generator = torch.Generator().manual_seed(3)
    return [0.3 * torch.randn(n, generator=generator) + 0.1 for n in (16_000, 30_123, 4_000)]


@torch.inference_mode()
@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("flavour", [BASE, LARGE], ids=["base", "large"])
@pytest.mark.parametrize("model_type", FAMILIES)
def test_every_state_equals_that_of_transformers(
    tmp_path, waveforms, model_type, flavour, normalised
):
    """Prepared by its own feature extractor, one recording at a time."""
    folder = tiny_checkpoint(tmp_path, model_type, normalised=normalised, **flavour)
    prepare = transformers.AutoFeatureExtractor.from_pretrained(folder)
    theirs = transformers.AutoModel.from_pretrained(folder).eval()
    states, mask = backbones.load(folder).eval()(waveforms)
    for row, waveform in enumerate(waveforms):
        inputs = prepare(waveform.numpy(), sampling_rate=16_000, return_tensors="pt")
        expected = theirs(inputs.input_values, output_hidden_states=True).hidden_states
        found = states[:, row, mask[row]]
        torch.testing.assert_close(found, torch.cat(expected), atol=1e-4, rtol=1e-4)
    assert (states[0, 0] - states[3, 0]).abs().max() > 0.1


@torch.inference_mode()
def test_hubert_with_batch_norm_in_its_positions_is_the_same_in_a_batch(tmp_path, waveforms):
    folder = tiny_checkpoint(tmp_path, "hubert", conv_pos_batch_norm=True)
    encoder = backbones.load(folder).eval()
    states, mask = encoder(waveforms)
    alone, _ = encoder(waveforms[2:])
    torch.testing.assert_close(states[:, 2, mask[2]], alone[:, 0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_training_draws_nothing_but_dropout(tmp_path, waveforms, model_type):
    """No layer is skipped and no frame masked, so that all states are there."""
    quiet = dict.fromkeys(
        ("hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout"), 0.0
    )
    encoder = backbones.load(
        tiny_checkpoint(tmp_path, model_type, layerdrop=0.9, mask_time_prob=0.9, **quiet)
    )
    trained, _ = encoder.train()(waveforms)
    judged, _ = encoder.eval()(waveforms)
    torch.testing.assert_close(trained, judged, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_what_is_put_in_the_place_of_a_projection_is_used(tmp_path, waveforms, model_type):
    """As adapters (LoRA) are; those of WavLM in transformers are passed by."""
    encoder = backbones.load(tiny_checkpoint(tmp_path, model_type)).eval()
    before, _ = encoder(waveforms)
    for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
        attention = encoder.network.encoder.layers[1].attention
        own = getattr(attention, name)
        setattr(attention, name, nn.Sequential(own, nn.Linear(16, 16)))
        after, _ = encoder(waveforms)
        setattr(attention, name, own)
        assert torch.equal(after[:2], before[:2])
        assert (after[2] - before[2]).abs().max() > 1e-3, name


@torch.inference_mode()
@pytest.mark.parametrize("model_type", [*FAMILIES, "whisper"])
def test_half_the_precision_is_enough_under_autocast(tmp_path, waveforms, model_type):
    encoder = backbones.load(tiny_checkpoint(tmp_path, model_type)).eval()
    exact, mask = encoder(waveforms)
    with torch.autocast("cpu", torch.bfloat16):
        rough, again = encoder(waveforms)
    assert torch.equal(mask, again)
    assert (rough.float() - exact).abs().mean() < 0.05 * exact.abs().mean()


@pytest.mark.parametrize("shape", [(1_599,), (1, 16_000), ()])
def test_what_is_no_recording_is_refused(tmp_path, waveforms, shape):
    encoder = backbones.load(tiny_checkpoint(tmp_path, "hubert"))
    expected = rf"^recording 1 of the batch has the shape \({', '.join(map(str, shape))}"
    with pytest.raises(TooShort, match=expected):
        encoder([waveforms[0], torch.zeros(shape)])
