"""The encoder is transformers' Whisper encoder, freed of its 30 s."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from voxplain.backbones.whisper import StateEncoder, WhisperEncoder
from voxplain.errors import WeightsMissing

BANDS, WIDTH, LAYERS = 8, 16, 3


@pytest.fixture(scope="module")
def original():
    """A small random Whisper of transformers, larger than at birth, so that mistakes show."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    sizes = {"d_model": WIDTH, "vocab_size": 60, "num_mel_bins": BANDS}
    for side in ("encoder", "decoder"):
        sizes |= {f"{side}_layers": LAYERS, f"{side}_attention_heads": 2, f"{side}_ffn_dim": 32}
    tokens = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 1)
    config = transformers.WhisperConfig(**sizes, **tokens, decoder_start_token_id=1)
    model = transformers.WhisperModel(config).eval()
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return model


@pytest.fixture(scope="module")
def folder(original, tmp_path_factory):
    """Its checkpoint, in the layout of Hugging Face."""
    place = tmp_path_factory.mktemp("checkpoint")
    original.save_pretrained(place)
    return place


@pytest.fixture
def log_mel():
    return torch.randn(2, BANDS, 3000, generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def test_every_layer_equals_that_of_transformers(original, folder, log_mel):
    states = WhisperEncoder.from_folder(folder, layers=LAYERS).eval()(log_mel)
    theirs = original.encoder(log_mel, output_hidden_states=True)
    assert len(states) == LAYERS
    # Theirs begin with the input of the first layer; the last one has passed the final norm.
    for own, other in zip(states[:-1], theirs.hidden_states[1:-1], strict=True):
        torch.testing.assert_close(own, other, atol=1e-5, rtol=1e-5)
    last = original.encoder.layer_norm(states[-1])
    torch.testing.assert_close(last, theirs.last_hidden_state, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("layers", [1, 2])
def test_a_shortened_encoder_is_the_beginning_of_the_whole_one(folder, log_mel, layers):
    short = WhisperEncoder.from_folder(folder, layers=layers)
    whole = WhisperEncoder.from_folder(folder, layers=LAYERS)
    assert len(short.layers) == layers
    states = short(log_mel[..., :100])
    for own, other in zip(states, whole(log_mel[..., :100])[:layers], strict=True):
        torch.testing.assert_close(own, other, atol=0, rtol=0)


@torch.inference_mode()
@pytest.mark.parametrize("frames", [1, 2, 11, 160, 999, 3000])
def test_any_length_up_to_30_s_gives_a_state_for_two_frames(frames):
    encoder = WhisperEncoder(width=WIDTH, heads=2, hidden=32, layers=2, bands=BANDS)
    states = encoder(torch.randn(1, BANDS, frames))
    assert [tuple(state.shape) for state in states] == [(1, -(-frames // 2), WIDTH)] * 2


@torch.inference_mode()
def test_recordings_in_a_batch_do_not_mix(folder, log_mel):
    encoder = WhisperEncoder.from_folder(folder, layers=LAYERS)
    together, alone = encoder(log_mel[..., :200]), encoder(log_mel[1:, :, :200])
    torch.testing.assert_close(together[-1][1:], alone[-1], atol=1e-5, rtol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("frames", [40, 41, 42, 43, 200])
def test_states_are_means_of_pairs_of_all_layers_but_the_first(folder, log_mel, frames):
    encoder = WhisperEncoder.from_folder(folder, layers=LAYERS)
    found = StateEncoder(encoder)(log_mel[:1, :, :frames])
    layers = [layer[0] for layer in encoder(log_mel[:1, :, :frames])]
    assert found.shape == (1, -(-frames // 4), (LAYERS - 1) * WIDTH)
    for number, state in enumerate(found[0]):
        pair = slice(2 * number, 2 * number + 2)  # an odd frame at the end stands for itself
        expected = torch.cat([layer[pair].mean(0) for layer in layers[1:]])
        torch.testing.assert_close(state, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("prefix", ["", "encoder.", "model.encoder."])
@pytest.mark.parametrize("precision", [torch.float16, torch.float32])
def test_names_and_precision_of_published_checkpoints(folder, tmp_path, prefix, precision):
    encoder = WhisperEncoder.from_folder(folder, layers=2)
    tensors = {prefix + name: weight.to(precision) for name, weight in encoder.state_dict().items()}
    save_file(tensors, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    loaded = WhisperEncoder.from_folder(tmp_path, layers=2).state_dict()
    for name, weight in encoder.state_dict().items():
        assert loaded[name].dtype == torch.float32
        torch.testing.assert_close(loaded[name], weight.to(precision).float(), atol=0, rtol=0)


@pytest.mark.parametrize("missing", [("config.json", "model.safetensors"), ("model.safetensors",)])
def test_a_folder_without_a_checkpoint_is_named(tmp_path, missing):
    if "config.json" not in missing:
        (tmp_path / "config.json").write_text(json.dumps({"d_model": WIDTH}), encoding="utf-8")
    expected = rf"{tmp_path.name} holds no Whisper checkpoint \(.*{missing[0]}.*\); give a folder"
    with pytest.raises(WeightsMissing, match=expected):
        WhisperEncoder.from_folder(tmp_path, layers=1)


def test_missing_weights_are_counted_and_the_first_is_named(folder, tmp_path):
    tensors = load_file(folder / "model.safetensors")
    lost = [name for name in tensors if "encoder.conv1" in name or "encoder.layers.0.fc1" in name]
    kept = {name: tensor for name, tensor in tensors.items() if name not in lost}
    save_file(kept, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(WeightsMissing, match=r"lacks 4 weights, first 'conv1\.bias'$"):
        WhisperEncoder.from_folder(tmp_path, layers=LAYERS)


def test_more_layers_than_there_are_lack_weights(folder):
    with pytest.raises(WeightsMissing, match=r"lacks 15 weights, first 'layers\.3\."):
        WhisperEncoder.from_folder(folder, layers=LAYERS + 1)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_damaged_checkpoint_is_named(folder, tmp_path, name):
    for other in ("config.json", "model.safetensors"):
        (tmp_path / other).write_bytes((folder / other).read_bytes())
    (tmp_path / name).write_bytes(b"{")
    with pytest.raises(WeightsMissing, match=tmp_path.name):
        WhisperEncoder.from_folder(tmp_path, layers=1)
