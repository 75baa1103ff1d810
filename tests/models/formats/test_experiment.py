"""A run folder judges as its parts do, and other parts than its own are refused."""

import hashlib
import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import save

import voxplain
from voxplain import backbones, plugins
from voxplain.audio.log_mel import log_mel
from voxplain.audio.read import read
from voxplain.errors import ArtifactError, ChecksumMismatch, HeadNotLoaded, WeightsMissing
from voxplain.models.calibration import log_odds
from voxplain.models.experiment_network import make_head
from voxplain.models.formats.experiment import load
from voxplain.models.heads import Known
from voxplain.models.loading import load_model
from voxplain.models.profile import Profile
from voxplain.testing.backbones import tiny_checkpoint
from voxplain.training.exported import export_model

LABELS = ("angry", "neutral", "sad")
WIDTH = 16


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("weights") / "tiny", "whisper", encoder_layers=2)


def folder(place, encoder, *, profile=False, tuned=False, pooling="layerwise", dimensions=3):
    """What ``voxplain train`` leaves, of a random head."""
    torch.manual_seed(0)
    layers = [0, 2]
    depth = 2 * len(layers) if pooling == "layerwise" else len(layers)
    usual = (torch.randn(depth, WIDTH), 4 + torch.rand(depth, WIDTH))
    shape = {"pooling": pooling, "depth": 2, "width": WIDTH, "hidden": 8, "labels": 3}
    shape["dimensions"] = dimensions
    head = make_head(**shape, usual=usual).eval()
    place.mkdir(parents=True)
    weights = save(head.state_dict())
    (place / "head.safetensors").write_bytes(weights)
    if tuned:
        encoder = tiny_checkpoint(place / "encoder", "whisper", encoder_layers=2)
    sha256 = backbones.digest(encoder)
    card = {
        "format": "experiment",
        "name": "tiny fold_0 seed 0",
        "encoder": {
            "checkpoint": "encoder" if tuned else str(encoder),
            "tuned": tuned,
            "sha256": sha256,
            "layers": layers,
            "deepest": 2,
        },
        "head": shape,
        "profile": profile,
        "sha256": hashlib.sha256(weights + sha256.encode()).hexdigest(),
        "notes": ["Learned from nothing"],
        **{"labels": LABELS, "votes": [], "sounds": [], "temperature": 2.0, "mass": 0.9},
        **{"known_temperature": 4.0, "widening": [0.1, 0.2, 0.3], "least_voice": 0.5},
        "most_strange": 1e308,
    }
    (place / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return head


def change(place, **changes):
    card = json.loads((place / "card.json").read_text(encoding="utf-8"))
    (place / "card.json").write_text(json.dumps(card | changes), encoding="utf-8")


def heard(head, encoder, waveform, speaker=None, *, pooled=True):
    """By the parts alone."""
    with torch.inference_mode():
        states, _ = backbones.load(encoder).eval()([torch.tensor(waveform)])
        chosen = states[[0, 2]]
        if pooled:
            moments = [chosen.mean(2), chosen.std(2, correction=0)]
            chosen = torch.stack(moments, 1).flatten(0, 1)[:, :, None]
        return head(chosen, None, speaker)


@pytest.mark.parametrize("pooling", ["layerwise", "attentive"])
@pytest.mark.parametrize("tuned", [False, True])
def test_it_judges_as_its_parts_do(tmp_path, encoder, angry, pooling, tuned):
    head = folder(tmp_path / "model", encoder, pooling=pooling, tuned=tuned)
    model = load_model(str(tmp_path / "model"))
    audio = read(angry)
    readings = model.read(model.embed(audio))
    expected = heard(head, encoder, audio.waveform, pooled=pooling == "layerwise")
    np.testing.assert_allclose(readings.categories, expected.categories[0], atol=1e-5)
    np.testing.assert_allclose(readings.dimensions[:, 1], expected.dimensions[0], atol=1e-6)
    assert model.calibration.labels == LABELS
    assert (model.name, model.notes) == ("tiny fold_0 seed 0", ("Learned from nothing",))
    assert not model.knows_speakers


def test_of_a_run_the_first_model_is_taken(tmp_path, encoder):
    folder(tmp_path / "fold_0/seed_0", encoder)
    card = {"format": "experiment", "default": "fold_0/seed_0"}
    (tmp_path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    assert load_model(str(tmp_path)).name == "tiny fold_0 seed 0"


def test_without_dimensions_there_are_none(tmp_path, encoder, angry):
    folder(tmp_path / "model", encoder, dimensions=0)
    model = load(tmp_path / "model")
    assert model.read(model.embed(read(angry))).dimensions.shape == (0, 3)


def test_its_network_is_one_module_from_waveforms_to_outputs(tmp_path, encoder, angry):
    folder(tmp_path / "model", encoder)
    model, audio = load(tmp_path / "model"), read(angry)
    with torch.inference_mode():
        outputs = model.network(torch.tensor(audio.waveform)[None])
    np.testing.assert_allclose(outputs.numpy(), model.embed(audio).frames, atol=1e-6)
    assert outputs.shape == (1, 6)


@pytest.mark.parametrize("pooling", ["layerwise", "statistics"])
def test_a_profile_is_what_the_states_of_other_recordings_tell(tmp_path, encoder, clips, pooling):
    head = folder(tmp_path / "model", encoder, profile=True, pooling=pooling)
    model = load(tmp_path / "model")
    audio, *others = (read(clip) for clip in clips[:3])
    profile = Profile.of(model.embed(others[0])) + Profile.of(model.embed(others[1]))
    assert profile.seconds == pytest.approx(sum(one.duration for one in others))
    found = model.read(model.embed(audio), profile)
    pooled = pooling == "layerwise"
    shape = (1, *head.mean.shape)
    known = Known(
        torch.tensor(profile.mean).float().reshape(shape),
        torch.tensor(profile.square).float().reshape(shape),
        torch.tensor([profile.trust]).float(),
    )
    expected = heard(head, encoder, audio.waveform, known, pooled=pooled)
    np.testing.assert_allclose(found.categories, expected.categories[0], atol=1e-4)
    np.testing.assert_allclose(found.dimensions[:, 1], expected.dimensions[0], atol=1e-5)
    assert found.trust == profile.trust
    stranger = heard(head, encoder, audio.waveform, pooled=pooled)
    unknown = model.read(model.embed(audio))
    np.testing.assert_allclose(unknown.categories, stranger.categories[0], atol=1e-4)
    assert unknown.trust == 0
    assert model.knows_speakers


@pytest.mark.parametrize("profile", [False, True])
def test_explainers_hear_what_it_hears(tmp_path, encoder, angry, profile):
    folder(tmp_path / "model", encoder, profile=profile)
    model, audio = load(tmp_path / "model"), read(angry)
    spectrogram = log_mel(audio.waveform)
    forward = model.hearing(audio)
    as_it_is, in_part = forward(
        np.stack([spectrogram, np.where(np.eye(80)[40:41].T, -2, spectrogram)])
    )
    readings = model.read(model.embed(audio))
    np.testing.assert_allclose(as_it_is, log_odds(readings.categories / 2.0), atol=1e-3)
    assert not np.allclose(as_it_is, in_part, atol=1e-3)


def test_analyze_takes_it_and_tells_its_notes(tmp_path, encoder, angry):
    folder(tmp_path / "model", encoder)
    analysis = voxplain.analyze(angry, model=str(tmp_path / "model"), explain=None)
    assert analysis.emotion.categories.keys() == set(LABELS)
    assert math.isclose(sum(analysis.emotion.categories.values()), 1, abs_tol=1e-6)
    assert "Learned from nothing" in analysis.warnings


def test_it_is_a_plug_in():
    assert "experiment" in plugins.names("formats")
    assert plugins.find("formats", "experiment").CARD.extra == "train"


def test_an_unfinished_run_is_refused(tmp_path):
    with pytest.raises(WeightsMissing, match=r"holds no finished model: .*run the same"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"), [("no JSON", "is no card: Expecting"), ("{}", "lacks 'encoder'")]
)
def test_a_card_that_is_none_is_refused(tmp_path, content, message):
    (tmp_path / "card.json").write_text(content, encoding="utf-8")
    with pytest.raises(ArtifactError, match=message):
        load(tmp_path)


def test_another_encoder_is_refused(tmp_path, encoder):
    folder(tmp_path / "model", encoder)
    other = tiny_checkpoint(tmp_path / "other", "whisper", encoder_layers=3)
    card = json.loads((tmp_path / "model/card.json").read_text(encoding="utf-8"))
    change(tmp_path / "model", encoder=card["encoder"] | {"checkpoint": str(other)})
    with pytest.raises(ChecksumMismatch, match=r"is not the encoder that .* was trained with"):
        load(tmp_path / "model")
    change(tmp_path / "model", encoder=card["encoder"] | {"checkpoint": "nobody/nothing"})
    with pytest.raises(WeightsMissing, match="nobody/nothing"):
        load(tmp_path / "model")


def test_another_head_or_none_is_refused(tmp_path, encoder):
    folder(tmp_path / "model", encoder)
    place = tmp_path / "model/head.safetensors"
    weights = place.read_bytes()
    place.write_bytes(weights[:-4] + b"\0\0\0\1")
    with pytest.raises(ChecksumMismatch, match="is not the head that its card describes"):
        load(tmp_path / "model")
    place.unlink()
    with pytest.raises(WeightsMissing, match=r"head\.safetensors can't be read; train the model"):
        load(tmp_path / "model")


def test_a_head_of_another_shape_is_refused(tmp_path, encoder):
    folder(tmp_path / "model", encoder)
    card = json.loads((tmp_path / "model/card.json").read_text(encoding="utf-8"))
    change(tmp_path / "model", head=card["head"] | {"hidden": 9})
    with pytest.raises(HeadNotLoaded, match=r"does not fit its card \(size mismatch for"):
        load(tmp_path / "model")


@pytest.mark.parametrize("pooling", ["layerwise", "attentive"])
def test_it_is_exported_to_the_same_numbers(encoder, clips, tmp_path, pooling):
    folder(tmp_path / "run", encoder, pooling=pooling)
    done = export_model(
        load(tmp_path / "run"), tmp_path / "out", clips=[read(clip) for clip in clips]
    )
    assert done.difference < 1e-4
    assert done.recordings == len(clips)
