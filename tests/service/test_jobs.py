"""Jobs: from queued to gone, for their owner alone."""

import base64
import hashlib
import hmac
import json

import numpy as np
import pytest
import soundfile

import voxplain
from voxplain.audio import read
from voxplain.service import work
from voxplain.service.options import Options


def give(client, clip, **fields):
    with clip.open("rb") as file:
        answer = client.post("/v1/jobs", files={"file": (clip.name, file)}, data=fields)
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert answer.headers["location"] == job["links"]["self"] == f"/v1/jobs/{job['id']}"
    return job


def told(client, job):
    """What the events say, until the end."""
    with client.stream("GET", job["links"]["events"]) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = list(answer.iter_lines())
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]


@pytest.fixture(scope="module")
def hour(clips, tmp_path_factory):
    """35 s of several voices: an hour among these limits."""
    path = tmp_path_factory.mktemp("long") / "talk.ogg"
    pieces = [read.read(clip).waveform for clip in clips]
    soundfile.write(path, np.tile(np.concatenate(pieces), 3)[: 16_000 * 35], 16_000)
    return path


def test_a_job_is_done_and_then_gone(ask, angry, data):
    job = give(ask, angry, explain="quick")
    assert job["state"] == "queued"
    last = told(ask, job)[-1]
    assert last["state"] == "done"
    assert last["progress"] == {"seconds": 3.003, "duration": 3.003, "share": 1.0}
    assert last["created"] <= last["started"] <= last["finished"] < last["deleted"]
    assert ask.get(job["links"]["self"]).json() == last
    result = ask.get(job["links"]["result"])
    expected = {**voxplain.analyze(angry).to_dict(), "source": angry.name}
    assert result.json() == json.loads(json.dumps(expected))
    folder = data / "jobs" / job["id"]
    assert {path.name for path in folder.iterdir()} == {
        "progress.json", "report.html", "result.json"
    }  # fmt: skip
    report = ask.get(job["links"]["report"])
    assert report.headers["content-type"] == "text/html; charset=utf-8"
    assert "sandbox" in report.headers["content-security-policy"]
    assert angry.name in report.text
    assert str(data) not in report.text
    assert "<audio" not in report.text
    assert ask.delete(job["links"]["self"]).status_code == 204
    for link in job["links"].values():
        assert ask.get(link).status_code == 404
    assert not folder.exists()
    kept = b"".join(path.read_bytes() for path in data.glob("jobs.sqlite*"))
    assert job["id"].encode() not in kept


def test_the_report_is_heard_only_if_that_is_asked_for(ask, angry):
    job = give(ask, angry, sound="true")
    assert told(ask, job)[-1]["state"] == "done"
    assert "<audio" in ask.get(job["links"]["report"]).text


def test_progress_goes_forward_in_seconds_of_the_recording(ask, hour):
    seen = told(ask, give(ask, hour))
    seconds = [one["progress"]["seconds"] for one in seen]
    assert seconds == sorted(seconds)
    assert seen[-1]["progress"]["seconds"] == pytest.approx(35, abs=0.01)
    assert {one["progress"]["duration"] for one in seen} <= {None, seconds[-1]}
    assert seen[-1]["state"] == "done"


def test_a_job_that_failed_says_why_wherever_it_is_asked(ask, tmp_path):
    bad = tmp_path / "memo.wav"
    bad.write_bytes(b"no audio")
    job = give(ask, bad)
    last = told(ask, job)[-1]
    assert last["state"] == "failed"
    assert last["error"]["detail"].startswith("memo.wav can't be decoded")
    for link in ("result", "report"):
        answer = ask.get(job["links"][link])
        assert answer.status_code == 422
        assert answer.json()["detail"] == last["error"]["detail"]


def test_a_job_may_not_be_longer_than_is_said(ask, tmp_path):
    long = tmp_path / "long.flac"
    soundfile.write(long, np.zeros(8000 * 45), 8000)
    job = give(ask, long)
    error = told(ask, job)[-1]["error"]
    assert (error["status"], error["type"]) == (413, "urn:voxplain:TooLong")


def test_who_did_not_give_a_job_does_not_see_it(ask, bob, angry):
    job = give(ask, angry)
    assert len(job["id"]) >= 32
    other = [ask.get(link, headers=bob) for link in job["links"].values()]
    other.append(ask.delete(job["links"]["self"], headers=bob))
    unknown = ask.get("/v1/jobs/nothing").json()
    for answer in other:
        assert answer.status_code == 404
        assert answer.json()["detail"] == unknown["detail"]
    assert told(ask, job)[-1]["state"] == "done"


def test_deleting_a_job_stops_it_and_its_listeners(ask, hour, data, running):
    first, second = give(ask, hour, explain="full"), give(ask, hour)
    with ask.stream("GET", first["links"]["events"]) as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data: "))
        seen = json.loads(next(lines)[6:])
        while seen["progress"]["duration"] is None:
            seen = json.loads(next(lines)[6:])
        assert seen["state"] == "running"
        assert ask.get(first["links"]["result"]).status_code == 409
        assert ask.get(second["links"]["self"]).json()["state"] == "queued"
        assert ask.delete(second["links"]["self"]).status_code == 204
        assert ask.delete(first["links"]["self"]).status_code == 204
        *_, last = [json.loads(line[6:]) for line in lines]
    assert last["state"] == "cancelled"
    assert not any((data / "jobs" / one["id"]).exists() for one in (first, second))
    assert running.app.state.service.job_workers.at_work == 0


def test_the_operator_is_told_of_the_end_with_a_signature(ask, angry, receiver, secret):
    before = len(receiver.requests)
    job = give(ask, angry, webhook="lab")
    with receiver.came:
        assert receiver.came.wait_for(lambda: len(receiver.requests) > before, timeout=30)
    path, headers, body = receiver.requests[-1]
    assert path == "/lab"
    assert json.loads(body) == {"type": "job.done", "job": job["id"]}
    assert headers["webhook-id"] == job["id"]
    signed = f"{job['id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_what_is_past_is_deleted(ask, angry, running):
    job = give(ask, angry)
    told(ask, job)
    jobs = running.app.state.service.jobs
    jobs.delete_what_is_past(now=jobs.store.get(job["id"]).finished + 86_399)
    assert ask.get(job["links"]["result"]).status_code == 200
    jobs.delete_what_is_past(now=jobs.store.get(job["id"]).finished + 86_401)
    assert ask.get(job["links"]["self"]).status_code == 404


def test_only_so_many_jobs_may_wait(ask, angry, running, monkeypatch, data):
    store = running.app.state.service.jobs.store
    monkeypatch.setattr(store, "counts", lambda: {"queued": 100})
    with angry.open("rb") as file:
        answer = ask.post("/v1/jobs", files={"file": file})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert list((data / "incoming").iterdir()) == []


def test_a_name_never_becomes_part_of_a_page(tmp_path, angry, monkeypatch):
    """Should the place of a recording stand in a page, its owner's name for it takes that place."""
    recording = work.Recording(angry, "<img src=x>.opus", 60.0)
    monkeypatch.setattr(work, "sounding", lambda found, path: f"<p>{path}</p>")
    work.job("speech", recording, Options(explain="none"), tmp_path, heard=True)
    page = (tmp_path / work.REPORT).read_text(encoding="utf-8")
    assert page == "<p>&lt;img src=x&gt;.opus</p>"
