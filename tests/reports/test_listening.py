"""What a small model hears stands in every report, marked against what is measured."""

import dataclasses
import re

import pytest

from voxplain.reports import html, markdown, text
from voxplain.types import Heard, Listening, Quantity

HEARD = {
    "pitch": Heard("high", 0.91, "high", Quantity(41.9854, "st", True), "agree"),
    "range": Heard("wide", 0.62, "medium", Quantity(5.3, "st", True), "one step off"),
    "contour": Heard("falling", 0.7, None, Quantity(float("nan"), "st/s", False), "not measured"),
    "loudness": Heard("loud", 0.8, "quiet", Quantity(-19.4, "dB", True), "disagree"),
    "tempo": Heard("fast", 0.41, "slow", Quantity(3.1, "syllables/s", True), "not heard"),
}
FIRST = Listening(
    0, "pitch high and wide, loud: sounds angry", HEARD, {"angry": 0.8, "sad": 0.2}, "small <one>"
)


@pytest.fixture
def told(analysis):
    return dataclasses.replace(analysis, listening=(FIRST,))


@pytest.fixture
def two(full):
    """The second of two stretches is the one explained."""
    segments = (*full.segments, dataclasses.replace(full.segments[0], start=5.0, end=8.5))
    explanation = dataclasses.replace(full.explanation, segment=1)
    second = Listening(1, "slow: sounds sad", {"tempo": HEARD["tempo"]}, {"sad": 1.0}, "small")
    return dataclasses.replace(
        full, segments=segments, explanation=explanation, listening=(FIRST, second)
    )


def plain(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_page(told):
    page = html.render(told)
    section = plain(page.partition('<section id="listening"')[2].partition("</section>")[0])
    assert "pitch high and wide, loud: sounds angry" in section
    assert "pitch high 0.91 high 311 Hz agree" in section
    assert "range wide 0.62 medium 5.30 st one step off" in section
    assert "contour falling 0.70 – not measured" in section
    assert "loudness loud 0.80 quiet −19.4 dB disagree" in section
    assert "tempo fast 0.41 slow 3.10 syllables/s not heard" in section
    assert "small &lt;one&gt;" in page
    assert "is no measurement" in section
    assert page.index('<section id="listening"') < page.index('<section id="descriptors"')


def test_markdown(told):
    document = markdown.render(told)
    part = document.partition("## Listening description")[2].partition("\n## ")[0]
    assert "pitch high and wide, loud: sounds angry" in part
    assert "| range | wide | 0.62 | medium | 5.30 st | one step off |" in part
    assert "| contour | falling | 0.70 |  |  | not measured |" in part


def test_the_summary(told):
    summary = text.render(told)
    assert max(map(len, summary.splitlines())) < 80
    part = summary.partition("Listening description")[2].partition("\n\n")[0]
    assert part == (
        " (what a small model hears, not measured):\n"
        "  pitch high and wide, loud: sounds angry\n"
        "Against what is measured, agree: pitch; one step off: range (measured medium);\n"
        "disagree: loudness (measured quiet); not measured: contour; not heard: tempo."
    )


def test_of_several_stretches_the_one_explained_comes_first(two):
    assert "5.00–8.50 s: slow: sounds sad" in text.render(two)
    for page in (plain(html.render(two)), markdown.render(two)):
        assert 0 < page.index("5.00–8.50 s: slow: sounds sad") < page.index("pitch high and wide")


@pytest.mark.parametrize("listening", [None, ()])
def test_where_no_model_listened_nothing_is_said(analysis, listening):
    silent = dataclasses.replace(analysis, listening=listening)
    for render in (html.render, markdown.render, text.render):
        assert "istening description" not in render(silent)
