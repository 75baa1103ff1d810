"""Deliveries to a receiver on loopback."""

import asyncio

import pytest

pytest.importorskip("httpx2", reason="needs the extra serve")

from voxplain.service.webhooks import deliver, signature


def send(url, pauses=(0, 0, 0)):
    content = {"type": "job.done", "job": "j1"}
    return asyncio.run(deliver(url, content, identifier="j1", secret="s", pauses=pauses))


def test_a_receiver_that_stumbles_is_told_again(receiver):
    before = len(receiver.requests)
    receiver.answers[:] = [500, 503]
    assert send(receiver.url)
    assert len(receiver.requests) - before == 3
    assert len({body for *_, body in receiver.requests[before:]}) == 1


def test_after_a_few_attempts_it_is_left(receiver):
    before = len(receiver.requests)
    receiver.answers[:] = [500] * 3
    assert not send(receiver.url)
    assert len(receiver.requests) - before == 3


def test_redirections_are_not_followed(receiver):
    before = len(receiver.requests)
    receiver.answers[:] = [307]
    assert not send(receiver.url, pauses=[0])
    assert [path for path, *_ in receiver.requests[before:]] == ["/"]


def test_who_is_not_there_is_no_error():
    assert not send("http://127.0.0.1:9")


def test_the_signature_is_that_of_the_standard():
    # As `printf 'id.1700000000.{}' | openssl dgst -sha256 -hmac secret -binary | base64` has it.
    found = signature("secret", identifier="id", timestamp="1700000000", body=b"{}")
    assert found == "v1,GBemBzTgbKoVEGKycqyY3615LbdJbhFLE1oQk+zZ+lo="
