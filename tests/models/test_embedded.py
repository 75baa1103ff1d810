"""The embedded model: loaded only if it is what its card says, the same numbers every time."""

import json
import shutil

import numpy as np
import pytest
import torch

from voxplain.errors import ArtifactError, ChecksumMismatch, UnknownName, WeightsMissing
from voxplain.models import embedded
from voxplain.models.embedded import EmbeddedModel, embedded_models
from voxplain.models.judgement import Readings
from voxplain.models.profile import Profile
from voxplain.types import Audio, Embedding

WIDTH = 32
PARTS = ("categories", "perceived", "dimensions", "sound")


def audio(seconds=1.0, seed=0):
    noise = np.random.default_rng(seed).normal(0, 0.1, int(seconds * 16_000))
    return Audio(noise.astype(np.float32), 16_000, "<array>")


def states(frames=50, seed=0):
    found = np.random.default_rng(seed).normal(0.3, 1.5, (frames, WIDTH))
    return Embedding(found.astype(np.float16), 0.04, "tiny")


def profile(frames, seed=1):
    found = np.random.default_rng(seed).normal(-0.4, 0.7, (frames, WIDTH))
    return Profile.of(Embedding(found.astype(np.float16), 0.04, "tiny"))


def same(one, other, **tolerance):
    """Readings, to the bit unless a tolerance is given."""
    for name in PARTS:
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), **({"rtol": 0, "atol": 0} | tolerance)
        )


def distance(one, other):
    return min(np.abs(getattr(one, name) - getattr(other, name)).max() for name in PARTS)


def by_torch(head, embedding, known):
    """The same from the network itself."""

    def batch(values):
        return torch.from_numpy(np.asarray(values, np.float32))[None]

    with torch.inference_mode():
        given = (known.mean, known.square, known.trust)
        spoken = head(batch(embedding.frames), *map(batch, given))
    return Readings(*(part[0].numpy() for part in spoken), np.array(known.trust), 0.0)


def damaged(folder, change):
    """The folder with another card."""
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    change(card)
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def model(tiny_model):
    return EmbeddedModel(tiny_model.folder)


@pytest.fixture
def folder(tiny_model, tmp_path):
    """A copy that may be broken."""
    return shutil.copytree(tiny_model.folder, tmp_path / "tiny")


@pytest.fixture
def package(tiny_model, tmp_path, monkeypatch):
    """A package that holds the models ``speech`` and ``small``."""
    for name in ("speech", "small"):
        shutil.copytree(tiny_model.folder, tmp_path / "models" / name)
    monkeypatch.setattr(embedded, "ASSETS", str(tmp_path / "models"))
    embedded._load.cache_clear()
    yield tmp_path / "models"
    embedded._load.cache_clear()


def test_the_card_is_read(model):
    assert model.name == "tiny"
    assert model.sha256 == model.card["sha256"]
    found = model.calibration
    assert (found.labels, found.votes) == (
        ("angry", "neutral", "sad"),
        ("angry", "happy", "neutral", "sad"),
    )
    assert found.sounds == ("one voice", "noise", "music")
    assert (found.temperature, found.mass, found.least_voice) == (1.5, 0.9, 0.0)
    assert found.widening == (0.05, -0.01, 0.1)


def test_readings_are_as_many_as_the_card_names(model):
    found = model.read(states())
    shapes = {name: getattr(found, name).shape for name in PARTS}
    assert shapes == {"categories": (3,), "perceived": (4,), "dimensions": (3, 3), "sound": (3,)}
    assert (np.diff(found.dimensions) > 0).all(), "low, value, high"


@pytest.mark.parametrize("seconds", [0.1, 0.73, 15.0])
def test_any_length_can_be_judged(model, seconds):
    embedding = model.embed(audio(seconds))
    assert embedding.duration == pytest.approx(seconds, abs=0.04)
    assert embedding.backbone == "tiny"
    assert np.isfinite(model.read(embedding).categories).all()


def test_what_was_heard_before_does_not_matter(tiny_model):
    fresh, used = EmbeddedModel(tiny_model.folder), EmbeddedModel(tiny_model.folder)
    for seed, seconds in enumerate([3.0, 0.2, 1.0]):
        used.read(used.embed(audio(seconds, seed=seed + 1)), profile(20))
    np.testing.assert_array_equal(used.embed(audio()).frames, fresh.embed(audio()).frames)
    same(used.read(used.embed(audio())), fresh.read(fresh.embed(audio())))


@pytest.mark.parametrize("frames", [1, 2, 7, 375])
@pytest.mark.parametrize("heard", [0, 10, 125, 5000])
def test_the_exported_head_is_the_network(tiny_model, model, frames, heard):
    known = profile(heard) if heard else Profile.empty(WIDTH)
    embedding = states(frames)
    expected = by_torch(tiny_model.head, embedding, known)
    same(model.read(embedding, known), expected, rtol=1e-3, atol=1e-3)


def test_states_and_profiles_move_every_reading_by_more_than_that_tolerance(model):
    plain = model.read(states())
    assert distance(plain, model.read(states(seed=2))) > 0.02
    assert distance(plain, model.read(states(), profile(125))) > 0.02


def test_without_a_profile_no_speaker_is_known(model):
    """To the bit: as with a profile that is not trusted, whatever it says."""
    plain = model.read(states())
    same(model.read(states(), Profile.empty(WIDTH)), plain)
    stranger = Profile(0.0, 100, *np.random.default_rng(0).uniform(1, 900, (2, WIDTH)))
    assert stranger.trust == 0
    same(model.read(states(), stranger), plain)


def test_a_well_known_speaker_is_measured_by_their_own_speech_alone(tiny_model, model):
    """A million seconds of them: the states are normalised by the speaker's mean and spread."""
    heard = np.random.default_rng(3).normal(-0.4, 0.7, (500, WIDTH)).astype(np.float16)
    known = Profile.of(Embedding(heard, 2000.0, "tiny"))
    assert known.trust > 0.999994
    own = heard.astype(np.float64)
    normal = ((states().frames.astype(np.float64) - own.mean(0)) / own.std(0)).astype(np.float32)
    with torch.inference_mode():
        mask = torch.ones(1, len(normal), dtype=torch.bool)
        spoken = tiny_model.head.judge(torch.from_numpy(normal)[None], mask)
    expected = Readings(*(part[0].numpy() for part in spoken), np.array(known.trust), 0.0)
    same(model.read(states(), known), expected, rtol=1e-3, atol=1e-3)


def test_a_speaker_who_is_moved_and_stretched_sounds_the_same(model):
    """States 2 x + 3 of a speaker whose others are 2 x + 3, too."""
    random = np.random.default_rng(4)
    heard, spoken = random.normal(0.2, 1, (400, WIDTH)), random.normal(0.5, 1, (60, WIDTH))
    found = [
        model.read(
            Embedding((2 * scale * spoken + shift).astype(np.float16), 0.04, "tiny"),
            Profile.of(Embedding((2 * scale * heard + shift).astype(np.float16), 1e6, "tiny")),
        )
        for scale, shift in ((0.5, 0.0), (1.0, 3.0))
    ]
    same(found[0], found[1], rtol=0, atol=0.05)


@pytest.mark.parametrize("fold", [0, 1])
def test_a_fold_has_a_head_of_its_own(tiny_model, model, fold):
    other = EmbeddedModel(tiny_model.folder, fold=fold)
    assert other.sha256 == other.card["folds"][fold]["sha256"] != model.sha256
    np.testing.assert_array_equal(other.embed(audio()).frames, model.embed(audio()).frames)
    expected = by_torch(tiny_model.folds[fold], states(), Profile.empty(WIDTH))
    same(other.read(states()), expected, rtol=1e-3, atol=1e-3)
    assert distance(other.read(states()), model.read(states())) > 0.02


@pytest.mark.parametrize(("fold", "row"), [(None, 2), (0, 0), (1, 1)])
def test_how_strange_states_are_is_the_mean_square_of_their_distance(tiny_model, fold, row):
    """In standard deviations of the recordings that this very head learned from."""
    usual, deviation = np.load(tiny_model.folder / "usual.npy")[:, row]
    found = EmbeddedModel(tiny_model.folder, fold=fold).read(states()).strangeness
    mean = states().frames.astype(np.float64).mean(0)
    assert found == pytest.approx(np.mean(((mean - usual) / deviation) ** 2))


def test_a_missing_folder_is_named(tmp_path):
    expected = r"nowhere is no model folder: .*card\.json can't be read; .*'voxplain train'$"
    with pytest.raises(WeightsMissing, match=expected):
        EmbeddedModel(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "fold"),
    [
        *(("card.json", None), ("encoder.onnx", None), ("head.onnx", None), ("usual.npy", None)),
        ("folds/head_1.onnx", 1),
    ],
)
def test_a_missing_file_is_named(folder, name, fold):
    (folder / name).unlink()
    with pytest.raises(WeightsMissing, match=f"is no model folder: .*{name} can't be read"):
        EmbeddedModel(folder, fold=fold)


@pytest.mark.parametrize(
    ("name", "fold"),
    [
        *(("encoder.onnx", None), ("head.onnx", None), ("usual.npy", None)),
        *(("encoder.onnx", 0), ("folds/head_1.onnx", 1)),
    ],
)
def test_other_weights_than_the_card_describes_are_refused(folder, name, fold):
    (folder / name).write_bytes((folder / name).read_bytes() + b"\0")
    expected = r"weights with SHA-256 [0-9a-f]{12}…, its card says [0-9a-f]{12}…; reinstall"
    with pytest.raises(ChecksumMismatch, match=expected):
        EmbeddedModel(folder, fold=fold)


def test_the_head_of_another_fold_is_refused(folder):
    shutil.copy(folder / "folds" / "head_0.onnx", folder / "folds" / "head_1.onnx")
    EmbeddedModel(folder, fold=0)
    with pytest.raises(ChecksumMismatch, match="SHA-256"):
        EmbeddedModel(folder, fold=1)


KEYS = (
    "sha256",
    "name",
    "labels",
    "votes",
    "sounds",
    "temperature",
    "known_temperature",
    "mass",
    "widening",
)


@pytest.mark.parametrize("key", [*KEYS, "least_voice"])
def test_a_card_that_lacks_something_is_refused(folder, key):
    with pytest.raises(ArtifactError, match=rf"card\.json is no card: it lacks '{key}'$"):
        EmbeddedModel(damaged(folder, lambda card: card.pop(key)))


def test_a_card_without_folds_knows_none(folder):
    damaged(folder, lambda card: card.pop("folds"))
    EmbeddedModel(folder)
    with pytest.raises(ArtifactError, match="it lacks 'folds'"):
        EmbeddedModel(folder, fold=0)


@pytest.mark.parametrize("text", ["{", "[]", "\xff"])
def test_a_card_that_is_no_card_is_refused(folder, text):
    (folder / "card.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ArtifactError, match=r"card\.json"):
        EmbeddedModel(folder)


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("labels", r"\[4, 4, 3, 3\]"),
        ("votes", r"\[3, 5, 3, 3\]"),
        ("sounds", r"\[3, 4, 3, 4\]"),
    ],
)
def test_a_card_that_names_more_than_the_model_has_is_refused(folder, key, named):
    expected = named + r" labels, votes, dimensions and sounds, its model has \[3, 4, 3, 3\]$"
    with pytest.raises(ArtifactError, match=expected):
        EmbeddedModel(damaged(folder, lambda card: card[key].append("calm")))


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
