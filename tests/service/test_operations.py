"""What operators see, and that nobody's recordings are told to them."""

import io
import json
import logging
import re
import sys

import pytest

import voxplain

pytest.importorskip("prometheus_client", reason="needs the extra serve")

from prometheus_client.parser import text_string_to_metric_families

from voxplain.errors import ConfigError
from voxplain.service.logs import JsonLines
from voxplain.service.settings import Settings


def counted(client):
    """Name and labels -> value."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (one.name, *sorted(one.labels.values())): one.value
        for family in families
        for one in family.samples
    }


@pytest.fixture
def lines():
    """What the service logs."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    log = logging.getLogger("voxplain.service")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    log.removeHandler(handler)


def test_it_lives_and_is_ready_for_everybody(running):
    assert running.get("/healthz").json() == {"status": "ok"}
    assert running.get("/readyz").json() == {"status": "ready"}


def test_a_folder_that_can_not_be_written_is_not_ready(running, data, monkeypatch):
    monkeypatch.setattr(
        "voxplain.service.routes.operations._write", lambda folder: folder.read_bytes()
    )
    answer = running.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "the data folder can't be written: Is a directory"


def test_models_are_told_to_who_has_a_key(ask):
    told = ask.get("/v1/models").json()
    loaded = voxplain.load().model
    (model,) = told["models"]
    assert (model["name"], model["sha256"]) == (loaded.name, loaded.sha256)
    assert model["labels"] == list(loaded.calibration.labels)
    assert told["limits"]["analyze"] == {"bytes": 300_000, "seconds": 20}
    ask.headers.pop("Authorization")
    assert ask.get("/v1/models").status_code == 401


def test_requests_are_counted_by_route_and_jobs_by_state(ask):
    before = counted(ask)
    for number in range(3):
        ask.get(f"/v1/jobs/nothing-{number}")
        ask.get(f"/nowhere/{number}")
    ask.post("/v1/analyze", content=b"x" * 300_001)
    after = counted(ask)

    def more(*key):
        return after[key] - before.get(key, 0)

    assert more("voxplain_requests_total", "/v1/jobs/{job_id}", "404", "GET") == 3
    assert more("voxplain_requests_total", "404", "GET", "other") == 3
    assert more("voxplain_rejected_total", "413") == 1
    assert after["voxplain_queue_length", "requests"] == 0
    assert after["voxplain_jobs", "running"] == 0
    assert more("voxplain_request_seconds_count", "/v1/jobs/{job_id}") == 3


def test_a_request_has_an_id_of_its_own_or_the_given_one(running):
    assert (
        running.get("/healthz", headers={"X-Request-ID": "a.b-1"}).headers["x-request-id"]
        == "a.b-1"
    )
    for wrong in ("a b", "x" * 65, "a;b", '"'):
        made = running.get("/healthz", headers={"X-Request-ID": wrong}).headers["x-request-id"]
        assert re.fullmatch("[0-9a-f]{16}", made)


def test_logs_tell_of_requests_and_of_no_recording(ask, angry, lines):
    with angry.open("rb") as file:
        given = {"file": ("ann-smith.wav", file)}
        job = ask.post("/v1/jobs", files=given, data={"transcript": "my secret words"}).json()
    ask.get(job["links"]["events"])
    ask.delete(job["links"]["self"])
    told = lines()
    assert [one["route"] for one in told] == [
        "/v1/jobs",
        "/v1/jobs/{job_id}/events",
        "/v1/jobs/{job_id}",
    ]
    assert [one["status"] for one in told] == [202, 200, 204]
    assert all(one["request_id"] and one["seconds"] >= 0 for one in told)
    for secret in ("ann-smith", "secret", "angry", job["id"], "a-key-of-ann"):
        assert secret not in json.dumps(told)


def test_of_an_exception_the_log_has_kind_and_place_alone():
    try:
        raise ValueError("what somebody said in memo.wav")
    except ValueError:
        record = logging.LogRecord("a", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    told = json.loads(JsonLines().format(record))
    assert (told["level"], told["event"], told["error"]) == ("error", "failed", "ValueError")
    assert told["at"][0].startswith(__file__)
    assert "memo.wav" not in json.dumps(told)


def test_what_nobody_foresaw_is_a_problem_without_details(running, lines, monkeypatch):
    def broken(*_):
        raise RuntimeError("what somebody said")

    monkeypatch.setattr("voxplain.service.routes.operations._write", broken)
    answer = running.get("/readyz")
    assert answer.status_code == 500
    assert answer.json()["detail"].startswith("an error of the service; its log tells more")
    assert "somebody" not in answer.text


@pytest.mark.parametrize(
    ("name", "value", "least"), [("workers", 0, 1), ("rate", 0.5, 1), ("keep_audio", -1, 0),
                                 ("timeout", float("nan"), 1)]
)  # fmt: skip
def test_limits_that_make_no_sense_are_refused(tmp_path, name, value, least):
    option = name.replace("_", "-")
    with pytest.raises(ConfigError, match=f"--{option} must be at least {least}, not {value}"):
        Settings(data=tmp_path, **{name: value})
