"""From a recipe to a run folder: what lies in it, what is refused before, what a kill changes."""

import csv
import json
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import sys

import numpy as np
import pytest
import torch
import yaml
from accelerate.state import AcceleratorState
from safetensors.torch import load_file

from voxplain.cli import main
from voxplain.errors import ConfigError, CorpusNotFound, MissingExtra, WeightsMissing
from voxplain.testing.backbones import tiny_checkpoint
from voxplain.training.experiment import loop
from voxplain.training.experiment.recipe import digest, plain
from voxplain.training.predictions import Predictions


def card(folder):
    return json.loads((folder / "card.json").read_text(encoding="utf-8"))


def test_a_run_folder_holds_what_a_reader_needs(run):
    found = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    models = [f"fold_{fold}/seed_{seed}" for fold in (0, 1) for seed in (0, 1)]
    assert found == {
        *("recipe.yaml", "environment.json", "train.log", "metrics.json", "card.json"),
        *("README.md", "predictions.csv", "predictions_1.csv"),
        *(f"{model}/{file}" for model in models for file in ("card.json", "head.safetensors")),
        *(f"{model}/predictions.csv" for model in models),
    }
    log = (run / "train.log").read_text(encoding="utf-8")
    assert "fold_1, seed 1, epoch 3 of 3: loss " in log


def test_the_recipe_is_resolved_and_its_digest_stands_beside_it(run, recipe):
    told = yaml.safe_load((run / "recipe.yaml").read_text(encoding="utf-8"))
    used = recipe(train={"seeds": (0, 1), "epochs": 3})
    assert told == plain(used)
    environment = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    assert environment["recipe_sha256"] == digest(used)
    assert environment["packages"]["torch"] == torch.__version__
    assert environment["torch_threads"] == 1
    assert environment["processes"] == 1


def test_every_recording_is_predicted_by_a_model_that_never_heard_its_speaker(run):
    table = Predictions.read(run)
    assert len(table) == 36
    for row in range(len(table)):
        told = card(run / f"fold_{table['fold'][row]}/seed_0")["speakers"]
        speaker = table["speaker"][row]
        assert speaker in told["test"]
        assert speaker not in told["train"] + told["dev"]
    np.testing.assert_allclose(table.probabilities.sum(1), 1)


def test_metrics_are_those_of_the_predictions(run):
    sklearn = pytest.importorskip("sklearn.metrics")
    told = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    values = []
    for seed, name in (("0", "predictions.csv"), ("1", "predictions_1.csv")):
        with (run / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        pairs = ([r["emotion"] for r in rows], [r["prediction"] for r in rows])
        values.append(sklearn.balanced_accuracy_score(*pairs))
        found = told["by_seed"][seed]["all"]["UAR"]
        assert found["value"] == pytest.approx(values[-1])
        assert (found["n"], found["speakers"]) == (36, 6)
        one = [r for r in rows if r["fold"] == "1"]
        fold = sklearn.balanced_accuracy_score(
            [r["emotion"] for r in one], [r["prediction"] for r in one]
        )
        assert told["by_seed"][seed]["fold 1"]["UAR"]["value"] == pytest.approx(fold)
    mean = told["mean_of_seeds"]["all"]["UAR"]
    assert mean["value"] == pytest.approx(np.mean(values))
    assert mean["low"] <= mean["value"] <= mean["high"]
    assert told["controls"]["majority"]["UAR"]["value"] == pytest.approx(1 / 3)
    assert told["chance"] == pytest.approx(1 / 3)
    assert told["controls"]["energy alone"].keys() == {"UAR", "WA", "macro-F1"}


def test_calibration_comes_from_dev(run):
    found = card(run / "fold_0/seed_0")
    assert 0.05 <= found["temperature"] <= 20
    assert found["mass"] > 0
    assert found["known_temperature"] == found["temperature"]  # it knows no speakers


def test_the_card_of_the_run_points_at_its_models(run):
    told = card(run)
    assert told["format"] == "experiment"
    assert told["default"] == "fold_0/seed_0"
    assert [fold["model"] for fold in told["folds"]] == ["fold_0/seed_0", "fold_1/seed_0"]
    tested = [set(fold["speakers"]) for fold in told["folds"]]
    assert len(tested[0] | tested[1]) == 6
    assert not tested[0] & tested[1]
    readme = (run / "README.md").read_text(encoding="utf-8")
    assert "Encoder: tiny, frozen" in readme  # wherever it lies
    assert "| all | 36 | 6 |" in readme
    assert "| majority | 36 | 6 | 0.333" in readme


def test_a_finished_run_is_kept_as_it_is(run, recipe, trained, monkeypatch):
    before = {path: path.read_bytes() for path in run.rglob("*.safetensors")}

    def never(*_, **__):
        raise AssertionError("it was trained already")

    monkeypatch.setattr(loop.Fit, "run", never)
    trained(recipe(train={"seeds": (0, 1), "epochs": 3}), run)
    assert {path: path.read_bytes() for path in run.rglob("*.safetensors")} == before


def test_another_recipe_is_refused_and_the_key_is_told(run, recipe, trained):
    expected = r"begun with another recipe \(train\.epochs: 3 there, 9 here\); give another --out"
    with pytest.raises(ConfigError, match=expected):
        trained(recipe(train={"seeds": (0, 1), "epochs": 9}), run)
    with pytest.raises(ConfigError, match=r"another recipe \(name: 'small' there, 'b' here\)"):
        trained(recipe(name="b", train={"seeds": (0, 1), "epochs": 3}), run)


def test_other_data_are_refused(run, recipe, trained, corpus, tmp_path):
    shutil.copytree(corpus, tmp_path / "less")
    (tmp_path / "less/1001_DFA_ANG_XX.wav").unlink()
    with pytest.raises(ConfigError, match="begun with another data; give another --out"):
        trained(
            recipe(train={"seeds": (0, 1), "epochs": 3}), run, roots={"cremad": tmp_path / "less"}
        )


def test_another_encoder_is_refused(recipe, trained, tmp_path):
    place = tiny_checkpoint(tmp_path / "weights", "whisper", encoder_layers=1)
    plan = recipe(encoder={"checkpoint": str(place)}, train={"epochs": 1})
    trained(plan, tmp_path / "run")
    tiny_checkpoint(place, "whisper", encoder_layers=2)
    with pytest.raises(ConfigError, match="begun with another encoder; give another --out"):
        trained(plan, tmp_path / "run")


def test_a_folder_of_something_else_is_refused(recipe, trained, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(ConfigError, match="is no run folder, and not empty; give another --out"):
        trained(recipe(), tmp_path)


def test_a_missing_root_or_corpus_is_refused(recipe, trained, tmp_path):
    with pytest.raises(ConfigError, match=r"'cremad' has no root; give --root cremad=FOLDER"):
        trained(recipe(), tmp_path / "run", roots={})
    with pytest.raises(CorpusNotFound, match=r"there is no .*nowhere"):
        trained(recipe(), tmp_path / "run", roots={"cremad": tmp_path / "nowhere"})
    assert not (tmp_path / "run").exists()


def test_a_missing_checkpoint_is_refused(recipe, trained, tmp_path):
    with pytest.raises(WeightsMissing, match="voxplain models pull nobody/nothing"):
        trained(recipe(encoder={"checkpoint": "nobody/nothing"}), tmp_path / "run")
    with pytest.raises(WeightsMissing, match=r"has no config\.json"):
        trained(recipe(encoder={"checkpoint": str(tmp_path)}), tmp_path / "run")


def test_half_precision_needs_a_gpu(recipe, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"fp16 needs a GPU; take bf16 or fp32 here$"):
        trained(recipe(train={"precision": "fp16"}), tmp_path / "run")


def test_tensorboard_is_written_where_it_is_installed(recipe, trained, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    plan = recipe(train={"tensorboard": True, "epochs": 1})
    trained(plan, tmp_path / "run")
    assert list((tmp_path / "run/tensorboard").glob("events.out.*"))
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingExtra, match=r"pip install 'voxplain\[tensorboard\]'"):
        trained(plan, tmp_path / "other")


def test_profiles_are_calibrated_on_strangers_and_on_the_known(recipe, trained, tmp_path):
    plan = recipe(head={"profile": True, "pooling": "statistics"}, train={"epochs": 8})
    found = card(trained(plan, tmp_path / "run") / "fold_0/seed_0")
    assert found["profile"]
    assert found["temperature"] != found["known_temperature"]
    readme = (tmp_path / "run/README.md").read_text(encoding="utf-8")
    assert "knowing all other recordings of its speaker" in readme


@pytest.mark.parametrize("tune", ["lora", "full"])
def test_a_tuned_encoder_differs_from_the_one_it_came_from(
    recipe, trained, checkpoint, tmp_path, tune
):
    plan = recipe(
        encoder={"tune": tune},
        head={"pooling": "attentive"},
        train={"epochs": 1, "precision": "bf16"},
    )
    folder = trained(plan, tmp_path / "run") / "fold_0/seed_0"
    before = load_file(checkpoint / "model.safetensors")
    after = load_file(folder / "encoder/model.safetensors")
    known = {name.rpartition("encoder.")[2]: one for name, one in before.items() if "enc" in name}
    changed = {n for n, one in after.items() if not torch.equal(one, known[n].float())}
    if tune == "lora":
        assert {name.rpartition(".")[0].rpartition(".")[2] for name in changed} == {
            "q_proj",
            "v_proj",
        }
    else:
        assert all(name.startswith("layers.") for name in changed)
        assert len(changed) > 20


def test_an_adapter_that_no_gradient_reaches_is_refused(recipe, trained, tmp_path, monkeypatch):
    plan = recipe(encoder={"tune": "lora"}, head={"pooling": "mean"})
    monkeypatch.setattr(
        "voxplain.backbones.whisper.WhisperEncoder.encode",
        lambda self, x, mask=None: [x * 1 for _ in self.layers],
    )
    with pytest.raises(ConfigError, match=r"no gradient reaches encoder\..*lora_A.*adapt other"):
        trained(plan, tmp_path / "run")


def test_copies_dimensions_and_shared_speakers_go_through(recipe, trained, corpus, tmp_path):
    """A table with ratings and its own parts, in which a speaker is on two sides."""
    rows = []
    for number, path in enumerate(sorted(corpus.glob("*.wav"))):
        speaker, _, emotion, _ = path.stem.split("_")
        split = ("train", "dev", "test")[(0, 0, 0, 1, 2, 0)[int(speaker) - 1001]]
        rated = {"ANG": 0.9, "NEU": 0.5, "SAD": 0.1}[emotion]
        label = {"ANG": "angry", "NEU": "neutral", "SAD": "sad"}[emotion]
        split = "test" if number == 0 else split
        rows.append([path, label, speaker, split, 0.5 + 0.01 * number, rated, ""])
    place = tmp_path / "own.csv"
    with place.open("w", encoding="utf-8", newline="") as file:
        names = "file emotion speaker split valence arousal dominance"
        csv.writer(file).writerows([names.split(), *rows])
    sections = {
        "data": {"corpora": ("own",)},
        "targets": {"dimensions": 1.0},
        "train": {"copies": 1, "metric": "ccc", "epochs": 1},
    }
    with pytest.raises(ConfigError, match="official: 1 speakers are on two sides, such as '1001'"):
        trained(
            recipe(**sections, split={"by": "official"}), tmp_path / "run", roots={"own": place}
        )
    shared = {"by": "official", "allow_shared_speakers": True}
    run = trained(recipe(**sections, split=shared), tmp_path / "run", roots={"own": place})
    told = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    assert "1 speakers are on two sides" in told["warnings"][0]
    assert told["warnings"][0] in (run / "README.md").read_text(encoding="utf-8")
    assert told["warnings"][0] in card(run / "official/seed_0")["notes"]
    assert {"CCC of valence", "CCC of arousal"} <= told["mean_of_seeds"]["all"].keys()
    assert "CCC of dominance" not in told["mean_of_seeds"]["all"]


def test_kill_9_changes_no_bit(recipe, corpus, cache, trained, tmp_path):
    """Killed twice, at whatever step it is when the line comes, and begun again.

    In processes that are forked: what is imported need not be imported again.
    """
    plan = recipe(
        encoder={"tune": "full"},
        head={"pooling": "attentive"},
        targets={"categories": 1.0},
        train={"epochs": 4, "mixup": 0.4, "copies": 1, "save_every": 1},
    )
    whole = trained(plan, tmp_path / "whole")
    file, out = tmp_path / "recipe.yaml", tmp_path / "killed"
    file.write_text(yaml.safe_dump(plain(plan)), encoding="utf-8")
    command = ["train", str(file), "--root", f"cremad={corpus}"]
    command += ["--out", str(out), "--cache", str(cache), "--jobs", "1"]
    for line in ("fold_0, seed 0, epoch 2", "fold_1, seed 0, epoch 1"):
        read, write = os.pipe()

        def begun(write=write):
            sys.stderr = os.fdopen(write, "w", buffering=1)
            logging.getLogger().handlers.clear()  # those of the tests; the command has its own
            main(command)

        running = multiprocessing.get_context("fork").Process(target=begun)
        running.start()
        os.close(write)
        with os.fdopen(read) as stderr:
            assert any(told.startswith(line) for told in stderr), line
            running.kill()
            running.join()
        assert running.exitcode == -signal.SIGKILL
        assert not (out / "README.md").exists()
    trained(plan, out)
    assert "going on from step" in (out / "train.log").read_text(encoding="utf-8")
    for path in sorted(whole.rglob("*.safetensors")):
        assert (out / path.relative_to(whole)).read_bytes() == path.read_bytes(), path.name
    for name in ("predictions.csv", "metrics.json"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert not list(out.rglob("state.safetensors"))


def test_two_processes_learn_what_one_does(fused, told, trained, tmp_path, monkeypatch):
    """With the variables that ``accelerate launch`` and torchrun set; nothing drawn at random."""
    plan = fused(
        encoder={"tune": "lora"},
        head={"pooling": "mean", "dropout": 0.0},
        texts={"branches": ("les", "gs")},
        fusion={"branch_dropout": 0.0, "balance": 0.5},
        train={"epochs": 1, "batch": 6, "accumulate": 3},
    )
    roots = {"told": told()}
    whole, out = trained(plan, tmp_path / "one", roots=roots), tmp_path / "two"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MASTER_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "1")

    def train_as(rank):
        AcceleratorState._reset_state(reset_partial_state=True)
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        trained(plan, out, roots=roots)
        torch.distributed.destroy_process_group()

    context = multiprocessing.get_context("fork")  # what is imported need not be imported again
    running = [context.Process(target=train_as, args=(rank,)) for rank in (0, 1)]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0, 0]
    assert json.loads((out / "environment.json").read_text(encoding="utf-8"))["processes"] == 2
    for name in ("head.safetensors", "encoder/model.safetensors"):
        one, two = (load_file(run / "fold_0/seed_0" / name) for run in (whole, out))
        for weight in one:
            # Adam makes steps of 0.01 of gradients that are hardly more than rounding.
            torch.testing.assert_close(two[weight], one[weight], rtol=1e-3, atol=5e-4)
    log = (out / "train.log").read_text(encoding="utf-8")
    assert log.count("fold_0, seed 0, epoch 1 of 1") == 1
