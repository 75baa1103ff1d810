"""A trace is kept as JSON lines, and gives the same when it is run again without a model."""

import json

import pytest

from voxplain import pipeline
from voxplain.errors import BadReply, ConfigError
from voxplain.inquiry import trace
from voxplain.inquiry.inquiry import Limits, inquire
from voxplain.inquiry.tools import Recording

QUESTION = "Why not happy?"
CONTRAST = {"tool": "contrast", "arguments": {"label": "sad", "other": "happy"}}
WRONG = {"answer": [{"text": "The voice sounds happy.", "evidence": ["e1"]}]}
TRUE = {"text": "The voice sounds sad (probability 0.80).", "evidence": ["e1"]}


@pytest.fixture(scope="module")
def kept(recording, scripted, tmp_path_factory):
    """An inquiry in which much goes wrong, and the file of its trace."""
    llm = scripted(
        CONTRAST,
        BadReply("it broke off"),
        "no idea",
        {"tool": "shell", "arguments": {}},
        {"tool": "transcript", "arguments": {"start": 1.0, "end": 2.0}},
        {"candidates": ["fear"]},
        "x" * 99999,
        WRONG,
        {"answer": [*WRONG["answer"], TRUE]},
    )
    found = inquire(QUESTION, recording, llm=llm, limits=Limits(turns=10, seconds=30))
    path = tmp_path_factory.mktemp("traces") / "memo.inquiry.jsonl"
    path.write_text(trace.dumps(found), encoding="utf-8")
    return found, path


def test_a_trace_holds_all_of_an_inquiry(kept):
    found, path = kept
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    head, *turns, end = lines
    assert head["voxplain_inquiry"] == 1
    assert (head["question"], head["llm"]) == (QUESTION, "scripted")
    assert head["limits"] == {"turns": 10, "tokens": 1000, "seconds": 30}
    assert len(head["about"]["sha256"]) == len(head["about"]["model_sha256"]) == 64
    assert json.loads(turns[0]["reply"]) == CONTRAST
    assert [turn["result"].get("fault") for turn in turns] == [
        None, "no usable reply", "no usable reply", "unknown tool", None, None, "no usable reply",
        "no sentence holds", None,
    ]  # fmt: skip
    assert end["answer"] == [TRUE]
    assert end["facts"] == {"e1": TRUE["text"]}
    assert trace.load(path) == found


def test_run_again_it_gives_the_same_without_a_model(kept, recording):
    found, path = kept
    again = trace.replay(trace.load(path), recording)
    assert again.changes == ()
    assert again.inquiry == found


def test_an_answer_made_by_rule_is_made_again(recording, scripted, tmp_path):
    found = inquire(QUESTION, recording, llm=scripted(WRONG), limits=Limits(turns=2))
    path = tmp_path / "rule.jsonl"
    path.write_text(trace.dumps(found), encoding="utf-8")
    again = trace.replay(trace.load(path), recording)
    assert (again.changes, again.inquiry) == ((), found)


def edited(path, tmp_path, number, change):
    """A copy of a trace with one line changed."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines[number])
    copy = tmp_path / "edited.jsonl"
    copy.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return trace.load(copy)


def test_a_result_that_changed_is_told_with_its_place(kept, recording, tmp_path):
    _, path = kept

    def change(line):
        line["result"]["values"]["cues"] = []

    (told,) = trace.replay(edited(path, tmp_path, 1, change), recording).changes
    assert told.startswith("turn 1, result.values.cues: [] is now [{")

    def rename(line):
        line["opening"]["facts"]["e1"] = "The voice sounds glad."

    (told,) = trace.replay(edited(path, tmp_path, 0, rename), recording).changes
    assert told == (
        'the opening, result.facts.e1: "The voice sounds glad." is now '
        '"The voice sounds sad (probability 0.80)."'
    )


def test_an_answer_that_changed_is_told(kept, recording, tmp_path):
    _, path = kept

    def change(line):
        line["answer"][0]["text"] = "The voice sounds happy."

    again = trace.replay(edited(path, tmp_path, -1, change), recording)
    assert again.changes == ("the answer is another",)
    assert [one.to_dict() for one in again.inquiry.answer] == [TRUE]


def test_another_recording_is_told_from_the_one_of_the_trace(kept, angry):
    _, path = kept
    again = trace.replay(trace.load(path), Recording(pipeline.load(), angry))
    assert again.changes[0].startswith("the recording is another (sha256 ")
    assert any(one.startswith("turn 5, result.fault: null is now") for one in again.changes)
    assert "it took 10 turns, not 9" in again.changes  # nothing of the old answer holds
    assert again.changes[-1] == "the answer is another"
    assert again.inquiry.by_rule
    assert again.inquiry.turns[-1].result["why"] == "the trace ends here"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "{}\n{}",
        '{"voxplain_inquiry": 2}\n{}',
        '{"voxplain_inquiry": 1}\n{}',
        "[]\n[]",
        '{"voxplain_inquiry": 1, "limits": {"turns": 0}}\n{}',
    ],
)
def test_what_is_no_trace_is_refused(tmp_path, text):
    path = tmp_path / "memo.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"memo\.jsonl is no trace of an inquiry \("):
        trace.load(path)


def test_a_trace_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="give a file that voxplain ask wrote"):
        trace.load(tmp_path / "none.jsonl")
