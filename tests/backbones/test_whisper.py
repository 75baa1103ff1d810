"""The encoder is transformers' Whisper encoder, freed of its 30 s."""

import itertools
import json
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from voxplain.audio.log_mel import log_mel as log_mel_of
from voxplain.audio.read import read
from voxplain.backbones.whisper import StateEncoder, WhisperEncoder, load
from voxplain.errors import ArtifactError, WeightsMissing
from voxplain.testing.backbones import tiny_checkpoint

BANDS, WIDTH, LAYERS = 8, 16, 3


@pytest.fixture(scope="module")
def original():
    """A small random Whisper of transformers, larger than at birth, so that mistakes show."""
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


def test_a_folder_without_a_checkpoint_is_named(folder, tmp_path):
    with pytest.raises(WeightsMissing, match=rf"{tmp_path.name} holds no checkpoint: .* config"):
        WhisperEncoder.from_folder(tmp_path, layers=1)
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(WeightsMissing, match=rf"{tmp_path.name} holds no weights: .* model\.safe"):
        WhisperEncoder.from_folder(tmp_path, layers=1)


def test_a_config_without_sizes_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "whisper"}', encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"config\.json lacks 'd_model'; copy it again"):
        WhisperEncoder.from_folder(tmp_path)


def test_another_model_is_refused(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}), encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"holds a model of the type 'bert'; give a Whisper"):
        WhisperEncoder.from_folder(tmp_path)


def test_missing_weights_are_counted_and_the_first_is_named(folder, tmp_path):
    tensors = load_file(folder / "model.safetensors")
    lost = [name for name in tensors if "encoder.conv1" in name or "encoder.layers.0.fc1" in name]
    kept = {name: tensor for name, tensor in tensors.items() if name not in lost}
    save_file(kept, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(WeightsMissing, match=r"lacks 4 weights of the .* first 'conv1\.bias';"):
        WhisperEncoder.from_folder(tmp_path, layers=LAYERS)


def test_weights_of_another_shape_are_named(folder, tmp_path):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(config | {"encoder_ffn_dim": 48}))
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    expected = r"'layers\.0\.fc1\.\w+' has the shape \(32.*, but config\.json asks for \(48"
    with pytest.raises(ArtifactError, match=expected):
        WhisperEncoder.from_folder(tmp_path)


@pytest.fixture(params=[80, 128])
def whole(tmp_path, request):
    """A checkpoint with its front end; large-v3 has 128 bands."""
    return tiny_checkpoint(tmp_path, "whisper", num_mel_bins=request.param)


@torch.inference_mode()
def test_of_30_s_every_state_equals_that_of_transformers(whole):
    waveform = 0.1 * torch.randn(30 * 16_000, generator=torch.Generator().manual_seed(2))
    states, mask = load(whole).eval()([waveform])
    prepare = transformers.WhisperFeatureExtractor.from_pretrained(whole)
    theirs = transformers.WhisperModel.from_pretrained(whole).eval().encoder
    inputs = prepare(waveform.numpy(), sampling_rate=16_000, return_tensors="pt").input_features
    expected = theirs(inputs, output_hidden_states=True).hidden_states
    assert mask.shape == (1, 1500)
    # The last one of theirs has passed the final norm.
    torch.testing.assert_close(states[:-1], torch.stack(expected[:-1]), atol=1e-3, rtol=1e-3)
    last = theirs.layer_norm(states[-1])
    torch.testing.assert_close(last, expected[-1], atol=1e-3, rtol=1e-3)


@torch.inference_mode()
def test_more_than_30_s_are_heard_in_equal_parts(whole):
    encoder = load(whole).eval()
    short, long = 0.1 * torch.randn(16_000), 0.1 * torch.randn(69_990 * 16)
    (states, mask), (alone, _) = encoder([short, long]), encoder([long])
    assert mask.sum(1).tolist() == [50, 3500]
    torch.testing.assert_close(states[:, 1:], alone, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(states[:, :1, :50], encoder([short])[0], atol=1e-4, rtol=1e-4)
    # 6,999 frames of 10 ms are 3,500 states: 1,166, 1,167 and 1,167.
    mel = torch.from_numpy(log_mel_of(long.numpy(), bands=encoder.encoder.bands))[None]
    edges = itertools.pairwise([0, 2332, 4666, 6999])
    parts = [encoder.encoder(mel[..., start:end])[-1] for start, end in edges]
    torch.testing.assert_close(alone[-1], torch.cat(parts, 1), atol=1e-4, rtol=1e-4)


@torch.inference_mode()
@pytest.mark.parametrize("frames", [2999, 3000, 3001, 5999, 6001])
def test_about_30_s_fit_in_as_many_parts_as_they_need(whole, frames):
    _, mask = load(whole, layers=1)([0.1 * torch.randn(160 * frames)])
    assert mask.shape == (1, -(-frames // 2))


@torch.inference_mode()
def test_the_published_encoder_hears_a_voice_in_any_company(angry, clips):
    folder = Path(__file__).parents[3] / "shared/data/weights/whisper-tiny.en-encoder"
    if not folder.is_dir():
        pytest.skip(f"no Whisper checkpoint in {folder}")
    encoder = load(folder).eval()
    assert (encoder.width, encoder.depth, encoder.frame_shift) == (384, 5, 0.02)
    waveforms = [torch.tensor(read(clip).waveform) for clip in (angry, *clips)]
    states, mask = encoder(waveforms)
    alone, _ = encoder(waveforms[:1])
    off = (states[:, 0, mask[0]] - alone[:, 0]).abs().amax((1, 2)) / alone.abs().amax((1, 2, 3))
    assert off.max() < 1e-5
