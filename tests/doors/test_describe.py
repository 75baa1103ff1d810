"""``voxplain describe``: what people read, the JSON, exchanged words, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voxplain.cli import main
from voxplain.models.description import parsed
from voxplain.models.listening import ListeningModel

SENTENCE = "That is exactly what happened."


def run(capsys, *arguments):
    code = main(["describe", *map(str, arguments)])
    seen = capsys.readouterr()
    assert "Traceback" not in seen.err
    return code, seen.out, seen.err


@pytest.fixture
def transcript(tmp_path):
    path = tmp_path / "said.json"
    words = [
        {"text": word, "start": 0.5 + n / 3, "end": 0.8 + n / 3, "confidence": 0.9}
        for n, word in enumerate(SENTENCE.split())
    ]
    path.write_text(json.dumps({"text": SENTENCE, "words": words, "language": "en"}))
    return path


def test_what_is_heard_stands_beside_what_is_measured(angry, listening_folder, capsys):
    code, out, err = run(capsys, angry, "--model", listening_folder)
    assert (code, err) == (0, "")
    told = json.loads(run(capsys, angry, "--model", listening_folder, "--json")[1])
    (segment,) = told["segments"]
    found = segment["listening"]
    head, _, *lines = out.splitlines()
    assert head == f"{angry}  3.0 s, 2.0 s of speech"
    assert all(len(line) < 80 for line in lines)
    phrase = out.partition("\n\n")[2].partition("\n\n")[0]
    assert " ".join(phrase.split()) == f"0.38–2.82 s {found['text']}"
    rows = {line.split()[0]: line for line in lines if line.startswith("  ")}
    for name, one in found["heard"].items():
        assert rows[name].split()[1] == one["word"]
        assert rows[name].endswith(one["agreement"])
        assert (one["measured"] or "") in rows[name]
    assert "311 Hz" in rows["pitch"]
    top = max(found["categories"], key=found["categories"].get)
    assert rows["sounds"].split()[1] == top


def test_the_output_on_the_page_is_the_output(capsys, monkeypatch):
    root = Path(__file__).parents[2]
    monkeypatch.chdir(root)
    blocks = (root / "docs/describe.md").read_text(encoding="utf-8").split("```")
    (shown,) = [block.strip() for block in blocks if block.startswith("\n$ voxplain describe")]
    command, _, output = shown.partition("\n")
    code, out, _ = run(capsys, command.split()[-1])
    assert code == 0
    assert out.strip() == output


def test_json_names_the_model(angry, listening_folder, capsys):
    code, out, _ = run(capsys, angry, "--model", listening_folder, "--json")
    document = json.loads(out)
    assert code == 0
    assert list(document) == ["source", "model", "model_sha256", "segments"]
    model = ListeningModel.load(str(listening_folder))
    assert (document["model"], document["model_sha256"]) == ("tiny", model.sha256)
    assert document["segments"][0]["reason"] is None


def test_words_bring_the_stress(angry, listening_folder, transcript, capsys):
    options = ("--model", listening_folder, "--transcript", transcript, "--json")
    heard = json.loads(run(capsys, angry, *options)[1])["segments"][0]["listening"]["heard"]
    assert heard["stress"]["word"] in ("none", *SENTENCE.lower().rstrip(".").split())
    assert heard["stress"]["measured"] in ("none", *SENTENCE.lower().rstrip(".").split())


def test_an_exchanged_word_and_the_verdict_by_it(angry, concept_folder, capsys):
    model = ListeningModel.load(str(concept_folder))
    options = ("--model", concept_folder, "--set", "pitch=high", "--set", "tone=flat")
    code, out, err = run(capsys, angry, *options)
    assert (code, err) == (0, "")
    told = json.loads(run(capsys, angry, *options, "--json")[1])["segments"][0]
    verdicts = told["set"]
    assert verdicts["changes"] == {"pitch": "high", "tone": "flat"}
    assert verdicts["before"] == pytest.approx(told["listening"]["categories"])
    assert verdicts["text"].startswith("pitch high, ")
    assert verdicts["text"].endswith(", tone flat")
    wanted = model.describer.decide(parsed(verdicts["text"], labels=()))
    assert verdicts["after"] == pytest.approx(wanted)
    assert max(map(len, out.splitlines()[1:])) < 80
    for row in ("\n  as heard    sounds ", "\n  changed     sounds ", "\n  now read    pitch high"):
        assert row in out


def test_several_recordings_a_line_each(clips, listening_folder, tmp_path, capsys):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    paths = (clips[0], broken, clips[1])
    code, out, err = run(capsys, *paths, "--model", listening_folder, "--json")
    assert code == 1
    assert [json.loads(line)["source"] for line in out.splitlines()] == [
        str(clips[0]),
        str(clips[1]),
    ]
    assert "broken.wav" in err


def test_where_nobody_speaks(tmp_path, listening_folder, capsys):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(16_000), 16_000)
    code, out, _ = run(capsys, path, "--model", listening_folder)
    assert code == 0
    assert "Not enough evidence: no speech found" in out
    assert json.loads(run(capsys, path, "--model", listening_folder, "--json")[1])["segments"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "pitch=low"], "--set changes what a verdict is read from, and tiny decides by"),
        (["--set", "pitch"], "--set takes WHAT=WORD such as pitch=low, not 'pitch'"),
        (["--transcript", "x.txt", "--asr", "auto"], "leave out --asr, or --transcript"),
        (["--model", "nowhere"], "unknown listening model 'nowhere'; available: "),
    ],
)
def test_what_does_not_go_together_is_refused(angry, listening_folder, capsys, options, message):
    code, out, err = run(capsys, angry, "--model", listening_folder, *options)
    assert (code, out) == (2, "")
    assert message in err


def test_a_transcript_is_of_one_recording(clips, listening_folder, capsys):
    options = ("--model", listening_folder, "--transcript", "x.txt")
    code, _, err = run(capsys, *clips[:2], *options)
    assert code == 2
    assert "--transcript is of one recording, and 2 are given" in err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("volume=high", "unknown descriptor 'volume'; available: brightness, contour, dynamics, "),
        ("pitch=tall", "unknown word for pitch 'tall'; available: high, low, medium"),
        ("stress=that", "unknown descriptor 'stress'"),
    ],
)
def test_words_that_there_are_not(angry, concept_folder, capsys, change, message):
    code, _, err = run(capsys, angry, "--model", concept_folder, "--set", change)
    assert code == 2
    assert message in err


def test_a_recording_that_can_not_be_read(tmp_path, listening_folder, capsys):
    code, _, err = run(capsys, tmp_path / "none.wav", "--model", listening_folder)
    assert code == 2
    assert "none.wav" in err
