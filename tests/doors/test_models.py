"""``voxplain models``: against a small server that speaks as the Hugging Face hub does."""

import dataclasses
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from voxplain.cli import main
from voxplain.text.transcribers import faster_whisper

NAME = "whisper-base"
FILES = {
    "model.bin": b"numbers",
    "config.json": b"{}",
    "tokenizer.json": b"{}",
    "pytorch_model.bin": b"a pickle",
    "modeling.py": b"code",
}
WEIGHTS = dataclasses.replace(
    faster_whisper.CARD.weights[NAME], sha256=hashlib.sha256(FILES["model.bin"]).hexdigest()
)


class Hub(BaseHTTPRequestHandler):
    """One repository at one revision."""

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, *, body):
        name = self.path.rpartition("/")[2].partition("?")[0]
        if self.path.startswith(f"/api/models/{WEIGHTS.repository}"):
            siblings = [{"rfilename": file} for file in FILES]
            plain = {"id": WEIGHTS.repository, "sha": WEIGHTS.revision, "siblings": siblings}
            tree = [
                {"type": "file", "path": file, "size": len(data), "oid": "0" * 40}
                for file, data in FILES.items()
            ]
            content = json.dumps(tree if "/tree/" in self.path else plain).encode()
        elif self.path.startswith(f"/{WEIGHTS.repository}/resolve/{WEIGHTS.revision}/"):
            content = FILES[name]
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", WEIGHTS.revision)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Its address; everything that voxplain pulls comes from there, and goes to tmp_path."""
    huggingface_hub = pytest.importorskip("huggingface_hub")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    pull = huggingface_hub.snapshot_download
    monkeypatch.setattr(
        huggingface_hub,
        "snapshot_download",
        lambda *names, **given: pull(*names, **given, endpoint=address),
    )
    monkeypatch.setenv("VOXPLAIN_MODELS", str(tmp_path))
    card = dataclasses.replace(faster_whisper.CARD, weights={NAME: WEIGHTS})
    monkeypatch.setattr(faster_whisper, "CARD", card)
    yield server
    server.shutdown()
    server.server_close()


def test_a_model_is_pulled_after_saying_what_it_is(hub, capsys, tmp_path):
    assert main(["models", "pull", NAME]) == 0
    said = capsys.readouterr().out
    assert f"148 MB from huggingface.co/{WEIGHTS.repository}, licence MIT, into {tmp_path}" in said
    # no pickle, no code, and nothing left beside it
    assert {file.name for file in (tmp_path / NAME).iterdir()} == set(FILES) - {
        "pytorch_model.bin",
        "modeling.py",
    }
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert main(["models", "list"]) == 0
    assert f"{WEIGHTS.repository} (here)" in capsys.readouterr().out
    assert main(["models", "pull", NAME]) == 0
    assert "is there already" in capsys.readouterr().out


def test_a_model_that_is_not_the_one_that_was_pinned(hub, capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(FILES, "model.bin", b"other numbers")
    assert main(["models", "pull", NAME]) == 4
    assert f"not {WEIGHTS.sha256}; nothing was pulled" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_repository_without_the_model(hub, capsys, tmp_path, monkeypatch):
    monkeypatch.delitem(FILES, "model.bin")
    assert main(["models", "pull", NAME]) == 4
    assert "has no model.bin; nothing was pulled" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_a_network(hub, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    hub.shutdown()
    hub.server_close()
    assert main(["models", "pull", NAME]) == 4
    said = capsys.readouterr().err
    assert f"{WEIGHTS.repository} could not be pulled: " in said
    assert f"copy its files from another machine into {tmp_path / NAME}" in said
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_nobody_knows(capsys):
    assert main(["models", "pull", "whisper-smal"]) == 2
    assert "unknown model 'whisper-smal'" in capsys.readouterr().err


def test_the_list(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("VOXPLAIN_MODELS", str(tmp_path))
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "whisper-small: 486 MB, MIT, Systran/faster-whisper-small" in lines
    assert lines[-1] == f"pulled models lie in {tmp_path}"
