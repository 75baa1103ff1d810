"""From a recording and its speakers to each voice over time."""

import json
from importlib.resources import files

import numpy as np
import pytest
import soundfile
from jsonschema import Draft202012Validator

import voxplain
from voxplain.conversations import page, text
from voxplain.conversations.results import Conversation
from voxplain.errors import AudioError, ConfigError, TooShort, UnknownName

RATE = 16_000


def numbers(emotion):
    found = [*emotion.categories.values(), *emotion.perceived.values()]
    for axis in ("valence", "arousal", "dominance"):
        one = getattr(emotion.dimensions, axis)
        found += [one.value, one.low, one.high]
    return found


def test_each_turn_is_judged_as_analyze_judges_the_same_cut(talk):
    waveform = soundfile.read(talk.path, dtype="float32")[0]
    compared = 0
    for start, end, who in talk.turns[:5]:  # the next two overlap
        cut = waveform[round(start * RATE) : round(end * RATE)]
        alone = voxplain.analyze(cut, RATE, explain=None)
        within = [turn for turn in talk.heard.turns if start - 1e-6 <= turn.start < end]
        for turn, stretch in zip(within, alone.segments, strict=True):
            assert turn.speaker == who
            assert (turn.start, turn.end) == pytest.approx(
                (start + stretch.start, start + stretch.end)
            )
            assert numbers(turn.emotion) == pytest.approx(numbers(stretch.emotion), abs=1e-6)
            assert turn.emotion.verdict == stretch.emotion.verdict
            compared += 1
    assert compared == 5


def test_without_speakers_it_is_one_voice_with_the_stretches_of_analyze(talk):
    found = voxplain.conversation(talk.path)
    whole = voxplain.analyze(talk.path, explain=None)
    assert len(found.turns) == len(whole.segments) > 2
    for turn, stretch in zip(found.turns, whole.segments, strict=True):
        assert (turn.start, turn.end, turn.speaker) == (stretch.start, stretch.end, None)
        assert turn.emotion == stretch.emotion
    (voice,) = found.voices
    assert voice.name is None
    assert voice.emotion == whole.emotion
    assert found.duration == whole.duration
    assert found.speakers is None


def test_a_long_turn_is_several(talk, tmp_path):
    speakers = tmp_path / "one.csv"
    speakers.write_text("start,end,speaker\n0,40,ann\n")
    found = voxplain.conversation(talk.path, speakers=speakers)
    assert len(found.turns) >= 2
    assert all(turn.duration <= 15 and turn.judged for turn in found.turns)


def test_where_several_speak_nobody_is_judged(talk):
    (both,) = talk.heard.overlaps
    assert both.speakers == ("ann", "bob")
    start, end = talk.turns[6][0], talk.turns[5][1]
    assert (both.start, both.end) == pytest.approx((start, end), abs=1e-5)
    assert not any(
        turn.start < both.end - 1e-6 and turn.end > both.start + 1e-6 for turn in talk.heard.turns
    )


def test_a_turn_too_short_is_told_and_not_judged(talk):
    last = talk.heard.turns[-1]
    assert (last.speaker, last.judged) == ("bob", False)
    assert last.emotion.verdict.reason == "lasts 0.05 s; 0.1 s are the least"
    assert sum(not turn.judged for turn in talk.heard.turns) == 1
    judged = sum(turn.speaker == "bob" and turn.judged for turn in talk.heard.turns)
    _, bob = talk.heard.voices
    assert len(bob.curves["valence"].times) == judged


def test_a_turn_without_speech_is_told_and_not_judged(talk, tmp_path):
    silent = next(  # forty seconds in which nobody says anything
        (end, start)
        for (_, end, _), (start, _, _) in zip(talk.turns, talk.turns[1:], strict=False)
        if start - end > 30
    )
    speakers = tmp_path / "silent.csv"
    speakers.write_text(f"start,end,speaker\n{silent[0] + 5},{silent[0] + 15},ann\n")
    found = voxplain.conversation(talk.path, speakers=speakers)
    (turn,), (voice,) = found.turns, found.voices
    assert turn.emotion.verdict.reason == "no speech found in 10.0 s of audio"
    assert voice.emotion.verdict.abstains
    assert dict(voice.curves) == {}
    assert voice.turning_points == ()


def test_no_value_where_nobody_spoke(talk):
    for voice in talk.heard.voices:
        spans = [(start, end) for start, end, who in talk.turns if who == voice.name]
        for curve in voice.curves.values():
            for time in curve.times:
                assert any(start <= time <= end for start, end in spans)
            assert (curve.low <= curve.values).all()
            assert (curve.values <= curve.high).all()


def test_the_planted_change_is_the_turning_point(talk):
    ann, bob = talk.heard.voices
    start, end, _ = [turn for turn in talk.turns if turn[2] == "ann"][6]
    assert {point.dimension for point in ann.turning_points} >= {"arousal"}
    for point in ann.turning_points:
        assert start <= point.first <= end
        assert point.last < start
        assert (point.after > point.before) == (point.dimension == "arousal")
    assert bob.turning_points == ()


def test_a_voice_is_the_mean_of_its_turns(talk):
    ann = talk.heard.voices[0]
    judged = [turn for turn in talk.heard.of(ann) if turn.judged]
    seconds = [turn.duration for turn in judged]
    angry = np.average([turn.emotion.categories["angry"] for turn in judged], weights=seconds)
    assert ann.emotion.categories["angry"] == pytest.approx(angry)
    assert ann.duration == pytest.approx(sum(seconds))


def test_silence_is_no_error(tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(3 * RATE), RATE)
    found = voxplain.conversation(path)
    (turn,), (voice,) = found.turns, found.voices
    assert turn.emotion.verdict.reason == "no speech found in 3.0 s of audio"
    assert voice.emotion.verdict == turn.emotion.verdict
    assert found.judged == 0


def test_speakers_of_a_longer_recording(talk, tmp_path):
    length = talk.heard.duration
    late, longer = tmp_path / "late.csv", tmp_path / "longer.csv"
    late.write_text(f"start,end,speaker\n0,1,ann\n{length + 5},{length + 6},ann\n")
    message = (
        rf"late.csv has a turn at {length + 5:.2f} s, but .*talk.wav lasts {length:.2f} s; give"
    )
    with pytest.raises(ConfigError, match=message):
        voxplain.conversation(talk.path, speakers=late)
    waveform = soundfile.read(talk.path, dtype="float32")[0]
    with pytest.raises(ConfigError, match="but <array> lasts"):  # which can't be told beforehand
        voxplain.conversation(waveform[: 2 * RATE], RATE, speakers=late)
    longer.write_text("start,end,speaker\n0,9,ann\n")
    found = voxplain.conversation(waveform[: 2 * RATE], RATE, speakers=longer)
    assert found.warnings == ("longer.csv goes on until 9.00 s, the recording lasts 2.00 s",)
    assert max(turn.end for turn in found.turns) <= 2.0


def test_another_recordings_speakers_are_told(talk, tmp_path):
    other = tmp_path / "other.rttm"
    other.write_text(talk.speakers.read_text().replace("SPEAKER talk", "SPEAKER tale"))
    found = voxplain.conversation(talk.path, speakers=other)
    assert found.warnings == ("other.rttm says that its turns are of tale, not of talk",)
    assert found.turns == talk.heard.turns


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"reach": 0}, ConfigError, "a reach of 0 s; give seconds above 0"),
        ({"reach": float("nan")}, ConfigError, "a reach of nan s"),
        ({"speakers": "a.rttm", "diariser": "x"}, ConfigError, "both say who speaks; give one"),
        ({"diariser": "ears"}, UnknownName, "diarisers plug-in 'ears'; available: sherpa_onnx"),
        ({"tier": "who"}, ConfigError, "the tier 'who' is of no file; give the TextGrid as"),
        ({"speakers": "nowhere.rttm"}, ConfigError, "nowhere.rttm can't be read as RTTM"),
    ],
)
def test_what_can_not_be_asked(talk, options, kind, message):
    with pytest.raises(kind, match=message):
        voxplain.conversation(talk.path, **options)


def test_recordings_that_can_not_be_read(tmp_path):
    with pytest.raises(AudioError, match="there is no such file"):
        voxplain.conversation(tmp_path / "nowhere.wav")
    with pytest.raises(TooShort, match=r"lasts 0\.050 s"):
        voxplain.conversation(np.zeros(800, np.float32), RATE)


def test_the_document_follows_its_schema_and_comes_back(talk):
    document = json.loads(json.dumps(talk.heard.to_dict(), allow_nan=False))
    schema, analysis = (
        json.loads((files("voxplain") / f"assets/schema/{name}.schema.json").read_text("utf-8"))
        for name in ("conversation", "analysis")
    )
    for name in ("dimensions", "emotion", "estimate", "verdict"):
        assert schema["$defs"][name] == analysis["$defs"][name]
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(document)
    assert Conversation.from_dict(document).to_dict() == document
    with pytest.raises(
        ConfigError, match=r"schema_version '2.0' can't be read; this voxplain reads 1.0"
    ):
        Conversation.from_dict(document | {"schema_version": "2.0"})


def test_where_all_speak_at_once_there_is_no_voice(talk, tmp_path):
    speakers = tmp_path / "both.csv"
    speakers.write_text("start,end,speaker\n0,5,ann\n0,5,bob\n")
    found = voxplain.conversation(talk.path, speakers=speakers)
    assert (found.turns, found.voices) == ((), ())
    assert len(found.overlaps) == 1
    assert "0 voices, 0 turns judged" in " ".join(text.render(found).split())
    assert "No turning point" in page.render(found)
