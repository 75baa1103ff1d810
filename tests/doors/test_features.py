"""``voxplain features``: the tables that people get, and what they are told."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from voxplain import descriptors
from voxplain.cli import _names, main
from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.types import Segment

ROOT = Path(__file__).parents[2]


def run(capsys, *arguments):
    code = main(["features", *map(str, arguments)])
    seen = capsys.readouterr()
    assert "Traceback" not in seen.err
    assert seen.out == ""
    return code, seen.err


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def folder(clips, tmp_path):
    place = tmp_path / "corpus"
    place.mkdir()
    for name, clip in zip("ab", clips, strict=False):
        shutil.copy(clip, place / f"{name}.opus")
    return place


@pytest.fixture
def grid(folder):
    """Two words in a.opus, as Praat's short text format has them."""
    path = folder / "a.TextGrid"
    lines = ["0", "2.5", "<exists>", "1", '"IntervalTier"', '"words"', "0", "2.5", "3"]
    lines += ["0", "0.5", '""', "0.5", "1.0", '"maybe"', "1.0", "2.0", '"tomorrow"']
    head = ['File type = "ooTextFile"', 'Object class = "TextGrid"', ""]
    path.write_text("\n".join([*head, *lines, ""]))
    return path


def test_a_row_a_recording(folder, tmp_path, capsys):
    out = tmp_path / "new" / "table.csv"
    code, err = run(capsys, folder, "-o", out)
    assert (code, err) == (0, f"wrote {out}\n")
    rows = rows_of(out)
    assert [row["file"] for row in rows] == [str(folder / "a.opus"), str(folder / "b.opus")]
    assert list(rows[0]) == [
        "file",
        "start",
        "end",
        *descriptors.inventory(),
        "unreliable",
        "error",
    ]
    for name, quantity in Measurement(folder / "a.opus").functionals().items():
        cell = rows[0][name]
        assert bool(cell) == (quantity.value == quantity.value), name  # NaN is an empty cell
        if cell:
            assert float(cell) == pytest.approx(quantity.value, rel=1e-5)


def test_all_formats_hold_the_same(folder, tmp_path, capsys):
    parquet = pytest.importorskip("pyarrow.parquet")
    for suffix in ("csv", "jsonl", "parquet"):
        assert run(capsys, folder, "-o", tmp_path / f"t.{suffix}", "--level", "segment")[0] == 0
    from_csv = rows_of(tmp_path / "t.csv")
    lines = (tmp_path / "t.jsonl").read_text().splitlines()
    from_jsonl = [json.loads(line) for line in lines]
    from_parquet = parquet.read_table(tmp_path / "t.parquet").to_pylist()
    for one, two, three in zip(from_csv, from_jsonl, from_parquet, strict=True):
        for name, cell in one.items():
            value = two.get(name)
            assert cell == ("" if value is None else str(value))
            if isinstance(value, float):
                assert three[name] == pytest.approx(value, rel=1e-5)
            else:
                assert three[name] == value


def test_standard_input(angry, tmp_path):
    command = [sys.executable, "-m", "voxplain", "features", "-", "-o", str(tmp_path / "t.csv")]
    subprocess.run(command, input=angry.read_bytes(), capture_output=True, check=True)
    (row,) = rows_of(tmp_path / "t.csv")
    assert row["file"] == "<stdin>"
    heard = Measurement(angry).functionals()["f0_mean_hz"].value
    assert float(row["f0_mean_hz"]) == pytest.approx(heard, rel=1e-5)


def test_what_there_is_to_measure_is_listed_as_in_the_page(capsys):
    with pytest.raises(SystemExit):
        main(["features", "--list"])
    listed = capsys.readouterr().out
    assert listed in (ROOT / "docs/descriptors.md").read_text(encoding="utf-8")
    for name in descriptors.inventory():
        assert f"| `{name}` |" in listed


def test_frames_of_two_processes(folder, tmp_path, capsys):
    out = tmp_path / "frames.csv"
    assert run(capsys, folder, "-o", out, "--level", "frame", "--jobs", 2)[0] == 0
    rows = rows_of(out)
    frames = sum(len(Measurement(path).tracks["f0_hz"].times) for path in folder.iterdir())
    assert len(rows) == frames
    assert float(rows[0]["end"]) - float(rows[0]["start"]) == pytest.approx(0.01)


def test_words_of_a_textgrid_become_rows_and_a_textgrid_again(folder, grid, tmp_path, capsys):
    out = tmp_path / "words.csv"
    assert run(capsys, folder / "a.opus", "-o", out, "--intervals", grid)[0] == 0
    rows = rows_of(out)
    assert [(row["label"], row["start"], row["end"]) for row in rows] == [
        ("maybe", "0.5", "1.0"),
        ("tomorrow", "1.0", "2.0"),
    ]
    back = tmp_path / "f0.TextGrid"
    only = ["--columns", "f0_mean_hz,hnr_mean_db"]
    arguments = [folder / "a.opus", "-o", back, "--intervals", grid, "--tier", "words", *only]
    assert run(capsys, *arguments)[0] == 0
    from praatio import textgrid

    found = textgrid.openTextgrid(str(back), includeEmptyIntervals=False)
    assert found.tierNames == ("segments", "f0_mean_hz", "hnr_mean_db")
    assert [entry.label for entry in found.getTier("segments").entries] == ["maybe", "tomorrow"]
    for entry, row in zip(found.getTier("f0_mean_hz").entries, rows, strict=True):
        assert (entry.start, entry.end) == (float(row["start"]), float(row["end"]))
        assert float(entry.label) == pytest.approx(float(row["f0_mean_hz"]), rel=1e-3)


def test_praat_reads_the_textgrid(folder, grid, tmp_path, capsys):
    praat = pytest.importorskip("parselmouth.praat")
    out = tmp_path / "out.TextGrid"
    run(capsys, folder / "a.opus", "-o", out, "--intervals", grid, "--columns", "f0_mean_hz")
    read = praat.call("Read from file...", str(out))
    assert praat.call(read, "Get number of tiers") == 2
    assert praat.call(read, "Get label of interval", 1, 2) == "maybe"


def test_a_folder_of_textgrids(folder, grid, tmp_path, capsys):
    shutil.copy(grid, folder / "b.TextGrid")
    out = tmp_path / "words.csv"
    assert run(capsys, folder, "-o", out, "--intervals", folder)[0] == 0
    assert [row["label"] for row in rows_of(out)] == ["maybe", "tomorrow"] * 2


def test_a_table_says_what_to_measure_and_who_speaks(folder, tmp_path, capsys):
    index = folder / "index.csv"
    index.write_text(
        "file,start,end,label,who\na.opus,0.5,1.0,yes,ann\na.opus,1.0,2.0,no,ann\nb.opus,,,,bob\n"
    )
    out = tmp_path / "z.csv"
    code, _ = run(capsys, index, "-o", out, "--relative", "--speaker-column", "who")
    assert code == 0
    rows = rows_of(out)
    assert [row["speaker"] for row in rows] == ["ann", "ann", "bob"]
    assert [row["label"] for row in rows] == ["yes", "no", ""]
    assert float(rows[0]["f0_mean_st_z"]) != 0
    again = tmp_path / "again.csv"
    assert run(capsys, folder / "a.opus", "-o", again, "--intervals", index)[0] == 0
    assert [row["label"] for row in rows_of(again)] == ["yes", "no"]


def test_options_of_the_search_reach_the_measurement(folder, tmp_path, capsys):
    for name, options in {
        "default": [],
        "narrow": ["--f0-min", 75, "--f0-max", 250, "--formant-max", 5000],
    }.items():
        run(capsys, folder / "a.opus", "-o", tmp_path / f"{name}.csv", *options)
    default, narrow = (rows_of(tmp_path / f"{name}.csv")[0] for name in ("default", "narrow"))
    assert float(default["f0_mean_hz"]) > 300
    assert float(narrow["f0_mean_hz"]) < 250
    assert default["f3_mean_hz"] != narrow["f3_mean_hz"]


@pytest.mark.parametrize("backend", ["praat", "opensmile"])
def test_another_instrument_gives_its_values_under_our_names(folder, tmp_path, capsys, backend):
    pytest.importorskip({"praat": "parselmouth", "opensmile": "opensmile"}[backend])
    out = tmp_path / "other.csv"
    assert run(capsys, folder, "-o", out, "--backend", backend)[0] == 0
    assert all(30 < float(row["f0_mean_st"]) < 50 for row in rows_of(out))


def test_a_bad_file_is_a_row_and_the_exit_code_says_so(folder, tmp_path, capsys):
    (folder / "c.wav").write_bytes(b"no audio")
    out = tmp_path / "table.csv"
    code, err = run(capsys, folder, "-o", out)
    assert code == 1
    assert "c.wav" in err
    assert "1 of 3 recordings failed" in err
    rows = rows_of(out)
    assert [bool(row["error"]) for row in rows] == [False, False, True]
    assert rows[2]["start"] == ""


def test_a_table_is_replaced_only_by_force(folder, tmp_path, capsys):
    out = tmp_path / "table.csv"
    out.write_text("mine")
    code, err = run(capsys, folder, "-o", out)
    assert (code, out.read_text()) == (2, "mine")
    assert "--force" in err
    assert run(capsys, folder, "-o", out, "--force")[0] == 0
    assert len(rows_of(out)) == 2


def test_when_writing_fails_nothing_is_left(folder, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    code, err = run(capsys, folder, "-o", tmp_path / "file" / "table.csv")
    assert code == 6
    assert "can't be written" in err


def test_an_interrupted_table_does_not_appear(folder, tmp_path, capsys, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("voxplain.cli._tables._Csv.write", stop)
    assert run(capsys, folder, "-o", tmp_path / "table.csv")[0] == 130
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "t.xlsx"], "unknown kind of table '.xlsx'; available: .TextGrid, .csv"),
        (["-o", "t.csv", "--jobs", "0"], "--jobs must be at least 1, not 0"),
        (["-o", "t.csv", "--columns", "f0_mean"], "Did you mean 'f0_mean_st'?|'f0_mean_hz'"),
        (["-o", "t.csv", "--f0-min", "10"], "F0 can't be searched from 10 to 600 Hz"),
        (["-o", "t.csv", "--backend", "prat"], "Did you mean 'praat'?"),
        (["-o", "t.csv", "--reference-group", "men"], "unknown reference group 'men'"),
        (["-o", "t.csv", "--speaker-column", "who"], "--speaker-column needs a CSV"),
        (["-o", "t.TextGrid"], "a TextGrid holds one recording, not 2"),
        (["-o", "t.TextGrid", "--level", "frame"], "a TextGrid has no frames"),
        (["-o", "t.csv", "--level", "frame", "--relative"], "a frame has no z"),
        (["-o", "t.csv", "--intervals", "GRID"], "is about one recording, not 2"),
        (["-o", "t.csv", "--intervals", "INDEX"], "index.csv has no interval of"),
    ],
)
def test_what_can_not_be_done_is_said_before_any_work(
    folder, grid, tmp_path, capsys, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    index = tmp_path / "index.csv"
    index.write_text("file,start,end\nelse.wav,0,1\n")
    named = {"GRID": grid, "INDEX": index}
    code, err = run(capsys, folder, *(named.get(option, option) for option in options))
    assert code == 2
    assert any(part in err for part in message.split("|")), err
    assert not list(tmp_path.glob("t.*"))


def test_intervals_are_no_clips(folder, grid, tmp_path, capsys):
    arguments = ["-o", tmp_path / "t.csv", "--intervals", grid, "--level", "clip"]
    code, err = run(capsys, folder / "a.opus", *arguments)
    assert code == 2
    assert "--level clip takes no intervals" in err


def test_a_recording_that_can_not_be_read_gives_no_textgrid(tmp_path, capsys):
    code, err = run(capsys, tmp_path / "no.wav", "-o", tmp_path / "t.TextGrid")
    assert code == 2
    assert "no.wav: there is no such file" in err


def test_parquet_without_pyarrow(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, err = run(capsys, folder, "-o", tmp_path / "t.parquet")
    assert code == 3
    assert "voxplain[tables]" in err


@pytest.mark.parametrize("command", _names())
def test_help_fits_the_terminal(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_analyze_takes_a_reference(angry, clips, tmp_path, capsys):
    neutral = next(clip for clip in clips if "neu" in clip.name)
    for options, said in {
        (): "adults",
        ("--reference-group", "female"): "women",
        ("--reference", neutral): "the speaker's own recordings, else adults",
        ("--relative",): "adults",  # one stretch alone: nothing to be relative to
    }.items():
        assert main(["analyze", str(angry), "--json", *map(str, options)]) == 0
        found = json.loads(capsys.readouterr().out)["descriptors"]["levels"]["f0_mean_st"]
        assert found["reference"].startswith(said)


def test_long_speech_relative_to_itself(clips, capsys, tmp_path):
    import numpy as np
    import soundfile

    from voxplain.audio.read import read

    speech = [read(clip).waveform for clip in clips]
    pause = np.zeros(16_000, np.float32)
    talk = tmp_path / "talk.wav"
    soundfile.write(
        talk, np.concatenate([part for one in speech * 2 for part in (one, pause)]), 16_000
    )
    assert main(["analyze", str(talk), "--json", "--relative"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["segments"]) > 1
    for segment in found["segments"]:
        reference = segment["descriptors"]["levels"]["f0_mean_st"]["reference"]
        assert reference.startswith("the rest of the recording")
    assert found["descriptors"]["levels"]["f0_mean_st"]["reference"].startswith("adults")
    stretch = found["segments"][0]
    part = Measurement(talk).functionals(within=Segment(stretch["start"], stretch["end"]))
    measured = stretch["descriptors"]["functionals"]["f0_mean_hz"]["value"]
    assert part["f0_mean_hz"].value == pytest.approx(measured)
