"""Checkpoints: found by folder or hub id, read by the plug-in of their type, or refused."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from voxplain import backbones, plugins
from voxplain.errors import ArtifactError, WeightsMissing
from voxplain.testing.backbones import tiny_checkpoint

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("original"), "hubert")


@pytest.fixture
def folder(original, tmp_path):
    """A copy to damage."""
    return shutil.copytree(original, tmp_path / "checkpoint")


def change(path, **values):
    found = json.loads(path.read_text(encoding="utf-8")) | values
    kept = {key: value for key, value in found.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")


def weights(encoder):
    return encoder.network.state_dict()


@pytest.mark.parametrize(
    ("model_type", "name"),
    [("hubert", "hubert"), ("wavlm", "wavlm"), ("whisper", "whisper"), ("sew-d", "any")],
)
def test_the_model_type_says_which_plugin_reads(folder, model_type, name):
    change(folder / "config.json", model_type=model_type)
    assert backbones.plugin_of(folder) is plugins.find("backbones", name)


def test_an_encoder_is_called_like_its_folder_or_hub_id(original, tmp_path, monkeypatch):
    cache = tmp_path / "models--somebody--speech"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs/main").write_text("a" * 40, encoding="utf-8")
    shutil.copytree(original, cache / "snapshots" / ("a" * 40))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    fetched, here = backbones.load("somebody/speech"), backbones.load(original)
    assert (fetched.name, here.name) == ("somebody/speech", original.name)
    assert fetched.sha256 == here.sha256
    torch.testing.assert_close(weights(fetched), weights(here), atol=0, rtol=0)


@pytest.mark.parametrize("name", ["somebody/missing", "not//an id", "no/such/folder"])
def test_what_is_nowhere_can_be_pulled(name, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    expected = rf"^{name} is neither a folder nor in the cache .* get it with: voxplain models pull"
    with pytest.raises(WeightsMissing, match=expected):
        backbones.load(name)


def test_the_digest_goes_by_content_alone(folder, tmp_path):
    before = backbones.digest(folder)
    assert backbones.load(folder).sha256 == before
    assert backbones.digest(shutil.copytree(folder, tmp_path / "moved")) == before
    (folder / "README.md").write_text("about it", encoding="utf-8")
    assert backbones.digest(folder) == before
    seen = {before}
    for name in ("config.json", "preprocessor_config.json", SINGLE):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content + b" ")
        seen.add(backbones.digest(folder))
        (folder / name).write_bytes(content)
    assert len(seen) == 4


def test_weights_in_several_files_are_the_same_weights(folder):
    whole = weights(backbones.load(folder))
    tensors = load_file(folder / SINGLE)
    (folder / SINGLE).unlink()
    names = sorted(tensors)
    parts = {"model-1.safetensors": names[:20], "model-2.safetensors": names[20:]}
    for file, some in parts.items():
        part = {name: tensors[name] for name in some}
        save_file(part, folder / file, metadata={"format": "pt"})
    listed = {name: file for file, some in parts.items() for name in some}
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": listed}))
    assert [path.name for path in backbones.weight_files(folder)] == list(parts)
    torch.testing.assert_close(weights(backbones.load(folder)), whole, atol=0, rtol=0)
    (folder / "model-2.safetensors").unlink()
    with pytest.raises(WeightsMissing, match=r"names model-2\.safetensors, which is not there"):
        backbones.load(folder)


def test_half_precision_is_made_single(folder):
    whole = weights(backbones.load(folder))
    half = {name: tensor.half() for name, tensor in load_file(folder / SINGLE).items()}
    save_file(half, folder / SINGLE, metadata={"format": "pt"})
    found = weights(backbones.load(folder))
    for name, tensor in found.items():
        assert tensor.dtype == torch.float32
        torch.testing.assert_close(tensor, whole[name].half().float(), atol=0, rtol=0)


def test_a_model_with_a_head_gives_its_encoder(original, folder):
    tensors = {f"hubert.{name}": one for name, one in load_file(folder / SINGLE).items()}
    tensors["classifier.weight"] = torch.zeros(4, 16)
    save_file(tensors, folder / SINGLE, metadata={"format": "pt"})
    torch.testing.assert_close(
        weights(backbones.load(folder)), weights(backbones.load(original)), atol=0, rtol=0
    )


def test_a_pickle_is_never_opened(folder):
    (folder / SINGLE).unlink()
    (folder / "pytorch_model.bin").write_bytes(b"not even a pickle")
    expected = r"in pytorch_model\.bin, a pickle, .* convert it tensor by tensor"
    with pytest.raises(WeightsMissing, match=expected):
        backbones.load(folder)


def test_a_folder_without_weights_is_named(folder):
    (folder / SINGLE).unlink()
    with pytest.raises(WeightsMissing, match=r"checkpoint holds no weights: it has no model\.safe"):
        backbones.load(folder)


def test_code_of_a_model_is_never_run(folder):
    change(folder / "config.json", auto_map={"AutoModel": "modeling.Mine"})
    expected = r"config\.json asks for code of its own .*modeling\.Mine.*, which is never run"
    with pytest.raises(ArtifactError, match=expected):
        backbones.load(folder)


@pytest.mark.parametrize("rate", [8000, None])
@pytest.mark.parametrize("model_type", ["hubert", "whisper", "data2vec-audio"])
def test_another_sampling_rate_is_refused_before_weights_are_read(tmp_path, model_type, rate):
    folder = tiny_checkpoint(tmp_path, model_type)
    change(folder / "preprocessor_config.json", sampling_rate=rate)
    (folder / SINGLE).write_bytes(b"")
    expected = (
        rf"preprocessor_config\.json has the sampling_rate {rate}, but sound is heard at 16000 Hz; "
        "give a model of 16 kHz"
    )
    with pytest.raises(ArtifactError, match=expected):
        backbones.load(folder)


def test_without_its_preprocessor_nobody_knows_how_the_input_is_prepared(folder):
    told = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(WeightsMissing, match=r"checkpoint has no preprocessor_config\.json"):
        backbones.load(folder)
    as_one = json.dumps({"processor_class": "Any", "feature_extractor": told})
    (folder / "processor_config.json").write_text(as_one, encoding="utf-8")
    assert backbones.read_preprocessor(folder) == told
    assert backbones.load(folder).normalised


def test_a_missing_config_is_named(folder):
    (folder / "config.json").unlink()
    with pytest.raises(WeightsMissing, match=r"checkpoint holds no checkpoint: it has no config"):
        backbones.load(folder)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", r"config\.json can't be read as JSON \(.*\); copy it again"),
        ("[1]", r"config\.json must hold an object, not list"),
        ("{}", r"config\.json has the model_type None; it must say which model this is"),
    ],
)
def test_a_config_that_is_none_is_refused(folder, text, expected):
    (folder / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match=expected):
        backbones.load(folder)


def test_a_model_that_nobody_knows_is_refused(folder):
    change(folder / "config.json", model_type="telepathy")
    expected = r"checkpoint can't be loaded: .*telepathy.*; give an audio encoder"
    with pytest.raises(ArtifactError, match=expected):
        backbones.load(folder)


def test_a_config_that_contradicts_itself_is_refused(folder):
    change(folder / "config.json", conv_stride=[5, 2])
    with pytest.raises(ArtifactError, match=r"checkpoint can't be loaded: .*; give an audio enc"):
        backbones.load(folder)


def test_missing_weights_are_counted_and_the_first_is_named(folder):
    tensors = load_file(folder / SINGLE)
    kept = {name: one for name, one in tensors.items() if "layers.1.attention.k" not in name}
    save_file(kept, folder / SINGLE, metadata={"format": "pt"})
    expected = r"lacks 2 weights of the encoder, first 'encoder\.layers\.1\.attention\.k_proj\.bias"
    with pytest.raises(WeightsMissing, match=expected):
        backbones.load(folder)
    assert backbones.load(folder, layers=1).depth == 2  # which has all that it needs


def test_weights_of_another_shape_are_named(folder):
    change(folder / "config.json", intermediate_size=48)
    expected = (
        r"weight 'encoder\.layers\.0\.feed_forward\.intermediate_dense\.bias' has the shape "
        r"\(32,\), but config\.json asks for \(48,\); take both from the same checkpoint"
    )
    with pytest.raises(ArtifactError, match=expected):
        backbones.load(folder)


@pytest.mark.parametrize("model_type", ["hubert", "whisper"])
def test_damaged_weights_are_named(tmp_path, model_type):
    folder = tiny_checkpoint(tmp_path, model_type)
    (folder / SINGLE).write_bytes(b"{")
    with pytest.raises(
        WeightsMissing, match=rf"{folder.name}.* can't be read \(.*\); copy it again"
    ):
        backbones.load(folder)


@pytest.mark.parametrize("layers", [0, 4])
@pytest.mark.parametrize("model_type", ["hubert", "whisper", "data2vec-audio"])
def test_there_are_only_so_many_layers(tmp_path, model_type, layers):
    folder = tiny_checkpoint(tmp_path, model_type)
    with pytest.raises(ArtifactError, match=rf"has 3 layers; keep 1 to 3, not {layers}$"):
        backbones.load(folder, layers=layers)
