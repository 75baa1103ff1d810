"""A grid: rows resolve, runs are shared and kept, and tables hold what was put into the runs."""

import json
import math
import re
import xml.etree.ElementTree as Tree
from dataclasses import asdict

import joblib
import numpy as np
import pytest
import soundfile
from safetensors.numpy import load_file
from scipy import stats

from voxplain.cli import main
from voxplain.config import load_recipe
from voxplain.errors import ConfigError, UnknownName
from voxplain.testing.backbones import tiny_checkpoint
from voxplain.testing.checkpoints import save_text_encoder
from voxplain.training.experiment import loop
from voxplain.training.experiment.recipe import digest
from voxplain.training.predictions import Predictions
from voxplain.training.statistics import Interval
from voxplain.training.studies.grid import figures
from voxplain.training.studies.grid import study as grid_study
from voxplain.training.studies.grid.recipe import GridRecipe, resolve
from voxplain.training.studies.grid.study import tables
from voxplain.training.studies.grid.telling import WIDTH, terminal

BASE = """
kind: experiment
name: small
data: {corpora: [made], labels: []}
split: {by: speaker, folds: 2, dev: 0.3}
encoder: {checkpoint: nowhere}
head: {hidden: 4}
targets: {categories: 0, dimensions: 1}
train: {epochs: 2, batch: 12, learning_rate: 0.01, metric: ccc, seeds: [0, 3]}
"""
GRID = """
kind: grid
name: a small grid
base: base.yaml
changes: [train.epochs=1]
tables:
  width:
    narrow: [head.hidden=2]
    wide: [head.hidden=8]
    wider: []
  pooling:
    as narrow: [head.hidden=2, train.epochs=1]
    last layer: ["encoder.layers=[1]"]
reference: {width: wide}
note: Nothing is to be found
"""
DIMENSIONS = ("valence", "arousal", "dominance")
SPEAKERS = [f"made_{number}" for number in range(6)]

pytestmark = pytest.mark.usefixtures("few_draws")


@pytest.fixture
def recipes(tmp_path):
    """Write a grid and its base; gives ``written(**changes)`` -> the grid's recipe."""
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")

    def written(text=GRID, **changes):
        (tmp_path / "grid.yaml").write_text(text, encoding="utf-8")
        told = [f"{key}={json.dumps(value)}" for key, value in changes.items()]
        return load_recipe(tmp_path / "grid.yaml", {"grid": GridRecipe}, changes=told)

    return written


# Rows -------------------------------------------------------------------------------------------


def test_a_row_is_the_base_with_the_changes_of_all_then_its_own(recipes, tmp_path):
    rows = resolve(recipes(), beside=tmp_path, changes=["head.hidden=6", "train.batch=5"])
    told = {f"{row.table}, {row.name}": row.recipe for row in rows}
    assert {name: one.head.hidden for name, one in told.items()} == {
        "width, narrow": 2,
        "width, wide": 8,
        "width, wider": 6,
        "pooling, as narrow": 2,
        "pooling, last layer": 6,
    }
    assert {(one.train.epochs, one.train.batch) for one in told.values()} == {(1, 5)}
    assert told["pooling, last layer"].encoder.layers == (1,)


def test_rows_of_one_recipe_share_the_run_of_the_first(recipes, tmp_path):
    rows = resolve(recipes(), beside=tmp_path)
    folders = {row.name: row.folder for row in rows}
    assert folders["as narrow"] == folders["narrow"] == "width/narrow"
    assert len(set(folders.values())) == len({digest(row.recipe) for row in rows}) == 4


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"reference": {"width": "wid"}}, UnknownName, "row of the table 'width' 'wid'.*'wide'"),
        ({"reference": {"with": "wide"}}, UnknownName, "table of the grid 'with'.*'width'"),
        ({"tables": {"a": {"b/c": []}}, "reference": {}}, ConfigError, "'b/c' can't name a folder"),
        ({"tables": {}, "reference": {}}, ConfigError, "the grid has no row"),
        ({"at_once": 0}, ConfigError, "at_once must be above 0, not 0"),
        (
            {"tables": {"a": {"b": ["head.hiden=1"]}}, "reference": {}},
            ConfigError,
            "unknown key 'hiden'",
        ),
        (
            {"tables": {"a": {"b": ["train.batch=0"]}}, "reference": {}},
            ConfigError,
            "a, b: train.batch must be above 0, not 0",
        ),
        (
            {
                "changes": [
                    "targets={categories: 1}",
                    "data.labels=[angry, sad]",
                    "train.metric=uar",
                ]
            },
            ConfigError,
            "width, narrow: a grid tells CCC, and targets.dimensions is 0; raise it",
        ),
    ],
)
def test_what_could_not_be_followed_is_refused_at_once(recipes, tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        resolve(recipes(**changes), beside=tmp_path)


# Tables -----------------------------------------------------------------------------------------


def ccc(truth, said):
    covariance = np.cov(truth, said, bias=True)
    gap = (np.mean(truth) - np.mean(said)) ** 2
    return 2 * covariance[0, 1] / (covariance[0, 0] + covariance[1, 1] + gap)


def clips(*, corpus="made", each=4):
    """The truth of each speaker's clips, the same for all who ask."""
    random = np.random.default_rng(5)
    speakers = np.repeat([f"{corpus}_{number}" for number in range(6)], each)
    columns = {
        "file": np.array([f"{corpus}/{n}.wav" for n in range(len(speakers))]),
        "start": np.zeros(len(speakers)),
        "end": np.full(len(speakers), np.nan),
        "corpus": np.full(len(speakers), corpus),
        "speaker": speakers,
        "fold": np.where(np.arange(len(speakers)) % 2, "0", "1"),
    }
    return columns | {name: random.uniform(size=len(speakers)) for name in DIMENSIONS}


def said(noise, seed, *, corpus="made"):
    """The truth and some noise."""
    columns, random = clips(corpus=corpus), np.random.default_rng(seed)
    noises = random.normal(0, noise, (3, len(columns["file"])))
    told = {f"p_{name}": columns[name] + one for name, one in zip(DIMENSIONS, noises, strict=True)}
    return Predictions(columns | told)


@pytest.fixture
def grid(recipes, tmp_path):
    """A grid whose runs were prepared: ``grid(recipe)`` -> tables."""

    def told(recipe, changes=(), before=lambda columns, row, seed: columns):
        rows = resolve(recipe, beside=tmp_path, changes=changes)
        for place, row in enumerate(rows):
            folder = tmp_path / "out" / row.folder
            folder.mkdir(parents=True, exist_ok=True)
            facts = {"recipe_sha256": digest(row.recipe), "data_sha256": "d" * 64}
            (folder / "environment.json").write_text(json.dumps(facts), encoding="utf-8")
            times = {"encoder": Interval(80, 70, 90, 12, 6), "fusion": Interval(2, 1, 3, 12, 6)}
            cost = {
                "times": {part: asdict(one) for part, one in times.items()},
                "weights": {"fusion": 12_345},
            }
            (folder / "costs.json").write_text(json.dumps(cost), encoding="utf-8")
            for seed, name in ((0, "predictions.csv"), (3, "predictions_3.csv")):
                one = said(0.1 * (1 + len(row.folder)), [place, seed])
                Predictions(before(one.columns, row, seed)).write(folder / name)
        return tables(recipe, rows, roots={"made": tmp_path}, out=tmp_path / "out")

    return told


def of_run(folder, seed=0):
    return Predictions.read(folder / ("predictions_3.csv" if seed else "predictions.csv"))


def test_ccc_of_a_row_is_the_mean_of_its_seeds(recipes, grid, tmp_path):
    found = grid(recipes())
    for table, row, folder in (
        ("width", "narrow", "width/narrow"),
        ("width", "wide", "width/wide"),
        ("pooling", "as narrow", "width/narrow"),
    ):
        seeds = [of_run(tmp_path / "out" / folder, seed) for seed in (0, 3)]
        alone = np.array([[ccc(one[d], one[f"p_{d}"]) for d in DIMENSIONS] for one in seeds])
        columns = found[table][row]
        for name, value in zip(DIMENSIONS, alone.mean(0), strict=True):
            assert columns[name].value == pytest.approx(value)
            assert (columns[name].n, columns[name].speakers) == (24, 6)
            assert columns[name].low < value < columns[name].high
        assert columns["mean"].value == pytest.approx(alone.mean())
        assert columns["SD of seeds"] == f"{alone.mean(1).std(ddof=1):.3f}"


def test_every_row_is_held_against_the_reference(recipes, grid):
    found = grid(recipes())
    assert "pooling, above wide" not in found
    told = found["width, above wide"]
    assert told.keys() == {"narrow", "wider"}
    for row, columns in told.items():
        for name, one in columns.items():
            gap = found["width"][row][name].value - found["width"]["wide"][name].value
            assert one.value == pytest.approx(gap)
            half = one.high - one.value  # t of 6 speakers
            assert one.p == pytest.approx(
                2 * stats.t.sf(abs(gap) / half * stats.t.ppf(0.975, 5), 5)
            )
    flat = [one for columns in told.values() for one in columns.values()]
    smallest = min(flat, key=lambda one: one.p)
    assert smallest.holm == pytest.approx(min(1, 8 * smallest.p))
    assert all(one.holm >= one.p for one in flat)


def test_a_row_that_says_the_same_does_not_differ(recipes, grid):
    found = grid(
        recipes(tables={"a": {"x": [], "y": ["head.hidden=5"]}}, reference={"a": "x"}),
        before=lambda columns, row, seed: said(0.2, seed).columns,
    )
    one = found["a, above x"]["y"]["mean"]
    assert (one.value, one.low, one.high, one.p, one.holm) == (0, 0, 0, 1, 1)


def test_runs_that_tested_other_clips_are_refused(recipes, grid):
    def fewer(columns, row, seed):
        kept = slice(0, 20) if row.name == "wide" else slice(None)
        return {name: column[kept] for name, column in columns.items()}

    with pytest.raises(ConfigError, match="these are not the same clips: 20 are shared"):
        grid(recipes(), before=fewer)


def test_corpora_that_are_only_tested_have_tables_of_their_own(recipes, grid, tmp_path):
    def more(columns, row, seed):
        other = said(0.3, [7, seed], corpus="else").columns
        return {name: np.concatenate([column, other[name]]) for name, column in columns.items()}

    found = grid(recipes(), changes=["data.tested=[else]"], before=more)
    assert found["width"]["narrow"]["mean"].n == 24
    other = [said(0.3, [7, seed], corpus="else") for seed in (0, 3)]
    value = np.mean([ccc(one["valence"], one["p_valence"]) for one in other])
    assert found["width, in else"]["narrow"]["valence"].value == pytest.approx(value)
    assert found["width, in else, above wide"]["narrow"]["mean"].value == 0


def test_the_ceiling_is_what_a_table_says_could_be_known(recipes, grid, tmp_path):
    table = ["file,valence,arousal,dominance"]
    table += [f"x/{n}.wav,{n / 24},{n % 5},{n % 7}" for n in range(24)]
    (tmp_path / "truth.csv").write_text("\n".join(table), encoding="utf-8")
    found = grid(recipes(ceiling="truth.csv"))
    known = found["width"]["ceiling"]
    number = np.arange(24)
    for name, told in zip(DIMENSIONS, (number / 24, number % 5, number % 7), strict=True):
        r = stats.pearsonr(clips()[name], told).statistic
        assert known[name].value == pytest.approx(r)
    gap = known["mean"].value - found["width"]["wide"]["mean"].value
    assert found["width, above wide"]["ceiling"]["mean"].value == pytest.approx(gap)
    with pytest.raises(ConfigError, match=r"ceiling: .*none.csv can't be read"):
        grid(recipes(ceiling="none.csv"))
    (tmp_path / "truth.csv").write_text("\n".join(table[:-1]), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"ceiling: .*truth.csv lacks '23.wav'"):
        grid(recipes(ceiling="truth.csv"))


def test_each_row_names_its_run_and_hashes(recipes, grid):
    recipe = recipes()
    found = grid(recipe)["pooling, runs"]["as narrow"]
    assert found["run"] == "width/narrow"
    assert found["data"] == "d" * 12
    assert len(found["recipe"]) == 12
    assert found["seeds"] == "0 3"


def test_errors_of_recognition_are_told_where_they_were_simulated(recipes, grid, tmp_path):
    recipe = recipes()
    grid(recipe)
    for rate in (0.1, 0.3):
        for seed, place in ((0, ""), (3, "_3")):
            worse = said(4 * rate, [8, seed])
            worse.write(tmp_path / f"out/width/wide/predictions_wer_{rate:.2f}{place}.csv")
    rows = resolve(recipe, beside=tmp_path)
    read = {
        rate: figures.read(tmp_path / "out/width/wide", (0, 3), errors=rate) for rate in (0.1, 0.3)
    }
    columns = figures.by_errors(read)
    assert list(columns) == ["10%", "30%"]
    for rate, one in zip((0.1, 0.3), columns.values(), strict=True):
        seeds = [said(4 * rate, [8, seed]) for seed in (0, 3)]
        expected = np.mean([ccc(s[d], s[f"p_{d}"]) for s in seeds for d in DIMENSIONS])
        assert one.value == pytest.approx(expected)
    assert not any(row.recipe.texts.errors for row in rows)


def test_times_and_weights_are_those_that_were_measured_with_the_run(recipes, grid):
    found = grid(recipes())["pooling, processor milliseconds for a clip"]["as narrow"]
    assert (found["encoder"].value, found["fusion"].value) == (80, 2)
    assert found["fusion / encoder"] == "2.5%"
    assert found["weights of fusion"] == "12,345"


def weighed(columns, row, seed):
    """Two experts that change places between the folds; a gate that two rows have."""
    first, one = columns["fold"] == "0", columns["file"]
    own = {}
    for output, share in (("valence", 0.9), ("arousal", 0.5)):
        own[f"route_{output}_0"] = np.where(first, share, 1 - share)
        own[f"route_{output}_1"] = np.where(first, 1 - share, share)
    if row.name != "wide":
        own |= {"gate_les": np.full(len(one), 0.2 + 0.1 * (seed > 0))}
        own |= {"gate_es": 1 - own["gate_les"]}
    return {**columns, **own}


def test_what_the_gate_weighs_is_the_mean_of_clips_and_seeds(recipes, grid):
    found = grid(recipes(), before=weighed)["width, weights of the gate"]
    assert found.keys() == {"narrow", "wider"}
    assert found["narrow"].keys() == {"les", "es"}
    assert found["narrow"]["les"].value == pytest.approx(0.25)
    assert found["narrow"]["es"].value == pytest.approx(0.75)
    assert (found["narrow"]["es"].n, found["narrow"]["es"].speakers) == (24, 6)


def test_experts_are_ranked_in_each_model_before_they_are_counted(recipes, grid):
    found = grid(recipes(), before=weighed)["width, experts at work"]["wide"]
    entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    assert found["valence"].value == pytest.approx(math.exp(entropy))
    assert found["shares of valence"] == "0.90 0.10"
    assert found["arousal"].value == pytest.approx(2)
    assert found["shares of arousal"] == "0.50 0.50"


def test_what_reads_most_is_trained_first_and_alone(recipes, grid, tmp_path, monkeypatch):
    rows = {
        "one": [],
        "two": ["texts.encoder=x", "texts.branches=[gs]"],
        "three": ["texts.encoder=x", "texts.branches=[gs, les]"],
    }
    recipe = recipes(tables={"a": rows}, reference={}, at_once=2)
    grid(recipe)
    trained = []

    def train(recipe, *, out, jobs, **_):
        trained.append((out.name, jobs))

    monkeypatch.setattr(grid_study, "train", train)
    options = {"beside": tmp_path, "changes": [], "roots": {}, "cache": tmp_path, "jobs": 5}
    with joblib.parallel_config(backend="threading"):
        grid_study.study(recipe, **options, out=tmp_path / "out")
    assert trained[0] == ("three", 5)
    assert sorted(trained[1:]) == [("one", 2), ("two", 2)]


# On the terminal --------------------------------------------------------------------------------


def test_a_terminal_of_80_columns_shows_every_figure():
    one = Interval(0.1234, -0.05, 0.2, 24, 6)
    difference = figures.Corrected(-0.25, -0.3, -0.2, 24, 6, p=0.001, holm=0.0123)
    sure = figures.Corrected(0.25, 0.2, 0.3, 24, 6, p=1e-9, holm=1e-8)
    names = ("valence", "arousal", "dominance", "mean", "SD of seeds", "run")
    row = dict.fromkeys(names[:4], one) | {"SD of seeds": "0.010", "run": "width/narrow"}
    shown = terminal(
        {
            "width": {"a row with a rather long name": row, "b": row},
            "above": {"a": {"mean": difference, "valence": sure}},
            "nothing": {},
        }
    )
    lines = shown.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[0] == "width (n 24, speakers 6)"
    for name in names:
        assert sum(name in line.split("  ") or name in line for line in lines) >= 1
    assert shown.count("0.123") == 8
    assert shown.count("-0.050 0.200") == 8
    assert "-0.250 p .012" in shown
    assert "-0.300 -0.200" in shown
    assert "+0.250 p<.001" in shown
    assert "nothing" not in shown


# By one command ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Six speakers, four sounds each; the louder, the higher each dimension."""
    folder = tmp_path_factory.mktemp("corpus")
    random = np.random.default_rng(0)
    table = ["file,speaker,text,valence,arousal,dominance"]
    for speaker in SPEAKERS:
        for loud in (0.1, 0.3, 0.6, 0.9):
            name = f"{speaker}_{loud}.wav"
            soundfile.write(folder / name, 0.1 * loud * random.normal(size=4800), 16_000)
            table.append(f"{name},{speaker},It is {loud} loud,{loud},{loud},{1 - loud}")
    (folder / "made.csv").write_text("\n".join(table), encoding="utf-8")
    tiny_checkpoint(folder / "encoder", "whisper", encoder_layers=1)
    save_text_encoder(folder / "texts")
    return folder


def test_a_grid_by_one_command_which_goes_on(recipes, corpus, tmp_path, capsys, monkeypatch):
    recipes(re.sub(r"    (wider|last layer): .*\n", "", GRID))
    command = ["study", str(tmp_path / "grid.yaml"), "train.seeds=[1]", "texts.errors=[0.5]"]
    command += [f"texts.encoder={corpus / 'texts'}", "texts.branches=[gs]"]
    command += ["--root", f"made={corpus / 'made.csv'}", "--encoder", str(corpus / "encoder")]
    command += ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache"), "--jobs", "1"]
    assert main(command) == 0
    first = capsys.readouterr().out
    assert max(map(len, first.splitlines())) <= WIDTH
    assert "width (n 24, speakers 6)" in first
    out = tmp_path / "out"
    told = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    run = Predictions.read(out / "width/narrow")
    value = ccc(run["valence"], run["p_valence"])
    assert told["width"]["narrow"]["valence"]["value"] == pytest.approx(value)
    assert told["width, above wide"]["narrow"]["mean"]["holm"] <= 1
    assert not (out / "pooling/as narrow").exists()
    misread = Predictions.read(out / "width/wide/predictions_wer_0.50.csv")
    expected = np.mean([ccc(misread[d], misread[f"p_{d}"]) for d in DIMENSIONS])
    by_errors = told["width, mean by word error rate"]["wide"]
    assert by_errors["50%"]["value"] == pytest.approx(expected)
    assert by_errors["0%"] == told["width"]["wide"]["mean"]
    weights = load_file(out / "width/narrow/fold_0/seed_1/head.safetensors")
    cost = told["width, processor milliseconds for a clip"]["narrow"]
    own = sum(one.size for name, one in weights.items() if not name.startswith("trunk."))
    assert cost["weights of fusion"] == f"{own:,}"
    for part in ("encoder", "trunk", "fusion", "texts of gs", "text encoder"):
        assert cost[part]["n"] == 11  # of the twelve that fold 0 tests, one warms up
    readme = (out / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# a small grid\n\n> Nothing is to be found.")
    assert "| narrow | 24 | 6 | " in readme
    assert Tree.parse(out / "figures.svg").getroot().tag.endswith("svg")

    def never(*_, **__):
        raise AssertionError("it was trained already")

    monkeypatch.setattr(loop.Fit, "run", never)
    assert main(command) == 0
    assert capsys.readouterr().out == first
