"""A recipe with texts makes MSF-SER of an experiment: what its folder holds, and what may lack."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from safetensors.torch import load_file

from voxplain import backbones
from voxplain.audio.read import read
from voxplain.errors import ArtifactError, ChecksumMismatch, ConfigError
from voxplain.models.formats.experiment import load
from voxplain.models.msf_model import MSFModel
from voxplain.models.waveform import WaveformModel
from voxplain.testing.checkpoints import save_text_encoder
from voxplain.training.experiment import material
from voxplain.training.predictions import Predictions

OUTPUTS = ("valence", "arousal", "dominance", "categories")


def plain(place):
    return json.loads(place.read_text(encoding="utf-8"))


def numbers(table, *prefixes):
    """Columns that begin so, (clips, columns)."""
    names = [name for name in table.columns if name.startswith(prefixes)]
    return np.stack([table[name].astype(float) for name in names], 1)


@pytest.fixture(scope="module")
def run(fused, trained, told, corpus, tmp_path_factory):
    """Two folds, whose tested recordings are read with word errors too, and a corpus beside."""
    elsewhere = shutil.copytree(corpus, tmp_path_factory.mktemp("other") / "sounds")
    plan = fused(data={"tested": ("other",)}, texts={"errors": (0.0, 0.5)})
    roots = {"told": told(), "other": told("other", folder=elsewhere)}
    return trained(plan, tmp_path_factory.mktemp("fused") / "run", roots=roots)


def test_gate_and_router_stand_beside_each_prediction(run):
    table = Predictions.read(run)
    assert [name for name in table.columns if name.startswith("gate_")] == [
        *("gate_les", "gate_gs", "gate_es")
    ]
    np.testing.assert_allclose(numbers(table, "gate_").sum(1), 1, atol=1e-5)
    for output in OUTPUTS:
        routes = numbers(table, f"route_{output}_")
        assert routes.shape[1] == 2
        np.testing.assert_allclose(routes.sum(1), 1, atol=1e-5)
    told = plain(run / "metrics.json")["fusion"]
    own = table.some(table["corpus"] == "told")
    assert told["all"]["gate_gs"] == pytest.approx(numbers(own, "gate_gs").mean())
    assert told["corpus other"].keys() == told["all"].keys()


def test_what_is_tested_is_read_with_word_errors_too(run):
    table = Predictions.read(run)
    same, wrong = (Predictions.read(run / f"predictions_wer_{r}.csv") for r in ("0.00", "0.50"))
    assert same.clips == wrong.clips == table.clips
    said = numbers(table, "p_")
    np.testing.assert_array_equal(numbers(same, "p_"), said)
    assert np.abs(numbers(wrong, "p_") - said).max() > 1e-4
    for fold in (0, 1):
        assert (run / f"fold_{fold}/seed_0/predictions_wer_0.50.csv").is_file()
    rows = plain(run / "metrics.json")["mean_of_seeds"]
    assert rows["word errors 0.00"] == rows["all"]
    assert "| word errors 0.50 | 36 | 6 |" in (run / "README.md").read_text(encoding="utf-8")


def test_a_corpus_that_is_only_tested_is_a_test_of_every_split(run):
    for fold in (0, 1):
        sides = plain(run / f"fold_{fold}/seed_0/card.json")["speakers"]
        others = [name for name in sides["test"] if name.startswith("other")]
        assert len(others) == 6
        assert not any(name.startswith("other") for name in sides["train"] + sides["dev"])
        own = Predictions.read(run / f"fold_{fold}/seed_0")
        assert (own["fold"] == "other").sum() == 36
    table, first = Predictions.read(run), Predictions.read(run / "fold_0/seed_0")
    assert len(table) == 72
    names = ("p_valence", "p_angry")  # of the first split, whose model is the default one
    for name in names:
        np.testing.assert_array_equal(
            table.some(table["fold"] == "other")[name], first.some(first["fold"] == "other")[name]
        )
    rows = plain(run / "metrics.json")["mean_of_seeds"]
    assert {name: row["UAR"]["n"] for name, row in rows.items()} == {
        **{"all": 36, "corpus told": 36, "corpus other": 36, "fold 0": 18, "fold 1": 18},
        **{"word errors 0.00": 36, "word errors 0.50": 36},
    }


def test_the_card_holds_what_rebuilds_the_model(run, text_encoder):
    card = plain(run / "fold_0/seed_0/card.json")
    assert card["texts"]["encoder"] == str(text_encoder)
    assert card["texts"]["sha256"] == backbones.digest(text_encoder)
    assert (card["texts"]["les"], card["fusion"]["experts"]) == ("random", 2)
    weights = load_file(run / "fold_0/seed_0/head.safetensors")
    fixed = ("trunk.mean", "trunk.square")
    learned = sum(one.numel() for name, one in weights.items() if name not in fixed)
    assert sum(card["parameters"].values()) == learned
    assert {"trunk", "text", "gate", "film", "router", "experts"} <= card["parameters"].keys()
    environment = plain(run / "environment.json")
    assert environment["text_encoder_sha256"] == card["texts"]["sha256"]
    readme = (run / "README.md").read_text(encoding="utf-8")
    assert "Corpora: told, other (tested alone). 72 recordings" in readme
    assert "Texts: LES by random (25% of the words); GS whole; ES by rules; transcripts" in readme
    assert "read by tiny-bert. Fusion: fm_moe." in readme


def test_the_folder_is_a_model_that_reads(run):
    model = load(run)
    assert isinstance(model, MSFModel)
    assert (model.reader.les, model.reader.share) == ("random", 0.25)
    assert model.reader.encoder.name == "tiny-bert"
    assert not model.knows_speakers


def with_other_texts(run, folder, **changes):
    """A copy of the first model with other words in its card."""
    shutil.copytree(run / "fold_0/seed_0", folder)
    card = plain(folder / "card.json")
    card["texts"] |= changes
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def test_where_a_language_model_interpreted_rules_do_and_that_is_told(run, tmp_path):
    model = load(with_other_texts(run, tmp_path / "model", es="local:llama"))
    assert "local:llama interpreted in training; here rules take its place" in model.notes
    assert not any("interpreted" in note for note in load(run).notes)


def test_another_text_encoder_is_refused(run, tmp_path):
    other = save_text_encoder(tmp_path / "other", seed=1)
    place = with_other_texts(run, tmp_path / "model", encoder=str(other))
    with pytest.raises(ChecksumMismatch, match=r"other is not the text encoder that .* was traine"):
        load(place)


def test_whatever_is_missing_gives_finite_figures(fused, trained, told, angry, tmp_path):
    """No transcript, one word (which stands out from nothing), silence, and no language model.

    Only of one recording there is everything.
    """
    soundfile.write(tmp_path / "silence.wav", np.zeros(8000), 16_000)
    lacking = {
        0: {"text": ""},
        1: {"text": "Now"},
        2: {"file": tmp_path / "silence.wav"},
        3: {"file": angry, "text": "That is exactly what happened"},
    }
    root = told("told", lacking)
    run = trained(fused(texts={"les": "prominence"}), tmp_path / "run", roots={"told": root})
    table = Predictions.read(run)
    assert len(table) == 36
    assert np.isfinite(numbers(table, "p_", "gate_", "route_")).all()
    assert plain(run / "metrics.json")["warnings"] == []


def test_where_nobody_says_anything_the_voice_is_learned_from(fused, trained, told, tmp_path):
    silent = told("told", {row: {"text": ""} for row in range(36)})
    plan = fused(texts={"branches": ("les", "gs")}, train={"epochs": 1})
    run = trained(plan, tmp_path / "run", roots={"told": silent})
    warning = "no recording has a text for les, gs: nothing is learned from there"
    assert warning in plain(run / "metrics.json")["warnings"]
    assert warning in (run / "README.md").read_text(encoding="utf-8")
    table, model = Predictions.read(run / "fold_0/seed_0"), load(run)
    for row, file in enumerate(table["file"][:3]):  # judged as by the model that is loaded
        found = model.read(model.embed(read(Path(file)))).dimensions[:, 1]
        np.testing.assert_allclose(found, numbers(table, "p_v", "p_ar", "p_d")[row], atol=1e-5)
    alone = fused(encoder={"tune": "none"}, texts={"branches": ("gs",)})
    with pytest.raises(ConfigError, match="not one of 36 recordings has a text, and nobody listen"):
        trained(alone, tmp_path / "other", roots={"told": silent})


def test_texts_alone_open_no_recording(fused, trained, told, tmp_path, monkeypatch):
    def never(*_):
        raise AssertionError("a recording was opened")

    monkeypatch.setattr(material, "duration", never)
    monkeypatch.setattr("voxplain.training.corpora._reading.blocks", never)
    plan = fused(
        encoder={"tune": "none", "checkpoint": ""},
        texts={"branches": ("gs",)},
        train={"epochs": 40, "learning_rate": 0.02},
    )
    run = trained(plan, tmp_path / "run", roots={"told": told()})
    found = plain(run / "metrics.json")
    assert found["mean_of_seeds"]["all"]["UAR"]["value"] == 1  # the same sentence, the same label
    assert found["controls"].keys() == {"majority"}
    card = plain(run / "fold_0/seed_0/card.json")
    assert (card["encoder"], card["layer_weights"]) == (None, [])
    assert "trunk" not in card["parameters"]
    readme = (run / "README.md").read_text(encoding="utf-8")
    assert "Nobody listens. Splits by" in readme
    assert "voxplain analyze" not in readme
    with pytest.raises(ArtifactError, match="judges texts alone: it hears nothing that could be"):
        load(run)


def test_the_voice_alone_goes_through_the_same_network(fused, trained, told, tmp_path):
    plan = fused(texts={"branches": (), "errors": (0.5,)}, train={"epochs": 1})
    run = trained(plan, tmp_path / "run", roots={"told": told()})
    table, misread = Predictions.read(run), Predictions.read(run / "predictions_wer_0.50.csv")
    np.testing.assert_array_equal(numbers(misread, "p_"), numbers(table, "p_"))
    assert not any(name.startswith("gate_") for name in table.columns)
    np.testing.assert_allclose(numbers(table, "route_valence_").sum(1), 1, atol=1e-5)
    assert isinstance(load(run), WaveformModel)
