"""Each tool finds what can be measured by other means, and says nothing that does not hold."""

import dataclasses
import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import soundfile

import voxplain
from voxplain import pipeline
from voxplain.audio import read
from voxplain.errors import ConfigError, InputError, TextError, UnknownName
from voxplain.evidence.voice import AXES, Edit
from voxplain.inquiry.tools import TOOLS, Recording, described, fit, fitting
from voxplain.types import Claim

CALLS = {
    "verdict": [{}],
    "descriptors": [{"start": 0.4, "end": 2.6}, {"start": 1, "end": 1.5}],
    "saliency": [{"label": "sad"}, {"label": "fear"}],
    "cues": [{"label": "sad", "start": 0, "end": 2.8}, {"label": "happy", "start": 1, "end": 1.4}],
    "contrast": [{"label": "sad", "other": "happy"}, {"label": "fear", "other": "sad"}],
    "whatif": [{"change": "tempo", "amount": 1.3, "label": "sad"}],
    "transcript": [{}, {"start": 1.0, "end": 1.5}],
    "roles": [{}],
}
EACH = [(name, arguments) for name, several in CALLS.items() for arguments in several]


def find(recording, name, **arguments):
    return fitting(name, arguments).find(recording, **arguments)


@pytest.fixture(scope="module")
def twice(sad, tmp_path_factory):
    """The recording twice, with 13 s of silence between: two stretches of speech."""
    sound = read.read(sad)
    rate = sound.sampling_rate
    waveform = np.concatenate([sound.waveform, np.zeros(13 * rate, np.float32), sound.waveform])
    path = tmp_path_factory.mktemp("twice") / "twice.wav"
    soundfile.write(path, waveform, rate)
    return Recording(pipeline.load(), path)


def test_every_tool_is_tried_here():
    assert CALLS.keys() == TOOLS.keys()


@pytest.mark.parametrize("tool", described(), ids=lambda tool: tool["name"])
def test_a_tool_says_what_it_takes_in_a_json_schema_that_is_one(tool):
    assert tool["description"].endswith(".")
    jsonschema.Draft202012Validator.check_schema(tool["parameters"])
    assert set(tool["parameters"]["required"]) <= set(tool["parameters"]["properties"])
    assert tool["parameters"]["additionalProperties"] is False
    json.dumps(tool, allow_nan=False)


def test_the_page_shows_the_tools_as_they_are():
    page = (Path(__file__).parents[2] / "docs" / "ask.md").read_text(encoding="utf-8")
    shown = page.partition("```json\n[")[2].partition("\n```")[0]
    assert json.loads(f"[{shown}") == json.loads(json.dumps(described()))


@pytest.mark.parametrize(("name", "arguments"), EACH)
def test_what_a_tool_says_stands_up_to_the_checker(recording, ledger, name, arguments):
    found = ledger.call(name, arguments)
    json.dumps(found, allow_nan=False)
    assert found["values"]
    wrong = {
        text: ledger.problems(Claim(text, (number,))) for number, text in found["facts"].items()
    }
    assert {text: problems for text, problems in wrong.items() if problems} == {}


@pytest.mark.parametrize(
    "name", ["verdict", "descriptors", "saliency", "cues", "contrast", "whatif"]
)
def test_there_is_something_to_say(ledger, name):
    assert len(ledger.call(name, CALLS[name][0])["facts"]) >= (1 if name == "whatif" else 2)


def test_the_verdict_is_that_of_the_analysis_with_the_minor_emotions(recording, sad):
    found, emotion = find(recording, "verdict").values, voxplain.analyze(sad, explain=None).emotion
    assert found["sounds"] == list(emotion.verdict.labels) == ["sad"]
    assert found["probabilities"] == pytest.approx(dict(emotion.categories), rel=1e-3)
    listeners = emotion.perceived
    assert found["minor"] == [one for one in listeners if 0.2 <= listeners[one] < listeners["sad"]]
    assert found["minor"] == ["neutral"]


def test_descriptors_are_those_of_the_part(recording):
    """The mean pitch of a part, from its frames, in semitones above 27.5 Hz."""
    found = find(recording, "descriptors", start=1.0, end=1.5).values["f0_mean_st"]
    tracks = recording.analysis.descriptors.tracks
    f0, activity = tracks["f0_hz"], tracks["speech_activity"]
    inside = (f0.times >= 1.0) & (f0.times < 1.5) & f0.voiced
    assert np.interp(f0.times[inside], activity.times, activity.values).min() > 0.3
    semitones = 12 * np.log2(f0.values[inside] / 27.5)
    assert found["value"] == pytest.approx(semitones.mean(), abs=0.01)
    assert found["unit"] == "st"


def test_of_a_short_part_only_means_are_told(recording):
    short = find(recording, "descriptors", start=1.0, end=2.9 - 1.0).values
    long = find(recording, "descriptors", start=0.4, end=2.6).values
    assert all("_mean_" in name for name in short)
    assert "f0_sd_st" in long


def test_cues_are_told_of_the_speech_in_a_part(recording):
    (stretch,) = recording.analysis.segments
    found = find(recording, "cues", label="sad", start=0, end=2.8).values
    bounds = (stretch.start, min(stretch.end, 2.8))
    assert (found["start"], found["end"]) == pytest.approx(bounds, abs=0.001)
    assert bounds[0] > 0.4
    rows = {one["title"]: one for one in found["cues"]}
    jitter = rows["unevenness of periods (jitter)"]
    assert (jitter["expected"] < 0) == ((jitter["judgement"] == "supports") == (jitter["z"] < 0))


def test_saliency_is_the_explanation_of_that_label(recording, sad):
    explanation = voxplain.analyze(sad, why="fear").explanation
    found = find(recording, "saliency", label="fear").values
    assert [one["start"] for one in found["moments"]] == pytest.approx(
        [one.start for one in explanation.moments], rel=1e-3
    )
    assert found["faithful"] is explanation.faithfulness.passed


def test_a_contrast_turned_round_has_the_opposite_expectations(recording):
    one = find(recording, "contrast", label="sad", other="happy").values["cues"]
    other = find(recording, "contrast", label="happy", other="sad").values["cues"]
    assert {row["title"]: row["expected"] for row in one} == {
        row["title"]: -row["expected"] for row in other
    }


def test_a_changed_voice_is_judged_as_by_whatif(recording, sad):
    found = find(recording, "whatif", change="tempo", amount=1.3, label="sad")
    truth = voxplain.whatif(sad, edit=Edit(tempo=1.3))
    for key, emotion in (("before", truth.before), ("after", truth.after)):
        told = found.values[key]["probability"]
        assert told == pytest.approx(emotion.categories["sad"], rel=1e-3)
    assert found.values["found_again"] == pytest.approx(1.3, abs=0.05)


def test_of_several_stretches_the_voice_is_changed_as_a_whole(twice):
    assert len(twice.analysis.segments) == 2
    found = find(twice, "whatif", change="breathiness", amount=0.5, label="sad")
    assert [claim.text[:25] for claim in found.claims] == ["With a breathiness of 0.5"]


def test_of_several_stretches_the_one_meant_is_named(twice, ledger):
    second = twice.analysis.segments[1]
    found = find(twice, "cues", label="sad", start=second.start - 0.5, end=second.end)
    lead = f"From {second.start:.1f} to {second.end:.1f} s, "
    assert found.claims
    assert all(claim.text.startswith(lead) for claim in found.claims)
    contrast = find(twice, "contrast", label="sad", other="happy")
    assert all(claim.text.startswith("From ") for claim in contrast.claims)


def test_words_come_with_their_times_and_roles(recording, transcript):
    words = find(recording, "transcript").values["words"]
    text = transcript.read_text().splitlines()[2::4]
    assert [one["text"] for one in words] == text
    inside = find(recording, "transcript", start=1.0, end=1.5).values["words"]
    assert [one["text"] for one in inside] == [
        one["text"] for one in words if one["end"] > 1.0 and one["start"] < 1.5
    ]
    parts = find(recording, "roles").values["parts"]
    assert "".join(one["text"] for one in parts) == " ".join(text)


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("descriptors", {"start": 2, "end": 1}, ConfigError, "no part from 2 to 1 s; give one of"),
        ("descriptors", {"start": 1, "end": 99}, ConfigError, "between 0 and 2.84 s"),
        ("descriptors", {"start": 1, "end": 1.05}, ConfigError, "give one of 0.1 s or more"),
        ("cues", {"label": "sad", "start": 0.0, "end": 0.2}, ConfigError, "no speech from 0.00 to"),
        ("cues", {"label": "odd", "start": 0, "end": 2}, UnknownName, "available: angry, boredom"),
        ("saliency", {"label": "calm"}, UnknownName, "unknown label 'calm'; available: angry"),
        ("contrast", {"label": "sad", "other": "x"}, UnknownName, "of experts 'x'; available: an"),
        ("whatif", {"change": "tempo", "amount": 1, "label": "sad"}, ConfigError, "1 changes not"),
        ("whatif", {"change": "tempo", "amount": 9, "label": "sad"}, ConfigError, "give 0.5 to 2"),
        ("whatif", {"change": "tempo", "amount": 1.2, "label": "calm"}, UnknownName, "'calm'"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told(recording, name, arguments, error, message):
    with pytest.raises(error, match=message):
        find(recording, name, **arguments)


@pytest.mark.parametrize("name", ["transcript", "roles"])
def test_without_a_transcript_there_are_no_words(twice, name):
    with pytest.raises(TextError, match="the words of the recording are not known"):
        find(twice, name)


def test_where_nobody_speaks_there_is_little_to_ask(tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(32000, np.float32), 16000)
    silence = Recording(pipeline.load(), path)
    (claim,) = find(silence, "verdict").claims
    assert claim.text.endswith("say how the voice sounds: no speech found in 2.0 s of audio.")
    assert find(silence, "descriptors", start=0, end=2).claims == ()
    with pytest.raises(InputError, match="there is no speech in the recording"):
        find(silence, "contrast", label="sad", other="happy")
    with pytest.raises(InputError, match="too little speech to explain"):
        find(silence, "saliency", label="sad")


def test_a_tool_that_there_is_not_and_arguments_that_do_not_fit():
    with pytest.raises(UnknownName, match="unknown tool 'shell'; available: contrast, cues"):
        fitting("shell", {})
    for arguments in ({}, [], {"label": 3}, {"label": "sad", "x": 1}, {"label": "s" * 33}):
        with pytest.raises(ConfigError, match=r"the arguments don't fit at \$"):
            fitting("saliency", arguments)
    with pytest.raises(ConfigError, match="is greater than the maximum"):
        fit({"start": math.inf, "end": 1.0}, TOOLS["descriptors"].parameters)


def test_the_description_of_changes_gives_the_range_of_each():
    for name, axis in AXES.items():
        assert f"{name} {axis.low:g} to {axis.high:g}" in TOOLS["whatif"].about


def test_a_finding_cannot_be_changed(recording):
    with pytest.raises(dataclasses.FrozenInstanceError):
        find(recording, "verdict").values = {}
