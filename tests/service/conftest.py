"""A service with two keys, small limits and a receiver of webhooks, all on loopback."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

KEYS = {"ann": "a-key-of-ann", "bob": "a-key-of-bob"}
SECRET = "a secret of the operator"


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture(scope="package")
def receiver():
    """``requests`` (path, headers, body) that came to ``url``; ``answers`` still to be given."""
    found = SimpleNamespace(requests=[], answers=[], came=threading.Condition())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            with found.came:
                found.requests.append((self.path, dict(self.headers), body))
                status = found.answers.pop(0) if found.answers else 204
                found.came.notify_all()
            self.send_response(status)
            self.send_header("location", "/elsewhere")
            self.end_headers()

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="package")
def data(tmp_path_factory):
    """Of the service."""
    return tmp_path_factory.mktemp("service") / "data"


@pytest.fixture(scope="package")
def running(receiver, data):
    """What runs, without a key: each test makes its own client."""
    pytest.importorskip("prometheus_client", reason="needs the extra serve")
    from starlette.testclient import TestClient

    from voxplain.service.app import create_app
    from voxplain.service.settings import Settings

    settings = Settings(
        data=data,
        workers=1,
        max_bytes=300_000,
        max_job_bytes=600_000,
        max_seconds=20,
        max_job_seconds=40,
        rate=100_000,
        keys={digest(key): name for name, key in KEYS.items()},
        webhooks={"lab": f"{receiver.url}/lab"},
        webhook_secret=SECRET,
    )
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def ask(running):
    """A client that ann's key lies with."""
    running.headers["Authorization"] = f"Bearer {KEYS['ann']}"
    yield running
    running.headers.pop("Authorization", None)


@pytest.fixture
def secret():
    """That webhooks are signed with."""
    return SECRET.encode()


@pytest.fixture
def bob():
    """The headers of another key."""
    return {"Authorization": f"Bearer {KEYS['bob']}"}
