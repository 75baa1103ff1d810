"""``voxplain serve`` as it runs: killed, flooded slowly, asked by other programs."""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import voxplain
from voxplain.audio import read
from voxplain.cli import main

httpx2 = pytest.importorskip("httpx2", reason="needs the extra serve")

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/serve.md").read_text(encoding="utf-8")
KEY = "a-key"


class Running:
    """A server in a process of its own, once it listens."""

    def __init__(self, data, *options, **environment):
        command = [sys.executable, "-m", "voxplain", "serve", "--port", "0", "--workers", "1"]
        self.log = data.with_suffix(".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--data", data, *options],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **environment},
            )
        line = self.process.stdout.readline()
        assert line.startswith("voxplain listens at http://"), self.log.read_text()
        self.url = line.split()[-1]
        self.http = httpx2.Client(base_url=self.url, timeout=120)

    def end(self, number=signal.SIGTERM):
        self.http.close()
        self.process.send_signal(number)
        self.process.stdout.close()
        return self.process.wait(60)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """With a key."""
    data = tmp_path_factory.mktemp("serve") / "data"
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    running = Running(data, "--max-bytes", "400000", "--max-seconds", "20", VOXPLAIN_KEYS=digest)
    running.http.headers["Authorization"] = f"Bearer {KEY}"
    yield running
    assert running.end() == 0
    assert list((data / "incoming").iterdir()) == []


def give(http, clip):
    with clip.open("rb") as file:
        answer = http.post("/v1/jobs", files={"file": file}, data={"explain": "none"})
    assert answer.status_code == 202
    return answer.json()["links"]


def until_done(http, links):
    with http.stream("GET", links["events"]) as answer:
        *_, last = (line for line in answer.iter_lines() if line.startswith("data: "))
    return json.loads(last[6:])


def test_a_killed_server_loses_no_job_and_goes_on_with_those_under_way(clips, tmp_path):
    data = tmp_path / "data"
    server = Running(data)
    clips = clips[:3]
    links = [give(server.http, clip) for clip in clips]
    first = until_done(server.http, links[0])
    server.end(signal.SIGKILL)  # in the second
    (data / "incoming" / "cut-off").write_bytes(b"an upload")
    (data / "jobs" / "cut-off").mkdir()
    server = Running(data)
    assert server.http.get(links[0]["self"]).json() == first
    for link, clip in zip(links, clips, strict=True):
        assert until_done(server.http, link)["state"] == "done"
        found = server.http.get(link["result"]).json()
        expected = voxplain.analyze(clip, explain=None).to_dict()
        assert found == json.loads(json.dumps({**expected, "source": clip.name}))
    assert {path.name for path in (data / "jobs").iterdir()} == {
        link["self"].rpartition("/")[2] for link in links
    }
    assert list(data.rglob("audio")) == list((data / "incoming").iterdir()) == []
    assert server.end() == 0


def test_slow_and_half_closed_uploads_block_nobody(server, angry):
    address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    head = (
        f"POST /v1/analyze HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 300000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    ).encode()
    slow = [socket.create_connection(address) for _ in range(60)]
    for number, one in enumerate(slow):
        one.sendall(head + b"RIFF")
        if number % 2:
            one.shutdown(socket.SHUT_WR)  # and no more will come
    with angry.open("rb") as file:
        answer = server.http.post("/v1/analyze", files={"file": file})
    assert answer.status_code == 200
    for one in slow:
        one.close()


def raw(server, request):
    """What is answered to bytes."""
    address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    with socket.create_connection(address) as connection:
        connection.settimeout(60)
        connection.sendall(request)
        return connection.recv(65536).decode("latin-1")


def post(path="/v1/analyze", **headers):
    head = {"Host": "127.0.0.1", "Authorization": f"Bearer {KEY}",
            "Content-Type": "multipart/form-data; boundary=b", **headers}  # fmt: skip
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {one}" for name, one in head.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def test_a_length_that_is_too_large_or_a_lie_is_refused(server):
    told = raw(server, post(**{"Content-Length": "99999999999"}))
    assert told.startswith("HTTP/1.1 413 ")  # of the head alone
    assert "application/problem+json" in told
    told = raw(server, post(**{"Content-Length": "-5"}) + b"--b--\r\n")
    assert told.startswith("HTTP/1.1 400 ")
    # No length: chunks, more and more of them.
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    head = f"{len(start):x}\r\n".encode() + start + b"\r\n"
    told = raw(server, post(**{"Transfer-Encoding": "chunked"}) + head + piece * 7)
    assert told.startswith("HTTP/1.1 413 ")


def test_headers_can_not_be_smuggled_into_answers(server):
    told = raw(server, post("/v1/jobs/%0d%0aSet-Cookie:x=1", **{"Content-Length": "0"}))
    assert "set-cookie" not in told.lower().partition("\r\n\r\n")[0]
    told = raw(server, post(**{"Content-Length": "0", "X-Request-ID": "a\tb\x01"}))
    assert "a\tb" not in told


def test_logs_are_lines_of_json_without_secrets(server, angry):
    with angry.open("rb") as file:
        server.http.post("/v1/analyze", files={"file": ("ann-smith.opus", file)})
    lines = server.log.read_text(encoding="utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    assert any(one.get("route") == "/v1/analyze" and one["status"] == 200 for one in told)
    assert "ann-smith" not in "".join(lines)
    assert KEY not in "".join(lines)


def test_without_keys_a_page_elsewhere_can_not_pretend_to_be_the_host(tmp_path, capfd, monkeypatch):
    server = Running(tmp_path / "data")
    assert server.http.get("/v1/models").status_code == 200
    assert server.http.get("/v1/models", headers={"Host": "evil.example"}).status_code == 400
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert main(["serve", "--port", "0", "--data", str(tmp_path / "data")]) == 2
    assert "is in use by another service; give this one its own --data" in capfd.readouterr().err
    assert server.end() == 0


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--host", "0.0.0.0"], 2, "at 0.0.0.0 others can reach the service; give --keys FILE"),
        (["--webhook", "lab=file:///etc"], 2, "--webhook takes NAME=URL, such as lab=https"),
        (["--webhook", "lab=http://127.0.0.1"], 2, "--webhook needs a secret to sign with"),
        (["--keys", "nowhere.txt"], 2, "nowhere.txt can't be read"),
        (["--rate", "0"], 2, "--rate must be at least 1, not 0"),
        (["--model", "nowhere", "--port", "0"], 2, "unknown model 'nowhere'"),
        (["--data", "/proc/nowhere", "--port", "0"], 6, "/proc/nowhere can't be written: "),
    ],
)
def test_what_can_not_be_served_is_told_at_once(options, code, told, tmp_path, capfd):
    data = [] if "--data" in options else ["--data", str(tmp_path / "data")]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("VOXPLAIN_WEBHOOK_SECRET", raising=False)
        patch.setattr("logging.basicConfig", lambda **_: None)
        patch.setattr("signal.signal", lambda *_: None)
        assert main(["serve", *data, *options]) == code
    assert f"voxplain: {told}" in capfd.readouterr().err


def test_a_port_that_is_taken_is_told(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code = main(["serve", "--data", str(tmp_path / "data"), "--port", str(port)])
    assert code == 6
    assert (
        f"127.0.0.1:{port} is taken, or no address of this machine; give another"
        in capfd.readouterr().err
    )


# The client.


def analyzed(capsys, *arguments):
    code = main(["analyze", *map(str, arguments)])
    seen = capsys.readouterr()
    assert "Traceback" not in seen.err
    return code, seen.out, seen.err


def test_a_server_gives_what_this_machine_would(server, angry, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("VOXPLAIN_KEY", KEY)
    options = (angry, "--explain", "none", "--force")
    here = analyzed(capsys, *options, "--out", tmp_path / "here")
    there = analyzed(capsys, *options, "--out", tmp_path / "there", "--server", server.url)
    assert there[:2] == here[:2]
    for name in ("json", "html"):
        one, other = (
            (tmp_path / place / f"{angry.stem}.voxplain.{name}").read_text()
            for place in ("here", "there")
        )
        assert one == other


def test_many_files_and_their_errors(server, clips, tmp_path, capsys):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no audio")
    files = [clips[0], bad, clips[1]]
    asked = analyzed(capsys, *files, "--json", "--jobs", 2, "--server", server.url, "--key", KEY)
    here = analyzed(capsys, *files, "--json")
    assert asked[0] == here[0] == 1
    for one, other in zip(*(map(json.loads, out.splitlines()) for out in (asked[1], here[1])),
                          strict=True):  # fmt: skip
        if "error" in other:
            assert one["error"]["message"].startswith("bad.wav can't be decoded")
        else:
            assert one == other


@pytest.mark.parametrize("suffix", ["ogg", "wav"])  # too many seconds, and too many bytes
def test_what_is_too_long_goes_as_a_job(server, clips, tmp_path, capsys, suffix):
    long = tmp_path / f"long.{suffix}"
    soundfile.write(long, np.concatenate([read.read(clip).waveform for clip in clips] * 2), 16_000)
    code, out, _ = analyzed(capsys, long, "--json", "--server", server.url, "--key", KEY)
    assert code == 0
    expected = voxplain.analyze(long, explain=None).to_dict()
    assert json.loads(out) == json.loads(json.dumps(expected))
    counts = server.http.get("/metrics").text
    assert 'voxplain_jobs{state="done"} 0.0' in counts  # nothing is left there


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--key", "wrong"], 5, "give a key that this service knows"),
        (["--key", KEY, "--model", "x"], 2, "the service decides about --model; leave it out"),
        (["--key", KEY, "--reference", "x"], 2, "the service decides about --reference; leave"),
        (["--key", KEY, "--transcript", "x.srt"], 2, "a service takes plain text; give x.srt as"),
        (["--key", KEY, "--transcript", "nowhere.txt"], 2, "nowhere.txt can't be read"),
        (["--key", KEY, "--why", "rage"], 2, "unknown label 'rage'"),
    ],
)
def test_what_the_server_refuses_is_told(server, angry, options, code, told, capsys):
    found = analyzed(capsys, angry, "--json", "--server", server.url, *options)
    assert found[0] == code
    assert told in found[2]


def test_a_server_that_is_none_is_told(angry, capsys, receiver):
    for url, told in {
        "http://127.0.0.1:9": "http://127.0.0.1:9 can't be reached",
        receiver: "answers what is no analysis; check the URL",
    }.items():
        code, _, err = analyzed(capsys, angry, "--json", "--server", url)
        assert code == 5
        assert told in err
    code, _, err = analyzed(capsys, angry, "--json", "--server", "ftp://x")
    assert (code, "http://... or https://..., not 'ftp://x'" in err) == (2, True)
    code, _, err = analyzed(capsys, "nowhere.wav", "--json", "--server", "http://127.0.0.1:9")
    assert (code, "nowhere.wav can't be opened" in err) == (2, True)


@pytest.fixture
def receiver():
    """Somebody else's server."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Other(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<p>hello</p>")

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        thread.join()


# The examples of the page.


def examples(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def here(text, server):
    return text.replace("http://127.0.0.1:8000", server.url).replace("$KEY", KEY)


@pytest.mark.parametrize("script", examples("bash"))
def test_the_curl_of_the_page_runs(server, script, tmp_path):
    if not shutil.which("curl"):
        pytest.skip("there is no curl")
    (tmp_path / "memo.opus").write_bytes((ROOT / "examples/cremad_1089_tie_ang.opus").read_bytes())
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", here(script, server)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    assert "angry" in ran.stdout or list(tmp_path.glob("*.html")) or list(tmp_path.glob("*.wav"))


@pytest.mark.parametrize("script", examples("javascript"))
def test_the_javascript_of_the_page_runs(server, script, tmp_path):
    node = shutil.which("node")
    if not node:
        pytest.skip("there is no node")
    (tmp_path / "memo.opus").write_bytes((ROOT / "examples/cremad_1089_tie_ang.opus").read_bytes())
    (tmp_path / "ask.mjs").write_text(here(script, server))
    ran = subprocess.run(
        [node, "ask.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert "angry" in ran.stdout
