"""``voxplain compare``: what people read, the JSON, the Markdown, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from voxplain.cli import main
from voxplain.training.predictions import Predictions

EXAMPLES = Path(__file__).parents[2] / "examples" / "predictions"
ALONE, KNOWN = EXAMPLES / "emodb_alone.csv", EXAMPLES / "emodb_known.csv"


def run(capsys, *arguments):
    code = main(["compare", *map(str, arguments)])
    seen = capsys.readouterr()
    assert "Traceback" not in seen.err
    return code, seen.out, seen.err


@pytest.fixture
def rich(tmp_path):
    """Three systems with all there is to say, and clips whose speaker nobody knows."""
    random = np.random.default_rng(0)
    labels, size = ("angry", "disgust", "fear", "happy", "neutral", "sad"), 80
    truth, votes = random.integers(0, 6, size), random.multinomial(6, np.ones(6) / 6, size) / 6
    paths = []
    for name in ("one", "other", "third"):
        shares = random.dirichlet(np.ones(6), size)
        folder = tmp_path / name
        folder.mkdir()
        Predictions(
            {
                "file": [f"{index}.wav" for index in range(size)],
                "start": np.zeros(size),
                "end": np.full(size, np.nan),
                "speaker": [*(f"s{index % 7}" for index in range(size - 10)), *[""] * 10],
                "emotion": np.array(labels)[truth],
                "prediction": np.array(labels)[shares.argmax(1)],
                "dominance": np.linspace(0, 1, size),
                "p_dominance": random.random(size),
            }
            | {f"p_{label}": shares[:, place] for place, label in enumerate(labels)}
            | {f"votes_{label}": votes[:, place] for place, label in enumerate(labels)}
        ).write(folder / "predictions.csv")
        paths.append(folder)
    return paths


def test_a_comparison_is_read_on_80_columns(capsys):
    code, out, err = run(capsys, ALONE, KNOWN, "--draws", "100")
    assert (code, err) == (0, "")
    assert all(len(line) <= 80 for line in out.splitlines() if "emodb_" not in line)
    assert "454 clips of 10 speakers\n" in out
    systems, _, figures, differences, counts = (
        block for block in out.split("\n\n") if not block.rstrip().endswith(":")
    )
    assert [line.split() for line in systems.splitlines()[1:]] == [
        ["A", str(ALONE), "0"],
        ["B", str(KNOWN), "0"],
    ]
    head, *rows = (line.split() for line in figures.splitlines())
    assert head == ["metric", "better", "system", "figure", "chance", "n"]
    assert {row[0] for row in rows} == {"WA", "UAR", "macro-F1", "WF1", "ECE", "Brier", "AURC"}
    head, *rows = (line.split() for line in differences.splitlines())
    assert head == ["metric", "pair", "difference", "p", "Holm"]
    assert len(rows) == 7
    (row,) = (line.split() for line in counts.splitlines()[1:])
    tables = [Predictions.read(path) for path in (ALONE, KNOWN)]
    right = [table["emotion"] == table["prediction"] for table in tables]
    split = [np.sum(right[0] & ~right[1]), np.sum(right[1] & ~right[0])]
    assert row[:4] == ["A,", "B", *map(str, split)]


def test_json_holds_every_figure(capsys, rich):
    code, out, err = run(capsys, *rich, "--json", "--draws", "100")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert (document["clips"], document["speakers"], document["without_speaker"]) == (80, 7, 10)
    assert list(document["systems"]) == [str(path) for path in rich]
    first = document["systems"][str(rich[0])]
    assert {"UAR", "Jensen-Shannon", "minority recall", "CCC of dominance"} <= first.keys()
    assert first["UAR"].keys() == {"value", "low", "high", "n", "speakers", "chance"}
    assert first["r of entropies"]["chance"] is None
    assert [(pair["one"], pair["other"]) for pair in document["pairs"]] == [
        (str(rich[0]), str(rich[1])),
        (str(rich[0]), str(rich[2])),
        (str(rich[1]), str(rich[2])),
    ]
    pair = document["pairs"][0]
    difference = pair["other_minus_one"]["UAR"]
    other = document["systems"][pair["other"]]["UAR"]
    assert difference["value"] == pytest.approx(other["value"] - first["UAR"]["value"])
    assert 0 < difference["p"] <= difference["p_holm"] <= 1
    assert pair["mcnemar"].keys() == {"only_one", "only_other", "p", "p_holm"}


def test_all_there_is_to_say_fits_on_80_columns(capsys, rich, monkeypatch):
    monkeypatch.chdir(rich[0].parent)
    code, out, _ = run(capsys, *(path.name for path in rich), "--draws", "100")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "80 clips of 7 speakers; the speaker of 10 is not known" in out


def test_markdown_holds_the_same_tables(capsys, tmp_path):
    path = tmp_path / "comparison.md"
    arguments = (ALONE, KNOWN, "--metric", "uar", "--metric", "ece", "--draws", "100")
    code, out, _ = run(capsys, *arguments, "--out", path)
    assert code == 0
    lines = path.read_text(encoding="utf-8").splitlines()
    assert "| metric | better | system | figure | chance | n |" in lines
    cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| UAR")]
    shown = [line for line in out.splitlines() if line.startswith("UAR")]
    assert ["  ".join(row).split() for row in cells] == [line.split() for line in shown]
    assert len(cells) == 3


def test_metrics_are_those_that_were_asked_for(capsys):
    _, out, _ = run(capsys, ALONE, KNOWN, "--metric", "uar", "--draws", "100", "--json")
    assert list(json.loads(out)["systems"][str(ALONE)]) == ["UAR"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((ALONE,), "compare takes 2 to 26 different systems, not "),
        ((ALONE, ALONE), "compare takes 2 to 26 different systems, not "),
        ((ALONE, KNOWN, "--draws", "10"), "--draws must be at least 100, not 10"),
        ((ALONE, KNOWN, "--metric", "uer"), "unknown metrics plug-in 'uer'"),
        ((ALONE, KNOWN, "--metric", "ccc"), f"{ALONE}: ccc needs the columns valence and"),
        ((ALONE, "none.csv"), "none.csv can't be read: No such file or directory"),
    ],
)
def test_what_can_not_be_compared_is_said(capsys, arguments, message):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"voxplain: {message}")


def test_other_clips_are_left_out_when_told_to(capsys, tmp_path):
    fewer = tmp_path / "fewer.csv"
    Predictions.read(KNOWN).some(np.arange(300)).write(fewer)
    code, _, err = run(capsys, ALONE, fewer)
    assert code == 2
    assert "300 are shared" in err
    code, out, _ = run(capsys, ALONE, fewer, "--common", "--metric", "wa", "--draws", "100")
    assert code == 0
    assert out.startswith(f"   system{' ' * (max(len(str(ALONE)), len(str(fewer))) - 6)}  clips")
    assert "300 clips of" in out
