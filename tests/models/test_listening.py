"""What a packed model hears: the words of the network, held to what is measured."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from voxplain.audio.listening import Listener
from voxplain.audio.read import read
from voxplain.errors import ArtifactError, ChecksumMismatch, UnknownName, WeightsMissing
from voxplain.labels import phrase
from voxplain.models import listening
from voxplain.models.description import ATTRIBUTES, SLOTS, Description, parts, tone_of
from voxplain.models.embedded import EmbeddedModel
from voxplain.models.listening import ListeningModel, shipped, told
from voxplain.training.vib_sed.trained import Trained
from voxplain.types import Quantity, Word

WORDS = [Word("That,", 0.1, 0.2, 1.0, 0.1), Word("exactly.", 0.2, 0.9, 1.0, 0.9)]


@pytest.fixture(scope="module")
def model(listening_folder):
    return ListeningModel.load(str(listening_folder))


@pytest.fixture(scope="module")
def concept(concept_folder):
    return ListeningModel.load(str(concept_folder))


@pytest.fixture(scope="module")
def embedding(angry):
    ((_, speech),) = Listener().stretches([read(angry).waveform], source="angry")
    return EmbeddedModel.load("speech").embed(speech)


def measured(value, *, reliable=True):
    return {one.descriptor: Quantity(value, "dB", reliable) for one in ATTRIBUTES}


def network(trained, embedding, words):
    """What torch makes of the states, of which two layers lie side by side."""
    states = torch.from_numpy(embedding.frames.astype(np.float32))
    layers = torch.stack([states[:, :384], states[:, 384:]])[:, None]
    mask = torch.ones(1, len(states), dtype=torch.bool)
    trained = Trained(trained)
    (found,) = trained.network.describe(
        layers,
        mask,
        words=[words],
        labels=trained.labels,
        taught=SLOTS,
        middles=trained.middles,
    )
    return found


@pytest.mark.parametrize("kind", ["trained_describer", "trained_concept"])
def test_it_hears_what_the_network_hears(kind, embedding, request):
    packed = {"trained_describer": "model", "trained_concept": "concept"}[kind]
    heard = request.getfixturevalue(packed).listen(
        embedding, segment=3, measured=measured(0.0), words=WORDS
    )
    wanted = network(request.getfixturevalue(kind), embedding, [one.text for one in WORDS])
    assert heard.segment == 3
    said = {part.name: part.word for part in parts(wanted.description)}
    assert list(heard.heard) == [name for name in SLOTS if name != "emotion"]
    for name, one in heard.heard.items():
        chances = wanted.probabilities[name]
        assert one.word == said[name]
        assert one.probability == pytest.approx(chances[one.word], abs=0.02)
    softer = {label: p ** (1 / 1.5) for label, p in wanted.probabilities["emotion"].items()}
    calibrated = {label: one / sum(softer.values()) for label, one in softer.items()}
    assert heard.categories == pytest.approx(calibrated, abs=0.02)
    assert heard.text.endswith(f": sounds {phrase(wanted.description.label)}")


@pytest.mark.parametrize(("true", "value"), [(-1, -5.0), (0, 0.0), (1, 5.0)])
def test_each_word_is_held_to_what_is_measured(model, embedding, true, value):
    found = model.listen(embedding, segment=0, measured=measured(value)).heard
    for attribute in ATTRIBUTES[1:]:  # whose cuts are -1 and 1
        one = found[attribute.name]
        off = abs(attribute.words.index(one.word) - 1 - true)
        mark = ("agree", "one step off", "disagree")[off]
        assert one.agreement == (mark if one.probability >= 0.4 else "not heard")
        assert one.measured == attribute.words[true + 1]
        assert one.quantity == Quantity(value, "dB", True)


def test_what_is_not_reliable_is_not_measured(model, embedding):
    unreliable = measured(5.0, reliable=False)
    for one in model.listen(embedding, segment=0, measured=unreliable).heard.values():
        assert one.measured is None
        assert one.agreement == ("not measured" if one.probability >= 0.4 else "not heard")


def test_what_is_hardly_sure_is_not_said(model, embedding, monkeypatch):
    monkeypatch.setattr(model, "least", 1.1)
    found = model.listen(embedding, segment=0, measured=measured(0.0), words=WORDS)
    assert {one.agreement for one in found.heard.values()} == {"not heard"}
    assert found.text.startswith("nothing that it is sure of: sounds ")
    monkeypatch.setattr(model, "least", 0.0)
    found = model.listen(embedding, segment=0, measured=measured(0.0), words=WORDS)
    levels = {one.name: one.words.index(found.heard[one.name].word) - 1 for one in ATTRIBUTES}
    label = max(found.categories, key=found.categories.get)
    assert found.text == told(Description(levels, "", (found.heard["stress"].word,), label))


def test_stress_is_heard_where_words_are_known_and_measured_by_prominence(model, embedding):
    assert "stress" not in model.listen(embedding, segment=0, measured={}).heard
    found = model.listen(embedding, segment=0, measured={}, words=WORDS).heard["stress"]
    assert found.word in ("none", "that", "exactly")
    assert found.measured == "exactly"
    unknown = [replace(one, prominence=np.nan) for one in WORDS]
    found = model.listen(embedding, segment=0, measured={}, words=unknown).heard["stress"]
    assert found.measured is None


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ({"pitch": 1, "range": -1}, "pitch high and narrow"),
        ({"pitch": 0, "range": 1, "contour": -1}, "pitch range wide, falling at the end"),
        ({"dynamics": -1, "pauses": 1, "voice": 1}, "even loudness, many pauses, breathy voice"),
        ({"pitch": 0, "range": 0, "voice": 0}, "pitch medium, clear voice"),
        ({}, "nothing that it is sure of"),
    ],
)
def test_levels_are_told_as_people_do(levels, said):
    assert told(Description(levels)) == said


def test_the_order_of_the_phrase():
    levels = {one.name: 1 for one in ATTRIBUTES} | {"voice": -1, "pauses": 0, "dynamics": 0}
    said = told(Description({**levels, "contour": 0}, "urgent", ("eleven",), "angry"))
    assert said == (
        "pitch high and wide, loud, fast, bright, tense voice, stress on 'eleven': sounds angry"
    )


def test_a_word_is_exchanged_and_the_tone_follows(concept, embedding):
    found = concept.listen(embedding, segment=0, measured={}, words=WORDS)
    heard = {name: one.word for name, one in found.heard.items()}
    for word in ("quiet", "loud"):
        before, after = concept.rewritten(found, {"loudness": word}, words=WORDS)
        assert before.tone == heard["tone"]
        assert after.levels == {**before.levels, "loudness": {"quiet": -1, "loud": 1}[word]}
        same = tone_of(after.levels) == tone_of(before.levels)
        assert after.tone == (before.tone if same else tone_of(after.levels))
    _, after = concept.rewritten(found, {"loudness": "loud", "tone": "flat"}, words=WORDS)
    assert after.tone == "flat"
    _, after = concept.rewritten(found, {"stress": "none"}, words=WORDS)
    assert after.emphasised == ()
    assert concept.describer.decide(before) == pytest.approx(found.categories)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"volume": "high"}, "unknown descriptor 'volume'; available: brightness, contour, "),
        ({"pitch": "loud"}, "unknown word for pitch 'loud'; available: high, low, medium"),
        ({"tone": "high"}, "unknown word for tone 'high'; available: even, firm, "),
        ({"stress": "me"}, "unknown word for stress 'me'; available: exactly, none, that"),
    ],
)
def test_a_word_that_there_is_not(concept, embedding, changes, message):
    found = concept.listen(embedding, segment=0, measured={}, words=WORDS)
    with pytest.raises(UnknownName) as error:
        concept.rewritten(found, changes, words=WORDS)
    assert str(error.value).startswith(message)


def test_it_hears_as_the_model_of_its_encoder_does(model, tiny_model):
    assert model.hears_as(EmbeddedModel.load("speech"))
    assert not model.hears_as(EmbeddedModel(tiny_model.folder))


@pytest.fixture
def spoilt(listening_folder, tmp_path):
    return shutil.copytree(listening_folder, tmp_path / "model")


@pytest.mark.parametrize("part", ["model.json", "weights.npz", "tokens.json", "labels.json"])
def test_a_part_that_is_missing(spoilt, part):
    (spoilt / part).unlink()
    with pytest.raises(WeightsMissing, match=rf"no listening model: .*{part} can't be read; give"):
        ListeningModel(spoilt)


@pytest.mark.parametrize("part", ["weights.npz", "tokens.json", "labels.json"])
def test_a_part_that_was_changed(spoilt, part):
    with (spoilt / part).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ChecksumMismatch, match=r"its card says \w{12}…; reinstall voxplain or"):
        ListeningModel(spoilt)


def test_cards_that_are_none(spoilt):
    place = spoilt / "model.json"
    card = json.loads(place.read_text())
    place.write_text(json.dumps(card | {"encoder": {"name": "speech", "sha256": "0" * 64}}))
    with pytest.raises(ArtifactError, match="with SHA-256 000000000000…, which the package does"):
        ListeningModel(spoilt)
    del card["least"]
    place.write_text(json.dumps(card))
    with pytest.raises(ArtifactError, match=r"model.json is no card: it lacks 'least'"):
        ListeningModel(spoilt)
    place.write_text("{")
    with pytest.raises(ArtifactError, match=r"model.json is no card: Expecting"):
        ListeningModel(spoilt)


def test_models_of_the_package(listening_folder, tmp_path, monkeypatch):
    places = {"listening": listening_folder, "listening_concept": tmp_path / "none"}
    monkeypatch.setattr(listening, "embedded_folder", places.__getitem__)
    assert shipped() == ("listening",)
    with pytest.raises(UnknownName, match="unknown listening model 'speech'; available: listening"):
        ListeningModel.load("speech")
    with pytest.raises(WeightsMissing, match="voxplain export RUN --out FOLDER"):
        ListeningModel.load("listening_concept")


def test_each_is_loaded_once(model, listening_folder):
    assert ListeningModel.load(str(listening_folder)) is model
