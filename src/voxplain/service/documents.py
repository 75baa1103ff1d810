"""What the OpenAPI says of answers: schemas, problems, and real examples (``examples/``)."""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from voxplain.service.problems import MEDIA_TYPE, Problem

__all__ = [
    "ABOUT", "ACCEPTED", "ANALYSIS", "COUNTERFACTUAL", "DELETED", "EVENTS", "EXAMPLES", "JOB",
    "METRICS", "MODELS", "REPORT", "RESULT", "UNREADY", "describe",
]  # fmt: skip

ABOUT = (
    "How a voice sounds to listeners, and why; not what a person feels. Not for workplace, "
    "education, hiring, policing or diagnosis; people recorded must know and agree."
)
EXAMPLES = ("Analysis", "Counterfactual", "Job", "Models", "Problem")

_Responses = dict[int | str, dict[str, Any]]
_WHY = {
    400: "the form can't be read",
    401: "no key that is known",
    404: "no such job of this key",
    408: "the request came in too slowly",
    409: "the job is not done",
    413: "too large, or too long",
    422: "what was sent can't be used",
    429: "more requests than the rate of this key",
    500: "an error of the service",
    501: "a part that is not installed here",
    503: "as many requests as can be are in work",
    504: "the work took too long",
    507: "no room on the disk",
}


def _json(name: str, example: str = "") -> dict[str, Any]:
    return {
        "application/json": {
            "schema": {"$ref": f"#/components/schemas/{name}"},
            "examples": {"clip": {"$ref": f"#/components/examples/{example or name}"}},
        }
    }


def _problems(*codes: int) -> _Responses:
    content = {
        MEDIA_TYPE: {
            "schema": Problem.model_json_schema(),
            "examples": {"problem": {"$ref": "#/components/examples/Problem"}},
        }
    }
    return {code: {"description": _WHY[code], "content": content} for code in codes}


def _answers(code: int, description: str, content: dict[str, Any], *codes: int) -> _Responses:
    return {code: {"description": description, "content": content}, **_problems(401, 429, *codes)}


_UPLOAD = (400, 408, 413, 422, 500, 501, 503, 507)
_OF_A_JOB = (404, 422)

ANALYSIS = _answers(200, "how it sounds", _json("Analysis"), *_UPLOAD, 504)
COUNTERFACTUAL = _answers(
    200,
    "what the model makes of the changed voice; or that, as 32-bit WAV",
    {**_json("Counterfactual"), "audio/wav": {"schema": {"type": "string", "format": "binary"}}},
    *_UPLOAD,
    504,
)
ACCEPTED = _answers(202, "the job is queued", _json("Status", "Job"), *_UPLOAD)
JOB = _answers(200, "how it stands", _json("Status", "Job"), *_OF_A_JOB)
EVENTS = _problems(401, 429, *_OF_A_JOB)
RESULT = _answers(200, "how it sounds", _json("Analysis"), *_OF_A_JOB, 409, 413, 500, 501, 503)
_PAGE = {"text/html": {"schema": {"type": "string"}}}
REPORT = _answers(200, "a page", _PAGE, *_OF_A_JOB, 409, 413, 500, 501, 503)
DELETED: _Responses = {204: {"description": "nothing is left"}, **_problems(401, 429, *_OF_A_JOB)}
MODELS = _answers(200, "what is loaded", _json("Models"))
UNREADY = _problems(503)
METRICS: _Responses = {
    200: {"description": "counters", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


def describe(app: FastAPI, *, keys: bool) -> None:
    """Let the application tell all this of itself."""

    @functools.cache
    def openapi() -> dict[str, Any]:
        told = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        parts = told["components"]
        parts["schemas"] |= _analysis_schemas()
        parts["schemas"].pop("HTTPValidationError", None)
        parts["schemas"].pop("ValidationError", None)
        parts["examples"] = {name: {"value": _example(name)} for name in EXAMPLES}
        parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        if keys:
            for path, operations in told["paths"].items():
                for one in operations.values() if path.startswith("/v1/") else ():
                    one["security"] = [{"key": []}]
        return told

    app.openapi = openapi  # type: ignore[method-assign]


def _analysis_schemas() -> dict[str, Any]:
    """That of an analysis (docs/schema.md), its parts beside it."""
    path = files("voxplain") / "assets/schema/analysis.schema.json"
    text = path.read_text(encoding="utf-8").replace("#/$defs/", "#/components/schemas/")
    whole = json.loads(text)
    parts = whole.pop("$defs")
    whole.pop("$schema")
    changed = parts["counterfactual"]
    of_file = {"source": whole["properties"]["source"], "synthetic": {"const": True}}
    return {
        **parts,
        "Analysis": whole,
        "Counterfactual": {
            **changed,
            "properties": {**of_file, **changed["properties"]},
            "required": [*of_file, *changed["required"]],
        },
        "Models": {"type": "object"},
    }


def _example(name: str) -> Any:
    path = files(__package__) / f"examples/{name.lower()}.json"
    return json.loads(path.read_text(encoding="utf-8"))
