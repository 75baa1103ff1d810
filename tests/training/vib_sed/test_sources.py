"""What the network hears: the encoder of the package, in the stretch that is judged."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import voxplain
from voxplain.errors import WeightsMissing
from voxplain.models.embedded import EmbeddedModel, embedded_folder
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.experiment.material import Material
from voxplain.training.experiment.recipe import Data, SplitPlan
from voxplain.training.vib_sed.recipe import FitPlan, FrozenEncoder, VibSedRecipe
from voxplain.training.vib_sed.sources import checkpoint_digest, hear_layers, shape

CLIP = Path(__file__).parents[2] / "data" / "emodb_03a01Wa.flac"


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """Of a voice with silence around it, and of noise in which nobody speaks."""
    folder = tmp_path_factory.mktemp("sounds")
    voice, noise = folder / "voice.wav", folder / "noise.wav"
    soundfile.write(voice, np.pad(soundfile.read(CLIP)[0], 32_000), 16_000)
    soundfile.write(noise, 0.01 * np.random.default_rng(0).normal(size=16_000), 16_000)
    utterances = [Utterance(path, "cremad", "s", "", "sad", "") for path in (voice, noise)]
    recipe = VibSedRecipe(
        name="package",
        data=Data(corpora=("cremad",), labels=("sad",)),
        split=SplitPlan(by="speaker"),
        encoder=FrozenEncoder("speech"),
        train=FitPlan(epochs=1, batch=2),
    )
    seconds = [sound(one).duration for one in utterances]
    material = Material(utterances, seconds, None, [], [])
    cache = tmp_path_factory.mktemp("cache")
    return utterances, hear_layers(
        recipe, material, device=torch.device("cpu"), cache=cache, jobs=1
    )


def test_the_package_hears_the_stretch_that_is_judged(heard):
    utterances, source = heard
    (first, *_) = voxplain.analyze(utterances[0].path, explain=None).segments
    duration = first.end - first.start
    assert shape(source) == (2, 384)
    assert source.lengths[0] == pytest.approx(25 * duration, abs=1)
    assert duration < 4 < sound(utterances[0]).duration


def test_where_nobody_speaks_all_is_heard(heard):
    utterances, source = heard
    frames = EmbeddedModel.load("speech").embed(sound(utterances[1])).frames
    states = source.inputs(np.array([1]), None)["states"]
    side_by_side = torch.cat(list(states[:, 0]), -1)  # as the layers lie in the encoder's output
    np.testing.assert_array_equal(side_by_side.half().numpy(), frames)


def test_an_encoder_is_known_by_its_bytes(tmp_path):
    content = (embedded_folder("speech") / "encoder.onnx").read_bytes()
    assert checkpoint_digest("speech") == hashlib.sha256(content).hexdigest()
    with pytest.raises(WeightsMissing, match="holds no checkpoint"):
        checkpoint_digest(str(tmp_path))
