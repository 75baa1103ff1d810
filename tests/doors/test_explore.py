"""``voxplain explore``: what a corpus holds, printed and written."""

import csv
import json
import re

import pytest

from voxplain.cli import main


@pytest.fixture(scope="module")
def listed(tmp_path_factory, clips):
    place = tmp_path_factory.mktemp("listed") / "clips.csv"
    with place.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("file", "speaker", "emotion"))
        table.writerows(
            (clip, f"s{n % 2}", "sad" if n else "angry") for n, clip in enumerate(clips)
        )
    return place


def run(*arguments):
    return main(["explore", *map(str, arguments), "--jobs", "1"])


def test_a_report_lies_in_a_folder(listed, tmp_path, capsys):
    corpora = [f"mine={listed}", f"other={listed}"]
    assert run(*corpora, "--out", tmp_path / "out") == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert "mine: 5 clips, 2 speakers, 0:1" in printed
    assert "angry               1" in printed
    told = json.loads((tmp_path / "out/exploration.json").read_text("utf-8"))
    assert [one["corpus"] for one in told] == ["mine", "other"]
    assert told[0]["emotion"] == {"sad": 4, "angry": 1}
    shown = set(re.findall(r"\(figures/([^)]+)\)", (tmp_path / "out/report.md").read_text("utf-8")))
    assert {path.name for path in (tmp_path / "out/figures").iterdir()} == shown
    assert "<h1>mine and other</h1>" in (tmp_path / "out/report.html").read_text("utf-8")


def test_nothing_is_measured_of_no_sample(listed, capsys):
    assert run(f"mine={listed}", "--sample", "0") == 0
    assert "Most different" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mine={clips}", "--sample", "-1"), "--sample can't be -1; 0 measures nothing"),
        (("mine={clips}", "mine={clips}"), "each corpus needs a name of its own, not mine, mine"),
        (("clips.csv",), "a corpus is CORPUS=DIR or CORPUS=DIR#SPLIT, not 'clips.csv'"),
    ],
)
def test_what_is_refused(listed, capsys, arguments, said):
    assert run(*(one.format(clips=listed) for one in arguments)) == 2
    assert said in capsys.readouterr().err


def test_the_help_fits_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main(["explore", "--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
