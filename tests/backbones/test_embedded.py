"""The encoder of the package: states every 40 ms of what the network makes of a recording."""

import numpy as np
import pytest
import torch

from voxplain.audio.log_mel import log_mel
from voxplain.backbones.embedded import STATE_SHIFT, EmbeddedBackbone, load
from voxplain.errors import WeightsMissing
from voxplain.types import Audio


@pytest.fixture(scope="module")
def backbone(tiny_model):
    return EmbeddedBackbone((tiny_model.folder / "encoder.onnx").read_bytes(), name="tiny")


def test_the_encoder_of_a_model_folder_is_loaded(tiny_model, backbone):
    loaded = load(tiny_model.folder)
    assert loaded.name == tiny_model.folder.name
    expected = backbone.embed(audio(16_000)).frames
    np.testing.assert_array_equal(loaded.embed(audio(16_000)).frames, expected)


def test_a_folder_without_an_encoder_is_named(tmp_path):
    with pytest.raises(WeightsMissing, match=rf"{tmp_path.name} has no encoder\.onnx; give a fold"):
        load(tmp_path)


def audio(samples):
    noise = np.random.default_rng(samples).normal(0, 0.1, samples)
    return Audio(noise.astype(np.float32), 16_000, "<array>")


@pytest.mark.parametrize(
    ("samples", "states"),
    [(1600, 3), (1920, 3), (1919, 3), (2080, 4), (16_000, 25), (240_000, 375)],
)
def test_a_state_every_40_ms(backbone, samples, states):
    embedding = backbone.embed(audio(samples))
    assert STATE_SHIFT == embedding.frame_shift == pytest.approx(0.04)
    assert embedding.frames.shape == (states, 32)
    assert embedding.frames.dtype == np.float16
    assert embedding.backbone == "tiny"


def test_they_are_the_networks_in_half_precision(tiny_model, backbone):
    with torch.inference_mode():
        mel = torch.from_numpy(log_mel(audio(30_000).waveform))[None]
        expected = tiny_model.encoder(mel)[0].numpy()
    found = backbone.embed(audio(30_000)).frames.astype(np.float32)
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)
    assert expected.std(0).min() > 0.02


def test_more_than_5_s_are_encoded_in_equal_parts(backbone):
    mel = log_mel(audio(12 * 16_000).waveform)
    whole = backbone.encode(mel).frames
    parts = [backbone.encode(mel[:, start : start + 400]).frames for start in (0, 400, 800)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    # Equal but for whole states: 503 frames are 248 and 255.
    uneven = backbone.encode(mel[:, :503]).frames
    assert uneven.shape == (126, 32)
    np.testing.assert_array_equal(uneven[:62], backbone.encode(mel[:, :248]).frames)
