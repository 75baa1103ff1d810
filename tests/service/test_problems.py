"""Whatever is raised is answered as a problem."""

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from fastapi import FastAPI
from starlette.testclient import TestClient

from voxplain.errors import MissingExtra, TooLong, UnknownName, WorkerLost
from voxplain.service.problems import handle_problems
from voxplain.service.workers import Busy, OutOfTime


@pytest.mark.parametrize(
    ("error", "status", "kind", "told"),
    [
        (TooLong("memo.wav lasts more"), 413, "urn:voxplain:TooLong", "memo.wav lasts more"),
        (UnknownName("label", "rage", ["angry"]), 422, "urn:voxplain:UnknownName", "unknown label"),
        (MissingExtra("pocketsphinx", "asr"), 501, "urn:voxplain:MissingExtra", "voxplain[asr]"),
        (WorkerLost("it was killed"), 500, "urn:voxplain:WorkerLost", "it was killed"),
        (Busy(7), 503, "about:blank", "as many requests as can be are in work; ask again in 7 s"),
        (OutOfTime(), 504, "about:blank", "took too long and was stopped; send it as a job"),
        (RuntimeError("secret"), 500, "about:blank", "an error of the service; its log tells"),
    ],
)
def test_an_error_is_a_problem_with_its_status(error, status, kind, told):
    app = FastAPI()
    handle_problems(app)

    @app.get("/")
    def fail():
        raise error

    answer = TestClient(app, raise_server_exceptions=False).get("/")
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["type"]) == (status, status, kind)
    assert told in problem["detail"]
    assert "secret" not in answer.text
    assert answer.headers.get("retry-after") == ("7" if isinstance(error, Busy) else None)
