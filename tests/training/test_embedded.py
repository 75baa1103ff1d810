"""A recipe from corpora to a model folder and its figures, in miniature."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from voxplain.backbones.whisper import WhisperEncoder
from voxplain.cli import main
from voxplain.models.embedded import EmbeddedModel
from voxplain.training.evaluate import stored, table

RECIPE = """
kind: embedded
name: tiny
corpora: [cremad]
left_out: [cremad_1009]
labels: [angry, sad]
layers: 2
channels: 4
dropout: 0.1
epochs: 1
batch: 4
learning_rate: 0.001
weight_decay: 0.01
mixup: 0.4
folds: 2
seed: 0
"""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory, clips):
    """A corpus of three speakers (real voices, invented numbers), an encoder and a recipe."""
    root = tmp_path_factory.mktemp("workshop")
    (root / "cremad").mkdir()
    for speaker in (1001, 1002, 1009):
        for clip, emotion in zip(clips[1:3], ("SAD", "ANG"), strict=True):
            shutil.copy(clip, root / "cremad" / f"{speaker}_TIE_{emotion}_XX.opus")
    torch.manual_seed(0)
    encoder = WhisperEncoder(width=8, heads=2, hidden=16, layers=2)
    (root / "encoder").mkdir()
    tensors = {f"model.encoder.{name}": value for name, value in encoder.state_dict().items()}
    save_file(tensors, root / "encoder" / "model.safetensors")
    config = {"d_model": 8, "encoder_attention_heads": 2, "encoder_ffn_dim": 16, "num_mel_bins": 80}
    (root / "encoder" / "config.json").write_text(json.dumps(config))
    (root / "tiny.yaml").write_text(RECIPE)
    return root


def options(root, *, cremad="cremad"):
    return [
        *("--root", f"cremad={root / cremad}", "--encoder", str(root / "encoder")),
        *("--cache", str(root / "cache"), "--jobs", "1"),
    ]


@pytest.fixture(scope="module")
def trained(workshop):
    out = workshop / "model"
    arguments = ["train", str(workshop / "tiny.yaml"), "--out", str(out), *options(workshop)]
    assert main(arguments) == 0
    return out


def test_the_folder_is_a_model_that_judges(trained, angry):
    from voxplain.audio import read

    model = EmbeddedModel(trained)
    assert model.name == "tiny"
    assert set(model.categories(read.read(angry))) == {"angry", "sad"}
    assert model.card["recipe"]["left_out"] == ["cremad_1009"]


def test_held_out_logits_cover_every_utterance_once_with_speakers_apart(trained):
    folds = np.load(trained / "folds.npz")
    speaker = [name[:4] for name in folds["name"]]
    assert sorted(set(speaker)) == ["1001", "1002"]
    assert len({(s, f) for s, f in zip(speaker, folds["fold"], strict=True)}) == 2
    assert np.isfinite(folds["logits"]).all()


def test_evaluate_prints_the_table_and_keeps_the_figures(trained, workshop, capsys):
    shutil.copytree(trained, workshop / "evaluated", dirs_exist_ok=True)
    command = ["evaluate", str(workshop / "tiny.yaml"), "--model", str(workshop / "evaluated")]
    assert main([*command, *options(workshop)]) == 0
    printed = capsys.readouterr().out.strip()
    assert printed == table(stored(workshop / "evaluated"))
    for system in ("voxplain", "logistic regression", "energy only", "majority"):
        assert system in printed
    assert "cremad" in printed
    assert "(n 4, 2 speakers)" in printed
    majority = stored(workshop / "evaluated")["cremad"]["majority"]
    assert majority["UAR"].value == pytest.approx(0.5)


def test_figures_need_the_folds_of_the_same_recordings(trained, workshop, capsys):
    command = ["evaluate", str(workshop / "tiny.yaml"), "--model"]
    assert main([*command, str(workshop / "encoder"), *options(workshop)]) == 4
    assert "holds no folds.npz" in capsys.readouterr().err
    shutil.copytree(workshop / "cremad", workshop / "fewer")
    (workshop / "fewer" / "1001_TIE_SAD_XX.opus").unlink()
    assert main([*command, str(trained), *options(workshop, cremad="fewer")]) == 2
    assert "other recordings" in capsys.readouterr().err


def test_what_is_missing_is_named(workshop, capsys):
    command = ["train", str(workshop / "tiny.yaml"), "--out", str(workshop / "none")]
    assert main(command) == 2
    assert "needs --encoder DIR" in capsys.readouterr().err
    encoder = ["--encoder", str(workshop / "encoder")]
    assert main([*command, *encoder]) == 2
    assert "give --root cremad=FOLDER" in capsys.readouterr().err
    assert main([*command, *encoder, "--root", "cremad"]) == 2
    assert "--root takes CORPUS=DIR, not 'cremad'" in capsys.readouterr().err
    assert not (workshop / "none").exists()


def test_norms_are_the_mean_and_spread_of_what_is_measured(workshop, capsys):
    """A man and a woman with the same two clips: all spread lies within them."""
    recipe = workshop / "norms.yaml"
    recipe.write_text(
        "kind: norms\nmaterial: two clips\ncorpora: [cremad]\nleft_out: [cremad_1009]\n"
        "descriptors: [f0_mean_st]\n"
    )
    out = workshop / "norms"
    assert main(["train", str(recipe), "--out", str(out), *options(workshop)]) == 0
    from voxplain.training.norms import _functionals

    clips = sorted((workshop / "cremad").iterdir())
    values = [_functionals(str(path))["f0_mean_st"] for path in clips[:2]]
    norms = json.loads((out / "adults.json").read_text())
    assert norms["reference"] == "adults (two clips)"
    assert norms["speakers"] == 2
    assert norms["descriptors"]["f0_mean_st"] == {
        "n": 4,
        "mean": pytest.approx(np.mean(values)),
        "between_sd": 0.0,
        "within_sd": pytest.approx(np.std(values, ddof=1)),
    }
    assert [path.name for path in out.iterdir()] == ["adults.json"], "one woman is no norm"


def test_a_norm_counts_speakers_and_takes_luck_off_their_spread():
    """Means 2, 4 and 9; variances 2, 8 and 0; half of each variance is in the mean by luck."""
    from voxplain.training.norms import norm

    values = np.array([1, 3, 2, 6, 9, 9.0])
    found = norm(values, np.array([*"aabbcc"]), np.array(["angry"] * 6))
    within = (2 + 8 + 0) / 3
    assert found == {
        "n": 6,
        "mean": 5.0,
        "between_sd": pytest.approx(np.sqrt(13 - within / 2)),
        "within_sd": pytest.approx(np.sqrt(within)),
    }


def test_an_emotion_that_is_often_unreliable_counts_as_much_as_it_occurs():
    """Of four sad values one is known: it stands for four, beside two angry ones."""
    from voxplain.training.norms import norm

    nan = float("nan")
    values = np.array([10, 10, 1, nan, nan, nan, 4.0, 4.0])
    emotions = np.array(["angry"] * 2 + ["sad"] * 4 + ["angry"] * 2)
    found = norm(values, np.array([*"aaaaaabb"]), emotions)
    assert found["n"] == 5
    assert found["mean"] == pytest.approx(((10 + 10 + 4 * 1) / 6 + 4) / 2)
