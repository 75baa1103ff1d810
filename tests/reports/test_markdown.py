"""The document, as a CommonMark parser reads it."""

import dataclasses
from itertools import pairwise

import pytest

from voxplain.models.judgement import abstain
from voxplain.reports import markdown
from voxplain.types import Claim, Descriptors, Narration

markdown_it = pytest.importorskip("markdown_it")


def tokens(text):
    return markdown_it.MarkdownIt("commonmark").enable("table").parse(text)


def blocks(text, kind):
    """The texts of all blocks of a kind, as a reader sees them."""
    found = tokens(text)
    return [
        "".join(child.content for child in inside.children)
        for opened, inside in pairwise(found)
        if opened.type == f"{kind}_open" and inside.type == "inline"
    ]


def table(text, title, number=0):
    """The rows of a table below a heading, unless another is asked for the first."""
    rows, below = [], False
    found = tokens(text)
    for before, token in pairwise(found):
        if before.type == "heading_open":
            below = token.content.startswith(title)
        elif below and token.type == "table_close":
            if not number:
                return rows
            rows, number = [], number - 1
        elif below and before.type == "tr_open":
            rows.append([])
        if below and before.type in ("td_open", "th_open") and token.type == "inline":
            rows[-1].append("".join(child.content for child in token.children))
    raise AssertionError(f"no table below {title}")


def test_the_parts_come_in_their_order(full):
    assert blocks(markdown.render(full), "heading") == [
        "Sounds angry",
        "What was found",
        "How it sounds",
        "Moment 1: 0.52–0.71 s",
        "Moment 2: 1.18–1.52 s",
        "Moment 3: 2.30–2.50 s",
        "Cues of the whole stretch",
        "Angry rather than happy",
        "Changed voices (synthetic)",
        "Faithfulness",
        "What is said",
        "How it is said",
        "Limits and permitted use",
        "Sources",
        "Provenance",
    ]


def test_tables_hold_what_was_measured(full):
    text = markdown.render(full)
    head, *rows = table(text, "Moment 2")
    assert head == ["cue", "measured", "against the usual", "expected", "judgement", "sources"]
    assert rows[1] == [
        "pitch",
        "332 Hz; rest 292 Hz, usual 225 Hz; 1.4 SD above random windows",
        "z +2.1",
        "strong rise",
        "supports",
        "scherer_2003, juslin_laukka_2003",
    ]
    assert rows[-1][1:3] == ["not measurable; usual 3.30 %", "not measurable"]
    assert table(text, "How it sounds")[1] == ["angry", "> 0.99", "0.85"]
    assert table(text, "Changed voices")[1] == [
        "pitch −4 st", "> 0.99", "> 0.99", "0.61", "Sounds angry or happy"
    ]  # fmt: skip
    assert table(text, "Faithfulness")[1] == [
        "20 %, noise", "> 0.99", "0.95", "0.78", "0.41", "97 %"
    ]  # fmt: skip
    assert ["model_sha256", full.provenance["model_sha256"]] in table(text, "Provenance")


def test_claims_warnings_and_sources_are_told(full):
    text = markdown.render(full)
    paragraphs = blocks(text, "paragraph")
    for claim in full.claims:
        assert claim.text in paragraphs
    assert "Warning: the stretch is short: 2.4 s." in paragraphs
    assert any("Psychological Bulletin" in one for one in paragraphs)
    assert any("Regulation (EU) 2024/1689" in one for one in paragraphs)


def test_other_words_stand_beside_the_claims_and_say_whose_they_are(full):
    told = (Claim("It *sounds* angry.", ("emotion.verdict",)), Claim("So.", ("roles",)))
    kept = Narration("specialist", told, {"said before": 2}, "llama")
    text = markdown.render(dataclasses.replace(full, narration=kept))
    headings = blocks(text, "heading")
    assert headings[1:4] == ["What was found", "In other words", "How it sounds"]
    paragraphs = blocks(text, "paragraph")
    assert "It *sounds* angry. So." in paragraphs
    assert (
        "Written by llama, a language model, for a specialist reader. Each sentence was held to "
        "the evidence; 2 sentences were left out (said before: 2)."
    ) in paragraphs
    nothing = dataclasses.replace(full, narration=Narration("lay", (), {"too much": 1}, "llama"))
    assert any(
        "wrote nothing was kept" in one for one in blocks(markdown.render(nothing), "paragraph")
    )


def test_what_is_said_is_marked_and_weighed(full):
    text = markdown.render(full)
    assert "That ?is,? [*exactly* what *happened.*]" in blocks(text, "paragraph")
    assert "Note: one word could not be placed." in blocks(text, "paragraph")
    assert table(text, "What is said")[1] == ["happy", "0.55", "0.21"]


def test_what_each_text_makes_of_the_dimensions(full):
    text = markdown.render(full)
    assert [
        "valence", "0.29", "0.36", "0.20 to 0.52", "+0.09 (60 %)", "+0.02 (13 %)",
        "−0.04 (27 %)",
    ] in table(text, "What is said", 1)  # fmt: skip
    paragraphs = blocks(text, "paragraph")
    for told in (
        "Read as emphasised: “exactly”.",
        "Read as the interpretation: A raised voice; the speaker tells <what> happened.",
        "Weight among the texts: the emphasised words 50 %, the transcript as a whole 30 %, "
        "the interpretation 20 %.",
        "Weight of each expert of the network: valence 70 %, 30 %; arousal 52 %, 48 %; "
        "dominance 10 %, 90 %.",
    ):
        assert told in paragraphs
    found = dataclasses.replace(
        full.semantic_fusion,
        effects={"valence": {"transcript": 0.0}},
        routes={},
        emphasised=(),
        extended="",
    )
    text = markdown.render(dataclasses.replace(full, semantic_fusion=found))
    assert ["valence", "0.36", "0.36", "0.20 to 0.52", "+0.00 (–)"] in table(
        text, "What is said", 1
    )
    assert "Read as" not in text
    assert "expert of the network" not in text
    assert "the emphasised words 50 % (missing), the transcript" in text


def test_over_time(full):
    second = dataclasses.replace(full.segments[0], start=2.9, end=3.0, speaker="Anna")
    rows = table(
        markdown.render(dataclasses.replace(full, segments=(*full.segments, second))), "Over time"
    )
    assert rows[1:] == [
        ["0.38–2.82 s", "", "Sounds angry"],
        ["2.90–3.00 s", "Anna", "Sounds angry"],
    ]


def test_without_evidence_little_is_said(full, unsaid):
    nothing = dataclasses.replace(
        full,
        emotion=abstain("no speech found", label_set=("angry",)),
        segments=(),
        descriptors=Descriptors({}),
        explanation=None,
        claims=(),
        **unsaid,
    )
    text = markdown.render(nothing)
    assert blocks(text, "heading") == [
        "Not enough evidence: no speech found", "Limits and permitted use", "Provenance"
    ]  # fmt: skip
    assert text.endswith("\n")


@pytest.mark.parametrize(
    "name",
    [
        "*a* _b_ `c` [d](e) ![f](g) <b>h</b> a|b ~~i~~ \\*j",
        "# a",
        "- a",
        "1. a",
        "12) a",
        "> a",
        "+ a",
        "&lt;script&gt; &#60; &",
        "<script>alert(1)</script>",
        "two\nlines",
        "---",
    ],
)
def test_names_are_shown_as_text(full, name):
    text = markdown.render(dataclasses.replace(full, source=name))
    shown = " ".join(name.split())
    assert blocks(text, "paragraph")[0] == f"{shown}, 3.0 s, 2.0 s of speech"
    second = dataclasses.replace(full.segments[0], speaker=name)
    text = markdown.render(dataclasses.replace(full, segments=(*full.segments, second)))
    assert table(text, "Over time")[2][1] == shown
    assert not {"html_block", "html_inline"} & {token.type for token in tokens(text)}
