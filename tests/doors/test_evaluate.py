"""``voxplain evaluate``: models on corpora, what is printed and written, and what is refused."""

import csv
import json
import re
import shutil

import pytest

import voxplain
from voxplain.cli import main
from voxplain.training.predictions import Predictions
from voxplain.training.scoring import scores
from voxplain.training.statistics import bootstrap, speaker_interval

ROWS = {  # real voices: two speakers whom the embedded model heard, by their names, and strangers
    "cremad_1089_tie_ang": ("cremad_1007", "angry", "female"),
    "cremad_1089_mti_sad": ("cremad_1007", "sad", "female"),
    "cremad_1089_tie_neu": ("someone", "neutral", "male"),
    "cremad_1089_mti_hap": ("someone", "boredom", "male"),
    "emodb_03a01Wa": ("another", "angry", "male"),
}


@pytest.fixture(scope="module")
def listed(tmp_path_factory, clips):
    folder = tmp_path_factory.mktemp("listed")
    by_name = {clip.stem: clip for clip in clips}
    for name, rows in (("clips", list(ROWS)), ("fewer", list(ROWS)[:3])):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(("file", "speaker", "emotion", "sex"))
            table.writerows((by_name[one], *ROWS[one]) for one in rows)
    return folder


@pytest.fixture(scope="module", autouse=True)
def few_draws():
    with pytest.MonkeyPatch.context() as patch:
        for drawing in (bootstrap, speaker_interval, scores):
            patch.setitem(drawing.__kwdefaults__, "draws", 10)
        yield


def run(*arguments):
    return main(["evaluate", *map(str, arguments), "--jobs", "1"])


@pytest.fixture(scope="module")
def report(listed, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "here"
    asked = f"mine={listed / 'clips.csv'}"
    assert run("speech", asked, "--conditions", "gain", "--sample", "2", "--out", out) == 0
    return out


def test_everything_lies_in_one_folder(report):
    assert sorted(path.name for path in report.iterdir()) == [
        "figures", "metrics.json", "predictions.csv", "report.html", "report.md", "silences.csv",
    ]  # fmt: skip
    shown = set(re.findall(r"\(figures/([^)]+)\)", (report / "report.md").read_text("utf-8")))
    assert {path.name for path in (report / "figures").iterdir()} == shown


def test_the_predictions_are_those_of_the_product(report, clips):
    read = Predictions.read(report / "predictions.csv")
    assert len(read) == 5
    assert read["corpus"].tolist() == ["mine"] * 5
    stranger = read["speaker"].tolist().index("another")
    (clip,) = (one for one in clips if one.stem == "emodb_03a01Wa")
    expected = voxplain.analyze(clip, explain=None).emotion.categories
    told = dict(zip(read.labels, read.probabilities[stranger], strict=True))
    assert told == pytest.approx(dict(expected))
    assert [bool(fold) for fold in read["fold"]] == [True, True, False, False, False]


def test_the_figures_are_kept_with_what_they_stand_on(report):
    told = json.loads((report / "metrics.json").read_text("utf-8"))
    assert told["heard in training"] == ["cremad_1007"]
    assert told["heard by every head"] == []
    shared = told["views"]["3 shared labels"]["figures"]["UAR"]
    assert (shared["n"], shared["speakers"]) == (4, 3)
    assert told["views"]["all labels, 4 of the corpus"]["figures"]["UAR"]["n"] == 5
    assert next(iter(told["conditions"]["gain"])) == "as recorded"
    assert told["conditions"]["gain"]["-10 dBFS"]["judged"]["n"] == 2


def test_what_is_printed_fits_a_terminal_and_warns(listed, capsys):
    assert run("speech", f"mine={listed / 'clips.csv'}") == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert "1 of 3 speakers of this corpus were heard in training." in printed
    assert "3 shared labels (chance 0.333): angry, neutral, sad" in printed
    assert "all labels, 4 of the corpus (chance 0.250):" in printed


def test_several_models_and_corpora_make_a_matrix(listed, tmp_path, tiny_model, capsys):
    model = tmp_path / "tiny"
    shutil.copytree(tiny_model.folder, model)
    corpora = [f"mine={listed / 'clips.csv'}", f"few={listed / 'fewer.csv'}"]
    assert run("speech", model, *corpora, "--out", tmp_path / "out") == 0
    printed = capsys.readouterr().out
    assert "few, 3 labels (chance 0.333)" in printed
    text = (tmp_path / "out/report.md").read_text("utf-8")
    assert re.search(r"\| speech \| [01]\.\d{3}† ", text)
    assert re.search(r"\| tiny \| [01]\.\d{3} ", text)
    for place in ("speech/mine", "speech/few", "tiny/mine", "tiny/few"):
        assert f"({place}/report.html)" in text
        assert (tmp_path / "out" / place / "predictions.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("speech",), "evaluate takes a model and a corpus, as in: voxplain evaluate speech"),
        (("mine={clips}",), "evaluate takes a model and a corpus"),
        (("speech", "mine={clips}", "--sample", "0"), "--sample must be at least 1, not 0"),
        (("speech", "mine={clips}", "--conditions", "fog"), "unknown condition 'fog'"),
        (("speech", "mine={clips}", "--model", "x"), "--model and --root go with a recipe"),
        (("speech", "mine={clips}", "--root", "a=b"), "--model and --root go with a recipe"),
        (("speach", "mine={clips}"), "unknown model 'speach'"),
        (("speech", "speech", "mine={clips}"), "needs a name of its own, not speech, speech"),
        (("speech", "mine={clips}", "mine={clips}"), "needs a name of its own, not mine, mine"),
        (("recipe.yaml",), "with a recipe it is: voxplain evaluate RECIPE --model DIR"),
        (("recipe.yaml", "mine={clips}", "--model", "x"), "with a recipe it is"),
        (("recipe.yaml", "--model", "x"), "recipe recipe.yaml can't be read"),
    ],
)
def test_what_is_refused(listed, capsys, arguments, said):
    code = run(*(one.format(clips=listed / "clips.csv") for one in arguments))
    seen = capsys.readouterr()
    assert code == 2
    assert said in seen.err
    assert seen.out == ""


def test_a_folder_that_cannot_be_is_refused_before_anything_is_judged(listed, tmp_path, capsys):
    (tmp_path / "file").touch()
    clips = f"mine={listed / 'clips.csv'}"
    assert run("speech", clips, "--out", tmp_path / "file/out") == 6
    seen = capsys.readouterr()
    assert "file/out can't be made a folder: Not a directory" in seen.err
    assert seen.out == ""


def test_nothing_in_common_is_said_before_anything_is_judged(listed, tmp_path, clips, capsys):
    place = tmp_path / "other.csv"
    place.write_text(f"file,speaker,emotion\n{clips[0]},a,boredom\n{clips[1]},b,calm\n")
    assert run("speech", f"other={place}") == 2
    assert "share 0 labels; two are needed" in capsys.readouterr().err


def test_the_help_fits_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
