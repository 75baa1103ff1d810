"""The embedded model: loaded only if it is what its card says, the same numbers every time."""

import json
import shutil

import numpy as np
import pytest

from voxplain.errors import ArtifactError, ChecksumMismatch, UnknownName, WeightsMissing
from voxplain.models import embedded
from voxplain.models.calibration import softmax
from voxplain.models.embedded import EmbeddedModel, embedded_models
from voxplain.models.log_mel import log_mel
from voxplain.types import Audio


def audio(seconds=1.0, seed=0):
    noise = np.random.default_rng(seed).normal(0, 0.1, int(seconds * 16_000))
    return Audio(noise.astype(np.float32), 16_000, "<array>")


@pytest.fixture
def folder(tiny_model, tmp_path):
    """A copy that may be broken."""
    return shutil.copytree(tiny_model.folder, tmp_path / "tiny")


@pytest.fixture
def package(tiny_model, tmp_path, monkeypatch):
    """A package that holds the models ``speech`` and ``small``."""
    for name in ("speech", "small"):
        shutil.copytree(tiny_model.folder, tmp_path / "models" / name)
    monkeypatch.setattr(embedded, "_ASSETS", str(tmp_path / "models"))
    embedded._load.cache_clear()
    yield tmp_path / "models"
    embedded._load.cache_clear()


def test_the_card_is_read(tiny_model):
    model = EmbeddedModel(tiny_model.folder)
    assert (model.name, model.labels, model.temperature) == ("tiny", tiny_model.labels, 1.5)
    assert model.sha256 == model.card["sha256"]


def test_categories_are_calibrated_and_in_the_order_of_the_card(tiny_model):
    model = EmbeddedModel(tiny_model.folder)
    categories = model.categories(audio())
    expected = softmax(model.logits(log_mel(audio().waveform)), temperature=1.5)
    assert tuple(categories) == tiny_model.labels
    assert list(categories.values()) == expected.tolist()
    assert sum(categories.values()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("seconds", [0.1, 0.73, 15.0])
def test_any_length_can_be_judged(tiny_model, seconds):
    assert len(EmbeddedModel(tiny_model.folder).categories(audio(seconds))) == 3


def test_what_was_heard_before_does_not_matter(tiny_model):
    fresh = EmbeddedModel(tiny_model.folder).categories(audio())
    used = EmbeddedModel(tiny_model.folder)
    for seed, seconds in enumerate([3.0, 0.2, 1.0]):
        used.categories(audio(seconds, seed=seed + 1))
    assert used.categories(audio()) == fresh


def test_half_precision_is_taken(tiny_model):
    mel = log_mel(audio().waveform).astype(np.float16)
    model = EmbeddedModel(tiny_model.folder)
    np.testing.assert_array_equal(model.logits(mel), model.logits(mel.astype(np.float32)))


def test_a_missing_folder_is_named(tmp_path):
    expected = r"nowhere is no model folder: .*card\.json can't be read; .*'voxplain train'$"
    with pytest.raises(WeightsMissing, match=expected):
        EmbeddedModel(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["card.json", "model.onnx"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(WeightsMissing, match=f"is no model folder: .*{name} can't be read"):
        EmbeddedModel(folder)


def test_other_weights_than_the_card_describes_are_refused(folder):
    path = folder / "model.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    expected = r"model\.onnx has SHA-256 [0-9a-f]{12}…, its card says [0-9a-f]{12}…; reinstall"
    with pytest.raises(ChecksumMismatch, match=expected):
        EmbeddedModel(folder)


@pytest.mark.parametrize("key", ["sha256", "labels", "name", "temperature"])
def test_a_card_that_lacks_something_is_refused(folder, key):
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    del card[key]
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ArtifactError, match=key):
        EmbeddedModel(folder)


@pytest.mark.parametrize("text", ["{", "[]", "\xff"])
def test_a_card_that_is_no_card_is_refused(folder, text):
    (folder / "card.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ArtifactError, match=r"card\.json"):
        EmbeddedModel(folder)


def test_a_card_with_other_labels_than_the_model_is_refused(folder):
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card["labels"].append("happy")
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ArtifactError, match="labels"):
        EmbeddedModel(folder)


def test_models_of_the_package_are_listed(package):
    (package / "LICENSE.txt").touch()
    assert embedded_models() == ("small", "speech")


def test_a_package_without_models_lists_none(package):
    shutil.rmtree(package)
    assert embedded_models() == ()


@pytest.mark.usefixtures("package")
def test_a_model_is_loaded_once():
    assert EmbeddedModel.load("speech") is EmbeddedModel.load("speech")


@pytest.mark.usefixtures("package")
def test_a_folder_is_loaded_by_its_path(folder):
    assert EmbeddedModel.load(str(folder)).name == "tiny"


@pytest.mark.usefixtures("package")
def test_an_unknown_model_is_named_with_a_hint():
    expected = r"^unknown model 'speach'; available: small, speech\. Did you mean 'speech'\?$"
    with pytest.raises(UnknownName, match=expected):
        EmbeddedModel.load("speach")
