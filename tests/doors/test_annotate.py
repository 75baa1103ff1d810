"""``voxplain annotate``: the tables that people get, and that no interruption costs them a row."""

import contextlib
import csv
import json
import math
import os
import random
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

import voxplain
import voxplain.annotation.parts
from voxplain import descriptors
from voxplain.annotation.work import Work
from voxplain.cli import main
from voxplain.errors import WorkerLost

RATE = 16_000


@pytest.fixture(params=["local", "ray"])
def two_workers(request):
    """Options of each engine."""
    options = ["--jobs", 2, "--batch", 1]
    if request.param == "ray":
        options += ["--engine", "ray", "--address", request.getfixturevalue("ray_address")]
    return options


def run(capsys, *arguments):
    code = main(["annotate", *map(str, arguments)])
    seen = capsys.readouterr()
    assert "Traceback" not in seen.err
    assert seen.out == ""
    return code, seen.err


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def folder(clips, tmp_path):
    """Two clips, silence and a file that is no audio."""
    place = tmp_path / "corpus"
    place.mkdir()
    for name, clip in zip("ab", clips, strict=False):
        shutil.copy(clip, place / f"{name}.opus")
    soundfile.write(place / "c.wav", np.zeros(RATE), RATE)
    (place / "d.wav").write_bytes(b"no audio")
    return place


def test_a_row_a_stretch_of_speech_as_analyze_has_it(clips, tmp_path, capsys):
    out = tmp_path / "new" / "emotions.jsonl"
    assert run(capsys, *clips, "-o", out) == (0, f"wrote {out}: 5 rows of 5 recordings, 0 failed\n")
    assert list(out.parent.iterdir()) == [out]
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    for row, clip in zip(rows, clips, strict=True):
        (stretch,) = voxplain.analyze(clip, explain=None).segments
        emotion = stretch.emotion
        expected = {
            "start": stretch.start,
            "end": stretch.end,
            "duration": stretch.end - stretch.start,
            **{f"p_{label}": one for label, one in emotion.categories.items()},
            **{f"perceived_{label}": one for label, one in emotion.perceived.items()},
            **{
                axis + end: getattr(getattr(emotion.dimensions, axis), name)
                for axis in ("valence", "arousal", "dominance")
                for end, name in (("", "value"), ("_low", "low"), ("_high", "high"))
            },
        }
        assert row["file"] == str(clip)
        assert row["verdict"] == "|".join(emotion.verdict.labels)
        assert (row["reason"], row["error"]) == ("", None)
        for name, value in expected.items():
            assert row[name] == float(f"{value:.6g}"), name


def test_silence_and_bad_files_are_rows_and_the_exit_code_says_so(folder, tmp_path, capsys):
    out = tmp_path / "t.csv"
    code, err = run(capsys, folder, "-o", out)
    assert code == 1
    assert f"voxplain: {folder / 'd.wav'} can't be decoded" in err
    assert err.endswith(f"wrote {out}: 4 rows of 4 recordings, 1 failed\n")
    silent, bad = rows_of(out)[2:]
    assert (silent["start"], silent["end"], silent["verdict"]) == ("0.0", "1.0", "")
    assert silent["reason"] == "no speech found in 1.0 s of audio"
    assert silent["p_angry"] == silent["error"] == ""
    assert bad["file"] == str(folder / "d.wav")
    assert "it is damaged or no audio" in bad["error"]
    assert bad["start"] == bad["verdict"] == ""


def test_descriptors_and_embeddings_in_parquet(clips, folder, tmp_path, capsys):
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "t.parquet"
    assert run(capsys, folder, "-o", out, "--descriptors", "--embeddings")[0] == 1
    table = parquet.read_table(out)
    assert str(table.schema.field("embedding").type) == "fixed_size_list<element: float>[768]"
    rows = table.to_pylist()
    assert [row["embedding"] is None for row in rows] == [False, False, True, True]
    for row, clip in zip(rows[:2], clips[:2], strict=True):
        (stretch,) = voxplain.analyze(clip, explain=None).segments
        for name, quantity in stretch.descriptors.functionals.items():
            same = row[name] == quantity.value or (row[name] is None and math.isnan(quantity.value))
            assert same, name
            assert (name in row["unreliable"].split()) == (not quantity.reliable)
    assert set(descriptors.inventory()) < set(table.column_names)


def test_all_formats_jobs_and_batches_hold_the_same(folder, tmp_path, capsys):
    parquet = pytest.importorskip("pyarrow.parquet")
    ways = {"a": ["--batch", 1], "b": ["--batch", 3, "--jobs", 2], "c": []}
    for name, options in ways.items():
        run(capsys, folder, "-o", tmp_path / f"{name}.jsonl", "--embeddings", *options)
    for name in "ac":
        run(capsys, folder, "-o", tmp_path / f"{name}.csv", *ways[name])
        run(capsys, folder, "-o", tmp_path / f"{name}.parquet", "--embeddings", *ways[name])
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "c.csv").read_bytes()
    lines = {(tmp_path / f"{name}.jsonl").read_bytes() for name in ways}
    assert len(lines) == 1
    tables = [parquet.read_table(tmp_path / f"{name}.parquet") for name in "ac"]
    assert tables[0].equals(tables[1])
    for one, line in zip(tables[0].to_pylist(), lines.pop().splitlines(), strict=True):
        row = json.loads(line)
        assert list(row) == list(one)
        for name, value in row.items():
            if isinstance(value, float):
                assert value == float(f"{one[name]:.6g}")
            elif name != "embedding":
                assert value == one[name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "t.xls"], "unknown kind of table '.xls'; available: .csv, .jsonl, .parquet"),
        (["-o", "t.csv", "--embeddings"], "a CSV has no cells for embeddings; write .parquet"),
        (["-o", "s3://b/t.csv"], "s3://b/t.csv is not on this machine, where unfinished work has"),
        (
            ["-o", "t.csv", "--keep", "label"],
            "corpus is no table, and has no columns to keep (label)",
        ),
        (
            ["-o", "t.csv", "--keep", "verdict"],
            "--keep verdict: the rows have a column verdict anyway",
        ),
        (["-o", "t.csv", "--keep", "speaker"], "leave it out, or rename the one that you mean"),
        (["-o", "old.csv"], "old.csv exists; --force replaces it"),
        (["-o", "t.csv", "--jobs", "0"], "--jobs must be at least 1, not 0"),
        (["-o", "t.csv", "--batch", "0"], "--batch must be at least 1, not 0"),
        (["-o", "t.csv", "--model", "spech"], "Did you mean 'speech'?"),
        (["-o", "taken.csv"], "taken.csv.parts holds notes.txt, which is not of voxplain annotate"),
    ],
)
def test_what_cannot_be_is_refused_at_once(folder, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(folder.parent)
    (folder.parent / "old.csv").write_text("mine")
    (folder.parent / "taken.csv.parts").mkdir()
    (folder.parent / "taken.csv.parts/notes.txt").write_text("mine")
    code, err = run(capsys, folder, *arguments)
    assert code in (2, 4)
    assert message in err
    assert (folder.parent / "old.csv").read_text() == "mine"
    assert (folder.parent / "taken.csv.parts/notes.txt").read_text() == "mine"
    assert not (folder.parent / "t.csv").exists()


INDEX = """file,start,end,label,rater,votes
a.opus,,,happy,7,0.123456789
b.opus,0,1.5,sad,,12345678.5
b.opus,1.5,,,8,1
c.wav,,,neutral,9,2
d.wav,,,angry,10,3
"""


def test_columns_of_a_table_stand_beside_what_was_heard(folder, tmp_path, capsys):
    table, keep = folder / "index.csv", ["--keep", "label", "--keep", "rater", "--keep", "votes"]
    table.write_text(INDEX)
    given = rows_of(table)
    out = tmp_path / "t.csv"
    assert run(capsys, table, "-o", out, *keep)[0] == 1
    rows = rows_of(out)
    assert list(rows[0])[:7] == ["file", "start", "end", "label", "rater", "votes", "duration"]
    for row, told in zip(rows, given, strict=True):
        assert {name: row[name] for name in keep[1::2]} == {name: told[name] for name in keep[1::2]}
    assert rows[0]["verdict"] == "happy"
    assert rows[4]["error"]
    bare = tmp_path / "bare.csv"
    assert run(capsys, table, "-o", bare)[0] == 1
    for row, other in zip(rows, rows_of(bare), strict=True):
        assert {name: row[name] for name in other} == other


def test_numbers_that_are_kept_stay_what_they_are(folder, tmp_path, capsys):
    pandas = pytest.importorskip("pandas")
    parquet = pytest.importorskip("pyarrow.parquet")
    given = pandas.DataFrame(
        {
            "file": ["a.opus", "b.opus"],
            "votes": [0.123456789, 1700000123.0],
            "rater": [7, 2**60],
            "agreed": [True, None],
            "when": pandas.to_datetime(["2024-05-06", None]),
            "none": [None, None],
        }
    )
    given.to_parquet(folder / "index.parquet")
    names = list(given.columns[1:])
    keep = [word for name in names for word in ("--keep", name)]
    expected = [
        {"votes": 0.123456789, "rater": "7", "agreed": "True", "when": "2024-05-06 00:00:00"},
        {"votes": 1700000123.0, "rater": str(2**60)},
    ]
    for suffix in (".csv", ".jsonl", ".parquet"):
        out = tmp_path / f"t{suffix}"
        assert run(capsys, folder / "index.parquet", "-o", out, *keep)[0] == 0
        if suffix == ".csv":
            rows = [{**row, "votes": float(row["votes"])} for row in rows_of(out)]
        elif suffix == ".jsonl":
            rows = [json.loads(line) for line in out.read_text().splitlines()]
        else:
            rows = parquet.read_table(out).to_pylist()
        found = [{name: row[name] for name in names if row[name] not in (None, "")} for row in rows]
        assert found == expected


def test_what_lies_elsewhere_has_the_rows_of_what_lies_here(
    folder, tmp_path, web, two_workers, capsys
):
    (folder / "index.csv").write_text(INDEX + "e.wav,,,sad,1,1\n")
    url = web(folder)
    for place, options in (folder, []), (url, two_workers):
        out = tmp_path / f"{len(options)}.csv"
        code, err = run(capsys, f"{place}/index.csv", "-o", out, "--keep", "label", *options)
        assert code == 1
        assert err.endswith(f"wrote {out}: 6 rows of 5 recordings, 2 failed\n")
    *here, gone = rows_of(tmp_path / "0.csv")
    *there, missing = rows_of(out)
    for row, other in zip(here, there, strict=True):
        assert {name: cell.replace(url, str(folder)) for name, cell in other.items()} == row
    assert gone["label"] == missing["label"] == "sad"
    assert missing["error"].startswith(f"{url}/e.wav can't be fetched (404 ")


def test_a_url_is_the_same_input_when_it_goes_on(folder, tmp_path, web, capsys):
    url, out = web(folder), tmp_path / "t.csv"
    work = Work([url], tmp_path / "t.csv.parts", options=voxplain.annotation.Options(), batch=1)
    work.parts.keep(0, next(work.run()))
    del work
    code, err = run(capsys, f"{url}/", "-o", out, "--batch", 1)
    assert code == 2
    assert f'(inputs: ["{url}"] then, ["{url}/"] now)' in err
    (folder / "a.opus").unlink()  # its rows are there
    assert run(capsys, url, "-o", out, "--batch", 1)[0] == 1
    assert [row["error"] == "" for row in rows_of(out)] == [True, True, True, False]


@pytest.fixture
def half_done(folder, tmp_path):
    """A table of which one part in four is done."""
    out = tmp_path / "t.csv"
    options = voxplain.annotation.Options()
    work = Work([folder], tmp_path / "t.csv.parts", options=options, batch=1)
    work.parts.keep(*next(iter([(0, next(work.run()))])))
    return out


def test_the_same_command_goes_on(folder, half_done, capsys):
    (folder / "b.opus").unlink()  # it was there when the list was made
    (folder / "e.wav").write_bytes(b"new")
    code, err = run(capsys, folder, "-o", half_done, "--batch", 1)
    assert code == 1
    assert err.endswith("4 rows of 4 recordings, 2 failed\n")
    rows = rows_of(half_done)
    assert [row["file"][-6:] for row in rows] == ["a.opus", "b.opus", "/c.wav", "/d.wav"]
    assert "b.opus: there is no such file; check the path" in rows[1]["error"]
    assert not half_done.with_name("t.csv.parts").exists()


def test_another_command_is_told_what_differs_and_may_begin_anew(folder, half_done, capsys):
    other = [folder, "-o", half_done, "--batch", 2, "--descriptors"]
    code, err = run(capsys, *other)
    assert code == 2
    assert "holds unfinished work of another command" in err
    assert "(descriptors: false then, true now; batch: 1 then, 2 now)" in err
    assert "or --force to begin anew" in err
    assert run(capsys, *other, "--force")[0] == 1
    assert "f0_mean_hz" in rows_of(half_done)[0]


def test_what_is_done_is_not_done_again_even_with_force(folder, half_done, capsys, monkeypatch):
    done = []
    keep = voxplain.annotation.parts.Parts.keep

    def noted(self, number, rows):
        done.append(number)
        keep(self, number, rows)

    monkeypatch.setattr(voxplain.annotation.parts.Parts, "keep", noted)
    assert run(capsys, folder, "-o", half_done, "--batch", 1, "--force")[0] == 1
    assert done == [1, 2, 3]


def test_a_killed_worker_is_a_clean_stop(folder, tmp_path, capsys, monkeypatch):
    def run_and_die(self, **options):
        raise WorkerLost("a worker process was killed")
        yield

    monkeypatch.setattr(Work, "run", run_and_die)
    assert run(capsys, folder, "-o", tmp_path / "t.csv") == (
        7,
        "voxplain: a worker process was killed\n",
    )
    assert (tmp_path / "t.csv.parts").exists()


DRIVER = """
import json, os, resource, signal, sys
import voxplain.cli.annotate
from voxplain.annotation.entries import Entry
from voxplain.annotation.rows import Options, annotated
from voxplain.cli import main

annotated([Entry("warm", sys.argv[1])], Options())  # model and detector are loaded once for all
for package in sys.argv[2:]:
    __import__(package)
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it
for line in sys.stdin:
    what, number, arguments = json.loads(line)
    child = os.fork()
    if child == 0:
        seen = 0

        def watch(event, found):
            global seen
            if any(isinstance(one, str) and "t.csv" in one for one in map(str, found)):
                seen += 1
                if seen == number and what != "limit":
                    os.kill(os.getpid(), getattr(signal, what))

        if what == "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (number, number))
        os.dup2(2, 1)
        code = 1
        try:
            sys.addaudithook(watch)
            code = main(arguments)
        finally:
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@contextlib.contextmanager
def driver_of(angry, *packages):
    """Runs of the command in processes of their own that meet something on their way."""
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(angry), *packages],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def go(*arguments, what="SIGKILL", number=0):
        driver.stdin.write(json.dumps([what, number, ["annotate", *map(str, arguments)]]) + "\n")
        driver.stdin.flush()
        return int(driver.stdout.readline())

    yield go
    assert "Traceback" not in driver.communicate()[1]


@pytest.fixture(scope="module")
def processes(angry):
    with driver_of(angry) as go:
        yield go


@pytest.fixture
def few(folder):
    """One clip, silence and a bad file: the less there is to hear, the sooner all is tried."""
    (folder / "b.opus").unlink()
    return folder


def table_without(folder, out, processes, options):
    """What comes out when nothing happens."""
    assert processes(folder, "-o", out, *options) == 1
    whole = out.read_bytes()
    out.unlink()
    return whole


def test_kill_9_at_any_moment_costs_no_row(few, tmp_path, processes):
    out, options = tmp_path / "t.csv", ["--batch", 1]
    whole = table_without(few, out, processes, options)
    killed = 0
    while True:
        code = processes(few, "-o", out, *options, number=killed + 1)
        if code == 1:
            break
        assert code == -9
        killed += 1
        if not out.exists():
            assert processes(few, "-o", out, *options) == 1
        elif (tmp_path / "t.csv.parts/manifest.json").exists():
            assert out.read_bytes() == whole
            assert processes(few, "-o", out, *options) == 1
        assert out.read_bytes() == whole
        out.unlink()
        shutil.rmtree(tmp_path / "t.csv.parts", ignore_errors=True)
    assert killed >= 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "t.csv"]


def test_killed_again_and_again(few, tmp_path, processes):
    out, options = tmp_path / "t.csv", ["--batch", 1]
    whole = table_without(few, out, processes, options)
    moments = random.Random(0)
    while not out.exists():  # joining takes some thirty moments, so that not every run is killed
        assert processes(few, "-o", out, *options, number=moments.randint(8, 60)) in (-9, 1)
    assert out.read_bytes() == whole


def test_interrupted_again_and_again_on_ray(few, tmp_path, processes, angry, ray_address):
    """Workers start anew for each driver, which takes seconds: more than these are for KILLS=20."""
    out, options = tmp_path / "t.csv", ["--batch", 1]
    whole = table_without(few, out, processes, options)
    moments, interrupted = random.Random(1), {-9: 0, 130: 0}
    options += ["--engine", "ray", "--address", ray_address, "--jobs", 2]
    with driver_of(angry, "ray") as on_ray:
        kills = int(os.environ.get("KILLS", "2"))
        for _ in range(8 * (kills + 1)):  # a run may be done before its moment comes
            if interrupted[-9] >= kills:
                break
            what = "SIGKILL" if interrupted[130] else "SIGINT"
            code = on_ray(few, "-o", out, *options, what=what, number=moments.randint(8, 50))
            assert code in (-9, 130, 1)
            if code != 1:
                interrupted[code] += 1
            if out.exists():  # it may be killed when the table is done
                assert out.read_bytes() == whole
                out.unlink()
        assert interrupted[-9] >= kills
        assert on_ray(few, "-o", out, *options) == 1
    assert out.read_bytes() == whole


def test_a_relative_model_on_a_cluster_that_stands_elsewhere(
    few, tmp_path, tiny_model, ray_address, capsys, monkeypatch
):
    monkeypatch.chdir(tiny_model.folder.parent)
    options = ["--model", tiny_model.folder.name, "--embeddings", "--batch", 1]
    on_ray = ["--engine", "ray", "--address", ray_address]
    assert run(capsys, few, "-o", tmp_path / "local.jsonl", *options)[0] == 1
    code, err = run(capsys, few, "-o", tmp_path / "ray.jsonl", *options, *on_ray)
    assert code == 1
    assert len(err.splitlines()) == 2  # the bad file and the last line: Ray keeps quiet
    assert (tmp_path / "ray.jsonl").read_bytes() == (tmp_path / "local.jsonl").read_bytes()


def test_ctrl_c_says_how_to_go_on(few, tmp_path, processes):
    out, options = tmp_path / "t.csv", ["--batch", 1]
    whole = table_without(few, out, processes, options)
    for moment in (5, 15, 25):
        assert processes(few, "-o", out, *options, what="SIGINT", number=moment) == 130
        assert processes(few, "-o", out, *options) == 1
        assert out.read_bytes() == whole
        out.unlink()


@pytest.mark.parametrize("room", ["no part", "no table"])
def test_a_full_disk_keeps_what_is_done(few, tmp_path, processes, room):
    out, options = tmp_path / "t.csv", ["--batch", 1]
    whole = table_without(few, out, processes, options)
    limit = 700 if room == "no part" else len(whole) - 1
    assert processes(few, "-o", out, *options, what="limit", number=limit) == 6
    assert not out.exists()
    parts = list((tmp_path / "t.csv.parts").glob("[0-9]*.jsonl"))
    assert (tmp_path / "t.csv.parts/manifest.json").exists()
    assert (len(parts) == 3) == (room == "no table")
    assert processes(few, "-o", out, *options) == 1
    assert out.read_bytes() == whole


def test_workers_leave_when_their_parent_is_killed(folder, tmp_path):
    """They hold its standard error, so that this ends only when they have ended."""
    script = (
        "import os, signal, sys\n"
        "from voxplain.cli import main\n"
        "def watch(event, found):\n"
        "    if event == 'os.rename' and str(found[1]).endswith('0000.jsonl'):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "if __name__ == '__main__':\n"
        "    sys.addaudithook(watch)\n"
        "    main(sys.argv[1:])\n"
    )
    (tmp_path / "script.py").write_text(script)
    out = tmp_path / "t.csv"
    arguments = ["annotate", str(folder), "-o", str(out), "--batch", "1", "--jobs", "2"]
    command = [sys.executable, str(tmp_path / "script.py"), *arguments]
    assert subprocess.run(command, capture_output=True, timeout=120).returncode == -9
    assert not out.exists()
    assert main(arguments) == 1
    assert len(rows_of(out)) == 4


def test_interrupted_in_python(folder, tmp_path, capsys, monkeypatch):
    def interrupt(self, **options):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Work, "run", interrupt)
    assert run(capsys, folder, "-o", tmp_path / "t.csv") == (
        130,
        "voxplain: interrupted; the same command goes on\n",
    )
