"""``voxplain ask``: the answer with its evidence, the trace, its replay, and what is refused."""

import json
import shutil

import pytest

from voxplain.cli import main
from voxplain.inquiry import trace

CONTRAST = {"tool": "contrast", "arguments": {"label": "angry", "other": "happy"}}
SOUNDS = {"text": "The voice sounds angry (probability 1.00).", "evidence": ["e1"]}
WRONG = {"text": "The voice sounds happy.", "evidence": ["e1"]}


class Scripted:
    name = "scripted"

    def __init__(self, *replies):
        self.replies = list(replies)

    def complete(self, messages, *, schema=None, max_tokens=1024):
        return json.dumps(self.replies.pop(0) if len(self.replies) > 1 else self.replies[0])


def run(capsys, *arguments):
    code = main(["ask", *map(str, arguments)])
    seen = capsys.readouterr()
    assert "Traceback" not in seen.err
    return code, seen.out, seen.err


@pytest.fixture
def memo(angry, tmp_path):
    return shutil.copy(angry, tmp_path / "memo.opus")


@pytest.fixture
def llm(monkeypatch):
    """What the model replies, and what it was loaded with."""
    loaded = []

    def install(*replies):
        def load(*, model):
            loaded.append(model)
            return Scripted(*replies)

        monkeypatch.setattr("voxplain.llms.local.load", load)
        return loaded

    return install


def test_the_answer_cites_its_evidence_and_the_trace_is_kept(memo, llm, capsys):
    loaded = llm(CONTRAST, {"answer": [SOUNDS, WRONG]})
    code, out, err = run(capsys, memo, "why not happy?", "--llm", "local:some/model:8b")
    assert code == 0
    assert loaded == ["some/model:8b"]
    path = memo.parent / "memo.inquiry.jsonl"
    assert err == f"wrote {path}\n"
    head, empty, said, *rest = out.splitlines()
    assert head == f"{memo}  why not happy?"
    assert (empty, said) == ("", f"- {SOUNDS['text']} [e1]")
    assert rest == [
        "", "Candidates: angry, happy.", "2 turns of scripted; unsupported sentence 1"
    ]  # fmt: skip
    assert "\x1b" not in out
    assert [one.to_dict() for one in trace.load(path).answer] == [SOUNDS]


def test_a_trace_that_is_there_is_kept(memo, llm, tmp_path, capsys):
    llm({"answer": [SOUNDS]})
    out = tmp_path / "results"
    options = (memo, "why?", "--llm", "local:m", "--out", out)
    path = out / "memo.inquiry.jsonl"
    assert run(capsys, *options)[2] == f"wrote {path}\n"
    assert run(capsys, *options)[2] == f"kept {path} as it is; --force replaces it\n"
    assert run(capsys, *options, "--force")[2] == f"wrote {path}\n"


def test_an_answer_by_rule_says_so_and_lines_fit_80_columns(memo, llm, capsys):
    llm({"answer": [WRONG]})
    code, out, _ = run(capsys, memo, "why not happy?", "--llm", "local:m", "--turns", 2)
    assert code == 0
    assert "Nothing that the model answered could be said: this was made by rule." in out
    assert "speaks for angry rather than happy" in " ".join(out.split())
    assert all(len(line) < 80 for line in out.splitlines()[1:])


def test_json_writes_no_files(memo, llm, capsys):
    llm({"answer": [SOUNDS]})
    code, out, err = run(capsys, memo, "why?", "--llm", "local:m", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["answer"] == [SOUNDS]
    assert document["facts"] == {"e1": SOUNDS["text"]}
    assert list(memo.parent.iterdir()) == [memo]


def test_words_are_those_of_the_transcript(memo, llm, capsys):
    text = memo.parent / "memo.txt"
    text.write_text("That is exactly what happened.", encoding="utf-8")
    llm({"tool": "transcript", "arguments": {}}, {"answer": [SOUNDS]})
    code, out, _ = run(
        capsys, memo, "why?", "--llm", "local:m", "--json", "--transcript", text
    )  # fmt: skip
    assert code == 0
    words = json.loads(out)["turns"][0]["result"]["values"]["words"]
    assert [one["text"] for one in words] == ["That", "is", "exactly", "what", "happened."]


def test_a_replay_needs_no_model_and_tells_what_changed(memo, llm, sad, capsys):
    llm(CONTRAST, {"answer": [SOUNDS]})
    _, first, _ = run(capsys, memo, "why?", "--llm", "local:m")
    path = memo.parent / "memo.inquiry.jsonl"
    assert run(capsys, memo, "--replay", path) == (0, first, "the same as kept\n")
    code, _, err = run(capsys, sad, "--replay", path)
    assert code == 1
    assert "changed: the recording is another" in err
    assert "changed: the answer is another" in err
    assert err.endswith("not as kept\n")


@pytest.fixture
def sad(clips):
    return next(clip for clip in clips if "sad" in clip.name)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ((), 2, "nothing is asked for; give a question, --replay or --mcp"),
        (("why?", "--mcp"), 2, "a question and --mcp is asked for"),
        (("why?",), 2, "a question goes with --llm BACKEND:MODEL"),
        (("--mcp", "--llm", "local:m"), 2, "a question goes with --llm"),
        (("why?", "--llm", "gpt:5"), 2, "unknown llms plug-in 'gpt'; available: local, none"),
        (("why?", "--llm", "none"), 2, "this needs a language model and none is chosen"),
        (("why?", "--llm", "openai_compatible"), 2, "wants other options: missing a required"),
        (("why?", "--llm", "local:m", "--base-url", "http://localhost"), 2, "wants other options"),
        (("why?", "--llm", "local:m", "--turns", "0"), 2, "an inquiry of 0 turns"),
        (("why?", "--llm", "local:m", "--json", "--out", "x"), 2, "leave out --out, or --json"),
        (("why?", "--llm", "local:m", "--asr", "auto", "--transcript", "x"), 2, "leave out --asr"),
        (("--replay", "none.jsonl"), 2, "none.jsonl is no trace of an inquiry"),
    ],
)
def test_what_does_not_go_together_is_refused(memo, llm, capsys, options, code, message):
    seen = run(capsys, memo, *options)
    assert seen[:2] == (code, "")
    assert message in seen[2]


def test_standard_input_is_refused_and_a_file_that_is_not_there(llm, tmp_path, capsys):
    llm({"answer": [SOUNDS]})
    code, _, err = run(capsys, "-", "why?", "--llm", "local:m")
    assert code == 2
    assert "give a file, not - (stdin)" in err
    code, _, err = run(capsys, tmp_path / "none.wav", "why?", "--llm", "local:m")
    assert code == 2
    assert "none.wav" in err


def test_serving_without_the_sdk_says_what_to_install(memo, monkeypatch, capsys):
    import sys

    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    code, _, err = run(capsys, memo, "--mcp")
    assert code == 3
    assert "pip install 'voxplain[mcp]'" in err
