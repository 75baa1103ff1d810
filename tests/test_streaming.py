"""Streaming: what comes out of pieces is what offline analysis says of the same sound."""

import itertools
import tracemalloc
from functools import cache

import numpy as np
import pytest

import voxplain
from voxplain.audio import read
from voxplain.errors import AudioError, ConfigError, InputError
from voxplain.streaming import NEWEST, PAUSE, UPDATE, Stream
from voxplain.types import Final, Provisional

RATE = 16_000


@cache
def analyzer():
    return voxplain.load()


def silence(seconds):
    return np.zeros(round(seconds * RATE), np.int16)


def sound(path):
    """A recording (samples,) of int16."""
    return np.clip(read.read(path).waveform * 2**15, -(2**15), 2**15 - 1).round().astype(np.int16)


def talk(clips, pause=1.0):
    """Recordings with silence around each, of int16."""
    return np.concatenate([part for clip in clips for part in (silence(pause), sound(clip))])


def heard(*pieces, **options):
    """What a stream makes of pieces, each alone or with its time."""
    stream = Stream(analyzer(), **options)
    results = []
    for piece in pieces:
        pcm, at = piece if isinstance(piece, tuple) else (piece, None)
        results += stream.feed(pcm, at=at)
    return results + stream.end()


def plain(results):
    return [result.to_dict(tracks=True) for result in results]


def finals(results):
    return [result for result in results if isinstance(result, Final)]


def cut(pcm, result):
    return pcm[round(result.start * RATE) : round(result.end * RATE)]


@pytest.fixture(scope="module")
def conversation(clips):
    """Two speakers of two corpora, one after the other, of int16."""
    return np.concatenate([talk(clips), silence(1)])


@pytest.fixture(scope="module")
def told(conversation):
    """What comes of it at once."""
    return heard(conversation)


@pytest.fixture(scope="module")
def alone(angry):
    """What comes of one recording at once."""
    return plain(heard(sound(angry)))


def flat(value, place=""):
    """Place -> leaf of a JSON document."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {k: v for name, item in items for k, v in flat(item, f"{place}.{name}").items()}
    return {place: value}


def test_each_utterance_is_told_once_and_where_it_was_spoken(conversation, told, clips):
    spoken = finals(told)
    begins = np.cumsum([1 + len(sound(clip)) / RATE for clip in clips]) - [
        len(sound(clip)) / RATE for clip in clips
    ]
    assert [one.utterance for one in spoken] == list(range(len(clips)))
    for one, begin, clip in zip(spoken, begins, clips, strict=True):
        assert begin - 0.2 <= one.start < one.end <= begin + len(sound(clip)) / RATE + 0.3
    assert [one.emotion.verdict.labels for one in spoken][2] == ("angry",)


def test_a_final_is_the_offline_analysis_of_the_utterance(conversation, told):
    for one in finals(told)[::2]:  # of both speakers
        offline = voxplain.analyze(cut(conversation, one), RATE, explain=None)
        found, known = (flat(a.to_dict(tracks=True)) for a in (one.analysis, offline))
        assert found.keys() == known.keys()
        assert len(known) > 1000
        moved = {
            place for place in known if place.endswith((".start", ".end")) or ".times." in place
        }
        numbers = {place for place, value in known.items() if isinstance(value, float)}
        assert moved < numbers
        expected = [known[place] + one.start * (place in moved) for place in sorted(numbers)]
        np.testing.assert_allclose([found[place] for place in sorted(numbers)], expected, atol=1e-4)
        others = [place for place in known if place not in numbers and place != ".source"]
        assert [found[place] for place in others] == [known[place] for place in others]
        assert found[".source"] == "<stream>"


def test_a_provisional_is_the_offline_emotion_of_the_newest_seconds(conversation, told):
    early = [one for one in told if isinstance(one, Provisional)]
    assert len(early) == 15
    for one in early[::3]:
        assert one.end - one.start <= NEWEST
        offline = analyzer().analyze(cut(conversation, one), RATE, explain=None, measure=False)
        assert one.emotion.to_dict() == offline.emotion.to_dict()


def test_provisional_results_come_every_half_second_while_somebody_speaks(told, clips):
    for number, clip in enumerate(clips):
        own = [one for one in told if one.utterance == number]
        assert [type(one) for one in own] == [Provisional] * (len(own) - 1) + [Final]
        seconds = own[-1].end - own[-1].start
        assert seconds / UPDATE - 3 <= len(own) - 1 <= seconds / UPDATE, clip


@pytest.mark.parametrize("seed", [0, 1])
def test_how_the_stream_is_cut_into_pieces_does_not_matter(clips, seed):
    pcm = talk(clips[1:3]).astype("<i2").tobytes()
    random = np.random.default_rng(seed)
    lengths = np.round(2.0 ** random.uniform(-1, 15, 300)).astype(int)  # from nothing to a second
    edges = np.minimum(np.cumsum([0, 1, *lengths]), len(pcm))
    pieces = [pcm[start:end] for start, end in zip(edges, [*edges[1:], len(pcm)], strict=True)]
    assert b"" in pieces
    assert any(len(piece) % 2 for piece in pieces)
    assert plain(heard(*pieces)) == plain(heard(pcm))


def test_a_byte_at_a_time(angry):
    pcm = sound(angry)[: round(1.5 * RATE)].astype("<i2").tobytes()
    single = heard(*(pcm[place : place + 1] for place in range(len(pcm))))
    assert plain(single) == plain(heard(pcm))
    assert finals(single)


def test_bytes_integers_and_floats_are_one_sound(angry, alone):
    pcm = sound(angry)
    assert plain(heard((pcm / 2**15).astype(np.float32))) == alone
    for piece in (bytearray(pcm.tobytes()), memoryview(pcm)):
        assert plain(heard(piece)) == alone


def test_what_is_fed_may_be_changed_afterwards(angry, alone):
    pcm = (sound(angry) / 2**15).astype(np.float32)
    stream = Stream(analyzer())
    piece, results = np.empty(160, np.float32), []
    for start in range(0, len(pcm) - 160, 160):  # as sound cards do
        piece[:] = pcm[start : start + 160]
        results += stream.feed(piece)
    results += stream.feed(pcm[start + 160 :])
    assert plain(results + stream.end()) == alone


@pytest.mark.parametrize("pause", [0.4, 1.5])
def test_an_utterance_ends_after_the_pause(clips, pause):
    near, far = (talk(clips[1:3], pause=gap) for gap in (pause - 0.35, pause + 0.5))
    assert len(finals(heard(far, pause=pause))) == 2
    if pause > PAUSE:
        assert len(finals(heard(near, pause=pause))) == 1


def test_a_final_comes_with_the_pause_not_with_the_end(angry):
    stream = Stream(analyzer())
    stream.feed(sound(angry))
    assert finals(stream.feed(silence(PAUSE + 0.1)))
    assert stream.end() == []


def test_speech_without_a_pause_is_cut_before_15_s(clips):
    pcm = np.concatenate([sound(clip)[4000:-6000] for clip in [*clips, *clips[:4]]])
    spoken = finals(heard(pcm, pause=3))
    assert len(spoken) > 1
    assert all(one.end - one.start <= 15 for one in spoken)
    assert all(b.start >= a.end - 0.4 for a, b in itertools.pairwise(spoken))
    assert spoken[-1].end > len(pcm) / RATE - 1
    offline = analyzer().analyze(cut(pcm, spoken[0]), RATE, explain=None)
    assert spoken[0].emotion == offline.emotion


def test_ten_minutes_without_speech_are_silent_and_small():
    stream = Stream(analyzer())
    random = np.random.default_rng(0)
    minute = (random.normal(0, 200, 60 * RATE)).astype(np.int16)
    results = [one for _ in range(2) for one in stream.feed(silence(60)) + stream.feed(minute)]
    tracemalloc.start()
    try:
        results += stream.feed(silence(60))
        before, _ = tracemalloc.get_traced_memory()
        results += [one for _ in range(5) for one in stream.feed(minute)]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert results == []
    assert after - before < 5_000
    assert stream.duration == 600
    assert stream.end() == []


def test_a_missing_piece_is_silence_and_told(angry):
    pcm = sound(angry)
    gone = pcm.copy()
    gone[28_800:32_000] = 0
    known = heard(gone)
    found = heard((pcm[:28_800], 0), (pcm[32_000:], 2.0))
    (one,) = finals(found)
    assert one.warnings == ("0.200 s of it never came and are silence",)
    assert one.analysis.to_dict() == finals(known)[0].analysis.to_dict()
    assert [a.emotion for a in found] == [b.emotion for b in known]
    assert found[0].warnings == ()  # it was told before the gap
    assert found[-2].warnings == one.warnings


def test_what_is_missing_in_several_places_adds_up(angry):
    pcm = sound(angry)
    pieces = [(pcm[:28_800], 0), (pcm[30_400:33_600], 1.9), (pcm[35_200:], 2.2)]
    assert finals(heard(*pieces))[0].warnings == ("0.200 s of it never came and are silence",)


def test_what_is_missing_in_one_utterance_is_not_told_of_the_next(clips):
    pcm = talk(clips[1:3])
    found = finals(heard((pcm[: 2 * RATE], 0), (pcm[2 * RATE + 1600 :], 2.1)))
    assert [bool(one.warnings) for one in found] == [True, False]


def test_late_and_doubled_pieces_are_counted_and_never_heard_twice(angry, alone):
    pcm = sound(angry)
    stream = Stream(analyzer())
    results = stream.feed(pcm[:RATE], at=0)
    results += stream.feed(pcm[:RATE], at=0)  # again
    results += stream.feed(pcm[8000 : 2 * RATE], at=0.5)  # half of it again
    results += stream.feed(pcm[2 * RATE :].tobytes(), at=2)
    results += stream.feed(pcm[1600:3200], at=0.1)  # late
    assert stream.late == 3
    assert plain(results + stream.end()) == alone


def test_times_may_be_rounded_to_milliseconds(angry, alone):
    pcm = sound(angry)
    starts = range(0, len(pcm), 1013)
    pieces = [(pcm[start : start + 1013], round(start / RATE, 3)) for start in starts]
    assert plain(heard(*pieces)) == alone


def test_a_day_without_a_connection_is_passed_over(clips):
    first, second = sound(clips[1]), sound(clips[2])
    day = 86_400.016  # no whole number of chunks
    found = finals(heard((first, 0), (second, day)))
    alone = [heard(first), heard(np.concatenate([silence(1), second]))]
    assert [one.emotion.verdict for one in found] == [finals(a)[0].emotion.verdict for a in alone]
    assert found[1].start == pytest.approx(day - 1 + finals(alone[1])[0].start, abs=0.1)


def test_clipping_and_an_offset_are_heard_as_offline(angry):
    loud = np.clip(sound(angry).astype(int) * 40 + 3000, -(2**15), 2**15 - 1).astype(np.int16)
    (one,) = finals(heard(loud, silence(1)))
    offline = voxplain.analyze(cut(loud, one), RATE, explain=None)
    assert "clipping" in one.analysis.warnings[0]
    assert one.analysis.warnings == offline.warnings
    assert one.emotion == offline.emotion


@pytest.mark.parametrize(
    ("piece", "error", "said"),
    [
        (np.array([0, 0, np.nan], np.float32), AudioError, "the sample at 1.000 s is nan"),
        (np.array([np.inf], np.float32), AudioError, "is inf; replace samples that are not"),
        (np.zeros(3), InputError, r"ndarray \(float64, shape \(3,\)\) can't be streamed"),
        (np.zeros((2, 3), np.int16), InputError, r"\(int16, shape \(2, 3\)\) can't be streamed"),
        ([0, 0], InputError, "list can't be streamed; give bytes of signed 16-bit"),
        ("memo.wav", InputError, "str can't be streamed"),
    ],
)
def test_what_is_no_sound_is_refused_and_the_stream_goes_on(angry, alone, piece, error, said):
    pcm = sound(angry)
    stream = Stream(analyzer())
    results = stream.feed(pcm[: RATE - 2])
    with pytest.raises(error, match=said):
        stream.feed(piece)
    assert plain(results + stream.feed(pcm[RATE - 2 :]) + stream.end()) == alone


@pytest.mark.parametrize("at", [-0.1, float("nan"), float("inf"), 1.8e9])
def test_a_time_that_is_none_of_the_stream_is_refused(at):
    with pytest.raises(ConfigError, match=f"a piece can't begin at {at} s; count from the start"):
        Stream(analyzer()).feed(b"", at=at)


def test_halves_of_samples_belong_together():
    stream = Stream(analyzer())
    with pytest.raises(AudioError, match=r"whole samples of 2 bytes; got 3 bytes$"):
        stream.feed(b"123", at=0)
    stream.feed(b"123")
    with pytest.raises(AudioError, match="got 2 bytes after half a sample"):
        stream.feed(b"12", at=0)
    with pytest.raises(AudioError, match="the last piece ended within a sample"):
        stream.feed(np.zeros(2, np.int16))
    stream.feed(b"4")
    assert stream.duration == 2 / RATE


def test_after_the_end_there_is_no_more():
    stream = Stream(analyzer())
    assert stream.end() == []
    for again in (lambda: stream.feed(b""), stream.end):
        with pytest.raises(InputError, match="the stream has ended; begin another"):
            again()


def test_another_rate_or_an_impossible_pause_is_refused_at_once():
    with pytest.raises(ConfigError, match="heard at 16000 Hz, not 44100; resample it"):
        voxplain.stream(sampling_rate=44_100)
    for pause in (0.1, 16, float("nan")):
        with pytest.raises(ConfigError, match=f"a pause of 0.4 to 15 s, not {pause}"):
            voxplain.stream(pause=pause)


def test_a_result_survives_json(told):
    for one in (told[0], finals(told)[0]):
        assert type(one).from_dict(one.to_dict(tracks=True)).to_dict() == one.to_dict()
        assert one.to_dict()["emotion"] == one.emotion.to_dict()
