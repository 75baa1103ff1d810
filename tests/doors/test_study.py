"""``voxplain study``: the tables and figures of a study, by one command."""

import csv
import hashlib
import itertools
import json
import shutil
import xml.etree.ElementTree as Tree
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file

from voxplain.audio.read import read
from voxplain.cli import main
from voxplain.models.saliency_cnn import SaliencyCNN
from voxplain.testing.backbones import tiny_checkpoint
from voxplain.training.statistics import speaker_interval
from voxplain.training.studies.probing import probes, speakers, strength, words
from voxplain.training.studies.roles import controls, subject

RECIPE = """
kind: study
subject: network
corpora: [cremad]
clips: 1
every_band: 0
cues: [f0_mean_st, intensity_mean_db, alpha_ratio_mean_db]
patch: 0.3
stride: 0.15
width: 0.15
window: 0.2
draws: 2
dosed: 1
steps: [-1.0, 1.0]
seed: 0
"""
CLIPS = {  # real voices under invented names
    "ANG_XX": "tie_ang",
    "NEU_XX": "tie_neu",
    "NEU_LO": "mti_hap",
    "NEU_MD": "mti_sad",
}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory, clips):
    root = tmp_path_factory.mktemp("study")
    (root / "cremad").mkdir()
    by_name = {clip.stem: clip for clip in clips}
    for speaker in (1001, 1002):
        for place, name in CLIPS.items():
            clip = by_name[f"cremad_1089_{name}"]
            shutil.copy(clip, root / "cremad" / f"{speaker}_TIE_{place}.opus")
    torch.manual_seed(1)
    network = SaliencyCNN(labels=3)
    network.classify.bias.data[0] = 100.0  # it takes everything for anger
    (root / "network").mkdir()
    save_file(network.state_dict(), root / "network/network.safetensors")
    weights = (root / "network/network.safetensors").read_bytes()
    card = {
        "labels": ["angry", "sad", "neutral"],
        "recipe": {"test": ["cremad_1001", "cremad_1002"]},
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    (root / "network/card.json").write_text(json.dumps(card))
    (root / "recipe.yaml").write_text(RECIPE)
    return root


def study(root, out, *, recipe="recipe.yaml", model="network"):
    data = ["--root", f"cremad={root / 'cremad'}", "--cache", str(root / "cache"), "--jobs", "1"]
    return main(
        ["study", str(root / recipe), "--model", str(root / model), "--out", str(out), *data]
    )


def test_tables_and_figures_by_one_command(workshop, tmp_path, capsys):
    assert study(workshop, tmp_path) == 0
    printed = capsys.readouterr().out
    assert (tmp_path / "tables.md").read_text().startswith(printed.strip())
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert f"| **{next(iter(figures))}** |" in printed
    recognised = figures["recognition"]["drawn clips"]
    assert (recognised["UAR"]["n"], recognised["UAR"]["speakers"]) == (4, 2)
    methods = set(figures["agreement with the experts"])
    assert {"ours", "occlusion in time", "Grad-CAM", "LRP", "loudest"} <= methods
    assert [name[0] for name in figures["defects"]] == ["2", "3", "4", "5", "6", "7", "8"]
    assert "angry: gain_db" in figures["dose and response"]
    for name in ("agreement.svg", "cues.svg"):
        assert Tree.parse(tmp_path / name).getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("subject: network", "subject: nobody"), "is embedded or network, not 'nobody'"),
        (("clips: 1", "clips: many"), "clips must be int, not 'many'"),
    ],
)
def test_a_recipe_that_cannot_be_followed(workshop, tmp_path, capsys, change, message):
    (workshop / "wrong.yaml").write_text(RECIPE.replace(*change))
    assert study(workshop, tmp_path, recipe="wrong.yaml") == 2
    assert message in capsys.readouterr().err


def test_a_model_that_knows_every_speaker_is_not_tried_on_them(workshop, tmp_path, capsys):
    shutil.copytree(workshop / "network", tmp_path / "known")
    card = json.loads((tmp_path / "known/card.json").read_text())
    card["recipe"]["test"] = ["cremad_1003"]
    (tmp_path / "known/card.json").write_text(json.dumps(card))
    assert study(workshop, tmp_path, model=tmp_path / "known") == 2
    assert "has learned from every speaker of cremad" in capsys.readouterr().err


def test_a_folder_without_a_model_is_an_error(workshop, tmp_path, capsys):
    assert study(workshop, tmp_path, model=tmp_path) == 4
    assert "holds no network" in capsys.readouterr().err


# voxplain study recipes/probing/*.yaml -----------------------------------------------------------

MATERIAL = "material: {corpora: [cremad], folds: 2, seed: 0}\n"
PROBING = {
    "layers": "descriptors: [f0_mean_st]",
    "cues": "layer: 2\ndraws: 1\nfamilies: {pitch: [f0_mean_st], loudness: [loudness_mean]}",
    "speakers": "layer: 2",
    "regions": "layers: [0]\ndraws: 1",
    "strength": "layer: 2\nstrengths: [low, medium, high]",
    "words": "layers: [1]\nfunction: [is, that, it, be, will]",
}
SAID = {"TIE_ANG_HI": "tie_ang", "MTI_ANG_LO": "mti_hap", "TIE_NEU_XX": "tie_neu"}
SAID |= {"MTI_NEU_XX": "mti_sad"}


@pytest.fixture(scope="module")
def probed(tmp_path_factory, clips):
    """Four speakers, one voice faster and higher, an encoder, and texts that say what is usual."""
    root = tmp_path_factory.mktemp("probed")
    (root / "cremad").mkdir()
    waveforms = {clip.stem: read(clip).waveform for clip in clips}
    for speaker in range(1001, 1005):
        for place, name in SAID.items():
            waveform = waveforms[f"cremad_1089_{name}"]
            times = np.arange(0, len(waveform), 1 + (speaker - 1001) / 20)
            faster = np.interp(times, np.arange(len(waveform)), waveform)
            soundfile.write(root / f"cremad/{speaker}_{place}.wav", faster, 16_000)
    tiny_checkpoint(root / "encoder", "whisper")
    for kind in ("ekman", "original"):
        (root / "texts/data" / kind).mkdir(parents=True)
        for split in ("train", "dev", "test"):
            (root / f"texts/data/{kind}/{split}.tsv").write_text("that is it\t0\tx\n")
    (root / "texts/data/ekman/labels.txt").write_text("anger\n")
    for kind, own in PROBING.items():
        (root / f"{kind}.yaml").write_text(f"kind: probing_{kind}\n{MATERIAL}{own}\n")
    return root


def probe(root, out, kind, **changed):
    given = {"encoder": root / "encoder", "out": out} | changed
    options = [part for name, place in given.items() for part in (f"--{name}", str(place))]
    data = ["--root", f"cremad={root / 'cremad'}", "--root", f"goemotions={root / 'texts'}"]
    local = ["--cache", str(root / "cache"), "--jobs", "1"]
    return main(["study", str(root / f"{kind}.yaml"), *options, *data, *local])


@pytest.mark.parametrize("kind", PROBING)
def test_a_probing_study_by_one_command(probed, tmp_path, capsys, kind, monkeypatch):
    for room in (probes, strength, words):  # fewer samples than usual
        monkeypatch.setattr(room, "speaker_interval", partial(speaker_interval, draws=20))
    for room in (speakers, words):
        monkeypatch.setattr(room, "SHUFFLES", 2)
    assert probe(probed, tmp_path, kind) == 0
    printed = capsys.readouterr().out
    assert (tmp_path / "tables.md").read_text() == printed
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert f"| **{next(iter(figures))}** | n | speakers |" in printed
    for table in figures.values():
        assert all(next(iter(row.values()))["speakers"] <= 4 for row in table.values())
    (picture, *_) = tmp_path.glob("*.svg")
    assert Tree.parse(picture).getroot().tag.endswith("svg")


def test_a_probing_study_without_its_encoder(probed, tmp_path, capsys):
    assert probe(probed, tmp_path, "cues", encoder=tmp_path) == 4
    assert "it has no config.json" in capsys.readouterr().err
    recipe = ["study", str(probed / "layers.yaml"), "--out", str(tmp_path)]
    assert main(recipe) == 2
    assert "a study needs --encoder DIR" in capsys.readouterr().err


# voxplain study roles ---------------------------------------------------------------------------

SALIENCY = Path(__file__).parents[2] / "recipes/beyond_saliency/cremad.yaml"
PARTS = (["descriptive", "He fell off the {}. "], ["expressive", "I was {} about it."])
SCENES, FEELINGS = ("stairs", "roof"), ("glad", "sorry")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A table of twelve accounts by six speakers, of two clips."""
    path = tmp_path_factory.mktemp("told") / "accounts.csv"
    columns = ["speaker", "stimulus", "intended", "evoked", "valence", "arousal"]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*columns, "transcript", "roles"])
        for speaker, clip in itertools.product(range(6), range(2)):
            felt = (speaker + clip) % 3 % 2
            words = (SCENES[clip], FEELINGS[felt])
            parts = [
                [kind, text.format(word)] for (kind, text), word in zip(PARTS, words, strict=True)
            ]
            row = [f"s{speaker}", SCENES[clip], ("fear", "happy")[clip], FEELINGS[felt], felt, 5]
            writer.writerow([*row, "".join(text for _, text in parts), json.dumps(parts)])
    return path


def test_roles_by_one_command(told, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(subject, "_SEEDS", (0,))
    monkeypatch.setattr(controls, "_SHUFFLES", 1)
    monkeypatch.setattr(controls, "_ERRORS", (0.2,))
    assert main(["study", "roles", str(told), "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert (tmp_path / "tables.md").read_text() == printed
    figures = json.loads((tmp_path / "figures.json").read_text())
    row = figures["primary outcomes, roles by hand"]["known clips"]
    assert (row["interaction"]["n"], row["interaction"]["speakers"]) == (12, 6)
    assert row["interaction"]["value"] > 0.5
    assert f"| **{next(iter(figures))}** | n | speakers | interaction |" in printed
    for name in ("recognition.svg", "interactions.svg"):
        assert Tree.parse(tmp_path / name).getroot().tag.endswith("svg")


def test_marks_are_written_for_annotators_and_read_back(told, tmp_path, capsys):
    assert main(["study", "roles", str(told), "--annotate", str(tmp_path)]) == 0
    marks = tmp_path / "marks.csv"
    lines = marks.read_text().splitlines()
    assert lines[:3] == ["id,word,role", "2,He,descriptive", "2,fell,"]
    marks.write_text("\n".join(line.replace("He,descriptive", "He,dull") for line in lines))
    again = ["study", "roles", str(told), "--marks", str(marks), "--out", str(tmp_path / "out")]
    assert main(again) == 2
    assert "marks.csv, row 2: the role is 'dull'; give descriptive or" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["roles"], "roles takes a table: roles TABLE.csv"),
        ([str(SALIENCY), "b.csv", "--out", "o"], "takes no 'b.csv'; a grid would"),
        (["a.yaml", "--out", "o"], "recipe a.yaml can't be read"),
        ([str(SALIENCY), "--out", "o"], "a study needs --model DIR"),
        ([str(SALIENCY), "--model", "m"], "a study needs --out DIR"),
        (["roles", "none.csv", "--out", "o"], "none.csv can't be read as a table"),
    ],
)
def test_what_is_missing_is_said(arguments, message, capsys):
    assert main(["study", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_help_shows_every_kind_of_study(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["study", "--help"])
    shown = capsys.readouterr().out
    assert "voxplain study recipes/beyond_saliency/cremad.yaml" in shown
    assert "voxplain study recipes/probing/layers.yaml" in shown
    assert "voxplain study recipes/msf/planted_grid.yaml" in shown
    assert "voxplain study roles accounts.csv --out results/" in shown
