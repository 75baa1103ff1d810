"""What is shipped: small, described by its own figures, licensed."""

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from voxplain.audio.read import read
from voxplain.labels import EMBEDDED
from voxplain.models.embedded import EmbeddedModel, embedded_models
from voxplain.models.listening import ListeningModel
from voxplain.training.evaluate import stored, table
from voxplain.training.statistics import Interval
from voxplain.types import Audio

ASSETS = Path(str(files("voxplain") / "assets"))
MODEL = ASSETS / "models" / "speech"
LISTENING = ASSETS / "models" / "listening"
ROOT = Path(__file__).parents[2]


def test_all_models_together_stay_below_12_mb():
    assert embedded_models() == ("speech",)
    assert sum(path.stat().st_size for path in ASSETS.rglob("*.onnx")) < 12e6


def test_the_card_shows_the_figures_that_evaluate_stored():
    assert table(stored(MODEL)) in (MODEL / "README.md").read_text(encoding="utf-8")


def test_the_bars_are_met_on_speakers_never_heard():
    figures = stored(MODEL)
    own, known = figures["cremad"], figures["cremad: the speaker known"]
    assert own["voxplain"]["UAR"].value >= 0.73
    assert own["voxplain"]["UAR"].low > own["eGeMAPS + SVM"]["UAR"].high
    assert known["80 clips"]["UAR"].value >= 0.79
    judged = [row for name, row in known.items() if "logistic regression" not in name]
    assert len(judged) == 8
    for row in judged:
        assert row["ECE"].value <= 0.05
        assert 0.88 <= row["sets with the truth"].value <= 0.92
    for name, row in figures["cremad: in noise"].items():
        assert row["UAR"].value >= 0.65, name
    for row in figures["cremad: dimensions"].values():
        assert 0.88 <= row["inside the interval"].value <= 0.92
    silent = figures["ravdess: nothing said"]
    for name, row in silent.items():
        if "clean" not in name and "speech" not in name:
            assert row["abstains"].value >= 0.95, name
    assert silent["cremad, clean, unseen speakers"]["abstains"].value <= 0.05


def test_the_listening_model_has_a_card_with_the_figures_of_unseen_speakers():
    figures = json.loads((LISTENING / "figures.json").read_text(encoding="utf-8"))
    card = (LISTENING / "README.md").read_text(encoding="utf-8")
    rows = figures["mean_of_seeds"]
    assert {"all", *(f"fold {n}" for n in range(5))} <= rows.keys()
    for row in rows.values():
        for figure in row.values():
            assert str(Interval(**figure)) in card
    assert rows["all"]["UAR"]["speakers"] == 80
    assert rows["all"]["hallucinated"]["value"] <= 0.10


def test_the_listening_model_is_small_and_never_heard_the_examples():
    assert sum(path.stat().st_size for path in LISTENING.iterdir()) < 7e6
    speakers = ListeningModel.load("listening").card["trained"]["speakers"]
    assert len({*speakers["train"], *speakers["dev"], *speakers["test"]}) == 80
    assert "cremad_1089" not in {*speakers["train"], *speakers["dev"], *speakers["test"]}


def test_label_order_is_the_packages():
    model = EmbeddedModel.load("speech")
    assert model.calibration.labels == EMBEDDED
    assert model.card["recipe"]["labels"] == list(EMBEDDED)


def test_the_speaker_of_the_examples_was_left_out():
    folds = [fold["speakers"] for fold in EmbeddedModel.load("speech").card["folds"]]
    speakers = [speaker for members in folds for speaker in members]
    assert len(speakers) == len(set(speakers)) == 80
    assert "cremad_1089" not in speakers


@pytest.mark.parametrize("fold", range(5))
def test_each_fold_has_a_head_of_its_own(fold, angry):
    from voxplain.audio import read

    embedding = EmbeddedModel.load("speech").embed(read.read(angry))
    held_out = EmbeddedModel(MODEL, fold=fold).read(embedding).categories
    assert EMBEDDED[held_out.argmax()] == "angry"
    assert not np.array_equal(held_out, EmbeddedModel.load("speech").read(embedding).categories)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("models/speech/LICENSE-whisper.txt", "MIT License"),
        ("models/listening/LICENSE-ODbL.txt", "Open Database License"),
        ("norms/LICENSE-ODbL.txt", "Open Database License"),
        ("references/LICENSE-ODbL.txt", "Open Database License"),
        ("speech_activity/LICENSE-silero.txt", "MIT License"),
    ],
)
def test_licences_lie_beside_what_they_cover(place, words):
    assert words in (ASSETS / place).read_text(encoding="utf-8")


@pytest.mark.parametrize(("group", "speakers"), [("adults", 80), ("female", 37), ("male", 43)])
def test_norms_stand_on_many_clips(group, speakers):
    norms = json.loads((ASSETS / f"norms/{group}.json").read_text(encoding="utf-8"))
    assert norms["speakers"] == speakers
    for name, norm in norms["descriptors"].items():
        assert norm["n"] > 500, name
        assert norm["within_sd"] > 0


def test_women_speak_higher_than_men_and_children_as_published():
    mean = {
        group: json.loads((ASSETS / f"norms/{group}.json").read_text())["descriptors"]["f0_mean_st"]
        for group in ("female", "male", "child")
    }
    assert mean["female"]["mean"] - mean["male"]["mean"] > 6
    child = mean["child"]  # 244.8 Hz, SD 30 Hz
    assert 27.5 * 2 ** (child["mean"] / 12) == pytest.approx(244.8, abs=0.1)
    assert 244.8 * (2 ** (child["between_sd"] / 12) - 1) == pytest.approx(30, abs=3)


def test_no_page_claims_to_know_what_a_person_feels():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), MODEL / "README.md"]
    pages += (ROOT / "src/voxplain").rglob("*.py")
    for page in pages:
        text = page.read_text(encoding="utf-8").lower().replace('never "is angry"', "")
        for label in ("angry", "sad", "happy", "afraid", "fearful", "disgusted"):
            assert f"is {label}" not in text, page
            assert f"feels {label}" not in text, page


def test_longer_speech_than_it_learned_from_is_judged(clips):
    """What comes after 5 s is encoded as if it came first: it is not taken for strange."""
    same = [read(clip).waveform for clip in clips if clip.stem.startswith("cremad_1089")]
    model = EmbeddedModel.load("speech")
    assert sum(map(len, same)) > 9 * 16_000
    long = Audio(np.concatenate(same), 16_000, "four clips of one speaker")
    assert model.read(model.embed(long)).strangeness < model.calibration.most_strange
