"""Exports: the file computes what the network computes, or there is no file."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from voxplain.audio.read import read
from voxplain.errors import ArtifactError, ConfigError
from voxplain.models.calibration import Calibration
from voxplain.models.formats import onnx
from voxplain.models.loading import load_model
from voxplain.models.waveform import Outputs, WaveformModel
from voxplain.training.corpora._reading import Utterance
from voxplain.training.exported import LARGEST, export_model

LABELS = ("angry", "sad")


class Loudness(nn.Module):
    """Angry above a level, sad below it; the level is the same whatever the length."""

    def __init__(self, level, *, off=0.0):
        super().__init__()
        self.mix = nn.Linear(1, 2)
        self.mix.weight.data[:] = torch.tensor([[10.0], [-10.0]])
        self.mix.bias.data[:] = torch.tensor([-10.0, 10.0]) * level
        self.off = off

    def forward(self, waveforms):
        found = self.mix(waveforms.square().mean(1, keepdim=True).sqrt())
        # What tracing can't see: a branch that depends on the values.
        return found + self.off if waveforms.abs().max() > 0.01 else found


@pytest.fixture(scope="module")
def sounds(clips):
    return [read(clip) for clip in clips]


def model(level, *, off=0.0, mix=None):
    network = Loudness(level, off=off).eval()
    network.mix = mix or network.mix

    def run(waveform):
        with torch.inference_mode():
            return network(torch.tensor(waveform)[None])[0].numpy()

    return WaveformModel(
        run,
        Outputs(LABELS),
        name="loudness",
        sha256="00",
        calibration=Calibration.unfitted(LABELS, temperature=2.0),
        notes=("a toy",),
        network=network,
    )


def level(sound):
    return np.sqrt(np.square(sound.waveform).mean())


def test_the_file_computes_the_same_and_its_card_says_all(sounds, tmp_path):
    ear = model(0.1)
    done = export_model(ear, tmp_path / "out", clips=sounds)
    other = onnx.load(done.folder)
    differences = [np.abs(other.run(s.waveform) - ear.run(s.waveform)).max() for s in sounds]
    assert done.difference == max(differences) < 1e-4
    assert (done.recordings, dict(done.agreement)) == (len(sounds), {})
    assert done.megabytes == (done.folder / "model.onnx").stat().st_size / 1e6
    assert (other.name, other.notes, other.calibration) == ("loudness", ("a toy",), ear.calibration)
    card = json.loads((done.folder / "card.json").read_text())
    assert (card["format"], card["source_sha256"], card["weights"]) == ("onnx", "00", "float32")
    assert card["checked"]["largest_difference"] == done.difference
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_both_are_counted_on_a_corpus(sounds, clips, tmp_path):
    # Of the four of CREMA-D the louder two are called angry; those who are happy are not counted.
    ordered = sorted(range(4), key=lambda n: level(sounds[n]))
    between = (level(sounds[ordered[1]]) + level(sounds[ordered[2]])) / 2
    truth = dict(zip(ordered, ("sad", "angry", "angry", "happy"), strict=True))
    corpus = [
        Utterance(clips[n], "mini", f"speaker {n}", "female", emotion, "")
        for n, emotion in truth.items()
    ]
    done = export_model(model(between), tmp_path / "out", corpora={"mini": corpus})
    one = done.agreement["mini"]
    assert done.recordings == 4
    assert one.same == 1
    for found in (one.original, one.exported):
        # Sad is found; of the two angry ones the louder.
        assert (found.value, found.n, found.speakers) == (0.75, 3, 3)
    card = json.loads((done.folder / "card.json").read_text())
    assert card["checked"]["corpora"]["mini"]["original"]["value"] == 0.75


def test_a_file_that_differs_is_not_left_behind(sounds, tmp_path):
    # Traced on silence, the branch for sound is lost.
    said = r"the exported loudness differs from the original by up to 0\.5 on 5 recordings, more"
    with pytest.raises(ArtifactError, match=said):
        export_model(model(0.1, off=0.5), tmp_path / "out", clips=sounds)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("precision", LARGEST)
def test_a_checkpoint_in_either_precision(sounds, tmp_path, precision):
    from voxplain.testing.checkpoints import save_checkpoint

    save_checkpoint(tmp_path / "ser", "whisper", ["angry", "happy", "sad"])
    ser = load_model(str(tmp_path / "ser"))
    before = ser.run(sounds[0].waveform)
    done = export_model(ser, tmp_path / "out", clips=sounds[:2], precision=precision)
    assert 0 < done.difference < {"float32": 1e-5, "int8": 0.05}[precision]
    np.testing.assert_allclose(ser.run(sounds[0].waveform), before, atol=1e-6)
    assert load_model(str(tmp_path / "out")).outputs == ser.outputs


def test_8_bits_are_smaller_than_32(tmp_path, sounds):
    sizes = []
    for precision in LARGEST:
        wide = nn.Sequential(nn.Linear(1, 300), nn.Linear(300, 300), nn.Linear(300, 2))
        done = export_model(
            model(0.1, mix=wide), tmp_path / precision, clips=sounds[:1], precision=precision
        )
        sizes.append(done.megabytes)
    assert sizes[1] < 0.3 * sizes[0]


def test_a_network_that_onnx_has_no_words_for(sounds, tmp_path):
    odd = model(0.1)
    odd.network.mix = type(
        "Padded",
        (nn.Module,),
        {"forward": lambda _, x: nn.utils.rnn.pad_sequence([x[0], x[0, :1]])},
    )()
    with pytest.raises(ArtifactError, match=r"loudness can't be written as ONNX \(.*pad_sequence"):
        export_model(odd, tmp_path / "out", clips=sounds[:1])
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_leaves_torch(sounds, tmp_path):
    away = model(0.1)
    away.network.forward = lambda waveforms: torch.tensor(waveforms.numpy()[:, :2])
    with pytest.raises(ArtifactError, match=r"part of it, .*, is not computed in torch"):
        export_model(away, tmp_path / "out", clips=sounds[:1])


def test_what_can_not_be_exported(sounds, tmp_path):
    with pytest.raises(ConfigError, match="speech lies in ONNX already"):
        export_model(load_model("speech"), tmp_path / "out", clips=sounds)
    with pytest.raises(ConfigError, match="give --clips or --corpus"):
        export_model(model(0.1), tmp_path / "out")
    with pytest.raises(ConfigError, match="exists already; give a new folder"):
        export_model(model(0.1), tmp_path, clips=sounds)
    with torch.device("meta"):
        large = model(0.1, mix=nn.Linear(40_000, 20_000))
    with pytest.raises(ConfigError, match=r"loudness has 3\.2 GB of weights, and a file of ONNX"):
        export_model(large, tmp_path / "out", clips=sounds)
