"""What is packed of a trained model, and which models are refused."""

import json
import shutil

import numpy as np
import pytest

from voxplain.audio.read import read
from voxplain.errors import ArtifactError, ConfigError
from voxplain.models.listening import ListeningModel
from voxplain.training.vib_sed import packed
from voxplain.training.vib_sed.packed import is_trained, pack
from voxplain.types import Audio


@pytest.fixture(scope="module")
def clip(angry):
    return read(angry)


@pytest.fixture
def trained(trained_describer, tmp_path):
    """A copy that may be spoilt."""
    return shutil.copytree(trained_describer, tmp_path / "trained")


def test_the_folder(listening_folder):
    assert {one.name for one in listening_folder.iterdir()} == {
        "weights.npz", "tokens.json", "labels.json", "model.json"
    }  # fmt: skip
    with np.load(listening_folder / "weights.npz") as weights:
        kinds = {name: weights[name].dtype for name in weights.files}
    moments = {"mean", "deviation"}
    assert {name for name, kind in kinds.items() if kind == np.float32} == moments
    assert {kind for name, kind in kinds.items() if name not in moments} == {np.dtype(np.float16)}
    assert {name.split(".")[0] for name in kinds} == {"blocks", "adapters", "llm"} | moments
    assert "llm.lm_head.weight" not in kinds
    card = json.loads((listening_folder / "model.json").read_text())
    assert card["checked"]["stretches"] == 1
    assert 0 < card["checked"]["largest_difference"] <= 0.02
    assert (card["name"], card["labels"], card["least"]) == (
        "tiny",
        ["angry", "neutral", "sad"],
        0.4,
    )
    assert card["trained"]["speakers"] == {"train": ["s1"]}


def test_the_same_bytes_every_time(trained, clip, listening_folder, tmp_path):
    again = pack(trained, tmp_path / "again", clips=[clip])
    for one in listening_folder.iterdir():
        assert (again.folder / one.name).read_bytes() == one.read_bytes()
    size = sum(one.stat().st_size for one in again.folder.iterdir())
    assert again.megabytes == pytest.approx(size / 1e6)
    assert again.stretches == 1


def test_of_a_run_the_first_model_with_the_figures(trained, clip, tmp_path):
    run = tmp_path / "run"
    shutil.move(trained, run / "fold_0" / "seed_0")
    card = {"format": "vib_sed", "default": "fold_0/seed_0", "figures": {"UAR": {"value": 0.5}}}
    (run / "card.json").write_text(json.dumps(card))
    assert is_trained(run)
    folder = pack(run, tmp_path / "out", clips=[clip]).folder
    found = ListeningModel(folder).card
    assert found["figures"] == {"UAR": {"value": 0.5}}
    assert found["name"] == "tiny"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"encoder": {"checkpoint": "speech", "sha256": "0" * 64}},
            "speech (000000000000…), which",
        ),
        (
            {"encoder": {"checkpoint": "x/y", "sha256": "1" * 64}},
            "train it with encoder.checkpoint",
        ),
        ({"llm": {"checkpoint": "meta/llama"}}, "speaks through meta/llama, and only a decoder"),
    ],
)
def test_models_that_need_more_than_the_package(trained, clip, tmp_path, change, message):
    place = trained / "card.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | change))
    with pytest.raises(ConfigError) as error:
        pack(trained, tmp_path / "out", clips=[clip])
    assert message in str(error.value)
    assert not (tmp_path / "out").exists()


def test_levels_that_a_corpus_gave(trained, clip, tmp_path):
    (trained / "labels.json").unlink()
    with pytest.raises(ConfigError, match=r"has no labels.json.*tasks.levels=measured"):
        pack(trained, tmp_path / "out", clips=[clip])


def test_a_folder_that_exists(trained, clip, tmp_path):
    with pytest.raises(ConfigError, match="exists already; give a new folder"):
        pack(trained, tmp_path, clips=[clip])


@pytest.mark.parametrize("clips", [[], [Audio(np.zeros(16_000, np.float32), 16_000, "silence")]])
def test_no_speech_to_check_it_on(trained, clips, tmp_path):
    with pytest.raises(ConfigError, match="checked on real recordings of speech: give --clips"):
        pack(trained, tmp_path / "out", clips=clips)
    assert [one.name for one in tmp_path.iterdir()] == ["trained"]


def test_a_copy_that_says_something_else_is_not_kept(trained, clip, tmp_path, monkeypatch):
    write = packed._weights

    def spoilt(network):
        return {name: weight[::-1] for name, weight in write(network).items()}

    monkeypatch.setattr(packed, "_weights", spoilt)
    with pytest.raises(ArtifactError, match=r"the copy says '.*' of .*: nothing was written"):
        pack(trained, tmp_path / "out", clips=[clip])
    assert [one.name for one in tmp_path.iterdir()] == ["trained"]


def test_what_training_left_is_known(trained_describer, listening_folder, tmp_path):
    assert is_trained(trained_describer)
    assert not is_trained(listening_folder)
    (tmp_path / "card.json").write_text("[]")
    assert not is_trained(tmp_path)
