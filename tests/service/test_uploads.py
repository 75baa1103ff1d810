"""How much may come in, and what it is called then."""

import asyncio
import io

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from fastapi import HTTPException, UploadFile

from voxplain.errors import OutputError
from voxplain.service.uploads import BodyLimit, display_name, stored


def came(pieces, *, most=10, seconds=60.0, length=None):
    """The bytes that an application gets to read; after the last piece nothing comes."""
    heard = []

    async def app(scope, receive, send):
        while (message := await receive()).get("more_body"):
            heard.append(message["body"])
        heard.append(message["body"])

    coming = iter(pieces)

    async def receive():
        piece = next(coming, None)
        if piece is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": piece, "more_body": True}

    headers = [] if length is None else [(b"content-length", str(length).encode())]
    scope = {"type": "http", "path": "/v1/analyze", "headers": headers}
    limited = BodyLimit(app, most=lambda path: most, seconds=seconds)
    with pytest.raises(HTTPException) as error:
        asyncio.run(limited(scope, receive, None))
    return b"".join(heard), error.value


def test_a_promise_of_too_much_is_refused_before_anything_is_read():
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/v1/analyze", "headers": [(b"content-length", b"11")]}
    asyncio.run(BodyLimit(None, most=lambda path: 10, seconds=60)(scope, None, send))
    assert sent[0]["status"] == 413
    assert b"larger than 9.53674e-06 MiB" in sent[1]["body"]


@pytest.mark.parametrize("length", [None, 1, "many", -5])
def test_what_is_too_much_is_stopped_whatever_was_promised(length):
    heard, error = came([b"abcd"] * 5, length=length)
    assert heard == b"abcdabcd"
    assert error.status_code == 413
    assert "larger than 9.53674e-06 MiB; send less" in error.detail


def test_what_does_not_come_in_time_is_given_up():
    _, error = came([b"abcd"], seconds=0.01)
    assert error.status_code == 408
    assert error.detail == "the request did not come in within 0.01 s; send it again"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("memo.m4a", "memo.m4a"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a\r\nSet-Cookie: x.wav", "aSet-Cookie: x.wav"),
        ("a\x00\x1b[2Jb.wav", "a[2Jb.wav"),
        ("invoice\u202egpj.wav", "invoicegpj.wav"),
        ("Zoë 日本.wav", "Zoë 日本.wav"),
        ("..", "recording"),
        ("", "recording"),
        (None, "recording"),
        ("\u200b", "recording"),
        ("n" * 500, "n" * 200),
    ],
)
def test_names_are_shown_without_places_and_controls(given, shown):
    assert display_name(given) == shown


def test_a_disk_that_is_full_is_told(tmp_path):
    upload = UploadFile(io.BytesIO(b"sound"))
    with pytest.raises(OutputError, match="there is no room for the recording: No such file"):
        asyncio.run(stored(upload, tmp_path / "nowhere"))
