"""A model by its name: of the package, a folder of any format, or out of the hub's cache."""

import json

import pytest

from voxplain.errors import UnknownName, WeightsMissing
from voxplain.models.embedded import EmbeddedModel
from voxplain.models.loading import load_model
from voxplain.models.waveform import WaveformModel


def test_a_model_of_the_package_is_loaded_once():
    assert isinstance(load_model("speech"), EmbeddedModel)
    assert load_model("speech") is load_model("speech")


def test_a_folder_without_a_format_is_an_embedded_model(tiny_model):
    assert load_model(str(tiny_model.folder)).name == "tiny"


def test_a_checkpoint_of_transformers_is_known_by_its_config(tmp_path):
    from voxplain.testing.checkpoints import save_checkpoint

    save_checkpoint(tmp_path / "ser", "superb", ["neu", "hap", "ang", "sad"])
    model = load_model(str(tmp_path / "ser"))
    assert isinstance(model, WaveformModel)
    assert model.name == "ser"


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ({"format": "onx"}, "unknown formats plug-in 'onx'.*Did you mean 'onnx'"),
        ({"format": "onnx"}, r"model\.onnx can't be read"),
        ({}, r"encoder\.onnx can't be read"),
        (None, r"card\.json can't be read"),
    ],
)
def test_a_folder_with_no_model_in_it(tmp_path, card, said):
    if card is not None:
        (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises((UnknownName, WeightsMissing), match=said):
        load_model(str(tmp_path))


def test_a_hub_id_that_was_not_pulled(monkeypatch, tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    inside = hub.snapshot_download
    monkeypatch.setattr(
        hub, "snapshot_download", lambda *a, **k: inside(*a, cache_dir=tmp_path, **k)
    )
    with pytest.raises(WeightsMissing, match="voxplain models pull nobody/nothing"):
        load_model("nobody/nothing")


def test_a_name_that_is_none():
    with pytest.raises(UnknownName, match=r"unknown model 'speach'.*Did you mean 'speech'"):
        load_model("speach")
