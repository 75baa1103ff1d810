"""What a model that reads makes of voice and words, and what each text does to that."""

import copy
import dataclasses
import itertools
import json
import math
from importlib.resources import files

import numpy as np
import pytest
import torch
from jsonschema import Draft202012Validator

from voxplain import backbones, descriptors
from voxplain.audio.read import read
from voxplain.descriptors._levels import Reference
from voxplain.evidence.checking import check
from voxplain.models.calibration import Calibration
from voxplain.models.experiment_network import ExperimentNetwork, make_head
from voxplain.models.judgement import DIMENSIONS
from voxplain.models.msf import FUSIONS
from voxplain.models.msf_model import MSFModel, Reader
from voxplain.models.profile import Profile
from voxplain.models.text_encoder import TextEncoder
from voxplain.pipeline import Analyzer
from voxplain.reports import html, markdown, text
from voxplain.testing.backbones import tiny_checkpoint
from voxplain.testing.checkpoints import save_text_encoder
from voxplain.text.emphasis import prominence
from voxplain.text.semantics import mask_emotion
from voxplain.types import Descriptors, Embedding, Quantity, Transcript, Word

RATE = 16_000
SAID = "That is exactly what happened"
RAISED = Descriptors(
    {"f0_mean_st": Quantity(55.0, "st", True), "f0_mean_hz": Quantity(660.0, "Hz", True)}
)


def transcript(*prominences, confidence=0.9, said=SAID):
    """Words every 0.4 s."""
    words = said.split()
    times = 0.4 + 0.4 * np.arange(len(words) + 1)
    found = tuple(
        Word(word, float(start), float(end), confidence, prominence)
        for word, start, end, prominence in itertools.zip_longest(
            words, times[:-1], times[1:], prominences, fillvalue=math.nan
        )
    )
    return Transcript(said, found, "en", "given", confidence)


class Encoder:
    """Instead of one for texts: each text that there is becomes a vector of its length."""

    width = 4

    def vectors(self, semantics, *, isolated=False):
        self.seen, self.isolated = semantics, isolated
        (one,) = semantics
        spans = [one.text[start:end] for start, end in one.emphasised]
        lengths = np.array([len("".join(spans)), len(one.text), len(one.extended)])
        vectors = np.arange(1, 5) * lengths[:, None] % 7
        return vectors[None].astype(np.float32), lengths[None] > 0


def model(head, *, profile=False, speech=None, widening=(0.0, 0.0, 0.0), **reader):
    network = ExperimentNetwork(head, encoder=speech, layers=[0, 2]).eval()
    calibration = dataclasses.replace(Calibration.unfitted(()), widening=widening)
    return MSFModel(
        network,
        reader=Reader(**{"encoder": Encoder(), **reader}),
        name="tiny",
        sha256="0" * 64,
        calibration=calibration,
        notes=(),
        knows_speakers=profile,
    )


def head(*, fusion="fm_moe", dimensions=3, depth=1, width=2, text_width=4, **options):
    """A random one on mean and deviation of ``depth`` layers."""
    torch.manual_seed(0)
    plan = {"branches": ("les", "gs", "es"), "text_width": text_width, "width": 8}
    plan |= {"fusion": fusion, "experts": 3, **options}
    made = make_head(
        pooling="layerwise", depth=depth, width=width, hidden=0, labels=0 if dimensions else 2,
        dimensions=dimensions,
        fusion=plan, usual=(torch.randn(2 * depth, width), 4 + torch.rand(2 * depth, width)),
    )  # fmt: skip
    for parameter in made.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return made


def stretch(seed, seconds=1.0, profile=None):
    """Mean and deviation of one layer, two wide."""
    frames = np.random.default_rng(seed).normal(size=(1, 4)).astype(np.float32)
    return seconds, Embedding(frames, seconds, "tiny"), profile


def values(dimensions):
    return [getattr(dimensions, name).value for name in DIMENSIONS]


def logistic(x):
    return 1 / (1 + math.exp(-x))


def by_hand():
    """Its voice says nothing (0.5), and its texts are what they are, whatever stands in them.

    A text that is there adds 1 to the feature that is its own, so that the logit of valence is
    +1 for the emphasised words and -1 for the transcript, that of arousal 2 for the emphasised
    words, and that of dominance 0.7 for the transcript and as much for the interpretation.
    """
    made = head(fusion="film", width=2)
    width = 8
    for module in (*made.text, made.voice):
        torch.nn.init.zeros_(module[-1].weight)
        torch.nn.init.zeros_(module[-1].bias)
    for place, module in enumerate(made.text):
        module[-1].bias.data[place] = 3.0  # the gate takes a third of each
    for parameter in (made.missing, *made.gate.parameters(), *made.film.parameters()):
        torch.nn.init.zeros_(parameter)
    # GELU leaves as it is what lies high enough.
    made.film.first.weight.data += torch.eye(width)
    made.film.first.bias.data += 10.0
    made.film.last.weight.data[width:] += torch.eye(width)
    made.film.last.bias.data[width:] -= 10.0
    logits = ((1.0, -1.0, 0.0), (2.0, 0.0, 0.0), (0.0, 0.7, 0.7))
    for (first, _, _, last), row in zip(made.dimensions, logits, strict=True):
        for parameter in (*first.parameters(), *last.parameters()):
            torch.nn.init.zeros_(parameter)
        first.weight.data[0, :3] = torch.tensor(row)
        first.bias.data[0] = 10.0
        last.weight.data[0, 0] = 1.0
        last.bias.data[0] = -10.0
    return made


def test_effects_are_those_that_can_be_worked_out_by_hand():
    found = model(by_hand()).fuse([stretch(0)], transcript(0.1, 0.2, 0.9, 0.1, 0.3), RAISED)
    up, both = logistic(1.0) - 0.5, logistic(1.4) - 0.5
    expected = {
        # Whoever comes first or second, it moves from or to the middle; who says nothing gets 0.
        "valence": {"emphasised": up, "transcript": -up, "interpretation": 0.0},
        "arousal": {"emphasised": logistic(2.0) - 0.5, "transcript": 0.0, "interpretation": 0.0},
        # Of two that are alike each gets half of what both do.
        "dominance": {"emphasised": 0.0, "transcript": both / 2, "interpretation": both / 2},
    }
    for name, effects in expected.items():
        assert found.effects[name] == pytest.approx(effects, abs=1e-6)
    assert values(found.dimensions) == pytest.approx([0.5, logistic(2.0), 0.5 + both], abs=1e-6)
    assert found.voice == pytest.approx(dict.fromkeys(DIMENSIONS, 0.5), abs=1e-6)
    assert found.shares["valence"] == pytest.approx(
        {"emphasised": 0.5, "transcript": 0.5, "interpretation": 0.0}, abs=1e-5
    )
    assert found.gates == pytest.approx(
        dict.fromkeys(("emphasised", "transcript", "interpretation"), 1 / 3)
    )
    assert found.routes == {}
    assert found.emphasised == (2,)
    assert found.extended.startswith("Pitch is very high.")


@pytest.mark.parametrize("fusion", FUSIONS)
def test_effects_and_the_voice_alone_make_the_value(fusion):
    one = model(head(fusion=fusion))
    stretches = [stretch(0, 1.0), stretch(1, 3.0)]
    found = one.fuse(stretches, transcript(*[0.5] * 5), RAISED)
    alone = np.stack([one.read(embedding).dimensions[:, 1] for _, embedding, _ in stretches])
    mean = (alone[0] + 3 * alone[1]) / 4
    assert list(found.voice.values()) == pytest.approx(mean.tolist(), abs=1e-6)
    assert values(found.dimensions) != pytest.approx(mean.tolist(), abs=1e-3)
    assert (sum(found.gates.values()) == pytest.approx(1)) == (fusion in ("film", "moe", "fm_moe"))
    assert [sum(weights) for weights in found.routes.values()] == pytest.approx(
        [1.0] * 3 if "moe" in fusion else []
    )
    assert all(len(weights) == 3 for weights in found.routes.values())


def test_what_is_read_is_the_mean_over_the_speech():
    made = head()
    one = model(made)
    stretches, said = [stretch(0, 1.0), stretch(1, 3.0)], transcript(*[0.5] * 5)
    found = one.fuse(stretches, said, RAISED)
    texts = one.reader.texts(one.reader.read(said, RAISED)[1])
    heard = []
    for _, embedding, _ in stretches:
        states = torch.tensor(embedding.frames).reshape(2, 1, 1, 2)
        with torch.inference_mode():
            heard.append(made(states, texts=texts))
    for name, place in zip(DIMENSIONS, range(3), strict=True):
        first, second = (float(part.dimensions[0, place]) for part in heard)
        assert getattr(found.dimensions, name).value == pytest.approx((first + 3 * second) / 4)
        first, second = (part.routes[0, place].numpy() for part in heard)
        np.testing.assert_allclose(found.routes[name], (first + 3 * second) / 4, atol=1e-6)
    first, second = (part.gates[0].numpy() for part in heard)
    np.testing.assert_allclose(list(found.gates.values()), (first + 3 * second) / 4, atol=1e-6)


def test_intervals_are_those_of_the_calibration():
    found = model(by_hand(), widening=(0.1, 0.2, 0.0)).fuse(
        [stretch(0)], transcript(*[0.5] * 5), RAISED
    )
    valence, arousal, _ = (getattr(found.dimensions, name) for name in DIMENSIONS)
    assert (valence.low, valence.high) == pytest.approx((0.4, 0.6), abs=1e-6)
    assert (arousal.low, arousal.high) == pytest.approx((logistic(2.0) - 0.2, 1.0), abs=1e-6)
    assert found.dimensions.proxy == ""


def test_who_speaks_counts_only_where_it_was_learned():
    profile = Profile(60.0, 60, np.full(4, 120.0), np.full(4, 500.0))
    said = transcript(*[0.5] * 5)
    stranger, known = ([stretch(0, 1.0, who)] for who in (None, profile))
    deaf, knows = model(head()), model(head(), profile=True)
    assert deaf.fuse(known, said, RAISED) == deaf.fuse(stranger, said, RAISED)
    assert knows.fuse(stranger, said, RAISED) == deaf.fuse(stranger, said, RAISED)
    assert knows.fuse(known, said, RAISED) != knows.fuse(stranger, said, RAISED)
    embedding = known[0][1]
    assert deaf.read(embedding, profile).trust == 0
    assert knows.read(embedding, profile).trust == profile.trust


def test_of_one_word_none_is_emphasised():
    found = model(head()).fuse([stretch(0)], transcript(said="Never!"), RAISED)
    assert found.texts == ("transcript", "interpretation")
    assert found.emphasised == ()
    assert set(found.gates) == {"emphasised", "transcript", "interpretation"}  # one stands in


def test_where_no_word_has_a_prominence_none_is_emphasised():
    assert model(head()).fuse([stretch(0)], transcript(), RAISED).texts == (
        "transcript",
        "interpretation",
    )


def test_a_network_of_fewer_texts_tells_of_these():
    found = model(head(branches=("es", "les"))).fuse(
        [stretch(0)], transcript(0.9, *[0.1] * 4), RAISED
    )
    assert set(found.texts) == set(found.gates) == {"emphasised", "interpretation"}
    alone = model(head(branches=("gs",))).fuse([stretch(0)], transcript(0.9, 0.1), RAISED)
    assert (alone.texts, alone.emphasised, alone.extended) == (("transcript",), (), "")


@pytest.mark.parametrize(
    ("options", "stretches", "said"),
    [
        pytest.param({}, [], transcript(*[0.5] * 5), id="nothing was heard"),
        pytest.param({}, [stretch(0)], transcript(confidence=0.49), id="the words are unsure"),
        pytest.param({"branches": ("les",)}, [stretch(0)], transcript(), id="no such text"),
        pytest.param({"branches": ()}, [stretch(0)], transcript(), id="it reads none"),
        pytest.param({"dimensions": 0}, [stretch(0)], transcript(), id="it has no dimensions"),
    ],
)
def test_where_there_is_nothing_to_say_nothing_is_said(options, stretches, said):
    assert model(head(**options)).fuse(stretches, said, RAISED) is None


def test_texts_are_made_as_in_training(angry):
    audio = read(angry)
    tracks = descriptors.tracks(audio)
    words = prominence(transcript().words, tracks, method="lemf")
    found = dataclasses.replace(RAISED, tracks=tracks)
    said = transcript(0.9, 0.1, 0.1, 0.1, 0.8)

    def rows(**options):
        return Reader(Encoder(), **options).read(said, found)[0]

    assert rows() == rows(les="oracle") == (0,)
    assert rows(share=0.4) == (0, 4)
    assert rows(les="lemf") == (max(range(5), key=lambda row: words[row].prominence),)
    assert rows(les="lemf") != rows()

    _, semantics = Reader(Encoder()).read(said, found)
    assert semantics.text == said.text
    assert semantics.emphasised == ((0, 4),)
    assert semantics.extended.startswith("Pitch is very high. Such a voice usually sounds ")
    _, masked = Reader(Encoder(), masked=True).read(said, found)
    assert masked.extended == mask_emotion(semantics.extended) != semantics.extended
    told = transcript(said="He went to the shop at nine. I hate this so much!")
    assert Reader(Encoder(), gs="expressive").read(told, found)[1].text == "I hate this so much!"

    reader = Reader(Encoder(), isolated=True)
    reader.texts(semantics)
    assert reader.encoder.isolated


@pytest.fixture(scope="module")
def analyzer(tmp_path_factory):
    """Of random checkpoints of speech and of text, as they lie on the hub."""
    folder = tmp_path_factory.mktemp("weights")
    speech = tiny_checkpoint(folder / "speech", "whisper", encoder_layers=2)
    words = TextEncoder(save_text_encoder(folder / "text"))
    made = head(depth=2, width=16, text_width=words.width)
    for parameter in made.dimensions.parameters():
        parameter.data *= 3.0  # so that words matter
    hears = {"speech": backbones.load(speech, layers=2), "encoder": words}
    return Analyzer(model(made, **hears), Reference.of_group("adults"))


def test_an_analysis_tells_what_voice_and_words_make_together(analyzer, angry):
    plain = analyzer.analyze(angry, explain=None)
    told = analyzer.analyze(angry, explain=None, transcriber=lambda audio: transcript())
    found = told.semantic_fusion
    assert plain.semantic_fusion is None
    assert told.emotion == plain.emotion  # the verdict stays that of the voice
    assert found.voice == pytest.approx(
        dict(zip(DIMENSIONS, values(plain.emotion.dimensions), strict=True)), abs=1e-6
    )
    assert found.texts == ("emphasised", "transcript", "interpretation")
    assert len(found.emphasised) == 1
    assert found.extended
    assert all(check(claim, told) == () for claim in told.claims)
    assert any(one.evidence[0].startswith("semantic_fusion.") for one in told.claims)
    schema = files("voxplain").joinpath("assets/schema/analysis.schema.json").read_text()
    Draft202012Validator(json.loads(schema)).validate(json.loads(json.dumps(told.to_dict())))
    again = type(told).from_dict(json.loads(json.dumps(told.to_dict())))
    assert again.semantic_fusion == found
    assert "Voice and words together" in text.render(told)
    assert "voice and words together" in markdown.render(told)
    assert "semantic_fusion.effects.valence" in html.render(told)


def test_each_stretch_is_read_against_the_others(analyzer, clips):
    long = np.tile(np.concatenate([read(clip).waveform for clip in clips]), 2)[: 18 * RATE]
    knows = copy.copy(analyzer.model)
    knows.knows_speakers = True
    told = Analyzer(knows, analyzer.reference).analyze(
        long, RATE, relative=True, explain=None, transcriber=lambda audio: transcript()
    )
    assert len(told.segments) > 1
    mean = dict(zip(DIMENSIONS, values(told.emotion.dimensions), strict=True))
    assert told.semantic_fusion.voice == pytest.approx(mean, abs=1e-6)
    apart = analyzer.analyze(long, RATE, explain=None)
    assert values(apart.emotion.dimensions) != pytest.approx(list(mean.values()), abs=1e-4)


def test_of_silence_nothing_is_read(analyzer):
    found = analyzer.analyze(
        np.zeros(2 * RATE), RATE, explain=None, transcriber=lambda audio: transcript()
    )
    assert found.emotion.verdict.abstains
    assert (found.transcript, found.semantic_fusion) == (None, None)
