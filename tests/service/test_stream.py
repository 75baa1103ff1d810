"""``/v1/stream``: what Python says of the same sound, and a plain end to whatever goes wrong."""

import asyncio
import contextlib
import io
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
import soundfile
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.sync.client import connect

import voxplain
from voxplain.audio import read
from voxplain.service.stream import Limits, router
from voxplain.streaming import UPDATE, Stream

RATE = 16_000


@cache
def analyzer():
    return voxplain.load()


@pytest.fixture(scope="module")
def pool():
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture(scope="module")
def pcm(angry):
    """Three seconds of speech as s16le, and a second of silence."""
    samples = np.round(read.read(angry).waveform * 2**15).astype("<i2")
    return samples.tobytes() + bytes(2 * RATE)


@pytest.fixture(scope="module")
def known(pcm):
    """What Python makes of it, as it comes out of JSON."""
    stream = Stream(analyzer())
    results = stream.feed(pcm) + stream.end()
    return json.loads(json.dumps([one.to_dict() for one in results]))


def app(pool, load=analyzer, **limits):
    made = FastAPI()
    made.include_router(router(load, executor=pool, limits=Limits(**limits)))
    return made


def session(*messages, pool, load=analyzer, **limits):
    """Everything the server says, and the code it closes with."""
    client = TestClient(app(pool, load, **limits))
    with client.websocket_connect("/v1/stream") as socket:
        for message in messages:
            if isinstance(message, bytes):
                socket.send_bytes(message)
            else:
                socket.send_text(message if isinstance(message, str) else json.dumps(message))
        return said(socket.receive_json)


def said(receive):
    heard = []
    while True:
        try:
            heard.append(receive())
        except WebSocketDisconnect as end:
            return heard, end.code


START, END = {"type": "start"}, {"type": "end"}


def test_a_session_says_what_python_says(pool, pcm, known):
    pieces = [pcm[start : start + 3001] for start in range(0, len(pcm), 3001)]
    heard, code = session(START, *pieces, END, pool=pool)
    assert heard[0] == {"type": "ready", "rate": RATE, "update": UPDATE}
    assert heard[1:-1] == known
    duration = len(pcm) / 2 / RATE
    assert heard[-1] == {"type": "end", "duration": duration, "utterances": 1, "late": 0}
    assert code == 1000


def test_floats_are_heard_as_integers_are(pool, pcm, known):
    floats = (np.frombuffer(pcm, "<i2") / 2**15).astype("<f4").tobytes()
    heard, _ = session({**START, "encoding": "f32le"}, floats, END, pool=pool)
    assert heard[1:-1] == known


def test_options_reach_the_stream(pool, pcm):
    heard, _ = session({**START, "rate": RATE, "pause": 4}, pcm, pcm, END, pool=pool)
    assert [one["utterance"] for one in heard if one["type"] == "final"] == [0]


def test_pieces_may_say_where_they_belong(pool, pcm, known):
    first, second = pcm[: 3 * RATE], pcm[3 * RATE :]  # 1.5 s
    places = [{"type": "at", "seconds": seconds} for seconds in (0, 0.5, 1.5)]
    late = pcm[RATE : 2 * RATE]
    heard, _ = session(START, places[0], first, places[1], late, places[2], second, END, pool=pool)
    assert heard[1:-1] == known
    assert heard[-1]["late"] == 1


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([b"1234"], 'a session begins with {"type": "start"}, before any sound'),
        ([END], 'a session begins with {"type": "start"}'),
        ([START, START], "the session has begun already; open another"),
        (["{"], "a text message must be JSON: "),
        (["[" * 100_000], "a text message must be JSON: "),
        (["[]"], "an object whose type is one of start, at, end, not None"),
        ([{"type": ["start"]}], "not ['start']"),
        ([{"type": "begin"}], "not 'begin'"),
        ([{**START, "model": "/etc"}], "model"),
        ([{**START, "encoding": "mp3"}], "the message start: encoding"),
        ([{**START, "rate": 44_100}], "a stream is heard at 16000 Hz, not 44100"),
        ([{**START, "pause": 0}], "a pause of 0.4 to 15 s, not 0"),
        ([START, {"type": "at"}], "the message at: the key 'seconds' is missing"),
        ([START, {"type": "at", "seconds": -1}, b"12"], "a piece can't begin at -1"),
        ([{**START, "encoding": "f32le"}, b"123"], "whole samples of 4 bytes, not 3"),
        ([{**START, "encoding": "f32le"}, b"\x00\x00\xc0\x7f"], "sample at 0.000 s is nan"),
    ],
)
def test_what_can_t_be_understood_ends_the_session(pool, messages, said):
    heard, code = session(*messages, pool=pool)
    assert (heard[-1]["type"], heard[-1]["code"]) == ("error", "bad_input")
    assert said in heard[-1]["message"]
    assert code == 1007


@pytest.mark.parametrize(
    ("messages", "limits", "code", "close"),
    [
        ([START], {"idle_seconds": 0.05}, "idle", 1008),
        ([START, bytes(1001)], {"message_bytes": 1000}, "too_big", 1009),
        (["[" * 1001], {"message_bytes": 1000}, "too_big", 1009),
        ([START, "speech"], {"utterances": 1}, "too_many_utterances", 1008),
    ],
)
def test_limits_end_the_session(pool, pcm, messages, limits, code, close):
    messages = [pcm if message == "speech" else message for message in messages]
    heard, closed = session(*messages, pool=pool, **limits)
    assert (heard[-1]["type"], heard[-1]["code"]) == ("error", code)
    assert closed == close


def test_no_more_sessions_than_are_allowed(pool):
    made = app(pool, sessions=1)
    with TestClient(made).websocket_connect("/v1/stream") as first:
        first.send_json(START)
        assert first.receive_json()["type"] == "ready"
        with TestClient(made).websocket_connect("/v1/stream") as second:
            heard, closed = said(second.receive_json)
    assert (heard[-1]["code"], closed) == ("busy", 1013)
    assert "(1) are under way; try again later" in heard[-1]["message"]
    with TestClient(made).websocket_connect("/v1/stream") as third:  # the first has gone
        third.send_json(START)
        assert third.receive_json()["type"] == "ready"


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [("http://testserver", True), ("https://elsewhere.example", False), ("null", False)],
)
def test_a_page_of_another_site_is_refused(pool, origin, accepted):
    client = TestClient(app(pool))
    with contextlib.ExitStack() as stack:
        if not accepted:
            stack.enter_context(pytest.raises(WebSocketDisconnect))
        with client.websocket_connect("/v1/stream", headers={"origin": origin}) as socket:
            socket.send_json(START)
            assert socket.receive_json()["type"] == "ready"


def test_the_service_streams_what_it_answers_to_those_with_a_key(ask, pcm, known):
    stranger = {"Authorization": "Bearer none"}
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        ask.websocket_connect("/v1/stream", headers=stranger),
    ):
        pytest.fail("a stranger was let in")
    assert "give a key that this service knows" in refused.value.reason
    with ask.websocket_connect("/v1/stream") as socket:
        for message in (START, END):
            socket.send_json(message)
            if message is START:
                socket.send_bytes(pcm)
        heard, _ = said(socket.receive_json)
    (final,) = (one for one in heard if one["type"] == "final")
    (wanted,) = (one for one in known if "analysis" in one)
    assert final["analysis"]["segments"] == wanted["analysis"]["segments"]
    start, end = (2 * round(final[name] * RATE) for name in ("start", "end"))
    with io.BytesIO() as sound:
        samples = np.frombuffer(pcm[start:end], "<i2")
        soundfile.write(sound, samples, RATE, format="WAV", subtype="PCM_16")
        answer = ask.post("/v1/analyze", files={"file": ("cut.wav", sound.getvalue())})
    assert answer.json()["emotion"] == final["emotion"]


def test_a_failure_of_the_server_is_told_without_its_reasons(pool):
    def broken():
        raise RuntimeError("/secret/path")

    raised = []

    async def logging(scope, receive, send):
        """What a server does with it; TestClient would end the conversation there."""
        try:
            await app(pool, broken)(scope, receive, send)
        except RuntimeError as error:
            raised.append(str(error))

    with TestClient(logging).websocket_connect("/v1/stream") as client:
        client.send_json(START)
        heard = said(client.receive_json)
    error = {"type": "error", "code": "internal", "message": "the server failed; try again"}
    assert (heard, raised) == (([error], 1011), ["/secret/path"])


@contextlib.contextmanager
def served(application):
    """The address of a server on loopback."""
    server = uvicorn.Server(uvicorn.Config(application, log_level="error"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"ws://127.0.0.1:{listening.getsockname()[1]}/v1/stream"
        finally:
            server.should_exit = True
            thread.join()


def test_over_the_network_it_is_the_same(pool, pcm, known):
    with served(app(pool)) as address, connect(address) as client:
        client.send(json.dumps(START))
        for start in range(0, len(pcm), 3200):
            client.send(pcm[start : start + 3200])
        client.send(json.dumps(END))
        heard = [json.loads(message) for message in client]
    assert heard[1:-1] == known
    assert client.close_code == 1000


def test_a_client_that_vanishes_disturbs_nobody(pool, pcm, known):
    with served(app(pool)) as address:
        with connect(address) as gone:
            gone.send(json.dumps(START))
            gone.send(pcm[: 3 * RATE])
            gone.socket.shutdown(socket.SHUT_RDWR)  # no goodbye
        with connect(address) as client:
            client.send(json.dumps(START))
            client.send(pcm)
            client.send(json.dumps(END))
            assert [json.loads(message) for message in client][1:-1] == known


def test_while_a_result_is_computed_or_sent_nothing_more_is_read(pool, pcm):
    """A client that sends fast or reads slowly has to wait: its sound is not piled up."""
    pieces = [pcm[start : start + RATE] for start in range(0, RATE * 6, RATE)]
    messages = iter([{"text": json.dumps(START)}, *({"bytes": piece} for piece in pieces)])
    sent, busy, busy_at_reads = [], [], []

    async def turns(number):
        """What else the loop has to do gets many chances to be done."""
        for _ in range(number):
            await asyncio.sleep(0)

    async def work():
        busy.append(True)
        await turns(100)
        busy.pop()

    class Watched:
        def __init__(self, loop):
            self.loop = loop

        def analyze(self, *sound, **options):
            asyncio.run_coroutine_threadsafe(work(), self.loop).result(60)
            return analyzer().analyze(*sound, **options)

    async def receive():
        if not sent:
            return {"type": "websocket.connect"}
        await turns(10)
        busy_at_reads.append(len(busy))
        message = next(messages, None)
        gone = {"type": "websocket.disconnect", "code": 1006}
        return {"type": "websocket.receive", **message} if message else gone

    async def send(message):
        sent.append(message)
        await work()

    async def talk():
        watched = Watched(asyncio.get_running_loop())
        scope = {"type": "websocket", "path": "/v1/stream", "headers": [], "query_string": b""}
        await app(pool, lambda: watched)({**scope, "subprotocols": []}, receive, send)

    asyncio.run(talk())
    assert sum("provisional" in message.get("text", "") for message in sent) > 2
    assert busy_at_reads == [0] * (len(pieces) + 2)
