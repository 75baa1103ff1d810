"""Sounds that are no single voice: their spectra, levels and parts as measured by other means."""

import functools

import numpy as np
import pytest
from scipy import signal

from voxplain.training.sounds import SOUNDS, babble, colour, music, sound, tones

RATE = 16_000
MAKERS = {
    "white": functools.partial(colour, tilt=0),
    "pink": functools.partial(colour, tilt=1),
    "tones": tones,
    "music": music,
    "babble": lambda samples, generator: babble([sine(200), sine(300)], samples, generator),
}
SEEDS = range(12)


def random(seed):
    return np.random.default_rng(seed)


def sine(hz, *, level=1.0, seconds=1):
    return (level * np.sin(2 * np.pi * hz * np.arange(seconds * RATE) / RATE)).astype(np.float32)


def rms(waveform):
    return np.sqrt(np.mean(np.square(waveform, dtype=float)))


def narrowness(waveform):
    """Of 513 frequencies, how many hold nine tenths of the power of 64 ms, in the median."""
    _, _, spectrum = signal.stft(waveform, RATE, nperseg=1024)
    power = np.sort(np.abs(spectrum.T) ** 2)[:, ::-1]
    loud = power[power.sum(1) > 0.01 * power.sum(1).max()]
    return np.median((loud.cumsum(1) < 0.9 * loud.sum(1, keepdims=True)).sum(1) + 1)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_every_sound_has_unit_rms_and_the_length_asked_for(make):
    for seed, samples in enumerate((RATE // 10, RATE, 3 * RATE + 1)):
        found = make(samples, random(seed))
        assert found.shape == (samples,)
        assert found.dtype == np.float32
        assert rms(found) == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_sound_is_the_same_for_a_seed_and_another_for_another(make):
    first, again, other = (make(RATE, random(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize(("tilt", "slope_db"), [(0, 0), (1, -3.01), (2, -6.02)])
def test_noise_falls_by_its_tilt_in_every_octave(tilt, slope_db):
    frequencies, power = signal.periodogram(colour(20 * RATE, random(0), tilt=tilt), RATE)
    band = (frequencies > 50) & (frequencies < 7900)
    octaves, level = np.log2(frequencies[band]), 10 * np.log10(power[band])
    assert np.polyfit(octaves, level, 1)[0] == pytest.approx(slope_db, abs=0.1)


def test_noise_rests_on_zero():
    assert colour(RATE, random(0), tilt=1).mean() == pytest.approx(0, abs=1e-6)


def test_babble_holds_every_voice_equally_loud():
    """Of steady voices of whole cycles the correlation with each is exact, however shifted."""
    pitches = (110, 207, 330)
    voices = [sine(hz, level=10.0**-power) for power, hz in enumerate(pitches)]
    found = babble(voices, 2 * RATE, random(0))
    time = np.arange(2 * RATE) / RATE
    heard = [abs(np.mean(found * np.exp(-2j * np.pi * hz * time))) for hz in pitches]
    # A third of the power each: of a sine of amplitude A the mean is A / 2.
    np.testing.assert_allclose(heard, np.sqrt(2 / 3) / 2, rtol=1e-4)


def test_a_voice_in_babble_repeats_from_a_point_of_its_own():
    click = np.zeros(100, np.float32)
    click[0] = 1
    starts = []
    for seed in range(20):
        first, *others = np.flatnonzero(babble([click], 350, random(seed)))
        assert [*others] == list(range(first + 100, 350, 100))
        starts.append(first)
    assert len(set(starts)) > 10


def test_tones_are_narrow_where_noise_is_wide():
    assert all(narrowness(tones(3 * RATE, random(seed))) <= 6 for seed in range(30))
    assert narrowness(colour(3 * RATE, random(0), tilt=1)) > 100


def test_tones_lie_between_100_hz_and_4_khz():
    for seed in range(30):
        frequencies, power = signal.periodogram(tones(3 * RATE, random(seed)), RATE, "hann")
        inside = (frequencies > 95) & (frequencies < 4100)
        assert power[inside].sum() > 0.99 * power.sum()


def test_some_tones_beep_and_some_are_steady():
    def silent(seed):
        return np.mean(np.abs(tones(3 * RATE, random(seed))) < 1e-6)

    shares = np.array([silent(seed) for seed in range(30)])
    assert np.all((shares < 0.01) | (np.abs(shares - 0.5) < 0.2))  # a beep lasts as long as a pause
    assert 0 < np.mean(shares > 0.1) < 0.6


def off_key(waveform):
    """Of the four largest peaks of the spectrum, how far from whole semitones off the largest."""
    frequencies, power = signal.periodogram(waveform, RATE, "hann", nfft=2**18)
    peaks, _ = signal.find_peaks(power, distance=8)
    hz = frequencies[peaks[np.argsort(-power[peaks])][:5]]
    semitones = 12 * np.log2(hz[1:] / hz[0])
    return np.abs(semitones - np.round(semitones))


def beat(waveform):
    """Largest correlation of the onsets with themselves 0.375-1 s (60-160 a minute) later."""
    power = np.square(waveform[: len(waveform) // 160 * 160].reshape(-1, 160)).mean(1)
    onsets = np.maximum(np.diff(np.log(power + 1e-4)), 0)
    onsets -= onsets.mean()
    correlation = np.correlate(onsets, onsets, "full")[len(onsets) - 1 :]
    return correlation[37:101].max() / correlation[0]


def test_music_keeps_to_a_scale_and_to_a_beat():
    pieces = [music(6 * RATE, random(seed)) for seed in SEEDS]
    noises = [colour(6 * RATE, random(seed), tilt=1) for seed in SEEDS]
    assert np.median([off_key(piece) for piece in pieces]) < 0.08
    assert np.median([off_key(noise) for noise in noises]) > 0.15
    assert np.median([beat(piece) for piece in pieces]) > 0.4
    assert np.median([beat(noise) for noise in noises]) < 0.15


def test_two_pieces_of_three_have_drums():
    """Notes hold little above 7 kHz, strokes as much as elsewhere."""

    def brilliance_db(seed):
        frequencies, power = signal.periodogram(music(2 * RATE, random(seed)), RATE)
        return 10 * np.log10(np.median(power[frequencies > 7000]) / power.mean())

    drummed = [brilliance_db(seed) > -27 for seed in range(30)]
    assert 13 <= sum(drummed) <= 26  # 20 expected, standard deviation 2.6


def test_music_is_of_notes():
    assert all(narrowness(music(3 * RATE, random(seed))) < 50 for seed in SEEDS)


@pytest.mark.parametrize("kind", SOUNDS[1:])
def test_a_sound_lasts_two_to_six_seconds_and_is_faint_to_loud(kind):
    made = [sound(kind, random(seed), lambda: [sine(200)] * 4) for seed in SEEDS]
    seconds = [len(one) / RATE for one in made]
    levels = [20 * np.log10(rms(one)) for one in made]
    assert 2 <= min(seconds) < 3 < 5 < max(seconds) <= 6
    assert -50.01 < min(levels) < -40 < -24 < max(levels) < -13.99
    assert all(one.dtype == np.float32 for one in made)


@pytest.mark.parametrize("kind", SOUNDS[1:])
def test_voices_are_asked_for_where_there_are_several_at_once(kind):
    asked = []

    def voices():
        asked.append(kind)
        return [sine(200)]

    sound(kind, random(0), voices)
    assert asked == ["several voices at once"] * (kind == "several voices at once")


def test_music_or_tones_are_both():
    found = [narrowness(sound("music or tones", random(seed), list)) for seed in SEEDS]
    assert min(found) <= 4 < 8 < max(found)


def test_noise_is_white_to_brown():
    def slope(seed):
        frequencies, power = signal.periodogram(sound("noise", random(seed), list), RATE)
        band = (frequencies > 50) & (frequencies < 7900)
        return np.polyfit(np.log2(frequencies[band]), 10 * np.log10(power[band]), 1)[0]

    slopes = [slope(seed) for seed in SEEDS]
    assert -6.5 < min(slopes) < -4 < -2 < max(slopes) < 0.5
