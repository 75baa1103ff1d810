"""Pulses that are known, and sound whose pitch, length and formants are measured by other means."""

import numpy as np
import pytest

from voxplain.audio.read import read
from voxplain.descriptors import tracks
from voxplain.evidence.psola import lay, pulses

RATE = 16_000


def vowel(times, seconds, formants=((700, 100), (1200, 120), (2600, 160))):
    """Pulses at times in seconds, each ringing in every formant (Hz, bandwidth in Hz)."""
    at = np.arange(int(seconds * RATE)) / RATE
    waveform = np.zeros(len(at))
    for time in times:
        after = at[at >= time] - time
        ringing = sum(
            np.exp(-np.pi * b * after) * np.sin(2 * np.pi * f * after) for f, b in formants
        )
        waveform[len(at) - len(after) :] += ringing
    return (0.3 * waveform / np.abs(waveform).max()).astype(np.float32)


def steady(f0_hz, seconds, jitter=0.0):
    """Times of pulses from 0.1 s on, every other period longer by twice the jitter."""
    count = int((seconds - 0.2) * f0_hz)
    return 0.1 + np.cumsum((1 + jitter * (-1.0) ** np.arange(count)) / f0_hz)


def given(f0_hz, start, end):
    """Frames every 10 ms that say where a voice of one pitch is."""
    times = np.arange(start, end, 0.01)
    return times, np.full(len(times), float(f0_hz))


def period(waveform, near):
    """Seconds after which a waveform repeats itself, near a guess: by its autocorrelation."""
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)), 1 << 20)) ** 2
    lags = np.fft.irfft(spectrum)
    low = int(0.9 * near * RATE)
    top = low + np.argmax(lags[low : int(1.1 * near * RATE) + 2])
    left, middle, right = lags[top - 1 : top + 2]
    return (top + (left - right) / (2 * (left - 2 * middle + right))) / RATE


@pytest.mark.parametrize("f0_hz", [83.0, 140.0, 271.0])
def test_pulses_are_found_where_they_are(f0_hz):
    truth = steady(f0_hz, 1.0, jitter=0.01)
    (found,) = pulses(vowel(truth, 1.0), *given(f0_hz, 0.12, 0.85))
    nearest = truth[np.abs(truth[:, None] - found).argmin(axis=0)]
    late = found - nearest
    assert len(set(nearest)) == len(found) > 0.7 * f0_hz
    assert np.abs(np.diff(late)).max() < 0.2 / RATE
    assert np.ptp(late) < 1 / RATE


def test_a_silence_or_a_leap_parts_two_runs():
    early, late = steady(100, 0.6), 0.7 + steady(200, 0.6)
    waveform = vowel([*early, *late], 1.3)
    times = np.arange(0.005, 1.3, 0.01)
    f0_hz = np.where(times < 0.45, 100.0, np.where(times > 0.85, 200.0, np.nan))
    f0_hz[times < 0.12] = np.nan
    first, second = pulses(waveform, times, f0_hz)
    assert first[-1] < 0.5
    assert second[0] > 0.75
    assert np.median(np.diff(second)) == pytest.approx(1 / 200, rel=0.01)


def test_laid_where_they_were_the_recording_comes_back(clips):
    for clip in clips[::2]:
        waveform = read(clip).waveform
        f0 = tracks(read(clip))["f0_hz"]
        trains = pulses(waveform, f0.times, f0.values)
        found = lay(waveform, trains, [np.zeros(len(train)) for train in trains]).waveform
        assert len(found) == len(waveform)
        assert np.mean((found - waveform) ** 2) < 2e-3 * np.mean(waveform**2)


@pytest.mark.parametrize("shift_st", [-7.0, -2.0, 2.0, 7.0])
def test_the_pitch_moves_and_the_formants_stay(shift_st):
    waveform = vowel(steady(130, 1.2), 1.2)
    trains = pulses(waveform, *given(130, 0.12, 1.05))
    found = lay(waveform, trains, [np.full(len(train), shift_st) for train in trains])
    part = slice(int(0.25 * RATE), int(0.95 * RATE))
    f0_hz = 130 * 2 ** (shift_st / 12)
    assert period(found.waveform[part], 1 / f0_hz) == pytest.approx(1 / f0_hz, rel=2e-3)
    spoken = vowel(steady(f0_hz, 1.2), 1.2)  # by a mouth of the same shape
    hz = np.fft.rfftfreq(part.stop - part.start, 1 / RATE)
    power, truth = (np.abs(np.fft.rfft(one[part])) ** 2 for one in (found.waveform, spoken))
    for low, high, off in ((400, 950, 0.1), (950, 1900, 0.02), (1900, 3300, 0.01)):
        band = (hz >= low) & (hz < high)
        middle, wanted = (np.average(hz[band], weights=one[band]) for one in (power, truth))
        assert middle == pytest.approx(wanted, rel=off)


def test_the_unevenness_of_the_periods_stays():
    waveform = vowel(steady(120, 1.2, jitter=0.02), 1.2)
    trains = pulses(waveform, *given(120, 0.12, 1.05))
    found = lay(waveform, trains, [np.full(len(train), 0.5) for train in trains])
    (again,) = pulses(found.waveform, *given(120 * 2 ** (0.5 / 12), 0.2, 1.0))
    changes = np.abs(np.diff(np.diff(again))) / np.diff(again)[1:]
    assert np.median(changes) == pytest.approx(0.04, rel=0.3)


@pytest.mark.parametrize("tempo", [0.5, 0.8, 1.25, 2.0])
def test_what_comes_later_comes_later_by_the_tempo(tempo):
    waveform = vowel(steady(130, 1.0), 2.0)
    waveform[int(1.5 * RATE) : int(1.6 * RATE)] += np.random.default_rng(0).normal(0, 0.05, 1600)
    trains = pulses(waveform, *given(130, 0.12, 0.85))
    found = lay(waveform, trains, [np.zeros(len(train)) for train in trains], tempo=tempo)
    assert len(found.waveform) == round(2 * RATE / tempo)
    loud = np.flatnonzero(np.abs(found.waveform[int(1.3 * RATE / tempo) :]) > 0.02) / RATE
    assert 1.3 + tempo * loud[[0, -1]] == pytest.approx([1.5, 1.6], abs=0.02)
    part = found.waveform[int(0.25 * RATE / tempo) : int(0.8 * RATE / tempo)]
    assert period(part, 1 / 130) == pytest.approx(1 / 130, rel=2e-3)


def test_there_and_back_the_intensity_and_the_pitch_are_as_before(angry):
    waveform = read(angry).waveform
    f0 = tracks(read(angry))["f0_hz"]
    trains = pulses(waveform, f0.times, f0.values)
    there = lay(waveform, trains, [np.full(len(train), -3.0) for train in trains], tempo=0.8)
    assert all(np.all(moved == -3.0) for moved in there.moved_st)
    back = lay(there.waveform, there.trains, [-one for one in there.moved_st], tempo=1 / 0.8)
    assert len(back.waveform) == pytest.approx(len(waveform), abs=2)
    frames = len(waveform) // 400
    old, new = (
        10 * np.log10(np.mean(one[: 400 * frames].reshape(frames, 400) ** 2, axis=-1) + 1e-9)
        for one in (waveform, np.pad(back.waveform, (0, 2)))
    )
    loud = old > old.max() - 30
    assert np.median(np.abs(new - old)[loud]) < 0.7
