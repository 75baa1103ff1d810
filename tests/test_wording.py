"""Pages and templates say how a voice sounds to listeners, never what a person feels."""

import ast
import re
from pathlib import Path

import pytest

from voxplain.labels import CANONICAL, phrase

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "voxplain"
PAGES = (  # what people read, other than what the code puts together
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("examples/*.md"),
    *SOURCE.glob("assets/**/*.md"),
    *SOURCE.glob("assets/**/*.css"),
    *SOURCE.glob("assets/**/*.js"),
    *SOURCE.glob("assets/**/*.html"),
)
TEMPLATES = tuple(  # testing/ says what is false on purpose
    path for path in SOURCE.rglob("*.py") if path.parent.name != "testing"
)

_EMOTIONS = "|".join(
    {
        *CANONICAL,
        *map(phrase, CANONICAL),
        "afraid",
        "anxious",
        "depressed",
        "upset",
        r"\{[^}]*phrase",
    }
)
_DEGREE = r"(?:(?:very|really|clearly|probably|most likely|not) )?"
WRONG = re.compile(
    rf"\b(?:is|are|was|were|am|be|feels?|felt|seems?|become|becomes) {_DEGREE}(?:{_EMOTIONS})\b"
    r"|\b(?:speaker|person|actor|man|woman|child|somebody|someone|you) (?:is|are|was) "
    rf"{_DEGREE}(?:{_EMOTIONS})\b"
    r"|\b(?:feels?|felt)\b|\bfeelings?\b|\bstate of mind\b"
)
DENIED = re.compile(r'(?:not|never|let alone) what a person feels|never "is angry"')


def wrong(text):
    """The passages of a text that claim to know what somebody feels."""
    text = DENIED.sub("", re.sub(r"[\s*_`]+", " ", text).lower())
    return [match.group() for match in WRONG.finditer(text)]


def templates(code):
    """Every text in a program that is no docstring; what is put in stands in braces."""
    tree = ast.parse(code)
    silent = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
            yield "".join(
                part.value if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}"
                for part in node.values
            )
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in silent
        ):
            yield node.value


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_say_how_a_voice_sounds(page):
    assert wrong(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("module", TEMPLATES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_templates_say_how_a_voice_sounds(module):
    assert [text for text in templates(module.read_text(encoding="utf-8")) if wrong(text)] == []


def test_there_is_something_to_read():
    assert {"README.md", "CONTRIBUTING.md"} <= {page.name for page in PAGES}
    found = {path.relative_to(SOURCE).as_posix() for path in TEMPLATES}
    assert {"reports/text.py", "evidence/claims.py", "models/judgement.py"} <= found


@pytest.mark.parametrize(
    "text",
    [
        "The speaker is angry.",
        "She is very sad here",
        "the voice **is** fearful",
        "It was\nboredom",
        "He feels it",
        "what the person feels",
        "how your feelings change",
        "Somebody is probably disgusted.",
        "they are not happy",
    ],
)
def test_the_scan_finds_what_must_not_be_said(text):
    assert wrong(text)


@pytest.mark.parametrize(
    "text",
    [
        "The voice sounds angry to listeners.",
        "How a voice sounds, not what a person feels.",
        'We write "sounds angry", never "is angry".',
        "angry is one of six labels; fear is another",
        "the probability of angry is 0.81",
    ],
)
def test_the_scan_lets_the_rest_pass(text):
    assert wrong(text) == []


def test_the_scan_reads_what_is_put_together_and_no_docstrings():
    code = (
        'def say(label):\n    """A voice is angry."""\n'
        '    return f"The voice is {phrase(label)}." + "It feels odd."\n'
    )
    assert [text for text in templates(code) if wrong(text)] == [
        "The voice is {phrase(label)}.", "It feels odd."
    ]  # fmt: skip
