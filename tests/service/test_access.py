"""Keys and rates."""

import asyncio
import hashlib

import pytest

from voxplain.errors import ConfigError

pytest.importorskip("fastapi", reason="needs the extra serve")

from voxplain.service.access import Access, Buckets, read_keys

DIGEST = hashlib.sha256(b"a key").hexdigest()


def test_keys_are_read_with_their_names():
    lines = ["# of the lab", f"{DIGEST}  ann", f"{'0' * 64}  -", "", f"{'1' * 64} # nameless"]
    keys = read_keys(lines, source="keys.txt")
    assert keys == {DIGEST: "ann", "0" * 64: "0" * 8, "1" * 64: "1" * 8}


@pytest.mark.parametrize("line", ["my-secret-key", DIGEST[:-1], DIGEST.upper()])
def test_what_is_no_digest_is_refused_and_not_repeated(line):
    with pytest.raises(ConfigError, match=r"keys.txt, line 2: no SHA-256 in 64 small hex") as told:
        read_keys([DIGEST, line], source="keys.txt")
    assert line not in str(told.value)


def test_a_file_without_keys_is_refused():
    with pytest.raises(ConfigError, match=r"keys.txt holds no key; give the SHA-256 of one"):
        read_keys(["# none"], source="keys.txt")


def test_a_bucket_gives_so_many_at_once_and_the_rest_at_its_rate():
    now = [0.0]
    buckets = Buckets(60, clock=lambda: now[0])  # one a second, ten at once
    assert [buckets.wait("ann") for _ in range(11)] == [0] * 10 + [1]
    assert buckets.wait("bob") == 0
    now[0] = 3.0
    assert [buckets.wait("ann") for _ in range(4)] == [0, 0, 0, 1]
    now[0] = 1e6
    assert [buckets.wait("ann") for _ in range(11)] == [0] * 10 + [1]
    slow = Buckets(6, clock=lambda: now[0])
    assert [slow.wait("ann"), slow.wait("ann")] == [0, 10]


def test_silent_names_are_forgotten():
    buckets = Buckets(60, clock=lambda: 0.0)
    for number in range(30_000):
        buckets.wait(str(number))
    assert len(buckets._left) <= 10_000


def entered(app, *, path="/v1/models", kind="http", **headers):
    """What is sent to who asks: "in" if they are let in."""
    sent = []

    async def send(message):
        sent.append(message)

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "path": path, "headers": pairs, "client": ("127.0.0.1", 9)}
    asyncio.run(app(scope, None, send))
    return sent


async def inside(scope, receive, send):
    await send({"type": "in", "owner": scope.get("state", {}).get("owner")})


def test_only_known_keys_are_let_in():
    app = Access(inside, keys={DIGEST: "ann"}, rate=600)
    assert entered(app, authorization="Bearer a key") == [{"type": "in", "owner": DIGEST}]
    assert entered(app, authorization="bearer a key")[0]["type"] == "in"
    wrong = ("", "Bearer ", f"Bearer {DIGEST}", "Basic a key", "Bearer \xff")
    for headers in ({}, *({"authorization": one} for one in wrong)):
        start, body = entered(app, **headers)
        assert start["status"] == 401
        assert (b"www-authenticate", b"Bearer") in start["headers"]
        assert b"give a key that this service knows" in body["body"]
    closed = entered(app, kind="websocket")
    assert closed[0]["code"] == 1008
    assert entered(app, path="/healthz") == [{"type": "in", "owner": None}]


def test_without_keys_everybody_is_let_in_at_the_rate_of_an_address():
    app = Access(inside, keys={}, rate=6)
    assert entered(app) == [{"type": "in", "owner": ""}]
    start, body = entered(app)
    assert start["status"] == 429
    assert (b"retry-after", b"10") in start["headers"]
    assert b"too many requests; ask again in 10 s" in body["body"]
