"""Stretches: a scripted stream goes in, whose chunks carry their own number as samples."""

import weakref

import numpy as np
import pytest

from voxplain.audio.windows import LONGEST, speech_stretches

CHUNK, RATE = 512, 16_000
SECOND = RATE / CHUNK
MARGIN = 0.2 * SECOND  # chunks; cut down to whole ones


def stream(script, *, last=CHUNK):
    """(chunk, probability) pairs; the last chunk has ``last`` samples."""
    for index, probability in enumerate(script):
        size = last if index == len(script) - 1 else CHUNK
        yield np.full(size, index, np.float32), probability


def stretches(script, *, last=CHUNK):
    """The numbers of the chunks of each stretch, checked for order and start."""
    found = []
    for start, audio in speech_stretches(stream(script, last=last), source="memo.wav"):
        chunks = audio.waveform[::CHUNK].astype(int)
        assert np.all(np.diff(chunks) == 1)
        assert start == chunks[0] * CHUNK / RATE
        assert audio.duration <= LONGEST == 15
        found.append(chunks)
    return found


def runs(*lengths):
    """Probabilities that begin quiet and change at each length: quiet, speech, quiet, ..."""
    return [0.9 * (turn % 2) for turn, length in enumerate(lengths) for _ in range(length)]


def ends(script, **options):
    """First and last chunk of each stretch."""
    return [(chunks[0], chunks[-1]) for chunks in stretches(script, **options)]


def test_a_short_recording_is_trimmed_to_its_speech_and_a_margin():
    ((first, last),) = ends(runs(50, 60, 70))
    assert 50 - MARGIN <= first < 51 - MARGIN
    assert 108 + MARGIN < last <= 109 + MARGIN


def test_the_margin_ends_where_the_recording_ends():
    assert ends(runs(2, 60, 3)) == [(0, 64)]


@pytest.mark.parametrize("script", [runs(0, 100, 250, 100), runs(0, 90, 3, 90, 150, 90)])
def test_pauses_do_not_cut_a_short_recording(script):
    assert ends(script) == [(0, len(script) - 1)]


@pytest.mark.parametrize("samples", [3 * RATE, 14 * RATE, 468 * CHUNK, 15 * RATE - 1, 15 * RATE])
def test_speech_of_15_s_is_one_stretch(samples):
    chunks = -(-samples // CHUNK)
    script = runs(0, chunks)
    assert ends(script, last=samples - (chunks - 1) * CHUNK) == [(0, chunks - 1)]


def test_silence_around_does_not_count_towards_the_15_s():
    ((first, last),) = ends(runs(1000, 400, 1000))
    assert first >= 1000 - MARGIN
    assert last <= 1399 + MARGIN


def test_a_long_recording_is_cut_in_the_middle_of_its_longest_pause():
    first, second = ends(runs(0, 200, 10, 90, 4, 96, 8, 200))
    assert first[1] + 1 == second[0] == 205
    assert (first[0], second[1]) == (0, 607)


def test_a_long_pause_goes_to_neither_side():
    first, second = ends(runs(0, 200, 60, 300))
    assert first[1] <= 199 + MARGIN
    assert second[0] >= 260 - MARGIN


def test_a_pause_in_the_first_three_seconds_is_no_place_to_cut():
    first, _ = ends(runs(0, 40, 40, 200, 4, 300))
    assert 280 <= first[1] < 284


def test_without_a_pause_it_is_cut_where_speech_is_least():
    script = np.full(600, 0.9)
    script[[20, 250, 300]] = 0.3, 0.4, 0.5
    first, second = ends(script)
    assert first[1] + 1 == second[0]
    assert 250 in (first[1], second[0])


def talk(seed):
    """Two minutes of runs of speech (0.5-8 s) and pauses (0.1-3 s), never quite certain."""
    random = np.random.default_rng(seed)
    script = []
    while len(script) < 120 * SECOND:
        for low, high, longest in [(0.3, 1.0, 8.0), (0.0, 0.29, 3.0)]:
            length = int(random.uniform(0.1 if high < 0.3 else 0.5, longest) * SECOND)
            script += random.uniform(low, high, length).tolist()
    return script


@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_lost_or_doubled(seed):
    script = talk(seed)
    found = stretches(script)
    heard = np.concatenate(found)
    assert len(heard) == len(set(heard.tolist()))
    speech = np.flatnonzero(np.array(script) >= 0.3)
    lost = np.setdiff1d(speech, heard)
    # What is left over between two cuts or at the end may be too short to judge.
    edges = [0, *(end for chunks in found for end in (chunks[0], chunks[-1])), len(script)]
    for low, high in zip(edges[::2], edges[1::2], strict=True):
        assert np.count_nonzero((lost >= low) & (lost <= high)) * CHUNK / RATE < 0.25


@pytest.mark.parametrize("seed", range(5))
def test_only_the_last_stretch_may_be_short(seed):
    script = np.random.default_rng(seed).uniform(0.3, 1, 2000)  # speech without a pause
    assert all(3 <= len(chunks) / SECOND <= 15 for chunks in stretches(script)[:-1])


@pytest.mark.parametrize(("speech", "found"), [(0, 0), (1, 0), (7, 0), (8, 1)])
def test_a_quarter_of_a_second_of_speech_is_needed(speech, found):
    assert len(stretches(runs(30, speech, 30))) == found


@pytest.mark.parametrize(("probability", "found"), [(0.29, 0), (0.3, 1)])
def test_what_counts_as_speech(probability, found):
    assert len(stretches([probability] * 20)) == found


def test_an_empty_stream_has_none():
    assert stretches([]) == []


def test_no_sample_is_added_at_the_end():
    ((_, audio),) = speech_stretches(stream([0.9] * 20, last=100), source="memo.wav")
    assert len(audio.waveform) == 19 * CHUNK + 100
    assert (audio.sampling_rate, audio.source) == (RATE, "memo.wav")


@pytest.mark.parametrize(("before", "bound"), [(0, 0.5), (3, 15)])
def test_an_hour_of_silence_holds_no_memory(before, bound):
    alive, most = 0, 0

    def let_go(_):
        nonlocal alive
        alive -= 1

    def hour():
        nonlocal alive, most
        for index in range(int(3600 * SECOND)):
            chunk = np.zeros(CHUNK, np.float32)
            references.append(weakref.ref(chunk, let_go))
            alive += 1
            most = max(most, alive)
            yield chunk, 0.9 if index < before else 0.01
            del chunk

    references = []
    assert list(speech_stretches(hour(), source="memo.wav")) == []
    assert most <= bound * SECOND + 1  # and the one that is being looked at


def test_stretches_come_while_the_stream_flows():
    passed = 0

    def flowing():
        nonlocal passed
        for pair in stream([0.9] * 2000):
            passed += 1
            yield pair

    next(speech_stretches(flowing(), source="memo.wav"))
    assert passed <= 15 * SECOND + 1
