"""``voxplain audit``: what people read, the JSON, the exit codes."""

import json

import pytest
import soundfile

from voxplain.audio.read import read
from voxplain.cli import main


def run(capsys, *arguments):
    code = main(["audit", *map(str, arguments)])
    seen = capsys.readouterr()
    assert "Traceback" not in seen.err
    return code, seen.out, seen.err


@pytest.fixture
def lists(tmp_path, clips):
    """Writes a list of some of the recordings, each with a speaker."""

    def write(name, *rows):
        lines = ["file,speaker,emotion", *(f"{clips[n]},{who},{label}" for n, who, label in rows)]
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
        return tmp_path / name

    return write


@pytest.fixture
def train(lists):
    return lists("train.csv", (0, "s1", "happy"), (1, "s1", "sad"))


def test_sides_that_are_apart_pass(lists, train, capsys):
    test = lists("test.csv", (2, "s2", "happy"), (3, "s2", "sad"))
    code, out, err = run(capsys, train, test)
    assert (code, err) == (0, "")
    head, one, other, _, verdict = out.splitlines()
    assert head.split() == ["clips", "heard", "hours", "speakers", "labels", "side"]
    assert one.split() == ["2", "2", "0.00", "1", "2", "train"]
    assert other.split()[-1] == "test"
    assert verdict == "passed: no speaker and no recording is on two sides, as far as was looked"


def test_a_leak_ends_with_one_and_fits_80_columns(lists, train, capsys):
    test = lists("a_long_name_of_a_list_" * 3 + ".csv", (1, "s1", "sad"), (2, "s2", "fear"))
    code, out, _ = run(capsys, train, test)
    assert code == 1
    assert max(map(len, out.splitlines())) < 80
    assert "LEAK     1 of 2 speakers of" in out
    assert "         s1\n" in out
    assert "FAULT    " in out  # fear is not in train
    assert out.endswith("FAILED: the sides are not apart\n")


def test_speakers_that_nobody_knows_end_with_one(lists, train, capsys):
    test = lists("test.csv", (2, "", "happy"), (3, "", "sad"))
    code, out, _ = run(capsys, train, test)
    assert code == 1
    assert "UNKNOWN  nothing tells their speakers" in out
    assert out.endswith("FAILED: nobody can say\n")
    code, _, _ = run(capsys, train, test, "--speaker-pattern", r"cremad_\d+_(tie)")
    assert code == 0


def test_json_is_all_that_was_found(lists, train, capsys):
    test = lists("test.csv", (1, "s1", "sad"), (2, "s2", "sad"))
    code, out, err = run(capsys, train, test, "--json")
    assert (code, err) == (1, "")
    document = json.loads(out)
    assert [side["name"] for side in document["sides"]] == ["train", "test"]
    assert {one["kind"] for one in document["findings"]} == {
        "shared speakers", "listed twice", "one class",
    }  # fmt: skip


def test_one_side_is_looked_into(tmp_path, clips, capsys):
    for place in range(5):
        soundfile.write(tmp_path / f"{place}.wav", read(clips[0]).waveform, 16_000)
    code, out, _ = run(capsys, tmp_path)
    assert code == 0
    assert "NOTE     4 of 5 recordings of" in out
    assert "0.wav = 1.wav" in out
    assert "... and 7 more" in out
    assert out.endswith("one side: nothing to leak\n")


def test_bad_input_ends_as_the_table_of_errors_says(lists, train, tmp_path, capsys):
    empty = lists("empty.csv")
    odd = lists("odd.csv", (0, "s1", "joyfull"))
    for arguments, code, says in (
        ([train, empty], 2, "the list has no rows"),
        ([train, odd], 2, "line 2: unknown emotion label 'joyfull'"),
        ([train, tmp_path / "none.csv"], 4, "can't be read"),
        ([f"{train}#test", train], 2, "nothing in the split 'test'; there are none"),
        ([train, train, "--jobs", "0"], 2, "--jobs must be at least 1, not 0"),
        ([train, train, "--speaker-pattern", "x"], 2, "needs one group"),
        ([train, train, "--audio", tmp_path / "no"], 4, "there is no folder"),
    ):
        found, out, err = run(capsys, *arguments)
        assert (found, out) == (code, "")
        assert says in err
