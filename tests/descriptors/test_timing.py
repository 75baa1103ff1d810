"""Syllables and pauses of known number, and real ones counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

CHUNK = 0.032  # seconds


def syllables(harmonics, rate, seconds):
    """A voice whose loudness swings ``rate`` times a second by 15 dB."""
    time = np.arange(int(seconds * 16_000)) / 16_000
    return harmonics(160, seconds) * 10 ** (-7.5 * (1 + np.cos(2 * np.pi * rate * time)) / 20)


@pytest.mark.parametrize("rate", [2, 3.5, 5, 7, 8.5])
def test_rate_of_a_syllable_train(harmonics, measure, rate):
    _, found = measure(syllables(harmonics, rate, 4.0))
    assert found["articulation_rate"].value == pytest.approx(rate, rel=0.06)
    assert found["articulation_rate"].unit == "syllables/s"


def test_a_steady_vowel_is_one_syllable(harmonics, measure):
    _, found = measure(harmonics(160, 1.024))
    assert found["articulation_rate"].value == pytest.approx(1 / 1.024, rel=0.01)


def test_unvoiced_bursts_are_no_syllables(harmonics, noise, measure):
    train = syllables(harmonics, 4, 3.0)
    bursts = train + noise(3.0) * (np.arange(48_000) % 4_000 < 800)  # in the dips, 50 ms long
    alone, mixed = (measure(sound)[1]["articulation_rate"].value for sound in (train, bursts))
    assert mixed == pytest.approx(alone, rel=0.1)


def test_pauses_are_left_out_of_the_rate(harmonics, measure):
    train = syllables(harmonics, 5, 2.56)
    sound = np.concatenate([train, np.zeros(16_384), train])
    _, found = measure(sound, [1] * 80 + [0] * 32 + [1] * 80)
    assert found["articulation_rate"].value == pytest.approx(5, rel=0.06)
    assert found["pause_share"].value == pytest.approx(32 / 192)
    assert found["speech_rate"].value == pytest.approx(5 * 160 / 192, rel=0.06)
    assert found["pause_mean"].value == pytest.approx(1.024)


def test_without_a_pause_both_rates_are_one(harmonics, measure):
    _, found = measure(syllables(harmonics, 5, 2.56))
    assert found["speech_rate"].value == found["articulation_rate"].value


@pytest.mark.parametrize(
    ("chunks", "share", "mean"),
    [
        ([1] * 40, 0, None),
        ([0] * 50 + [1] * 40 + [0] * 50, 0, None),  # silence around the talk is no pause
        ([1] * 20 + [0] * 4 + [1] * 20, 0, None),  # 0.128 s
        ([1] * 20 + [0] * 5 + [1] * 20, 5 / 45, 5),  # 0.16 s
        ([1] * 20 + [0] * 10 + [1] * 20 + [0] * 3 + [1] * 7 + [0] * 20 + [1] * 20, 30 / 100, 15),
    ],
)
def test_pauses(noise, measure, chunks, share, mean):
    _, found = measure(noise(len(chunks) * CHUNK), chunks)
    assert found["pause_share"].value == pytest.approx(share)
    assert found["pause_share"].reliable
    if mean:
        assert found["pause_mean"].value == pytest.approx(mean * CHUNK)
    else:
        assert not found["pause_mean"].reliable


def voice_and_noise(harmonics, noise, *seconds):
    """Voice and noise in turn, voice first."""
    sounds = [
        0.3 * noise(length) if number % 2 else harmonics(200, length)
        for number, length in enumerate(seconds)
    ]
    return np.concatenate(sounds)


def test_segments(harmonics, noise, measure):
    _, found = measure(voice_and_noise(harmonics, noise, 0.4, 0.2, 0.3, 0.12, 0.2, 0.28, 0.5))
    voiced, unvoiced = [0.4, 0.3, 0.2, 0.5], [0.2, 0.12, 0.28]
    # Half of a frame of 50 ms may be noise and it is still voiced.
    assert found["voiced_segment_mean"].value == pytest.approx(np.mean(voiced), abs=0.025)
    assert found["unvoiced_segment_mean"].value == pytest.approx(np.mean(unvoiced), abs=0.025)
    assert found["voiced_segment_sd"].value == pytest.approx(np.std(voiced), abs=0.01)
    assert found["unvoiced_segment_sd"].value == pytest.approx(np.std(unvoiced), abs=0.01)
    assert found["voiced_segment_rate"].value == pytest.approx(4 / 2.016, rel=0.001)


def test_a_pause_is_no_unvoiced_segment(harmonics, noise, measure):
    part = voice_and_noise(harmonics, noise, 0.312, 0.2, 0.312, 0.2)
    sound = np.concatenate([part, np.zeros(16_384), part])
    _, found = measure(sound, [1] * 32 + [0] * 32 + [1] * 32)
    assert found["voiced_segment_mean"].value == pytest.approx(0.312, abs=0.02)
    assert found["voiced_segment_rate"].value == pytest.approx(4 / 2.048)
    assert not found["unvoiced_segment_mean"].reliable  # two are too few


def test_two_segments_are_too_few_for_a_mean(harmonics, noise, measure):
    _, found = measure(voice_and_noise(harmonics, noise, 0.4, 0.2, 0.4))
    assert not found["voiced_segment_mean"].reliable
    assert not found["voiced_segment_sd"].reliable
    assert found["voiced_segment_rate"].reliable


def test_noise_has_neither_syllables_nor_segments(noise, measure):
    _, found = measure(noise(2.0))
    for name in ("articulation_rate", "speech_rate", "voiced_segment_rate", "voiced_segment_mean"):
        assert not found[name].reliable


def test_less_than_half_a_second_of_speech_is_too_little(harmonics, measure):
    _, found = measure(syllables(harmonics, 5, 2.048), [0] * 25 + [1] * 14 + [0] * 25)
    assert not found["articulation_rate"].reliable
    assert not found["pause_share"].reliable
    assert found["f0_mean_hz"].reliable


def test_syllables_of_real_speech(recordings, measure, speech_data):
    ours, truth = [], []
    for name, waveform in recordings(every=9):
        labels = speech_data / f"emodb_alignments/labsilb/{name}.labsilb"
        if labels.exists():
            spans = syllable_spans(labels.read_text("latin-1"))
            truth.append(len(spans) / sum(end - start for start, end in spans))
            times = (np.arange(len(waveform) // 512) + 0.5) * CHUNK
            spoken = [any(start <= t < end for start, end in spans) for t in times]
            ours.append(measure(waveform, spoken, gain=1)[1]["articulation_rate"].value)
    assert len(ours) > 50
    assert np.corrcoef(ours, truth)[0, 1] > 0.7


def syllable_spans(text):
    """Start and end of the syllables that EMO-DB has marked by hand.

    A line is: start in seconds, colour, syllable; a pause is ``(`` and the end ``.``.
    """
    rows = [line.split() for line in text.split("#\n")[1].splitlines()]
    starts = [float(row[0]) for row in rows]
    spans = zip(rows, starts, starts[1:], strict=False)
    return [(start, end) for row, start, end in spans if row[2] not in "(."]
