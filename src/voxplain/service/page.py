"""The page at ``/``: a recording goes in, its report comes out, and a slider changes the voice."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, HTMLResponse

from voxplain.evidence.voice import AXES, LONGEST, Axis
from voxplain.labels import KNOWN, phrase
from voxplain.reports._markup import Markup, element
from voxplain.service.settings import Settings
from voxplain.service.state import Service

__all__ = ["HEADERS", "render", "router"]

router = APIRouter(include_in_schema=False)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; media-src 'self' blob: data:; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""Of the page and of what it is made of: nothing from elsewhere, and in no frame."""

_ASSETS = {  # its report looks and works as one that is kept: the same style, the same script
    "report.css": "report/page.css",
    "report.js": "report/page.js",
    "page.css": "page/page.css",
    "page.js": "page/page.js",
}
_AXES = {
    "f0_shift_st": "Pitch",
    "f0_range": "Pitch range",
    "tempo": "Tempo",
    "gain_db": "Loudness",
    "tilt_db": "Brightness",
    "breathiness": "Breathiness",
}
_NOTCHES = 3
"""Usual changes that a slider goes to either side."""


@router.get("/", response_class=HTMLResponse)
async def page(service: Service) -> HTMLResponse:
    """The page."""
    return HTMLResponse(render(service.settings), headers=HEADERS)


@router.get("/page/{name}", response_class=FileResponse)
async def asset(name: str) -> FileResponse:
    """What the page is made of. Raises HTTPException for anything else."""
    if name not in _ASSETS:
        raise HTTPException(404, "the page has no such part")
    return FileResponse(Path(str(files("voxplain") / "assets" / _ASSETS[name])), headers=HEADERS)


def render(settings: Settings) -> str:
    """The page of a service, with its limits, and a field for the key if it wants one."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", "voxplain: how a voice sounds"),
        element("link", rel="icon", href="data:,"),
        *(element("link", rel="stylesheet", href=f"page/{one}.css") for one in ("report", "page")),
        element("script", type="module", src="page/page.js"),
    )
    adjectives = {label: phrase(label) for label in KNOWN if phrase(label) != label}
    main = element(
        "main",
        [_ask(settings), _work(), _result(settings)],
        id="main",
        data_adjectives=json.dumps(adjectives),
    )
    body = element(
        "body",
        element("a", "Skip to the content", href="#main", class_="skip"),
        element("noscript", element("p", "This page needs JavaScript.", class_="warning")),
        main,
        element("footer", element("p", _PERMITTED, class_="note")),
        element("p", id="status", role="status", class_="unseen"),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


_PERMITTED = (
    "Not for the workplace, education, hiring, policing or diagnosis. It learned from acted speech "
    "of adults; on other voices its probabilities may not hold."
)


def _ask(settings: Settings) -> Markup:
    most = f"Sound or video, up to {_length(settings.max_job_seconds)}, {_size(settings)}"
    problem = element(
        "div",
        element("h2"),
        element("p"),
        _button("Try again", id="again"),
        id="problem",
        class_="warning",
        role="alert",
        hidden=True,
    )
    agree = element(
        "label",
        element("input", type="checkbox", id="agree", required=True),
        element("span", "Whoever speaks in the recording knows of this and agrees."),
        class_="agree",
    )
    key = element(
        "label",
        "Key of this service ",
        element("input", type="password", id="key", autocomplete="off"),
    )
    drop = element(
        "label",
        element("b", "Drop a recording here, or choose a file"),
        element("small", most),
        element("input", type="file", id="file", accept="audio/*,video/*"),
        id="drop",
    )
    record = element(
        "div",
        _button("Record", id="record"),
        element("meter", id="level", max=1.0, aria_label="Level", hidden=True),
        element("small", f"Up to {_length(_heard(settings))}", id="clock"),
        id="recorder",
        data_longest=_heard(settings),
    )
    return element(
        "form",
        element("h1", "How does this voice sound?", tabindex="-1"),
        element(
            "p",
            "voxplain says how a voice sounds to listeners and shows why; not what a person feels. "
            "The recording goes to the service at this address and to nobody else, and is deleted "
            "there as soon as the answer is here.",
            class_="lede",
        ),
        problem,
        agree,
        key if settings.keys else None,
        drop,
        record,
        id="ask",
        data_bytes=str(settings.max_job_bytes),
        data_size=_size(settings),
        data_at_once=str(settings.max_bytes),
    )


def _work() -> Markup:
    return element(
        "div",
        element("h1", "Listening …", tabindex="-1"),
        element("p", class_="source"),
        element("progress", max=1.0, aria_label="How much is analysed"),
        _button("Stop", id="stop"),
        element("div", id="glimpse"),
        id="work",
        hidden=True,
    )


def _result(settings: Settings) -> Markup:
    tools = element(
        "div",
        element("a", "Save the report", id="keep-report"),
        element("a", "Save as JSON", id="keep-json"),
        _button("Delete all, begin anew", id="delete"),
        class_="tools",
    )
    report = element("div", id="report")
    return element("div", tools, report, _whatif(settings), id="result", hidden=True)


def _whatif(settings: Settings) -> Markup:
    told = (
        "Move a slider: the same voice is put together with that cue changed, and judged again. "
        "What you get is synthetic; it shows what this model goes by, not what listeners would "
        "hear."
    )
    sound = element("audio", controls=True, aria_label="Synthetic voice")
    hear = element(
        "div",
        _button("Hear the changed voice", id="hear"),
        _button("Back to the recording", id="back"),
        element("figure", sound, element("figcaption", "Synthetic sound"), hidden=True),
        class_="tools",
    )
    sliders = element("div", [_slider(name, axis) for name, axis in AXES.items()], hear)
    return element(
        "section",
        element("h2", "What if it were spoken otherwise?", id="whatif-title"),
        element("p", told),
        element("div", sliders, element("div", id="changed"), class_="beside"),
        id="whatif",
        aria_labelledby="whatif-title",
        data_longest=min(_heard(settings), LONGEST),
    )


def _slider(name: str, axis: Axis) -> Markup:
    """Counted in usual changes, so that the sliders of all cues move alike."""
    return element(
        "p",
        element("label", _AXES[name], for_=name),
        element("output", "unchanged", for_=name),
        element(
            "input",
            type="range",
            id=name,
            min=-_NOTCHES if axis.at(-_NOTCHES) >= axis.low else 0,
            max=_NOTCHES,
            step=0.25,
            value=0.0,
            aria_valuetext="unchanged",
            data_same=axis.same,
            data_step=axis.step,
            data_unit=axis.unit,
        ),
        class_="slider",
    )


def _button(said: str, **attributes: str) -> Markup:
    return element("button", said, type="button", **attributes)


def _heard(settings: Settings) -> float:
    return min(settings.max_seconds, settings.max_job_seconds)


def _length(seconds: float) -> str:
    per, unit = next(one for one in ((3600, "h"), (60, "min"), (1, "s")) if seconds >= one[0])
    return f"{seconds / per:.3g} {unit}"


def _size(settings: Settings) -> str:
    mebibytes = settings.max_job_bytes / 2**20
    return f"{mebibytes / 1024:g} GiB" if mebibytes >= 1024 else f"{mebibytes:.3g} MiB"
