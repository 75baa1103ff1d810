"""Answers at once: the numbers of every other door, and nothing left behind."""

import io
import json

import av
import numpy as np
import pytest
import soundfile

import voxplain
from voxplain.annotation import annotate
from voxplain.cli import main

RATE = 16_000


def wav(seconds, *, level=0.0):
    content = io.BytesIO()
    noise = level * np.random.default_rng(0).standard_normal(round(seconds * RATE))
    soundfile.write(content, noise, RATE, format="WAV")
    return content.getvalue()


def plain(value):
    return json.loads(json.dumps(value))


def test_all_doors_give_the_same_analysis(ask, clips, monkeypatch, capsys, data):
    for clip in clips[1:3]:
        monkeypatch.chdir(clip.parent)
        with clip.open("rb") as file:
            answer = ask.post("/v1/analyze", files={"file": (clip.name, file)})
        assert answer.status_code == 200
        assert main(["analyze", clip.name, "--json"]) == 0
        here = voxplain.analyze(clip.name, explain=None)
        assert answer.json() == json.loads(capsys.readouterr().out) == plain(here.to_dict())
        (row,) = annotate(clip.name)
        for label, probability in answer.json()["emotion"]["categories"].items():
            assert row[f"p_{label}"] == pytest.approx(probability, abs=1e-6)
    assert list((data / "incoming").iterdir()) == []


def test_options_are_those_of_analyze(ask, angry):
    with angry.open("rb") as file:
        fields = {"why": "happy", "reference_group": "female", "tracks": "true"}
        told = ask.post("/v1/analyze", files={"file": (str(angry), file)}, data=fields).json()
    here = voxplain.analyze(angry, why="happy", reference_group="female")
    expected = plain(here.to_dict(tracks=True))
    assert told["explanation"]["output"] == "happy"
    assert told == {**expected, "source": angry.name}


def test_a_transcript_is_a_text_and_never_a_place(ask, angry):
    pytest.importorskip("pocketsphinx")
    for text, heard in {"that is exactly what happened": True, "/etc/hostname": False}.items():
        with angry.open("rb") as file:
            answer = ask.post("/v1/analyze", files={"file": file}, data={"transcript": text})
        told = answer.json()
        assert told["transcript"]["text"] == text
        assert told["transcript"]["source"].startswith("given")
        assert bool(told["roles"]) == heard or told["text_emotion"]["reason"]


def test_silence_is_an_answer_that_abstains(ask):
    told = ask.post("/v1/analyze", files={"file": ("s.wav", wav(1))}).json()
    assert told["emotion"]["verdict"]["labels"] == []
    assert told["emotion"]["verdict"]["reason"] == "no speech found in 1.0 s of audio"


def test_what_can_not_be_used_is_a_problem_by_the_name_its_owner_gave(ask, data):
    answer = ask.post("/v1/analyze", files={"file": ("memo.wav", b"no audio")})
    problem = answer.json()
    assert answer.status_code == problem["status"] == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:voxplain:AudioError"
    assert problem["exit_code"] == 2
    assert problem["detail"].startswith("memo.wav can't be decoded: it is damaged or no audio")
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert str(data) not in answer.text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"explain": "none", "why": "angry"}, "why explains a label; leave out explain=none"),
        ({"transcript": "so", "asr": "auto"}, "transcript gives the words; leave out asr"),
        ({"why": "rage"}, "unknown label 'rage'"),
        ({"asr": "parrot"}, "unknown transcribers plug-in 'parrot'"),
        ({"reference_group": "robots"}, "reference_group: Input should be"),
        ({"explain": "loudly"}, "explain: Input should be 'none', 'quick' or 'full'"),
    ],
)
def test_options_that_make_no_sense_are_told(ask, angry, fields, told):
    with angry.open("rb") as file:
        answer = ask.post("/v1/analyze", files={"file": file}, data=fields)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


def test_a_small_file_that_decodes_to_hours_is_stopped(ask):
    content = io.BytesIO()
    with av.open(content, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=2000, options={"frame_size": "65535"})
        stream.layout = "mono"
        silence = av.AudioFrame.from_ndarray(
            np.zeros((1, 65535), np.int16), format="s16", layout="mono"
        )
        silence.sample_rate = 2000
        for number in range(300):
            silence.pts = number * 65535
            container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    assert len(content.getvalue()) < 13_000  # 2 h 44 min
    for path in ("/v1/analyze", "/v1/whatif"):
        answer = ask.post(path, files={"file": ("bomb.flac", content.getvalue())})
        assert answer.status_code == 413
        assert answer.json()["type"] == "urn:voxplain:TooLong"
        assert "bomb.flac lasts more than 20 s" in answer.json()["detail"]


def test_whatif_is_that_of_python_and_its_sound_is_what_was_judged(ask, angry):
    with angry.open("rb") as file:
        told = ask.post("/v1/whatif", files={"file": file}, data={"f0_shift_st": "-2"})
    expected = voxplain.whatif(angry, edit=voxplain.Edit(f0_shift_st=-2)).to_dict()
    found = told.json()
    assert (found.pop("source"), found.pop("synthetic")) == (angry.name, True)
    assert found == plain(expected)
    with angry.open("rb") as file:
        heard = ask.post(
            "/v1/whatif",
            files={"file": file},
            data={"f0_shift_st": "-2"},
            headers={"Accept": "audio/wav"},
        )
    assert heard.headers["content-type"] == "audio/wav"
    with soundfile.SoundFile(io.BytesIO(heard.content)) as sound:
        assert "synthetic" in sound.comment
        waveform = sound.read(dtype="float32")
    judged = voxplain.analyze(waveform, RATE, explain=None).emotion
    assert plain(judged.to_dict()) == found["after"]


@pytest.mark.parametrize("fields", [{"tempo": "9"}, {"tempo": "nan"}, {"gain_db": "much"}])
def test_changes_that_no_voice_allows_are_told(ask, angry, fields):
    with angry.open("rb") as file:
        answer = ask.post("/v1/whatif", files={"file": file}, data=fields)
    assert answer.status_code == 422
    assert next(iter(fields)) in answer.json()["detail"]


def test_nothing_is_fetched(ask, receiver):
    before = len(receiver.requests)
    playlist = f"#EXTM3U\n#EXTINF:9,\n{receiver.url}/clip.wav\n".encode()
    description = f"ffconcat version 1.0\nfile '{receiver.url}/clip.wav'\n".encode()
    for name, content in {"a.m3u8": playlist, "a.ffconcat": description}.items():
        answer = ask.post("/v1/analyze", files={"file": (name, content)})
        assert answer.status_code == 422
    # A URL where a file belongs is no file.
    answer = ask.post("/v1/analyze", data={"file": f"{receiver.url}/clip.wav"})
    assert answer.status_code == 422
    answer = ask.post("/v1/jobs", files={"file": wav(1)}, data={"webhook": receiver.url})
    assert answer.status_code == 422
    assert f"unknown webhook '{receiver.url}'; available: lab" in answer.json()["detail"]
    assert len(receiver.requests) == before


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a%0d%0aSet-Cookie: x=1.wav", None),
        ("Zoë\u202egnp.wav", "Zoëgnp.wav"),
        ("..", "recording"),
        ("x" * 900 + ".wav", "x" * 196 + ".wav"),
    ],
)
def test_names_of_files_lead_nowhere(ask, data, given, shown):
    there = sorted(path for path in data.rglob("*") if path.is_file())
    answer = ask.post("/v1/analyze", files={"file": (given, wav(0.5))})
    assert answer.status_code == 200
    if shown:
        assert answer.json()["source"] == shown
    assert "set-cookie" not in answer.headers
    assert sorted(path for path in data.rglob("*") if path.is_file()) == there


def test_a_line_break_in_the_header_of_a_part_makes_no_header(ask):
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a\r\nSet-Cookie: x.wav"'
        b"\r\n\r\n" + wav(0.5) + b"\r\n--b--\r\n"
    )
    answer = ask.post(
        "/v1/analyze", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert answer.status_code < 500
    assert "set-cookie" not in answer.headers
    assert not any(ord(one) < 32 for one in answer.json().get("source", ""))
