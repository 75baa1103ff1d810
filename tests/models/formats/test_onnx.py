"""Exported models: the same numbers without torch."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import voxplain
from voxplain.audio.read import read
from voxplain.errors import ArtifactError, ChecksumMismatch, WeightsMissing
from voxplain.models.formats import onnx, transformers
from voxplain.training.exported import export_model


@pytest.fixture(scope="module")
def exported(checkpoints, tmp_path_factory, clips):
    """The model of transformers, and the folder of its export."""
    model = transformers.load(checkpoints("wavlm")[0])
    folder = tmp_path_factory.mktemp("exported") / "wavlm"
    export_model(model, folder, clips=[read(clips[0])])
    return model, folder


def test_an_exported_model_is_the_model(exported, clips):
    model, folder = exported
    other = onnx.load(folder)
    assert other.calibration == model.calibration
    assert (other.name, other.notes, other.outputs) == (model.name, model.notes, model.outputs)
    for clip in clips:
        audio = read(clip)
        np.testing.assert_allclose(other.run(audio.waveform), model.run(audio.waveform), atol=1e-5)


# Whatever asks for torch or transformers fails, and so would the analysis.
ALONE = """
import json, sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "safetensors", "huggingface_hub"):
            raise ModuleNotFoundError(f"no {name} here", name=name)
sys.meta_path.insert(0, Nothing())
import voxplain
analysis = voxplain.analyze(sys.argv[1], model=sys.argv[2], explain=None)
print(json.dumps(dict(analysis.emotion.categories)))
"""


def test_it_needs_no_torch(exported, angry):
    _, folder = exported
    source = str(Path(voxplain.__file__).parent.parent)
    ran = subprocess.run(
        [sys.executable, "-c", ALONE, str(angry), str(folder)],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = voxplain.analyze(angry, model=str(folder), explain=None).emotion
    assert json.loads(ran.stdout) == pytest.approx(dict(expected.categories))


def test_a_file_that_was_changed(exported, tmp_path):
    folder = shutil.copytree(exported[1], tmp_path / "changed")
    with (folder / "model.onnx").open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(ChecksumMismatch, match=r"model\.onnx has SHA-256 .*export the model again"):
        onnx.load(folder)
    (folder / "model.onnx").unlink()
    with pytest.raises(WeightsMissing, match=r"model\.onnx can't be read; export the model again"):
        onnx.load(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda card: card.pop("outputs"), "no card of an exported model: 'outputs'"),
        (lambda card: card["calibration"].update(heat=1), "no card of an exported model: .*heat"),
        (lambda card: card["outputs"].append("calm"), "names 5 outputs, its model has 4"),
    ],
)
def test_a_card_that_does_not_fit(exported, tmp_path, change, said):
    folder = shutil.copytree(exported[1], tmp_path / "changed")
    card = json.loads((folder / "card.json").read_text())
    change(card)
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ArtifactError, match=said):
        onnx.load(folder)
