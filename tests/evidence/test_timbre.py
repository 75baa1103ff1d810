"""Tilt and breath, measured by spectra and correlations that the code under test has no part in."""

import numpy as np
import pytest

from voxplain.audio.read import read
from voxplain.descriptors import tracks
from voxplain.descriptors._frames import Frames
from voxplain.descriptors.voice_quality import tracks as voice_quality
from voxplain.evidence.psola import pulses
from voxplain.evidence.timbre import breathy, tilted
from voxplain.types import Audio

RATE = 16_000
HZ = np.fft.rfftfreq(400, 1 / RATE)


def voice(audio):
    """Waveform, pulses and times of the voiced frames."""
    f0 = tracks(audio)["f0_hz"]
    trains = pulses(audio.waveform, f0.times, f0.values)
    return audio.waveform, trains, f0.times[np.isfinite(f0.values)]


def spectra(waveform, times):
    """Power (frames, 201) of 25 ms around each time."""
    middles = np.rint(times * RATE).astype(int)[:, None] + np.arange(-200, 200)
    padded = np.pad(waveform, 400)
    return np.abs(np.fft.rfft(padded[middles + 400] * np.hanning(400))) ** 2


def level_db(power, low, high):
    return 10 * np.log10(power[:, (low <= HZ) & (high > HZ)].sum(axis=-1) + 1e-12)


@pytest.mark.parametrize("tilt_db", [-9.0, 0.5, 3.0])
def test_the_alpha_ratio_moves_by_what_was_asked_for(clips, tilt_db):
    for clip in clips[1:3]:
        waveform, _, times = voice(read(clip))
        old, new = (
            spectra(one, times) for one in (waveform, tilted(waveform, times, tilt_db=tilt_db))
        )
        before, after = (level_db(p, 1000, 5000) - level_db(p, 50, 1000) for p in (old, new))
        assert np.mean(after - before) == pytest.approx(tilt_db, rel=0.03, abs=0.05)
        assert 10 * np.log10(new.sum() / old.sum()) == pytest.approx(0, abs=0.2)


def test_the_tilt_is_a_straight_line_per_octave():
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32)
    times = np.arange(0.1, 1.9, 0.01)
    old, new = (
        spectra(one, times).mean(0, keepdims=True)
        for one in (noise, tilted(noise, times, tilt_db=4.0))
    )
    bands = [(125 * 2**n, 250 * 2**n) for n in range(6)]
    gains = [float((level_db(new, *band) - level_db(old, *band))[0]) for band in bands]
    assert np.diff(gains) == pytest.approx(np.full(5, np.diff(gains).mean()), abs=0.2)
    assert np.diff(gains).mean() > 0.5


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("f0_hz", [110, 220])
def test_breath_is_that_share_of_the_power(share, f0_hz):
    at = np.arange(2 * RATE) / RATE
    tone = sum(np.cos(2 * np.pi * n * f0_hz * at + n * n) / n for n in range(1, 4000 // f0_hz))
    waveform = (0.05 * tone).astype(np.float32)
    found = breathy(waveform, [np.arange(0, 2, 1 / f0_hz)], share=share)
    assert np.std(found) == pytest.approx(np.std(waveform), rel=0.05)
    frames = Frames(Audio(found, RATE, "test"))
    known = {"f0_hz": np.full(len(frames.times), float(f0_hz))}
    hnr_db = np.nanmedian(voice_quality(frames, known)["hnr_db"])
    assert hnr_db == pytest.approx(10 * np.log10((1 - share) / share), abs=1.2)
    for low in (0, 500, 1000, 2000):
        band = (low <= HZ) & (max(500, 2 * low) > HZ)
        times = np.arange(0.1, 1.9, 0.01)
        old, new = (spectra(one, times)[:, band].sum() for one in (waveform, found))
        assert 10 * np.log10(new / old) == pytest.approx(0, abs=1.0)


def test_breath_touches_the_voice_alone_and_is_the_same_each_time(angry):
    waveform, trains, _ = voice(read(angry))
    found = breathy(waveform, trains, share=0.4)
    assert np.array_equal(found, breathy(waveform, trains, share=0.4))
    at = np.arange(len(waveform)) / RATE
    near = np.zeros(len(at), bool)
    for train in trains:
        near |= (at > train[0] - 0.006) & (at < train[-1] + 0.006)
    assert np.array_equal(found[~near], waveform[~near])
    assert np.mean((found - waveform)[near] ** 2) > 0.1 * np.mean(waveform[near] ** 2)
