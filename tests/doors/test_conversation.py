"""``voxplain conversation``: what is printed, what is written, and what is refused."""

import csv
import io
import json
import shutil
import sys

import numpy as np
import pytest
import soundfile

import voxplain
from voxplain.audio.read import read
from voxplain.cli import main
from voxplain.conversations.results import Conversation

RATE = 16_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory, clips):
    """A short talk of two voices, ``talk.wav`` and ``talk.csv``."""
    place = tmp_path_factory.mktemp("doors")
    ann, bob = read(clips[2]).waveform, read(clips[4]).waveform
    soundfile.write(place / "talk.wav", np.concatenate([ann, bob]), RATE, subtype="FLOAT")
    edge, end = len(ann) / RATE, (len(ann) + len(bob)) / RATE
    rows = f"0,{edge},Ann <b>\n{edge - 0.4},{end},bob\n"
    (place / "talk.csv").write_text(f"start,end,speaker\n{rows}")
    return place


def run(capsys, *arguments):
    code = main(["conversation", *map(str, arguments)])
    seen = capsys.readouterr()
    assert "Traceback" not in seen.err
    return code, seen.out, seen.err


def test_a_page_a_document_and_a_table(folder, tmp_path, capsys):
    out = tmp_path / "new" / "talk"
    options = ["--speakers", folder / "talk.csv", "-o", out]
    code, said, err = run(capsys, folder / "talk.wav", *options)
    names = ["conversation.html", "conversation.json", "turns.csv"]
    assert code == 0
    assert err == "".join(f"wrote {out / name}\n" for name in names)
    assert sorted(path.name for path in out.iterdir()) == names
    found = voxplain.conversation(str(folder / "talk.wav"), speakers=folder / "talk.csv")
    document = json.loads((out / "conversation.json").read_text())
    assert document == json.loads(json.dumps(found.to_dict()))
    assert Conversation.from_dict(document).to_dict() == found.to_dict()
    assert "data:audio/mpeg;base64," in (out / "conversation.html").read_text(encoding="utf-8")
    assert "Ann <b>: 0:0" in said
    assert all(len(line) < 80 for line in said.splitlines() if "talk.wav" not in line)

    with (out / "turns.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["speaker"] for row in rows] == ["Ann <b>", "Ann <b>|bob", "bob"]
    assert [row["reason"] for row in rows] == ["", "several speak at once", ""]
    ann, bob = found.turns
    for row, turn in zip((rows[0], rows[2]), (ann, bob), strict=True):
        assert row["file"] == str(folder / "talk.wav")
        assert float(row["start"]) == float(f"{turn.start:.6g}")
        assert float(row["p_angry"]) == float(f"{turn.emotion.categories['angry']:.6g}")
        assert float(row["arousal"]) == float(f"{turn.emotion.dimensions.arousal.value:.6g}")
        assert row["verdict"] == "|".join(turn.emotion.verdict.labels)


def test_a_result_is_replaced_only_when_told(folder, tmp_path, capsys):
    arguments = [folder / "talk.wav", "-o", tmp_path]
    assert run(capsys, *arguments)[0] == 0
    before = (tmp_path / "conversation.html").read_bytes()
    code, said, err = run(capsys, *arguments)
    assert (code, said) == (2, "")
    assert err == f"voxplain: {tmp_path / 'conversation.html'} exists; --force replaces it\n"
    assert run(capsys, *arguments, "--force")[0] == 0
    assert (tmp_path / "conversation.html").read_bytes() == before


def test_a_long_recording_is_linked_from_where_it_lies(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("voxplain.conversations.page.WHOLE_HEARD", 1.0)
    place = tmp_path / "a b"
    place.mkdir()
    shutil.copy(folder / "talk.wav", place / "l'été #1.wav")
    assert run(capsys, place / "l'été #1.wav", "-o", tmp_path / "out")[0] == 0
    written = (tmp_path / "out/conversation.html").read_text(encoding="utf-8")
    assert 'src="../a%20b/l%27%C3%A9t%C3%A9%20%231.wav"' in written
    assert "data:audio" not in written


def test_standard_input_leaves_nothing_to_hear(folder, tmp_path, capsys, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO((folder / "talk.wav").read_bytes()))
    monkeypatch.setattr(sys, "stdin", stream)
    code, said, _ = run(capsys, "-", "-o", tmp_path)
    assert code == 0
    assert said.startswith("<stdin>  0:0")
    assert "speakers unknown" in said
    assert "<audio" not in (tmp_path / "conversation.html").read_text(encoding="utf-8")


def test_without_speech_it_says_so(tmp_path, capsys):
    soundfile.write(tmp_path / "silence.wav", np.zeros(2 * RATE), RATE)
    code, said, _ = run(capsys, tmp_path / "silence.wav", "-o", tmp_path / "out")
    assert code == 0
    assert "Note: 1 turn could not be judged." in said
    assert "Not enough evidence: no speech found in 2.0 s of audio." in said
    assert "No turning point" in said


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--speakers", "{}/nowhere.csv"], 2, "nowhere.csv can't be read as a table"),
        (["--diariser", "sherpa_onnx"], 2, "the diariser sherpa_onnx needs the folder of its"),
        (["--diariser", "sherpa_onnx", "--diariser-model", "{}"], (3, 4), "sherpa"),
        (["--reach", "-1"], 2, "a reach of -1 s; give seconds above 0"),
    ],
)
def test_what_is_refused_leaves_no_folder(folder, tmp_path, capsys, options, code, message):
    out = tmp_path / "out"
    filled = [one.format(tmp_path) for one in options]
    found, said, err = run(capsys, folder / "talk.wav", "-o", out, *filled)
    assert found in (code if isinstance(code, tuple) else (code,))
    assert said == ""
    assert message in err
    assert not out.exists()


def test_the_page_of_help_fits(capsys):
    with pytest.raises(SystemExit):
        main(["conversation", "--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
