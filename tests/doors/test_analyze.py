"""``voxplain analyze``: what people type, what they see and what lies there afterwards."""

import contextlib
import csv
import io
import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

import voxplain
from voxplain.cli import main
from voxplain.errors import BackendTimeout

RATE = 16_000
PLAIN = ("--explain", "none")  # what is said why takes ten times as long as the rest
POSIX = pytest.mark.skipif(os.name != "posix", reason="only POSIX names may hold this")


def run(capsys, *arguments):
    code = main(["analyze", *map(str, arguments)])
    seen = capsys.readouterr()
    assert "Traceback" not in seen.err
    return code, seen.out, seen.err


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


@pytest.fixture
def memo(angry, tmp_path):
    return Path(shutil.copy(angry, tmp_path / "memo.opus"))


@pytest.fixture
def folder(clips, tmp_path):
    place = tmp_path / "corpus"
    (place / "deep").mkdir(parents=True)
    shutil.copy(clips[0], place / "a.opus")
    shutil.copy(clips[1], place / "deep" / "b.opus")
    return place


@pytest.fixture(scope="module")
def usual(angry, tmp_path_factory):
    """What comes of the command without an option: ``code``, ``out``, ``err`` and the files."""
    folder = tmp_path_factory.mktemp("usual")
    memo = shutil.copy(angry, folder / "memo.opus")
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setenv("VOXPLAIN_MODELS", str(folder / "models"))
        code = main(["analyze", str(memo)])
    return SimpleNamespace(
        code=code,
        out=out.getvalue(),
        err=err.getvalue(),
        json=folder / "memo.voxplain.json",
        document=json.loads((folder / "memo.voxplain.json").read_text()),
        html=folder / "memo.voxplain.html",
        page=(folder / "memo.voxplain.html").read_text(encoding="utf-8"),
    )


def test_a_summary_of_80_columns_and_a_document_beside_the_file(usual):
    assert usual.code == 0
    assert "Sounds angry." in usual.out
    assert max(map(len, usual.out.splitlines())) < 80
    for word in ("angry", "neutral", "valence", "arousal", "dominance", "Most unusual"):
        assert word in usual.out
    assert usual.document["emotion"]["verdict"]["labels"] == ["angry"]
    assert "tracks" not in usual.document["descriptors"]
    assert f"wrote {usual.json}" in usual.err


def test_json_prints_one_document_and_writes_nothing(memo, capsys):
    code, out, err = run(capsys, memo, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    plain = voxplain.analyze(str(memo), explain=None)
    assert document == json.loads(json.dumps(plain.to_dict()))
    assert list(memo.parent.iterdir()) == [memo]
    tracks = json.loads(run(capsys, memo, "--json", "--tracks")[1])["descriptors"]["tracks"]
    assert len(tracks["f0_hz"]["times"]) == len(tracks["f0_hz"]["values"])


def test_a_result_is_replaced_only_by_force(memo, capsys):
    result = memo.parent / "memo.voxplain.json"
    result.write_text("mine")
    code, _, err = run(capsys, memo, *PLAIN)
    assert (code, result.read_text()) == (0, "mine")
    assert "--force replaces it" in err
    run(capsys, memo, *PLAIN, "--force")
    assert json.loads(result.read_text())["schema_version"] == "1.7"


def test_a_page_and_a_document_say_why(usual):
    assert usual.document["explanation"]["effort"] == "quick"
    assert f"wrote {usual.html}" in usual.err
    reasons = [claim["text"] for claim in usual.document["claims"][:3]]
    for reason in reasons:
        assert reason in " ".join(usual.out.replace("\N{NO-BREAK SPACE}", " ").split())
        assert reason.split(",")[0] in usual.page


def test_why_not_another_label(memo, capsys):
    code, out, _ = run(capsys, memo, "--json", "--why", "sad")
    found = json.loads(out)["explanation"]
    assert (code, found["output"], found["runner_up"]) == (0, "sad", "angry")


def test_none_is_no_explanation(memo, capsys):
    run(capsys, memo, *PLAIN)
    assert json.loads((memo.parent / "memo.voxplain.json").read_text())["explanation"] is None
    assert (memo.parent / "memo.voxplain.html").is_file()


def test_reports_of_choice(memo, capsys):
    formats = ("markdown", "textgrid", "text")
    run(capsys, memo, *PLAIN, *(part for name in formats for part in ("--report", name)))
    found = {path.name for path in memo.parent.iterdir()} - {memo.name}
    assert found == {"memo.voxplain.md", "memo.voxplain.TextGrid", "memo.voxplain.txt"}


def test_several_recordings_are_explained_on_demand(folder, tiny_model, capsys):
    model = ("--model", tiny_model.folder)
    run(capsys, folder, *model)
    assert json.loads((folder / "a.voxplain.json").read_text())["explanation"] is None
    reports = ("--report", "html", "--report", "json")
    code, *_ = run(capsys, folder, "--explain", "quick", *reports, "--force", *model)
    assert code == 0
    for name in ("a", "deep/b"):
        document = json.loads((folder / f"{name}.voxplain.json").read_text())
        assert document["explanation"]["effort"] == "quick"
        page = (folder / f"{name}.voxplain.html").read_text(encoding="utf-8")
        assert document["claims"][0]["text"].split(",")[0] in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--why", "bored"], "unknown label 'bored'"),
        (["--why", "sad", "--explain", "none"], "--why explains a label; leave out --explain none"),
        (["--json", "--report", "html"], "--json writes no files; leave out --report"),
    ],
)
def test_explanations_that_there_are_not(memo, folder, capsys, options, message):
    for path in (memo, folder):
        code, _, err = run(capsys, path, *options)
        assert code == 2
        assert message in err


def test_a_transcript_adds_words_to_the_summary_the_document_and_the_page(memo, capsys):
    pytest.importorskip("pocketsphinx")
    text = memo.with_suffix(".txt")
    text.write_text("That is exactly what happened.\n")
    code, out, _ = run(capsys, memo, *PLAIN, "--transcript", text)
    assert code == 0
    assert "Said (*stressed*, [the speaker's own reaction], ?not surely recognised?):" in out
    assert max(map(len, out.splitlines())) < 80
    document = json.loads((memo.parent / "memo.voxplain.json").read_text())
    words = document["transcript"]["words"]
    assert [word["text"] for word in words] == ["That", "is", "exactly", "what", "happened."]
    assert all(a["end"] <= b["start"] + 0.011 for a, b in pairwise(words))
    assert document["provenance"]["config"]["asr"] == "given"
    told = [claim["text"] for claim in document["claims"]]
    assert any(one.startswith("The words alone sound") for one in told)
    page = (memo.parent / "memo.voxplain.html").read_text()
    assert 'id="transcript.words.2"' in page


def test_a_recogniser_hears_words(memo, capsys):
    pytest.importorskip("pocketsphinx")
    code, out, _ = run(capsys, memo, "--json", "--asr", "pocketsphinx")
    document = json.loads(out)
    assert code == 0
    assert document["transcript"]["source"] == document["provenance"]["config"]["asr"]
    start, end = document["segments"][0]["start"], document["segments"][0]["end"]
    for word in document["transcript"]["words"]:
        assert start - 0.05 <= word["start"] < word["end"] <= end + 0.05
        assert 0 <= word["confidence"] <= 1


def test_without_a_good_recogniser_the_words_are_left_out_and_it_says_how_to_get_one(
    usual, memo, capsys
):
    assert "the words were left out" in usual.err
    assert "Said" not in usual.out
    assert usual.document["transcript"] is None
    _, _, err = run(capsys, memo, *PLAIN, "--asr", "none")
    assert "words" not in err


def test_several_recordings_have_transcripts_of_their_names(folder, tmp_path, capsys):
    pytest.importorskip("pocketsphinx")
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.txt").write_text("Maybe tomorrow it will be cold")
    code, out, _ = run(capsys, folder, "--json", "--transcript", texts)
    good, bad = map(json.loads, out.splitlines())
    assert code == 1
    assert len(good["transcript"]["words"]) == 6
    assert f"{texts / 'b.txt'} can't be read" in bad["error"]["message"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no words; give what is said"),
        ("🙂 🙃", "has no words; give what is said"),
        ("word " * 10_000, "10000 words"),
    ],
)
def test_a_transcript_that_cannot_be_of_the_recording(text, message, memo, capsys):
    pytest.importorskip("pocketsphinx")
    file = memo.with_suffix(".txt")
    file.write_text(text, encoding="utf-8")
    code, out, err = run(capsys, memo, "--transcript", file)
    assert (code, out) == (2, "")
    assert message in err


def test_a_transcript_that_is_not_english_is_shown_and_left_out_of_account(memo, capsys):
    pytest.importorskip("pocketsphinx")
    file = memo.with_suffix(".txt")
    file.write_text("هذا بالضبط ما حدث", encoding="utf-8")
    code, out, _ = run(capsys, memo, "--json", "--transcript", file)
    document = json.loads(out)
    assert code == 0
    assert document["transcript"]["text"] == "هذا بالضبط ما حدث"
    assert document["transcript"]["warnings"]
    assert document["text_emotion"]["categories"] == {}
    assert document["roles"] == []
    assert document["fusion"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--transcript", "memo.txt", "--asr", "auto"), "leave out --asr, or --transcript"),
        (("--asr", "auto", "--asr-model", "x"), "needs the name of its recogniser, not auto"),
    ],
)
def test_words_from_two_places(options, message, memo, capsys):
    code, out, err = run(capsys, memo, *options)
    assert (code, out) == (2, "")
    assert message in err


def test_a_transcript_for_several_recordings_is_a_folder(folder, capsys):
    code, _, err = run(capsys, folder, "--transcript", folder / "a.opus")
    assert code == 2
    assert "is not a folder; for several recordings give a folder of files" in err


def test_out_takes_the_results_of_a_folder_in_its_shape(folder, usual, tmp_path, capsys):
    out = tmp_path / "results"
    code, said, _ = run(capsys, folder, "--out", out)
    assert code == 0
    assert len(said.splitlines()) == 2
    found = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    deep = str(Path("deep", "b.voxplain.json"))
    assert found == {"a.voxplain.json", deep, "voxplain.index.csv"}
    rows = rows_of(out / "voxplain.index.csv")
    assert [Path(row["file"]).name for row in rows] == ["a.opus", "b.opus"]
    assert float(rows[0]["end"]) > 1
    shares = [float(rows[0][label]) for label in usual.document["emotion"]["categories"]]
    assert sum(shares) == pytest.approx(1, abs=1e-4)
    assert not list(folder.rglob("*.json"))


def test_the_index_holds_both_outputs_and_blanks_where_nothing_was_judged(
    folder, tiny_model, capsys
):
    soundfile.write(folder / "0-silence.wav", np.zeros(RATE), RATE)
    assert run(capsys, folder, "--model", tiny_model.folder)[0] == 0
    silence, first, second = rows_of(folder / "voxplain.index.csv")
    assert [*first] == [
        *("file", "start", "end", "verdict", "reason", "angry", "neutral", "sad"),
        *("perceived_angry", "perceived_happy", "perceived_neutral", "perceived_sad"),
        *("valence", "arousal", "dominance"),
    ]
    assert not any(silence[column] for column in [*silence][5:])
    for row, path in ((first, folder / "a.opus"), (second, folder / "deep" / "b.opus")):
        found = voxplain.analyze(path, model=str(tiny_model.folder), explain=None).emotion
        for label, share in found.perceived.items():
            assert float(row[f"perceived_{label}"]) == pytest.approx(share, abs=1e-6)
        for label, probability in found.categories.items():
            assert float(row[label]) == pytest.approx(probability, abs=1e-6)


def test_a_reference_without_speech_is_named(memo, tiny_model, capsys):
    quiet = memo.parent / "quiet.wav"
    soundfile.write(quiet, np.zeros(RATE), RATE)
    code, out, err = run(capsys, memo, "--model", tiny_model.folder, "--reference", quiet)
    assert (code, out) == (2, "")
    assert f"no speech found in {quiet}" in err


def test_help_says_what_is_judged_against_a_speaker(capsys):
    with pytest.raises(SystemExit):
        main(["analyze", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert "judge levels and emotion against this recording of the same speaker" in words
    assert "judge levels and emotion against the same speaker's other stretches" in words
    with pytest.raises(SystemExit):
        main(["features", "--help"])
    assert "emotion" not in capsys.readouterr().out, "a table of descriptors holds none"


def test_a_list_a_folder_and_one_by_one_agree(folder, capsys):
    paths = [folder / "a.opus", folder / "deep" / "b.opus"]
    single = [run(capsys, path, "--json")[1] for path in paths]
    listed = run(capsys, *paths[::-1], "--json")[1].splitlines()[::-1]
    found = run(capsys, folder, "--json", "--jobs", "2")[1].splitlines()
    for one, other, third in zip(single, listed, found, strict=True):
        assert json.loads(one) == json.loads(other) == json.loads(third)


def test_a_bad_file_in_a_folder_is_a_row_and_an_exit_code(folder, capsys):
    (folder / "bad.wav").write_bytes(b"RIFF nothing")
    code, out, err = run(capsys, folder)
    assert code == 1
    assert "bad.wav: error:" in out
    assert "1 of 3 files failed" in err
    rows = rows_of(folder / "voxplain.index.csv")
    assert ["bad.wav" in row["file"] for row in rows] == [bool(row["error"]) for row in rows]
    lines = run(capsys, folder, "--json")[1].splitlines()
    (error,) = [json.loads(line)["error"] for line in lines if "error" in json.loads(line)]
    assert (error["type"], error["exit_code"]) == ("AudioError", 2)


def test_files_that_differ_in_their_suffix_keep_it(memo, capsys):
    soundfile.write(memo.with_suffix(".wav"), np.zeros(RATE), RATE)
    run(capsys, memo.parent)
    assert {path.name for path in memo.parent.glob("*.json")} == {
        "memo.opus.voxplain.json",
        "memo.wav.voxplain.json",
    }


def test_standard_input(memo, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(memo.read_bytes())))
    code, out, _ = run(capsys, "-", "--json")
    assert (code, json.loads(out)["source"]) == (0, "<stdin>")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(memo.read_bytes())))
    run(capsys, "-", *PLAIN, "--out", memo.parent / "new")
    assert (memo.parent / "new" / "stdin.voxplain.json").exists()
    code, _, err = run(capsys, "-", memo)
    assert code == 2
    assert "can't be mixed" in err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.wav", b"", "is empty"),
        ("text.wav", b"dear diary, " * 100, "can't be decoded"),
        ("image.wav", b"\x89PNG\r\n\x1a\n" + bytes(500), "no audio"),
        ("zip.m4a", b"PK\x03\x04" + bytes(500), "can't be decoded"),
    ],
)
def test_what_is_no_audio_is_an_error_that_names_the_file(name, content, said, tmp_path, capsys):
    path = tmp_path / name
    path.write_bytes(content)
    code, out, err = run(capsys, path)
    assert (code, out) == (2, "")
    assert name in err
    assert said in err
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_not_finite(value, tmp_path, capsys):
    waveform = np.zeros(RATE, np.float32)
    waveform[8000] = value
    soundfile.write(tmp_path / "odd.wav", waveform, RATE, subtype="FLOAT")
    code, _, err = run(capsys, tmp_path / "odd.wav")
    assert code == 2
    assert "odd.wav" in err
    assert "0.500 s" in err


def test_one_sample_a_missing_file_and_a_folder_without_audio(tmp_path, capsys):
    soundfile.write(tmp_path / "one.wav", np.zeros(1), RATE)
    assert run(capsys, tmp_path / "one.wav")[0] == 2
    code, _, err = run(capsys, tmp_path / "gone.wav")
    assert code == 2
    assert "gone.wav" in err
    (tmp_path / "one.wav").unlink()
    code, _, err = run(capsys, tmp_path)
    assert code == 2
    assert "no audio or video" in err


@pytest.mark.parametrize(
    ("rate", "subtype", "channels"),
    [
        (8_000, "PCM_16", 1),
        (192_000, "PCM_24", 2),
        (44_100, "PCM_U8", 1),
        (48_000, "PCM_32", 6),
        (22_050, "DOUBLE", 2),
    ],
)
def test_rates_depths_and_channels_hear_the_same_voice(
    rate, subtype, channels, angry, tmp_path, capsys
):
    import soxr

    from voxplain.audio import read

    waveform = soxr.resample(read.read(angry).waveform, RATE, rate)
    path = tmp_path / "other.wav"
    soundfile.write(path, np.repeat(waveform[:, None], channels, 1), rate, subtype=subtype)
    code, out, _ = run(capsys, path, "--json")
    assert code == 0
    found, original = json.loads(out), voxplain.analyze(angry, explain=None)
    assert found["duration"] == pytest.approx(original.duration, abs=0.01)
    pitch = original.descriptors.functionals["f0_mean_st"].value
    assert found["descriptors"]["functionals"]["f0_mean_st"]["value"] == pytest.approx(
        pitch, abs=0.7
    )


@pytest.mark.parametrize(
    "name",
    [
        "with spaces.opus",
        "quote'\".opus",
        pytest.param("new\nline.opus", marks=POSIX),
        pytest.param(os.fsdecode(b"caf\xe9.opus"), marks=POSIX),
    ],
)
def test_strange_names_come_through_every_door(name, angry, tmp_path, capsys):
    try:
        shutil.copy(angry, tmp_path / name)
    except OSError:
        pytest.skip("this file system refuses the name")
    code, out, _ = run(capsys, tmp_path / name, *PLAIN)
    assert code == 0
    assert "Sounds angry" in out
    shutil.copy(angry, tmp_path / "plain.opus")
    code, out, _ = run(capsys, tmp_path, "--force")
    assert (code, len(out.splitlines())) == (0, 2)
    assert len(rows_of(tmp_path / "voxplain.index.csv")) == 2
    assert len(list(tmp_path.glob("*.voxplain.json"))) == 2


def test_a_full_disk_leaves_what_was_there(memo, capsys, monkeypatch):
    result = memo.parent / "memo.voxplain.json"
    result.write_text("before")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    code, _, err = run(capsys, memo, *PLAIN, "--force")
    assert code == 6
    assert "memo.voxplain.json can't be written: No space left on device" in err
    assert "--out" in err
    assert result.read_text() == "before"
    assert sorted(path.name for path in memo.parent.iterdir()) == [
        "memo.opus",
        "memo.voxplain.json",
    ]


def test_an_out_that_is_a_file(memo, capsys):
    code, _, err = run(capsys, memo, *PLAIN, "--out", memo)
    assert code == 6
    assert "can't be written" in err


def test_inputs_on_several_drives(folder, capsys, monkeypatch):
    def apart(_):
        raise ValueError("Paths don't have the same drive")

    monkeypatch.setattr(os.path, "commonpath", apart)
    code, _, err = run(capsys, folder)
    assert code == 2
    assert "must be analysed apart" in err


def test_json_and_out_contradict_each_other(memo, capsys):
    code, out, err = run(capsys, memo, "--json", "--out", memo.parent)
    assert (code, out) == (2, "")
    assert "--json writes no files" in err


def test_jobs_must_be_positive(memo, capsys):
    code, _, err = run(capsys, memo, "--jobs", "0")
    assert code == 2
    assert "--jobs must be at least 1, not 0" in err


class Reworder:
    """A language model that says the verdict in its own words, and adds to it."""

    name = "a model"

    def __init__(self, *, model, base_url=None):
        assert (model, base_url) == ("llama3.1:8b", "http://localhost:11434/v1")

    def complete(self, messages, *, schema=None, max_tokens=1024):
        told = json.loads(messages[-1]["content"])["claims"]
        (number,) = (one["id"] for one in told if one["text"].startswith("The voice sounds"))
        texts = ("This voice sounds angry.", "The speaker is angry.")
        return json.dumps({"sentences": [{"text": one, "claims": [number]} for one in texts]})


@pytest.fixture
def reworder(monkeypatch):
    """Options that choose one."""
    monkeypatch.setattr("voxplain.llms.openai_compatible.load", Reworder)
    url = "http://localhost:11434/v1"
    return ["--narrate", "openai_compatible:llama3.1:8b", "--base-url", url]


def test_a_language_model_may_say_it_in_other_words(memo, reworder, capsys):
    code, out, _ = run(capsys, memo, *reworder, *PLAIN)
    assert code == 0
    assert "In other words:\n  This voice sounds angry.\nWritten by a model, a language" in out
    found = json.loads((memo.parent / "memo.voxplain.json").read_text())["narration"]
    assert found["dropped"] == {"not borne out by the evidence": 1}
    assert found["reader"] == "lay"
    page = (memo.parent / "memo.voxplain.html").read_text(encoding="utf-8")
    assert "In other words" in page
    assert "is angry" not in page + out


def test_other_words_for_several(folder, reworder, capsys):
    code, out, _ = run(capsys, folder, *reworder, "--json", "--reader", "specialist")
    assert code == 0
    for line in out.splitlines():
        document = json.loads(line)
        assert (document["narration"] or {"reader": "specialist"})["reader"] == "specialist"


def test_a_language_model_that_fails_costs_nothing_else(memo, reworder, monkeypatch, capsys):
    def complete(self, messages, **options):
        raise BackendTimeout("no answer within 60 s")

    monkeypatch.setattr(Reworder, "complete", complete)
    code, out, _ = run(capsys, memo, *reworder, *PLAIN)
    assert code == 0
    assert "Sounds angry." in out
    assert "not put in other words: no answer within 60 s." in " ".join(out.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--reader", "lay"], "--reader and --base-url go with --narrate BACKEND:MODEL"),
        (["--base-url", "http://localhost"], "--reader and --base-url go with --narrate"),
        (["--narrate", "gtp:4"], "unknown llms plug-in 'gtp'; available: local, none, openai"),
        (["--narrate", "local"], "--narrate local wants other options: missing a required"),
        (["--narrate", "none"], "this needs a language model and none is chosen"),
    ],
)
def test_language_models_that_cannot_be_asked_are_refused_first(memo, capsys, options, message):
    code, out, err = run(capsys, memo, *options)
    assert (code, out) == (2, "")
    assert message in err
    assert list(memo.parent.iterdir()) == [memo]


def test_silence_abstains_with_exit_code_0(tmp_path, capsys):
    soundfile.write(tmp_path / "silence.wav", np.zeros(2 * RATE), RATE)
    code, out, _ = run(capsys, tmp_path / "silence.wav")
    assert code == 0
    assert "Not enough evidence: no speech found" in out


def test_a_reader_that_leaves_early_is_no_error(folder):
    command = f'"{sys.executable}" -m voxplain analyze "{folder}" --json | head -c 10'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_help_has_an_example_for_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = [
        line.split()[0]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("    ") and line[4] != " "
    ]
    assert "analyze" in commands
    for command in commands:
        with pytest.raises(SystemExit) as left:
            main([command, "--help"])
        assert left.value.code == 0
        assert f"voxplain {command} " in capsys.readouterr().out.partition("example")[2]
