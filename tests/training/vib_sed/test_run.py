"""From a recipe to a run folder: what lies in it, what is refused before, what a kill changes."""

import csv
import json
import math
import multiprocessing
import os
import socket
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from accelerate.state import AcceleratorState
from safetensors.torch import load_file

from voxplain.errors import ConfigError, InputError, UnknownName, WeightsMissing
from voxplain.models import decoder
from voxplain.models.description import ATTRIBUTES, SLOTS, parsed
from voxplain.testing.backbones import tiny_checkpoint
from voxplain.training import scoring as tables
from voxplain.training.corpora._reading import sound
from voxplain.training.experiment import loop as experiment
from voxplain.training.experiment.recipe import Data, Lora, SplitPlan, digest
from voxplain.training.experiment.said import Said
from voxplain.training.predictions import Predictions
from voxplain.training.vib_sed import run, scoring
from voxplain.training.vib_sed.figures import (
    Spoken,
    read_spoken,
    what_was_said,
    write_spoken,
)
from voxplain.training.vib_sed.recipe import (
    FitPlan,
    FrozenEncoder,
    LlmPlan,
    NetworkPlan,
    TaskPlan,
    VibSedRecipe,
)
from voxplain.types import Transcript, Word

LABELS = ("angry", "neutral", "sad")
SPEAKERS, SENTENCES = range(1001, 1005), ("DFA", "IEO")
CLIPS = len(SPEAKERS) * len(LABELS) * len(SENTENCES)


def said(utterance):
    """Values of every descriptor, and stress on the first word, without listening."""
    random = np.random.default_rng(list(utterance.path.stem.encode()))
    words = tuple(
        Word(text, float(n), n + 1.0, 1.0, prominence=0.9 if n == 0 else 0.1)
        for n, text in enumerate(utterance.text.split())
    )
    measured = {one.descriptor: random.normal(scale=5) for one in ATTRIBUTES}
    return Said(
        Transcript(utterance.text, words, "en", "given", 1.0), (math.nan,) * len(words), measured
    )


@pytest.fixture(scope="module", autouse=True)
def small():
    """A decoder of a few thousand weights, few draws, and nobody who listens."""
    with pytest.MonkeyPatch.context() as patch:
        size = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1}
        patch.setitem(decoder.SIZES, "0.5M", size)
        for function in (tables.scores, scoring.agreement, scoring.hallucination):
            patch.setitem(function.__kwdefaults__, "draws", 20)
        patch.setitem(scoring.word_error_rate.__kwdefaults__, "draws", 20)
        patch.setattr(run, "listen", lambda utterances, **_: [said(one) for one in utterances])
        yield patch


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cremad")
    random = np.random.default_rng(0)
    for speaker in SPEAKERS:
        for emotion in ("ANG", "NEU", "SAD"):
            for sentence in SENTENCES:
                noise = 0.1 * random.normal(size=random.integers(3000, 6000))
                soundfile.write(folder / f"{speaker}_{sentence}_{emotion}_XX.wav", noise, 16_000)
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("weights") / "tiny", "whisper", encoder_layers=1)


@pytest.fixture(scope="module")
def recipe(checkpoint):
    plain = VibSedRecipe(
        name="small",
        data=Data(corpora=("cremad",), labels=LABELS),
        split=SplitPlan(by="speaker", folds=2, dev=0.3),
        encoder=FrozenEncoder(str(checkpoint)),
        train=FitPlan(epochs=1, batch=8, learning_rate=0.01),
        llm=LlmPlan(size="0.5M"),
        network=NetworkPlan(latent=4, hidden=8, stack=4),
        tasks=TaskPlan(),
        only=("fold_0",),
    )

    def made(**changes):
        sections = {
            name: replace(getattr(plain, name), **change) if isinstance(change, dict) else change
            for name, change in changes.items()
        }
        return replace(plain, **sections)

    return made


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")

    def fill(plan, out):
        roots = {"cremad": corpus}
        run.train(plan, roots=roots, checkpoint=None, out=out, cache=cache, jobs=1)
        return out

    return fill


WHOLE = {"only": (), "train": {"seeds": (0, 1)}, "tasks": {"most_false": 0.2}}


@pytest.fixture(scope="module")
def whole(recipe, trained, tmp_path_factory):
    """Two folds and two seeds."""
    plan = recipe(**WHOLE)
    return trained(plan, tmp_path_factory.mktemp("runs") / "whole")


def told(place):
    return json.loads(place.read_text(encoding="utf-8"))


def spoken(place):
    with place.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_lies_in_a_run_folder(whole):
    found = {str(path.relative_to(whole)) for path in whole.rglob("*") if path.is_file()}
    models = [f"fold_{fold}/seed_{seed}" for fold in (0, 1) for seed in (0, 1)]
    files = ("card.json", "labels.json", "network.safetensors", "predictions.csv", "spoken.csv")
    llm = ("config.json", "generation_config.json", "model.safetensors")
    llm += ("tokenizer.json", "tokenizer_config.json")
    assert found == {
        *("recipe.yaml", "environment.json", "train.log", "metrics.json", "card.json", "README.md"),
        *("predictions.csv", "predictions_1.csv", "spoken.csv", "spoken_1.csv"),
        *(f"{model}/{file}" for model in models for file in files),
        *(f"{model}/llm/{file}" for model in models for file in llm),
    }


def test_every_recording_is_told_of_by_a_model_that_never_heard_its_speaker(whole):
    table, rows = Predictions.read(whole), spoken(whole / "spoken.csv")
    assert len(table) == len(rows) == CLIPS
    np.testing.assert_allclose(table.probabilities.sum(1), 1)
    for number, row in enumerate(rows):
        assert row["file"] == table["file"][number]
        description = parsed(row["guessed"], labels=LABELS)
        assert len(description.levels) == len(ATTRIBUTES)
        assert parsed(row["spoken"], labels=LABELS).levels.items() <= description.levels.items()
        assert description.label == table["prediction"][number]
        assert parsed(row["measured"], labels=LABELS).label == table["emotion"][number]
        assert row["transcript"] in ("Don't forget a jacket", "It's eleven o'clock")
        known = told(whole / f"fold_{row['fold']}/seed_0/card.json")["speakers"]
        assert row["speaker"] in known["test"]
        assert row["speaker"] not in known["train"] + known["dev"]


def test_levels_are_cut_by_the_training_alone(whole, corpus):
    card = told(whole / "fold_0/seed_0/card.json")
    cuts = told(whole / "fold_0/seed_0/labels.json")["cuts"]["pitch"]
    values = [
        said(one).measured[cuts["descriptor"]]
        for one in run.gather.__globals__["recordings"](f"cremad={corpus}").utterances
        if one.speaker in card["speakers"]["train"]
    ]
    assert [cuts["low"], cuts["high"]] == pytest.approx(np.quantile(values, [1 / 3, 2 / 3]))


def test_what_was_said_of_dev_tells_where_the_middle_of_each_level_is(whole):
    middles = told(whole / "fold_0/seed_0/card.json")["middles"]
    assert [*middles] == [one.name for one in ATTRIBUTES]
    assert all(-1 <= low <= high <= 1 for low, high in middles.values())
    assert middles != told(whole / "fold_1/seed_0/card.json")["middles"]


def test_edited_copies_teach_and_nothing_else(recipe, trained, whole, tmp_path, monkeypatch):
    """Of each recording that is learned from; no cut, no dev and no test has any."""
    asked = []

    def edited(utterances, *, copies, **_):
        asked.extend(utterances)
        return [
            [replace(one, text="", emphasis=(), emotion="")] * (copies if number else 0)
            for number, one in enumerate(utterances)  # the first one holds no voice
        ]

    monkeypatch.setattr(run, "edited", edited)
    out = trained(recipe(train={"edited": 2}), tmp_path / "edited")
    card, plain = (told(one / "fold_0/seed_0/card.json") for one in (out, whole))
    assert {one.speaker for one in asked} == set(card["speakers"]["train"])
    assert card["speakers"] == plain["speakers"]
    assert told(out / "fold_0/seed_0/labels.json") == told(whole / "fold_0/seed_0/labels.json")
    rows = [row["file"] for row in spoken(whole / "spoken.csv") if row["fold"] == "0"]
    assert [row["file"] for row in spoken(out / "spoken.csv")] == rows
    assert card["sha256"] != plain["sha256"]


def _certain(rows, name, f1):
    """Macro-F1 of an attribute over the clips whose level is certain."""
    pairs = [[parsed(row[side], labels=LABELS).levels.get(name) for row in rows]
             for side in ("certain", "guessed")]  # fmt: skip
    known = [pair for pair in zip(*pairs, strict=True) if pair[0] is not None]
    true, said_of = zip(*known, strict=True)
    return f1(true, said_of, average="macro", zero_division=0)


def test_figures_are_those_of_the_tables(whole):
    sklearn = pytest.importorskip("sklearn.metrics")
    found = told(whole / "metrics.json")
    rows = spoken(whole / "spoken.csv")
    true, said_of = (
        [parsed(row[side], labels=LABELS) for row in rows] for side in ("measured", "guessed")
    )
    uar = sklearn.balanced_accuracy_score(
        [one.label for one in true], [one.label for one in said_of]
    )
    by_seed = found["by_seed"]["0"]["all"]
    assert by_seed["UAR"]["value"] == pytest.approx(uar)
    scores = []
    for name in (one.name for one in ATTRIBUTES):
        pairs = ([one.levels[name] for one in side] for side in (true, said_of))
        scores.append(sklearn.f1_score(*pairs, average="macro", zero_division=0))
        assert by_seed[name]["value"] == pytest.approx(scores[-1])
    assert by_seed["descriptors"]["value"] == pytest.approx(np.mean(scores))
    assert by_seed["certain descriptors"]["value"] == pytest.approx(
        np.mean([_certain(rows, one.name, sklearn.f1_score) for one in ATTRIBUTES])
    )
    assert 0 <= by_seed["hallucinated"]["value"] <= 1
    said = [len(parsed(row["spoken"], labels=LABELS).levels) for row in rows]
    assert 0 < sum(said) < CLIPS * len(ATTRIBUTES)
    assert by_seed["left unsaid"]["value"] == pytest.approx(
        1 - sum(said) / (CLIPS * len(ATTRIBUTES))
    )
    seeds = [found["by_seed"][seed]["fold 1"]["UAR"]["value"] for seed in "01"]
    assert found["mean_of_seeds"]["fold 1"]["UAR"]["value"] == pytest.approx(np.mean(seeds))
    assert found["chance"] == pytest.approx(1 / 3)
    assert found["controls"]["majority"]["UAR"]["value"] == pytest.approx(1 / 3)
    assert found["nats_a_frame"].keys() == {"descriptors", "content"}


def test_beside_each_word_error_rate_stands_what_was_said(whole):
    found = told(whole / "metrics.json")["words"]
    expected = f"closed set: 2 sentences in {CLIPS} clips, 100% of which training says too"
    assert found["all"]["of"].startswith(expected)
    assert found["all"]["word error rate"]["n"] == CLIPS
    assert found.keys() == {"all", "fold 0", "fold 1"}
    assert told(whole / "card.json")["words"]["of"] == found["all"]["of"]
    readme = (whole / "README.md").read_text(encoding="utf-8")
    lines = [line for line in readme.splitlines() if "closed set: 2 sentences" in line]
    assert [line.split(" | ")[0] for line in lines] == ["| all", "| fold 0", "| fold 1"]


@pytest.mark.parametrize(
    ("known", "closed"), [((True, True, False), True), ((True, False, False), False)]
)
def test_a_set_is_closed_where_training_says_most_of_it(known, closed):
    rows = [
        Spoken("x", 0.0, None, "c", "s", "0", "", "", "", "", text, "", one)
        for text, one in zip(("No!", "no", "Yes."), known, strict=True)
    ]
    found = what_was_said([*rows, replace(rows[0], transcript=" ")])
    assert found.startswith("closed set: ") == closed
    assert f"2 sentences in 3 clips, {67 if closed else 33}% of which training says" in found


def test_what_was_spoken_is_read_as_it_was_written(tmp_path):
    rows = [
        Spoken("a,b.wav", 0.5, 1.25, "c", "s", "0", '"sad"', "", "", "", "Né?", "no\nyes", True),
        Spoken("b.wav", 0.0, None, "c", "", "1", "", "sounds sad", "", "", "", "", False),
    ]
    write_spoken(tmp_path / "spoken.csv", rows)
    assert read_spoken(tmp_path / "spoken.csv") == rows
    (tmp_path / "other.csv").write_text("file,start\na.wav,0\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"other\.csv does not say what was spoken .* 'end'"):
        read_spoken(tmp_path / "other.csv")


def test_the_card_says_what_the_model_is(whole, recipe):
    card = told(whole / "fold_1/seed_1/card.json")
    assert card["format"] == "vib_sed"
    assert card["recipe_sha256"] == digest(recipe(**WHOLE))
    assert card["encoder"]["checkpoint"].endswith("tiny")
    assert (card["network"]["depth"], card["network"]["width"]) == (2, 16)
    assert (card["slots"], card["labels"]) == (list(SLOTS), list(LABELS))
    assert card["layer_weights"].keys() == {"content", "descriptors"}
    assert len(card["history"]) == 1
    assert 0.05 <= card["temperature"] <= 20
    weights = load_file(whole / "fold_1/seed_1/network.safetensors")
    assert not any(name.startswith("llm.") for name in weights)
    readme = (whole / "README.md").read_text(encoding="utf-8")
    assert "Encoder: tiny, frozen. Language model: 0.5M parameters, from nothing." in readme
    assert f"| all | {CLIPS} | 4 |" in readme


class Killed(BaseException):
    pass


def test_whoever_is_killed_fills_the_same_folder(recipe, trained, tmp_path, monkeypatch):
    """Between steps, and when the model is written but not its card."""
    plan = recipe(train={"epochs": 2, "save_every": 1})
    one, out = trained(plan, tmp_path / "one"), tmp_path / "other"
    for place, name, number in ((experiment, "save_state", 3), (run, "write", 1)):
        calls, before = [], getattr(place, name)

        def stop(*args, calls=calls, before=before, number=number):
            before(*args)
            calls.append(args)
            if len(calls) == number:
                raise Killed

        monkeypatch.setattr(place, name, stop)
        with pytest.raises(Killed):
            trained(plan, out)
        monkeypatch.setattr(place, name, before)
        assert not (out / "README.md").exists()
    trained(plan, out)
    assert "going on from step" in (out / "train.log").read_text(encoding="utf-8")
    files = [path for path in sorted(one.rglob("*")) if path.is_file() and path.name != "train.log"]
    assert len(files) > 10
    for path in files:
        assert (out / path.relative_to(one)).read_bytes() == path.read_bytes(), path.name
    assert not list(out.rglob("state.safetensors"))


def test_a_finished_run_is_kept_as_it_is(whole, recipe, trained, monkeypatch):
    before = {path: path.read_bytes() for path in whole.rglob("*") if path.is_file()}

    def never(*_, **__):
        raise AssertionError("it was trained already")

    monkeypatch.setattr(run.Fit, "run", never)
    trained(recipe(**WHOLE), whole)
    for path, content in before.items():
        assert path.read_bytes() == content or path.name == "train.log"


@pytest.mark.parametrize(
    "sections",
    [
        {"network": {"disentangled": False}, "tasks": {"asr": "joint"}},
        {"network": {"compression": "mi"}},
        {"network": {"compression": "none", "content_gradient": True}, "tasks": {"asr": "none"}},
        {"network": {"concept": True, "free_bits": 0.1}},
        {"tasks": {"descriptors": False}, "train": {"precision": "bf16", "accumulate": 2}},
    ],
    ids=["one block", "mutual information", "nothing compressed", "concepts", "label alone"],
)
def test_every_ablation_goes_through(recipe, trained, tmp_path, sections):
    plan = recipe(**sections)
    out = trained(plan, tmp_path / "run")
    card, metrics = told(out / "fold_0/seed_0/card.json"), told(out / "metrics.json")
    assert card["network"]["concept"] == plan.network.concept
    branches = {"content", "descriptors"} if plan.network.disentangled else {"shared"}
    assert card["layer_weights"].keys() == branches
    assert bool(metrics["words"]) == (plan.tasks.asr != "none")
    assert ("hallucinated" in metrics["mean_of_seeds"]["all"]) == plan.tasks.descriptors
    text = spoken(out / "spoken.csv")[0]["spoken"]
    assert text.startswith("pitch " if plan.tasks.descriptors else "sounds ")
    assert card["nats_a_frame"].keys() == (branches if plan.network.compression == "vib" else set())


def test_an_encoder_may_hear_in_every_step(recipe, trained, corpus, tmp_path):
    kept = trained(recipe(encoder={"layers": (1,)}), tmp_path / "kept")
    live = trained(recipe(encoder={"layers": (1,), "cached": False}), tmp_path / "live")
    assert told(live / "fold_0/seed_0/card.json")["network"]["depth"] == 1
    assert len(Predictions.read(live)) == len(Predictions.read(kept)) == CLIPS // 2
    plan = recipe(encoder={"layers": (1,), "cached": False})
    material = run.gather(plan.experiment, roots={"cremad": corpus})
    source = run.hear_layers(plan, material, device=torch.device("cpu"), cache=tmp_path, jobs=1)
    found = source.inputs(np.array([3]), None)
    states, _ = source.encoder([torch.tensor(sound(material.utterances[3]).waveform)])
    torch.testing.assert_close(found["states"], states[1:])
    assert not found["states"].requires_grad


def test_a_language_model_of_hugging_face_is_adapted(recipe, trained, tmp_path):
    place = tmp_path / "llm"
    made = decoder.build(["Don't forget a jacket", "sounds angry"], size="0.5M")
    made.llm.save_pretrained(place)
    made.tokenizer.save_pretrained(place)
    lora = Lora(rank=2, targets=("q_proj", "o_proj"))
    out = trained(recipe(llm={"checkpoint": str(place), "lora": lora}), tmp_path / "run")
    folder = out / "fold_0/seed_0/llm"
    adapters = load_file(folder / "adapter_model.safetensors")
    assert {name.split(".")[-3] for name in adapters} == {"q_proj", "o_proj"}
    assert any(one.abs().sum() for name, one in adapters.items() if "lora_B" in name)
    assert not (folder / "model.safetensors").exists()
    card = told(out / "fold_0/seed_0/card.json")
    assert card["parameters"]["learned"] < card["parameters"]["llm"] + 10_000
    assert len(card["llm"]["sha256"]) == 64


def test_a_language_model_that_is_not_there_or_can_not_be_adapted_is_told_first(
    recipe, trained, tmp_path
):
    with pytest.raises(WeightsMissing, match="nobody/nothing"):
        trained(recipe(llm={"checkpoint": "nobody/nothing"}), tmp_path / "run")
    made = decoder.build(["no"], size="0.5M")
    made.llm.save_pretrained(tmp_path / "llm")
    made.tokenizer.save_pretrained(tmp_path / "llm")
    plan = {"checkpoint": str(tmp_path / "llm"), "lora": Lora(targets=("query",))}
    with pytest.raises(ConfigError, match="query"):
        trained(recipe(llm=plan), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_split_that_there_is_not_is_named(recipe, trained, tmp_path):
    with pytest.raises(UnknownName, match="unknown split 'fold_7'; available: fold_0, fold_1"):
        trained(recipe(only=("fold_7",)), tmp_path / "run")


def test_another_recipe_is_refused(whole, recipe, trained):
    with pytest.raises(ConfigError, match=r"another recipe \(network\.stack: 4 there, 2 here\)"):
        trained(recipe(**WHOLE, network={"stack": 2}), whole)


def test_a_corpus_without_words_can_be_described_but_not_written_down(
    recipe, trained, tmp_path, monkeypatch
):
    def silent(utterances, **_):
        return [said(replace(one, text="")) for one in utterances]

    monkeypatch.setattr(run, "listen", silent)
    with pytest.raises(
        ConfigError, match=r"fold_0: not one of \d+ recordings .* tasks\.asr to none"
    ):
        trained(recipe(), tmp_path / "run")
    out = trained(recipe(tasks={"asr": "none"}), tmp_path / "other")
    assert told(out / "metrics.json")["words"] == {}
    row = spoken(out / "spoken.csv")[0]
    assert (row["transcript"], row["heard"]) == ("", "")
    assert "tone" in row["spoken"]
    assert "stress" not in row["spoken"]  # nobody told of any


def test_levels_may_be_those_of_the_corpus(recipe, trained, tmp_path, monkeypatch):
    plan = recipe(tasks={"levels": "given"})
    with pytest.raises(ConfigError, match=r"comes with levels .* set tasks\.levels to measured"):
        trained(plan, tmp_path / "none")
    gather = run.gather

    def described(*args, **options):
        material = gather(*args, **options)
        levels = {"angry": 1, "neutral": 0, "sad": -1}
        pitches = [
            replace(one, described={"pitch": levels[one.emotion]}) for one in material.utterances
        ]
        return replace(material, utterances=pitches)

    monkeypatch.setattr(run, "gather", described)
    out = trained(plan, tmp_path / "run")
    texts = {row["measured"] for row in spoken(out / "spoken.csv")}
    assert texts == {
        "pitch high: sounds angry",
        "pitch medium: sounds neutral",
        "pitch low: sounds sad",
    }
    assert not (out / "fold_0/seed_0/labels.json").exists()
    found = told(out / "metrics.json")["mean_of_seeds"]["all"]
    assert found["descriptors"]["value"] == found["pitch"]["value"]
    assert "tempo" not in found


def test_two_processes_learn_what_one_does(recipe, trained, tmp_path, monkeypatch):
    """With the variables that ``accelerate launch`` sets; nothing drawn at random, and targets of
    as many tokens.
    """
    plan = recipe(
        tasks={"asr": "none", "descriptors": False},
        network={"compression": "none"},
        train={"batch": 4},
    )
    one, out = trained(plan, tmp_path / "one"), tmp_path / "two"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MASTER_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def train_as(rank):
        AcceleratorState._reset_state(reset_partial_state=True)
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        trained(plan, out)
        torch.distributed.destroy_process_group()

    context = multiprocessing.get_context("fork")  # what is imported need not be imported again
    running = [context.Process(target=train_as, args=(rank,)) for rank in (0, 1)]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0, 0]
    for name in ("network.safetensors", "llm/model.safetensors"):
        alone, together = (load_file(run / "fold_0/seed_0" / name) for run in (one, out))
        for weight in alone:
            # Adam makes steps of 0.01 of gradients that are hardly more than rounding.
            torch.testing.assert_close(together[weight], alone[weight], rtol=1e-3, atol=5e-4)
    assert [row["spoken"] for row in spoken(out / "spoken.csv")] == [
        row["spoken"] for row in spoken(one / "spoken.csv")
    ]
