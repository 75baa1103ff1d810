"""A recipe from corpora to a model folder and its figures, in miniature."""

import contextlib
import dataclasses
import functools
import hashlib
import io
import json
import shutil

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file

from voxplain.audio import read
from voxplain.backbones.embedded import STATE_SHIFT
from voxplain.backbones.whisper import WhisperEncoder
from voxplain.cli import main
from voxplain.config import load_recipe
from voxplain.models.calibration import fit_mass, fit_temperature, label_sets, softmax
from voxplain.models.embedded import EmbeddedModel
from voxplain.models.judgement import judge, whole
from voxplain.training import statistics
from voxplain.training.corpora import cremad
from voxplain.training.embedded import EmbeddedRecipe
from voxplain.training.evaluate import stored, table
from voxplain.training.evaluation import verdicts
from voxplain.training.evaluation.material import Material
from voxplain.training.hearing import hear
from voxplain.training.sounds import SOUNDS
from voxplain.types import Embedding

LABELS = ["angry", "happy", "neutral", "sad"]
RECIPE = """
kind: embedded
name: tiny
corpora: [cremad]
left_out: [cremad_1009]
labels: [angry, happy, neutral, sad]
votes: [angry, happy, neutral, sad]
layers: 2
channels: 4
dropout: 0.1
copies: 1
sounds: 2
epochs: 6
batch: 8
learning_rate: 0.02
weight_decay: 0.01
mixup: 0.4
folds: 2
seed: 0
"""
SPEAKERS = (1001, 1002, 1003, 1004, 1009)
EMOTIONS = {"ANG": "tie_ang", "HAP": "mti_hap", "NEU": "tie_neu", "SAD": "mti_sad"}


def tables(folder):
    """What listeners said, never all alike, and who speaks."""
    names = ["Anger", "Disgust", "Fear", "Happy", "Neutral", "Sad"]
    means = ",".join(f"mean{name}Resp" for name in names)
    lines = [f'"","A","D","F","H","N","S","fileName",{means}']
    for number, speaker in enumerate(SPEAKERS):
        for place, emotion in enumerate(EMOTIONS):
            votes = [9 - place, 0, 0, 1 + number, 1 + 2 * place, number * place]
            strength = [str(50 + number) if count else "-1" for count in votes]
            row = [str(100_000 + len(lines)), *map(str, votes), f"{speaker}_TIE_{emotion}_XX"]
            lines.append(",".join([*row, *strength]))
    (folder / "tabulatedVotes.csv").write_text("\n".join(lines), encoding="utf-8")
    people = ["ActorID,Age,Sex,Race,Ethnicity"]
    people += [f"{s},{20 + 20 * (s % 3)},Female,Unknown,Not Hispanic" for s in SPEAKERS]
    (folder / "VideoDemographics.csv").write_text("\n".join(people), encoding="utf-8")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory, clips):
    """Corpora of real voices under invented numbers, an encoder and a recipe."""
    root = tmp_path_factory.mktemp("workshop")
    by_name = {clip.stem: clip for clip in clips}
    (root / "cremad").mkdir()
    for speaker in SPEAKERS:
        for emotion, name in EMOTIONS.items():
            clip = by_name[f"cremad_1089_{name}"]
            shutil.copy(clip, root / "cremad" / f"{speaker}_TIE_{emotion}_XX.opus")
    tables(root / "cremad")
    torch.manual_seed(0)
    encoder = WhisperEncoder(width=8, heads=2, hidden=16, layers=2)
    (root / "encoder").mkdir()
    tensors = {f"model.encoder.{name}": value for name, value in encoder.state_dict().items()}
    save_file(tensors, root / "encoder" / "model.safetensors")
    config = {"d_model": 8, "encoder_attention_heads": 2, "encoder_ffn_dim": 16, "num_mel_bins": 80}
    config |= {"model_type": "whisper", "encoder_layers": 2}
    (root / "encoder" / "config.json").write_text(json.dumps(config))
    (root / "tiny.yaml").write_text(RECIPE)
    return root


def data(root):
    return ["--root", f"cremad={root / 'cremad'}", "--cache", str(root / "cache"), "--jobs", "1"]


def train(root, out):
    encoder = ["--encoder", str(root / "encoder")]
    return main(["train", str(root / "tiny.yaml"), "--out", str(out), *encoder, *data(root)])


@pytest.fixture(scope="module")
def trained(workshop):
    assert train(workshop, workshop / "model") == 0
    return workshop / "model"


@pytest.fixture(scope="module")
def card(trained):
    return json.loads((trained / "card.json").read_text(encoding="utf-8"))


def test_the_folder_is_a_model_that_reads(trained, angry):
    model = EmbeddedModel(trained)
    assert model.name == "tiny"
    readings = model.read(model.embed(read.read(angry)))
    assert [readings.categories.shape, readings.perceived.shape] == [(4,), (4,)]
    assert [readings.dimensions.shape, readings.sound.shape] == [(3, 3), (4,)]


def test_the_folder_holds_nothing_else(trained):
    found = sorted(str(path.relative_to(trained)) for path in trained.rglob("*") if path.is_file())
    heads = ["folds/head_0.onnx", "folds/head_1.onnx"]
    assert found == ["card.json", "encoder.onnx", *heads, "head.onnx", "usual.npy"]


def test_the_card_says_how_it_was_made(card):
    assert card["recipe"]["left_out"] == ["cremad_1009"]
    assert card["recipe"]["seed"] == 0
    assert card["labels"] == card["votes"] == LABELS
    assert card["sounds"] == list(SOUNDS)


def test_every_speaker_is_in_one_fold(card):
    members = [speaker for fold in card["folds"] for speaker in fold["speakers"]]
    assert sorted(members) == [f"cremad_{speaker}" for speaker in SPEAKERS[:-1]]
    assert [len(fold["speakers"]) for fold in card["folds"]] == [2, 2]


def test_checksums_are_those_of_the_files(trained, card):
    encoder, usual = ((trained / name).read_bytes() for name in ("encoder.onnx", "usual.npy"))
    heads = [
        (trained / name).read_bytes()
        for name in ("head.onnx", "folds/head_0.onnx", "folds/head_1.onnx")
    ]
    sums = [hashlib.sha256(encoder + head + usual).hexdigest() for head in heads]
    assert sums == [card["sha256"], *(fold["sha256"] for fold in card["folds"])]
    assert len(set(sums)) == 3


def test_it_is_calibrated_on_speakers_its_heads_never_heard(trained, card, workshop):
    clips = [one for one in cremad.read(workshop / "cremad") if one.speaker != "cremad_1009"]
    states = hear(clips, encoder=trained / "encoder.onnx", cache=workshop / "cache", jobs=1)
    logits = []
    for clip, heard in zip(clips, states, strict=True):
        fold = [clip.speaker in one["speakers"] for one in card["folds"]].index(True)
        head = EmbeddedModel(trained, fold=fold)
        logits.append(head.read(Embedding(heard, STATE_SHIFT, "tiny")).categories)
    truth = [LABELS.index(clip.emotion) for clip in clips]
    assert card["temperature"] == pytest.approx(fit_temperature(truth, logits))
    likely = softmax(logits, temperature=card["temperature"])
    assert card["mass"] == pytest.approx(fit_mass(truth, likely))
    assert card["known_temperature"] != card["temperature"]
    assert len(set(card["widening"])) == 3
    assert all(card["widening"])


def test_usual_are_the_recordings_that_a_head_learned_from(trained, card, workshop):
    clips = [one for one in cremad.read(workshop / "cremad") if one.speaker != "cremad_1009"]
    states = hear(clips, encoder=trained / "encoder.onnx", cache=workshop / "cache", jobs=1)
    means = np.array([one.astype(np.float64).mean(0) for one in states])
    usual = np.load(trained / "usual.npy")
    for row, members in enumerate([*(fold["speakers"] for fold in card["folds"]), []]):
        learned = means[[clip.speaker not in members for clip in clips]]
        np.testing.assert_allclose(usual[0, row], learned.mean(0), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(usual[1, row], learned.std(0), rtol=1e-3, atol=1e-5)


def test_a_fold_is_judged_as_the_other_folds_ask_for(trained, workshop):
    material = Material(
        load_recipe(workshop / "tiny.yaml", {"embedded": EmbeddedRecipe}),
        model=trained,
        roots={"cremad": workshop / "cremad"},
        cache=workshop / "cache",
        jobs=1,
    )
    judged = material.judged
    logits = judged.readings.categories
    folds = np.array([material.unseen.fold(speaker) for speaker in judged.speakers])
    for fold in (0, 1):
        here, others = folds == fold, folds != fold
        temperature = fit_temperature(judged.truth[others], logits[others])
        expected = softmax(logits[here], temperature=temperature)
        np.testing.assert_allclose(judged.probabilities[here], expected)
        likely = softmax(logits[others], temperature=temperature)
        mass = fit_mass(judged.truth[others], likely)
        np.testing.assert_array_equal(judged.sets[here], label_sets(expected, mass=mass))


def test_the_same_recipe_gives_the_same_model(trained, workshop):
    again = workshop / "again"
    assert train(workshop, again) == 0
    for path in trained.rglob("*.*"):
        assert (again / path.relative_to(trained)).read_bytes() == path.read_bytes()


@pytest.fixture(scope="module")
def ravdess(workshop, clips):
    """Two actors; the first's strong takes are twice as loud, the second's half as loud."""
    numbers = {"01": "tie_neu", "02": "tie_neu", "03": "mti_hap", "04": "mti_sad", "05": "tie_ang"}
    root = workshop / "ravdess"
    root.mkdir()
    by_name = {clip.stem: clip for clip in clips}
    for actor in ("01", "02"):
        for emotion, name in numbers.items():
            waveform = read.read(by_name[f"cremad_1089_{name}"]).waveform
            for strength in ("01", "02")[: 1 if emotion == "01" else 2]:  # neutral is never strong
                file = root / f"03-01-{emotion}-{strength}-01-01-{actor}.wav"
                gain = 1 if actor != strength else 0.5
                soundfile.write(file, gain * waveform, 16_000, subtype="FLOAT")
    return root


@pytest.fixture(scope="module")
def evaluated(trained, workshop, ravdess):
    """What ``voxplain evaluate`` prints, and the folder it leaves; few draws and sounds."""
    folder = workshop / "evaluated"
    shutil.copytree(trained, folder)
    command = ["evaluate", str(workshop / "tiny.yaml"), "--model", str(folder)]
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setitem(statistics.speaker_interval.__kwdefaults__, "draws", 10)
        fewer = functools.partial(verdicts.abstentions, each=1)
        patch.setattr(verdicts, "abstentions", fewer)
        assert main([*command, *data(workshop), "--root", f"ravdess={ravdess}"]) == 0
    return printed.getvalue().strip(), folder


@pytest.fixture(scope="module")
def figures(evaluated):
    return stored(evaluated[1])


def test_evaluate_prints_the_tables_and_keeps_the_figures(evaluated, figures):
    printed, folder = evaluated
    assert printed == table(figures)
    kept = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    assert kept["cremad"]["majority"]["UAR"]["n"] == 16
    for line in ("| **cremad** | n | speakers | UAR |", "| majority | 16 | 4 | 0."):
        assert line in printed


def test_there_is_a_table_for_every_question(figures):
    assert list(figures) == [
        "cremad",
        "cremad: the speaker known",
        "cremad: in noise",
        "cremad: the surest",
        "cremad: dimensions",
        "cremad: listeners' votes",
        "cremad: who speaks",
        "ravdess: never trained on",
        "ravdess: nothing said",
        "ravdess: strong above normal",
    ]


def test_baselines_stand_beside_the_model(figures):
    systems = list(figures["cremad"])
    assert systems[:2] == ["voxplain", "frozen encoder + logistic regression"]
    assert {"energy only + SVM", "majority"} <= set(systems)
    assert figures["cremad"]["majority"]["UAR"].value == 1 / 4
    # The same recordings under other names: what knows them by heart is always right.
    assert figures["cremad"]["energy only + SVM"]["accuracy"].value == 1


def test_the_same_utterances_are_judged_with_every_profile(figures):
    rows = figures["cremad: the speaker known"]
    assert next(iter(rows)) == "nothing known"
    assert {row["UAR"].n for row in rows.values()} == {16}
    # Of three others five, twenty or eighty are all the same.
    assert rows["5 clips"] == rows["80 clips"]
    assert rows["1 neutral clip"] == rows["20 neutral clips"]


def test_every_noise_is_beside_the_recording(figures):
    rows = figures["cremad: in noise"]
    assert list(rows) == [
        "as recorded",
        *(f"{k} noise, 10 dB" for k in ("white", "pink", "babble")),
    ]
    heard = [row["UAR"].n for row in rows.values()]
    assert 0 < min(heard) <= max(heard) == heard[0] <= 16  # noise hides some


def test_groups_are_those_the_corpus_states(figures):
    rows = figures["cremad: who speaks"]
    assert {name: (row["UAR"].n, row["UAR"].speakers) for name, row in rows.items()} == {
        "sex: Female": (16, 4),
        "age: 30 to 49": (4, 1),
        "age: 50 and over": (8, 2),
        "age: under 30": (4, 1),
        "race: Unknown": (16, 4),
        "ethnicity: Not Hispanic": (16, 4),
    }


def test_an_emotion_without_a_name_is_left_out_elsewhere(figures):
    """Of calm takes, four in number, nothing can be right; 14 others are heard."""
    rows = figures["ravdess: never trained on"]
    own = [f"4 labels{known}" for known in ("", ", speaker known")]
    assert set(rows) - set(figures["cremad"]) == set(own)  # the others are the baselines
    assert {(row["UAR"].n, row["UAR"].speakers) for row in rows.values()} == {(14, 2)}


def test_of_silence_nothing_is_said(figures):
    rows = figures["ravdess: nothing said"]
    assert rows["silence"]["abstains"].value == 1
    assert [name for name in rows if name.startswith("speech")] == [
        *("speech at half its speed", "speech at twice its speed", "speech below 800 Hz"),
    ]
    assert rows["cremad, clean, unseen speakers"]["abstains"].n == 16


def test_takes_that_differ_in_level_alone_are_not_told_when_equally_loud(figures):
    """Of the same two recordings one actor has as weak and strong what the other has reversed."""
    rows = figures["ravdess: strong above normal"]
    assert {row["pairs in order"].n for row in rows.values()} == {8}  # four emotions, two actors
    assert {name: row["pairs in order"].value for name, row in rows.items()} == {
        "arousal": 1 / 2,
        "arousal, equally loud": 0,
        "level alone": 1 / 2,
    }


def test_what_is_missing_is_named(workshop, capsys):
    command = ["train", str(workshop / "tiny.yaml"), "--out", str(workshop / "none")]
    assert main(command) == 2
    assert "needs --encoder DIR" in capsys.readouterr().err
    encoder = ["--encoder", str(workshop / "encoder")]
    assert main([*command, *encoder]) == 2
    assert "give --root cremad=FOLDER" in capsys.readouterr().err
    assert main([*command, *encoder, "--root", "cremad"]) == 2
    assert "--root takes CORPUS=DIR, not 'cremad'" in capsys.readouterr().err
    assert main([*command, "--encoder", str(workshop), *data(workshop)]) == 4
    assert "holds no checkpoint" in capsys.readouterr().err
    assert not (workshop / "none").exists()


def test_figures_need_a_model_and_its_recordings(trained, workshop, capsys):
    command = ["evaluate", str(workshop / "tiny.yaml"), "--model"]
    assert main([*command, str(workshop / "encoder"), *data(workshop)]) == 4
    assert "is no model folder" in capsys.readouterr().err
    assert main([*command, str(trained)]) == 2
    assert "give --root cremad=FOLDER" in capsys.readouterr().err
    assert main([*command, str(trained), "--root", f"cremad={workshop / 'encoder'}"]) == 4
    assert "holds no file named like" in capsys.readouterr().err
    assert not (trained / "figures.json").exists()


def test_figures_need_the_recipe_that_made_the_model(trained, workshop, capsys):
    other = workshop / "other.yaml"
    other.write_text(RECIPE.replace("seed: 0", "seed: 1"))
    assert main(["evaluate", str(other), "--model", str(trained), *data(workshop)]) == 2
    assert "was trained by another recipe than the one given (tiny)" in capsys.readouterr().err


def test_votes_that_nobody_gave_can_not_be_learned(workshop, capsys):
    unrated = shutil.copytree(workshop / "cremad", workshop / "unrated")
    (unrated / "tabulatedVotes.csv").unlink()
    command = ["train", str(workshop / "tiny.yaml"), "--out", str(workshop / "none")]
    encoder = ["--encoder", str(workshop / "encoder"), "--root", f"cremad={unrated}"]
    assert main([*command, *encoder]) == 2
    expected = "recipe 'tiny' learns votes of listeners, but no recording has any; give a --root"
    assert expected in capsys.readouterr().err
    assert not (workshop / "none").exists()


def test_without_votes_nothing_is_said_of_listeners(workshop, angry):
    recipe, out = workshop / "silent.yaml", workshop / "silent"
    asked = RECIPE.replace("votes: [angry, happy, neutral, sad]", "votes: []")
    recipe.write_text(asked.replace("epochs: 6", "epochs: 1"))
    encoder = ["--encoder", str(workshop / "encoder")]
    assert main(["train", str(recipe), "--out", str(out), *encoder, *data(workshop)]) == 0
    model = EmbeddedModel(out)
    patient = dataclasses.replace(model.calibration, least_voice=0.0, most_strange=1e9)
    emotion = judge(model.read(model.embed(read.read(angry))), patient)
    assert emotion.perceived == {}
    assert whole([emotion, emotion], [3.0, 1.0], patient) == emotion
    assert emotion.categories.keys() == set(LABELS)


def test_norms_are_the_mean_and_spread_of_what_is_measured(workshop, capsys):
    """A man and a woman with the same four clips: all spread lies within them."""
    recipe = workshop / "norms.yaml"
    recipe.write_text(
        "kind: norms\nmaterial: four clips\ncorpora: [cremad]\n"
        "left_out: [cremad_1003, cremad_1004, cremad_1009]\n"
        "descriptors: [f0_mean_st]\n"
    )
    out = workshop / "norms"
    assert main(["train", str(recipe), "--out", str(out), *data(workshop)]) == 0
    from voxplain.training.norms import _functionals

    clips = sorted((workshop / "cremad").glob("1001*.opus"))
    values = [_functionals(str(path))["f0_mean_st"] for path in clips]
    norms = json.loads((out / "adults.json").read_text())
    assert norms["reference"] == "adults (four clips)"
    assert norms["speakers"] == 2
    assert norms["descriptors"]["f0_mean_st"] == {
        "n": 8,
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
