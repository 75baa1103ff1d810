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

    repository, revision, files = WEIGHTS.repository, WEIGHTS.revision, FILES

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, *, body):
        name = self.path.rpartition("/")[2].partition("?")[0]
        if self.path.startswith(f"/api/models/{self.repository}"):
            siblings = [{"rfilename": file} for file in self.files]
            plain = {"id": self.repository, "sha": self.revision, "siblings": siblings}
            tree = [
                {"type": "file", "path": file, "size": len(data), "oid": "0" * 40}
                for file, data in self.files.items()
            ]
            content = json.dumps(tree if "/tree/" in self.path else plain).encode()
        elif self.path.startswith(f"/{self.repository}/resolve/{self.revision}/"):
            content = self.files[name]
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.revision)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_):
        pass


def serve(handler, monkeypatch, **options):
    """A server; everything that voxplain pulls comes from there."""
    huggingface_hub = pytest.importorskip("huggingface_hub")
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    pull = huggingface_hub.snapshot_download
    monkeypatch.setattr(
        huggingface_hub,
        "snapshot_download",
        lambda *names, **given: pull(*names, **given, **options, endpoint=address),
    )
    return server


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """One with a recogniser that the package knows, which goes to tmp_path."""
    server = serve(Hub, monkeypatch)
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


CHECKPOINT = "somebody/ser"
CARD = b"---\nlicense: cc-by-nc-4.0\ntags: [audio]\n---\n# A model\n"


class Page(Hub):
    """A checkpoint that the package knows nothing of; its files are those of a test."""

    repository, revision, files = CHECKPOINT, "0123456789abcdef" * 2 + "01234567", {}


@pytest.fixture
def page(monkeypatch, tmp_path):
    """A function: files -> they lie on the hub; what is pulled goes to a cache in tmp_path."""
    servers = []

    def make(files):
        handler = type("Files", (Page,), {"files": files})
        servers.append(serve(handler, monkeypatch, cache_dir=tmp_path / "cache"))
        return servers[0]

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def test_any_checkpoint_is_pulled_to_where_its_id_finds_it(page, tmp_path, capsys, angry):
    from voxplain.testing.checkpoints import save_checkpoint

    save_checkpoint(tmp_path / "ser", "superb", ["neu", "hap", "ang", "sad"])
    whole = {path.name: path.read_bytes() for path in (tmp_path / "ser").iterdir()}
    more = {"README.md": CARD, "pytorch_model.bin": b"a pickle", "modeling.py": b"code"}
    page({**whole, **more})
    assert main(["analyze", str(angry), "--json", "--model", CHECKPOINT]) == 4
    assert f"get it with: voxplain models pull {CHECKPOINT}" in capsys.readouterr().err
    assert main(["models", "pull", CHECKPOINT]) == 0
    said = capsys.readouterr().out
    assert "licence: cc-by-nc-4.0; whoever uses the model must have accepted it" in said
    assert f"pulled {CHECKPOINT} at revision {Page.revision}; use it with: --model" in said
    (snapshot,) = (tmp_path / "cache/models--somebody--ser/snapshots").iterdir()
    assert {file.name for file in snapshot.iterdir()} == {*whole, "README.md"}
    assert main(["analyze", str(angry), "--json", "--model", CHECKPOINT]) == 0
    analysis = json.loads(capsys.readouterr().out)
    assert analysis["provenance"]["model"] == CHECKPOINT
    assert set(analysis["emotion"]["categories"]) == {"neutral", "happy", "angry", "sad"}


def test_a_checkpoint_without_a_licence_or_safetensors(page, capsys):
    page({"config.json": b"{}", "pytorch_model.bin": b"a pickle"})
    assert main(["models", "pull", CHECKPOINT]) == 4
    said = capsys.readouterr()
    assert "licence: not stated" in said.out
    assert "has no safetensors, and no other weights are pulled: a pickle can run" in said.err


def test_a_checkpoint_that_is_not_there(page, capsys):
    page({})
    assert main(["models", "pull", "somebody/else"]) == 4
    assert "huggingface.co/somebody/else could not be pulled: " in capsys.readouterr().err
