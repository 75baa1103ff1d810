"""``voxplain whatif``: what people are told, what they can listen to, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

import voxplain
from voxplain.cli import main

RATE = 16_000


def run(capsys, *arguments):
    code = main(["whatif", *map(str, arguments)])
    seen = capsys.readouterr()
    assert "Traceback" not in seen.err
    return code, seen.out, seen.err


@pytest.fixture
def memo(clips, tmp_path):
    sad = next(clip for clip in clips if "sad" in clip.name)
    return Path(shutil.copy(sad, tmp_path / "memo.opus"))


def test_json_prints_one_document_and_writes_nothing(memo, capsys):
    code, out, err = run(capsys, memo, "--f0-shift", "2st", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert list(document) == [
        "source",
        "synthetic",
        "edit",
        "before",
        "after",
        "identity",
        "measured",
    ]
    assert document["synthetic"] is True
    assert document["edit"] == {"f0_shift_st": 2.0}
    assert document["measured"]["f0_shift_st"]["value"] == pytest.approx(2, rel=0.05)
    plain = voxplain.analyze(str(memo), explain=None)
    assert document["before"] == json.loads(json.dumps(plain.emotion.to_dict()))
    pitch = plain.descriptors.functionals["f0_mean_st"].value
    assert document["measured"]["f0_mean_st"]["value"] == pytest.approx(pitch + 2, abs=1)
    assert list(memo.parent.iterdir()) == [memo]


def test_the_sound_is_what_was_judged_and_says_that_it_is_synthetic(memo, tmp_path, capsys):
    options = ("--f0-range", "0.7", "--tempo", "0.85", "--gain", "-3dB", "--tilt", "-3dB")
    code, out, err = run(capsys, memo, *options, "--breathiness", "0.1")
    sound = tmp_path / "memo.synthetic.wav"
    assert (code, err) == (0, f"wrote {sound}\n")
    with soundfile.SoundFile(sound) as file:
        assert "synthetic" in file.comment
        assert file.subtype == "FLOAT"
        seconds = soundfile.info(memo).duration
        assert len(file) / RATE == pytest.approx(seconds / 0.85, abs=1e-3)
    document = json.loads(run(capsys, memo, *options, "--breathiness", "0.1", "--json")[1])
    again = voxplain.analyze(str(sound), explain=None)
    assert document["after"] == json.loads(json.dumps(again.emotion.to_dict()))
    assert max(map(len, out.splitlines()[1:])) < 80  # the first has the path
    for word in ("as recorded", "changed", "unchanged", "tempo × 0.85", "found again", "Synthetic"):
        assert word in out


def test_a_sound_is_replaced_only_by_force(memo, tmp_path, capsys):
    sound = tmp_path / "memo.synthetic.wav"
    sound.write_text("mine")
    _, _, err = run(capsys, memo, "--gain", "2dB")
    assert sound.read_text() == "mine"
    assert f"kept {sound} as it is; --force replaces it" in err
    run(capsys, memo, "--gain", "2dB", "--force")
    assert soundfile.info(sound).samplerate == RATE


def test_out_takes_the_sound(memo, tmp_path, capsys):
    run(capsys, memo, "--tempo", "1.1", "--out", tmp_path / "new")
    assert (tmp_path / "new" / "memo.synthetic.wav").is_file()
    assert not (tmp_path / "memo.synthetic.wav").exists()


def test_what_will_be_clipped_is_said(memo, capsys):
    loudest = np.abs(soundfile.read(memo)[0]).max()
    gain_db = 3 - 20 * np.log10(loudest)
    _, _, err = run(capsys, memo, "--gain", f"{gain_db:.2f}")
    assert "the sound exceeds full scale by 3.0 dB and will be clipped" in err


def test_the_smallest_flip(memo, capsys):
    before = voxplain.analyze(str(memo), explain=None).emotion.verdict.labels[0]
    code, out, _ = run(capsys, memo, "--flip", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["after"]["verdict"]["labels"][0] != before
    assert found["identity"]["verdict"]["labels"][0] == before
    assert found["edit"]


def test_no_flip_is_told_as_such(memo, capsys, monkeypatch):
    monkeypatch.setattr("voxplain.cli.whatif.smallest_flip", lambda *_, **__: None)
    _, out, err = run(capsys, memo, "--flip", "fear")
    assert "No change that this voice allows, of those tried, makes it sound otherwise." in out
    assert err == ""
    found = json.loads(run(capsys, memo, "--flip", "fear", "--json")[1])
    assert (found["edit"], found["after"], found["synthetic"]) == (None, None, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "nothing to change; ask for it, for example with --f0-shift 2st, or for --flip"),
        (["--tempo", "fast"], "--tempo takes a number such as 0.5 or 0.5x, not 'fast'"),
        (["--gain", "6st"], "--gain takes a number such as 0.5 or 0.5dB, not '6st'"),
        (["--tempo", "4"], "tempo can't be 4; give 0.5 to 2"),
        (["--f0-shift", "20st"], "where a pitch can be followed; it allows shifts of"),
        (["--gain", "6dB", "--flip"], "--flip looks for a change by itself; leave out the others"),
        (["--flip", "glad"], "unknown label 'glad'"),
        (["--gain", "1", "--json", "--out", "x"], "--json writes no files; leave out --out"),
    ],
)
def test_what_can_not_be_done(memo, capsys, options, message):
    code, out, err = run(capsys, memo, *options)
    assert (code, out) == (2, "")
    assert message in err
    assert list(memo.parent.iterdir()) == [memo]


def test_noise_is_no_voice(tmp_path, capsys):
    hiss = tmp_path / "hiss.wav"
    soundfile.write(hiss, np.random.default_rng(0).normal(0, 0.1, RATE), RATE)
    code, _, err = run(capsys, hiss, "--tempo", "0.9")
    assert code == 2
    assert "hiss.wav (1.0 s), so there is no voice to change" in err


def test_help_fits_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main(["whatif", "--help"])
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "voxplain whatif memo.m4a --f0-shift 2st" in out
