"""``voxplain train``: experiments from the command line, and what is said of a wrong one."""

import json
import shutil
import subprocess
import sys

import pytest
import yaml

from voxplain.cli import main
from voxplain.testing.backbones import tiny_checkpoint

RECIPE = """
kind: experiment
name: small
data: {corpora: [cremad], labels: [angry, neutral, sad]}
split: {by: speaker, folds: 2, dev: 0.3}
encoder: {tune: frozen}
head: {hidden: 4}
train: {epochs: 9, batch: 8, learning_rate: 0.01}
"""
CLIPS = {  # real voices under invented names
    "TIE_ANG_XX": "tie_ang",
    "TIE_NEU_XX": "tie_neu",
    "MTI_SAD_XX": "mti_sad",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory, clips):
    """``cremad`` of four speakers who say the same, ``weights`` of a random encoder, a recipe."""
    folder = tmp_path_factory.mktemp("train")
    (folder / "cremad").mkdir()
    by_name = {clip.stem: clip for clip in clips}
    for speaker in range(1001, 1005):
        for name, clip in CLIPS.items():
            source = by_name[f"cremad_1089_{clip}"]
            shutil.copy(source, folder / "cremad" / f"{speaker}_{name}.opus")
    tiny_checkpoint(folder / "weights", "whisper", encoder_layers=1)
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return folder


def train(place, *more, out, root="cremad", encoder="weights", recipe="recipe.yaml"):
    arguments = ["train", str(place / recipe), *more, "--out", str(out)]
    arguments += ["--cache", str(place / "cache"), "--jobs", "1"]
    arguments += ["--root", f"cremad={place / root}"] if root else []
    arguments += ["--encoder", str(place / encoder)] if encoder else []
    return main(arguments)


def test_a_recipe_becomes_a_run_folder_with_the_changes_that_were_given(place, tmp_path, caplog):
    out = tmp_path / "run"
    assert train(place, "train.epochs=2", "train.seeds=[3]", "name=quick", out=out) == 0
    told = yaml.safe_load((out / "recipe.yaml").read_text(encoding="utf-8"))
    assert told["name"] == "quick"
    assert (told["train"]["epochs"], told["train"]["seeds"]) == (2, [3])
    assert told["encoder"]["checkpoint"] == str(place / "weights")
    card = json.loads((out / "fold_1/seed_3/card.json").read_text(encoding="utf-8"))
    assert len(card["history"]) == 2
    assert (
        main(["analyze", "--model", str(out), "--json", str(place / "cremad/1001_TIE_ANG_XX.opus")])
        == 0
    )


SPEAKING = """
kind: vib_sed
name: speaking
data: {corpora: [cremad], labels: [angry, neutral, sad]}
split: {by: speaker, folds: 2, dev: 0.3}
encoder: {}
llm: {size: 0.5M}
network: {latent: 4, hidden: 8}
train: {epochs: 9, batch: 4}
"""


def test_a_network_that_speaks_is_trained_by_its_recipe(place, tmp_path, capsys):
    pytest.importorskip("pocketsphinx")
    (place / "speaking.yaml").write_text(SPEAKING, encoding="utf-8")
    out = tmp_path / "run"
    changes = ("train.epochs=1", "only=[fold_1]")
    assert train(place, *changes, out=out, recipe="speaking.yaml") == 0
    told = (out / "spoken.csv").read_text(encoding="utf-8").splitlines()
    assert told[0] == (
        "file,start,end,corpus,speaker,fold,spoken,guessed,measured,certain,transcript,heard,"
        "said_in_training"
    )
    assert all("That is exactly what happened" in line or "Maybe" in line for line in told[1:])
    assert len(told) == 1 + 6
    assert yaml.safe_load((out / "recipe.yaml").read_text(encoding="utf-8"))["kind"] == "vib_sed"
    code, said = refused(
        capsys, place, tmp_path / "other", "tasks.asr=alternate", recipe="speaking.yaml"
    )
    assert (code, "available: alternating, joint, none" in said) == (2, True)


def refused(capsys, place, out, *more, **options):
    code = train(place, *more, out=out, **options)
    assert not out.exists()
    return code, capsys.readouterr().err


def test_a_typo_in_a_recipe_is_named_with_the_nearest_key(place, tmp_path, capsys):
    code, told = refused(capsys, place, tmp_path / "run", "train.epoch=3")
    assert code == 2
    assert "train: unknown key 'epoch'" in told
    assert "Did you mean 'epochs'?" in told
    code, told = refused(capsys, place, tmp_path / "run", "trian.epochs=3")
    assert (code, "Did you mean 'train'?" in told) == (2, True)
    code, told = refused(capsys, place, tmp_path / "run", "encoder.tune=Lora")
    assert (code, "Did you mean 'lora'?" in told) == (2, True)
    code, told = refused(capsys, place, tmp_path / "run", "faster")
    assert (code, told) == (2, "voxplain: a change of a recipe is key=value, not 'faster'\n")


def test_a_missing_root_corpus_or_checkpoint_is_told(place, tmp_path, capsys):
    code, told = refused(capsys, place, tmp_path / "run", root=None)
    assert (code, "give --root cremad=FOLDER" in told) == (2, True)
    code, told = refused(capsys, place, tmp_path / "run", root="nowhere")
    assert (code, "there is no" in told) == (4, True)
    code, told = refused(capsys, place, tmp_path / "run", encoder="nothing")
    assert (code, "voxplain models pull" in told) == (4, True)
    code, told = refused(capsys, place, tmp_path / "run", encoder=None)
    assert (code, "or with --encoder" in told) == (2, True)


def test_other_kinds_of_recipes_take_changes_too(place, tmp_path, capsys):
    (place / "norms.yaml").write_text("kind: norms\n", encoding="utf-8")
    code, told = refused(capsys, place, tmp_path / "run", "corpors=[cremad]", recipe="norms.yaml")
    assert code == 2
    assert "unknown key 'corpors'" in told
    assert "Did you mean 'corpora'?" in told


def test_an_encoder_that_a_recipe_needs_must_be_given(place, tmp_path, capsys):
    (place / "text.yaml").write_text("kind: text_encoder\n", encoding="utf-8")
    code, _ = refused(capsys, place, tmp_path / "run", recipe="text.yaml", encoder=None)
    assert code == 2


def test_the_page_of_help_has_an_example_that_is_a_command():
    ran = subprocess.run(
        [sys.executable, "-m", "voxplain", "train", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "voxplain train recipes/experiments/probe.yaml train.epochs=10" in ran.stdout
    assert "[KEY=VALUE ...]" in ran.stdout
