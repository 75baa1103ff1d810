"""Sounds that are not one voice: noise, tones, music and babble, all at 16 kHz and of unit RMS."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.log_mel import SAMPLING_RATE

__all__ = ["SOUNDS", "babble", "colour", "music", "sound", "tones"]

SOUNDS = ("one voice", "noise", "music or tones", "several voices at once")
"""What a model tells apart before it judges a voice."""

Sound = NDArray[np.float32]


def sound(
    kind: str, generator: np.random.Generator, voices: Callable[[], Sequence[Sound]]
) -> Sound:
    """Two to six seconds of one of SOUNDS but the first, at a level between faint and loud."""
    samples = int(generator.uniform(2, 6) * SAMPLING_RATE)
    made = {
        "noise": lambda: colour(samples, generator, tilt=generator.uniform(0, 2)),
        "music or tones": lambda: (music, tones)[generator.integers(2)](samples, generator),
        "several voices at once": lambda: babble(voices(), samples, generator),
    }
    level = np.float32(10 ** (generator.uniform(-50, -14) / 20))
    return level * made[kind]()


def colour(samples: int, generator: np.random.Generator, *, tilt: float) -> Sound:
    """Noise (samples,) whose power falls with frequency to the ``tilt``: 0 white, 1 pink."""
    spectrum = np.fft.rfft(generator.standard_normal(samples))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (tilt / 2)
    spectrum[0] = 0
    return _unit(np.fft.irfft(spectrum, samples))


def babble(voices: Sequence[Sound], samples: int, generator: np.random.Generator) -> Sound:
    """All the voices at once and equally loud, each repeated from a point of its own."""
    found = np.zeros(samples)
    for voice in voices:
        first = int(generator.integers(len(voice)))
        found += np.resize(np.roll(_unit(voice), -first), samples)
    return _unit(found)


def tones(samples: int, generator: np.random.Generator) -> Sound:
    """A steady tone, a glide, two tones or beeps between 100 Hz and 4 kHz."""
    time = np.arange(samples) / SAMPLING_RATE
    low, high = np.exp(generator.uniform(np.log(100), np.log(4000), 2))
    share = time / time[-1]
    shapes: list[Callable[[], NDArray[np.float64]]] = [
        lambda: np.sin(2 * np.pi * low * time),
        lambda: np.sin(2 * np.pi * np.cumsum(low + (high - low) * share) / SAMPLING_RATE),
        lambda: np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time),
        lambda: np.sin(2 * np.pi * low * time) * (time * generator.uniform(1, 6) % 1 < 0.5),
    ]
    return _unit(shapes[generator.integers(len(shapes))]())


def music(samples: int, generator: np.random.Generator) -> Sound:
    """A made-up piece: chords, a bass, a melody and, two times in three, drums.

    A key, a tempo, a timbre and a decay are drawn once; every beat has its notes.
    """
    beat = 60 / generator.uniform(60, 160)
    key = generator.uniform(110, 220)
    scale = np.array([(0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)][generator.integers(2)])
    timbre = generator.uniform(0.8, 3)
    decay = generator.uniform(0.5, 6)
    drums = generator.random() < 2 / 3
    found = np.zeros(samples)

    def play(start: float, beats: float, degree: int, octave: int, level: float) -> None:
        first = int(start * SAMPLING_RATE)
        time = np.arange(min(int(beats * beat * SAMPLING_RATE), samples - first)) / SAMPLING_RATE
        pitch = key * 2 ** (octave + degree // 7 + scale[degree % 7] / 12)
        tone = sum(
            np.sin(2 * np.pi * pitch * k * time + generator.uniform(0, 2 * np.pi)) / k**timbre
            for k in range(1, 13)
            if pitch * k < SAMPLING_RATE / 2
        )
        envelope = np.minimum(time / 0.01, 1) * np.exp(-decay * time)
        found[first : first + len(time)] += level * envelope * tone

    def strike(start: float) -> None:
        first = int(start * SAMPLING_RATE)
        time = np.arange(min(1600, samples - first)) / SAMPLING_RATE
        burst = generator.standard_normal(len(time)) * np.exp(-60 * time)
        found[first : first + len(time)] += 0.6 * burst

    root = 0
    for number in range(int(samples / SAMPLING_RATE / beat) + 1):
        start = number * beat
        if number % 4 == 0:
            root = int(generator.integers(7))
            for third in (0, 2, 4):
                play(start, 4, root + third, 1, 0.4)
        play(start, 1, root, -1, 0.7)
        for part in range(int(generator.integers(1, 4))):
            play(start + part * beat / 3, 1, int(generator.integers(7)), 2, 0.6)
        if drums:
            strike(start)
    return _unit(found)


def _unit(sound: NDArray[np.floating]) -> Sound:
    rms = np.sqrt(np.mean(np.square(sound, dtype=np.float64)))
    return (sound / max(rms, 1e-9)).astype(np.float32)
