"""The OpenAPI: its examples are answers, and nothing that it allows breaks the service."""

import json
import os
from importlib.resources import files

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = files("voxplain.service") / "examples"
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
# More of them: VOXPLAIN_EXAMPLES=500 python -m pytest tests/service/test_openapi.py
MOST = int(os.environ.get("VOXPLAIN_EXAMPLES", "3"))


def example(name):
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def rounded(value):
    """Six digits: examples are of one machine."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def test_the_examples_are_what_is_answered(ask, angry):
    with angry.open("rb") as file:
        analysis = ask.post("/v1/analyze", files={"file": file})
        file.seek(0)
        changed = ask.post("/v1/whatif", files={"file": file}, data={"f0_shift_st": "-2"})
    problem = ask.post("/v1/analyze", files={"file": ("memo.wav", b"no audio")})
    assert rounded(analysis.json()) == rounded(example("analysis"))
    assert rounded(changed.json()) == rounded(example("counterfactual"))
    assert {**problem.json(), "request_id": ""} == {**example("problem"), "request_id": ""}
    models = ask.get("/v1/models").json()
    assert models["models"] == example("models")["models"]
    assert models.keys() == example("models").keys()


def test_the_example_of_a_job_is_one(ask, angry):
    with angry.open("rb") as file:
        job = ask.post("/v1/jobs", files={"file": file}).json()
    shown = example("job")
    assert shown.keys() == job.keys()
    assert shown["links"] == {
        name: link.replace(job["id"], shown["id"]) for name, link in job["links"].items()
    }
    ask.delete(job["links"]["self"])


def asked(client, case):
    """The answer to what schemathesis thought of."""
    parts = case.as_transport_kwargs(base_url=str(client.base_url))
    known = ("method", "url", "headers", "params", "data", "json", "files", "cookies")
    request = requests.Request(**{name: parts[name] for name in known if name in parts}).prepare()
    headers = {**request.headers, "Authorization": client.headers["Authorization"]}
    return client.request(request.method, request.url, content=request.body, headers=headers)


@pytest.mark.filterwarnings("ignore")  # of its own
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_schemathesis_finds_no_server_error(ask, mode):
    schema = schemathesis.openapi.from_dict(ask.get("/openapi.json").json())
    seen = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        if mode == GenerationMode.NEGATIVE and not (operation.body or operation.path_parameters):
            continue  # nothing can be wrong

        @seed(7)
        @settings(
            max_examples=MOST, deadline=None, database=None, suppress_health_check=HealthCheck
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case):
            answer = asked(ask, case)
            seen.add((case.operation.label, answer.status_code))
            case.validate_response(answer, checks=CHECKS)

        check()
    assert ("POST /v1/analyze", 422) in seen
    assert ("GET /v1/jobs/{job_id}/events", 404) in seen
