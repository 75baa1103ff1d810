"""``voxplain roles``: what people read, the JSON, and what is refused."""

import io
import json
import sys
from types import SimpleNamespace

import pytest

from voxplain.cli import main
from voxplain.text.roles import roles, weights

TOLD = "A man locks the door and walks to his car, and nobody in the street looks up at him. "
OWN = "I was so scared, my heart was pounding and I wanted to hide somewhere under a blanket. "
TEXT = TOLD + OWN + "Then he drives to the station."


def run(capsys, *arguments):
    code = main(["roles", *map(str, arguments)])
    seen = capsys.readouterr()
    assert "Traceback" not in seen.err
    return code, seen.out, seen.err


def given(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))


@pytest.fixture
def account(tmp_path):
    path = tmp_path / "account.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_the_parts_are_told_apart_without_colour_on_80_columns(account, capsys):
    code, out, err = run(capsys, account)
    assert (code, err) == (0, "")
    head, *rest = out.splitlines()
    assert head == f"{account}  42 words, 40% expressive"
    assert all(len(line) < 80 for line in rest)
    assert "\x1b" not in out
    blocks = out.split("\n\n")[1:]
    assert [block.split()[0] for block in blocks] == ["descriptive", "expressive", "descriptive"]
    for block, expressive in zip(blocks, (False, True, False), strict=True):
        assert all((line[16:19] == " > ") is expressive for line in block.splitlines())
    assert " ".join(line[19:] for line in blocks[1].splitlines()) == OWN.strip()


def test_json_holds_the_text_its_roles_and_a_weight_for_each_word(account, capsys):
    code, out, err = run(capsys, account, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert list(document) == ["source", "text", "roles", "words"]
    assert document["text"] == TEXT
    assert document["roles"] == [one.to_dict() for one in roles(TEXT)]
    for told, weight in zip(document["words"], weights(TEXT), strict=True):
        assert told["text"] == TEXT[weight.start : weight.end]
        assert (told["start"], told["end"]) == weight[:2]
        assert told["expressive"] == pytest.approx(weight.expressive, abs=1e-4)


def test_subtitles_are_read_too(tmp_path, capsys):
    path = tmp_path / "talk.srt"
    path.write_text(
        "1\n00:00:01,000 --> 00:00:04,000\nOh God, I was terrified.\n", encoding="utf-8"
    )
    code, out, _ = run(capsys, path, "--json")
    assert code == 0
    assert [one["kind"] for one in json.loads(out)["roles"]] == ["expressive"]


def test_standard_input(monkeypatch, capsys):
    given(monkeypatch, OWN.encode())
    code, out, _ = run(capsys, "-")
    assert code == 0
    assert out.startswith("-  17 words, 100% expressive\n\nexpressive")


def test_of_nothing_nothing_is_said(monkeypatch, capsys):
    given(monkeypatch, b" \n")
    assert run(capsys, "-") == (0, "-  0 words\n", "")


def test_escape_sequences_do_not_reach_the_terminal(monkeypatch, capsys):
    given(monkeypatch, b"He left.\x1b[31m")
    assert "\x1b" not in run(capsys, "-")[1]


def test_what_is_no_text_is_refused(monkeypatch, tmp_path, capsys):
    given(monkeypatch, b"caf\xe9")
    code, out, err = run(capsys, "-")
    assert (code, out) == (2, "")
    assert err == "voxplain: standard input is not UTF-8 (byte 3); save the text as UTF-8\n"
    code, _, err = run(capsys, tmp_path / "none.txt")
    assert code == 2
    assert "none.txt can't be read" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--backend", "gtp"], "unknown backend of roles 'gtp'; available: embedded"),
        (["--backend", "local"], "local wants other options: missing a required argument: 'model'"),
        (["--model", "x"], "embedded wants other options"),
    ],
)
def test_backends_and_options_that_do_not_go_together_are_refused(
    account, capsys, options, message
):
    code, out, err = run(capsys, account, *options)
    assert (code, out) == (2, "")
    assert message in err
