"""What a sentence may stand on, and what calls of tools come back with."""

import threading
from types import SimpleNamespace

import pytest

from voxplain.inquiry import ledger as module
from voxplain.inquiry.ledger import Ledger
from voxplain.types import Claim


@pytest.fixture
def facts(ledger):
    """Sentence -> id, of three calls."""
    found = {}
    for name, arguments in (
        ("verdict", {}),
        ("descriptors", {"start": 0.4, "end": 2.6}),
        ("descriptors", {"start": 1.0, "end": 1.5}),
    ):
        found |= {text: one for one, text in ledger.call(name, arguments)["facts"].items()}
    return found


def text_of(facts, beginning):
    return next(text for text in facts if text.startswith(beginning))


def test_ids_go_on_from_call_to_call(facts):
    assert list(facts.values()) == [f"e{n + 1}" for n in range(len(facts))]


def test_facts_of_one_call_may_be_said_together(ledger, facts):
    one = facts["The probability of sad is 0.80."]
    other = facts["The probability of fearful is 0.15."]
    said = Claim("The probability of sad is 0.80, and of fearful 0.15.", (one, other))
    assert ledger.problems(said) == ()


@pytest.mark.parametrize(
    "other",
    [
        "From 0.4 to 2.6 s, pitch is",  # of another call
        "Voice and words together sound",  # another judge
        "Arousal is",  # another kind of thing
    ],
)
def test_facts_of_several_calls_or_kinds_may_not(ledger, facts, other):
    ids = (facts["The probability of sad is 0.80."], facts[text_of(facts, other)])
    said = Claim("The probability of sad is 0.80.", ids)
    assert ledger.problems(said) == (
        "what it cites is not of one kind, call and time; say it one by one",
    )


def test_facts_of_several_times_may_not(ledger):
    found = {text: one for one, text in ledger.call("saliency", {"label": "sad"})["facts"].items()}
    moments = [text for text in found if text.startswith("Of all that points to sad")]
    (first, *within), (second, *_) = (
        [
            match,
            *(text for text in found if text.startswith(f"From {match.split(' from ')[1][:10]}")),
        ]
        for match in moments
    )
    both = Claim(f"{first[:-1]}; o{second[1:]}", (found[first], found[second]))
    assert "say it one by one" in ledger.problems(both)[0]
    inside = Claim(f"{first[:-1]}; f{within[0][1:]}", (found[first], found[within[0]]))
    assert ledger.problems(inside) == ()


@pytest.mark.parametrize(
    ("ids", "problem"),
    [
        ((), "no evidence is cited"),
        (("e999",), "there is no evidence e999"),
        (("emotion.verdict",), "there is no evidence emotion.verdict"),
        (("e1", "__class__"), "there is no evidence __class__"),
        (("x" * 1000,), f"there is no evidence {'x' * 80}"),
    ],
)
def test_evidence_that_is_not_there(ledger, facts, ids, problem):
    assert ledger.problems(Claim("The voice sounds sad (probability 0.80).", ids)) == (problem,)


def test_what_is_of_a_part_is_told_of_that_part_and_of_no_other(ledger, facts):
    text = text_of(facts, "From 1.0 to 1.5 s, pitch is")
    number, lead = facts[text], "From 1.0 to 1.5 s, "
    bare = text.removeprefix(lead)
    assert ledger.problems(Claim(text, (number,))) == ()
    must = f"what it cites is of a part of the recording; begin with {lead!r}"
    for wrong in (bare, bare.capitalize(), f"From 0.4 to 2.6 s, {bare}"):
        assert ledger.problems(Claim(wrong, (number,))) == (must,)
    for more in ("overall", "recording"):
        problem = f"{more!r} is wider than what it cites"
        assert ledger.problems(Claim(f"{lead}and {more}, {bare}", (number,))) == (problem,)
    for wrong in (f"{lead}from 0.4 to 2.6 s, {bare}", f"{lead}throughout, {bare}", lead):
        assert ledger.problems(Claim(wrong, (number,)))


def test_the_same_fact_cited_twice_is_one(ledger, facts):
    said = "The probability of sad is 0.80."
    assert ledger.problems(Claim(said, (facts[said], facts[said]))) == ()


def test_what_was_asked_before_is_not_computed_again(ledger):
    first = ledger.call("contrast", {"label": "sad", "other": "happy"})
    ids = ", ".join(first["facts"])
    assert ledger.call("contrast", {"other": "happy", "label": "sad"}) == {
        "fault": "asked before",
        "why": f"nothing new can come of it; its facts: {ids}",
    }
    said = ledger.said("contrast", {"label": "sad", "other": "happy"})
    assert {claim.evidence[0]: claim.text for claim in said} == first["facts"]


@pytest.mark.parametrize(
    ("name", "arguments", "fault", "why"),
    [
        ("shell", {"command": "ls"}, "unknown tool", "unknown tool 'shell'; available: contrast"),
        ("cues", {"label": "sad"}, "bad arguments", "'start' is a required property"),
        ("cues", {"label": "sad", "start": 9, "end": 10}, "refused", "there is no part from 9"),
        ("saliency", {"label": "glee"}, "refused", "unknown label 'glee'; available: angry"),
    ],
)
def test_what_goes_wrong_has_a_name_and_a_reason(ledger, name, arguments, fault, why):
    found = ledger.call(name, arguments)
    assert found["fault"] == fault
    assert why in found["why"]
    assert ledger.said(name, arguments) == ()


def test_a_tool_that_takes_too_long_is_left_to_itself(recording, monkeypatch):
    release = threading.Event()
    slow = SimpleNamespace(find=lambda recording: release.wait(30))
    monkeypatch.setattr(module, "fitting", lambda name, arguments: slow)
    ledger = Ledger(recording, seconds=0.01)
    assert ledger.call("verdict", {}) == {
        "fault": "out of time",
        "why": "verdict took more than 0.01 s; ask for less",
    }
    assert ledger.call("verdict", {})["fault"] == "asked before"
    release.set()


def test_a_mistake_of_ours_is_not_hidden(recording, monkeypatch):
    def broken(recording):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(module, "fitting", lambda name, arguments: SimpleNamespace(find=broken))
    with pytest.raises(ZeroDivisionError, match="ours"):
        Ledger(recording, seconds=10).call("verdict", {})
