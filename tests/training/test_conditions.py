"""What a recording may have gone through: levels, bands and echoes as measured by other means."""

import numpy as np
import pytest

from voxplain.audio import read
from voxplain.training.conditions import (
    Anything,
    Loudness,
    Noise,
    band_limited,
    coded,
    in_room,
)

RATE = 16_000


def random(seed=0):
    return np.random.default_rng(seed)


def rms(waveform):
    return np.sqrt(np.mean(np.square(waveform, dtype=float)))


def white(seconds=1.0, *, level=0.1, seed=9):
    return (level * random(seed).standard_normal(int(seconds * RATE))).astype(np.float32)


def power_between(waveform, low_hz, high_hz):
    power = np.abs(np.fft.rfft(waveform)) ** 2
    hz = np.fft.rfftfreq(len(waveform), 1 / RATE)
    return power[(hz >= low_hz) & (hz < high_hz)].sum()


def nobody():
    raise AssertionError("no babble was asked for")


@pytest.fixture(scope="module")
def speech(angry):
    return read.read(angry).waveform


@pytest.fixture(scope="module")
def hum():
    """Two seconds of RMS 0.25."""
    return (0.25 * np.sqrt(2) * np.sin(2 * np.pi * 200 * np.arange(2 * RATE) / RATE)).astype("f4")


@pytest.mark.parametrize("snr_db", [-5, 0, 10, 30])
@pytest.mark.parametrize("kind", ["white", "pink", "babble"])
def test_noise_is_so_far_below_the_recording(kind, snr_db, hum):
    found = Noise(kind, snr_db)(hum, random(), lambda: [white(seed=1), white(seed=2)])
    assert found.dtype == np.float32
    noise = found.astype(float) - hum
    assert 20 * np.log10(0.25 / rms(noise)) == pytest.approx(snr_db, abs=0.01)


def test_noise_is_of_its_colour(hum):
    noise = {kind: Noise(kind, 10)(hum, random(), nobody) - hum for kind in ("white", "pink")}
    # From 100 to 200 Hz and from 4 to 8 kHz: a 40th of the band, or as much in every octave.
    low, high = ((100, 200), (4000, 8000))
    share = {kind: power_between(n, *low) / power_between(n, *high) for kind, n in noise.items()}
    assert share["white"] == pytest.approx(1 / 40, rel=0.2)
    assert share["pink"] == pytest.approx(1, rel=0.2)


def test_babble_is_of_the_voices_given(hum):
    voice = white(2, seed=3)
    noise = Noise("babble", 10)(hum, random(), lambda: [voice]) - hum
    turned = np.fft.irfft(np.fft.rfft(noise) * np.fft.rfft(voice).conj())
    # Nothing but the voice, shifted.
    assert turned.max() == pytest.approx(np.linalg.norm(noise) * np.linalg.norm(voice), rel=1e-3)


def test_silence_stays_silent():
    silence = np.zeros(RATE, np.float32)
    assert not Noise("white", 0)(silence, random(), nobody).any()
    assert not Loudness(0.1)(silence, random(), nobody).any()


def test_loudness_sets_the_level_and_nothing_else(hum):
    found = Loudness(0.05)(hum, random(), nobody)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, hum / 5, rtol=1e-5)


@pytest.mark.parametrize("codec", ["opus", "vorbis", "mp3", "gsm", "mu-law"])
@pytest.mark.parametrize("gain", [1, 30])
def test_a_codec_neither_shifts_nor_clips_and_adds_a_block_at_most(codec, gain, speech):
    loud = gain * speech  # beyond full scale
    found = coded(loud, codec=codec)
    assert found.dtype == np.float32
    assert 0 <= len(found) - len(loud) <= 640
    found = found[: len(loud)]
    alike = np.fft.irfft(np.fft.rfft(found) * np.fft.rfft(loud).conj()).argmax()
    assert min(alike, len(loud) - alike) <= 4  # samples late or early
    assert np.corrcoef(found, loud)[0, 1] > 0.7
    assert rms(found) == pytest.approx(rms(loud), rel=0.2)


def test_a_telephone_loses_what_lies_above_4_khz():
    def kept(codec):
        found = coded(white(), codec=codec)
        return power_between(found, 4300, 8000) / power_between(white(), 4300, 8000)

    assert kept("vorbis") > 0.5
    assert kept("gsm") < 1e-4
    assert kept("mu-law") < 1e-4


def test_a_codec_leaves_its_mark(speech):
    for codec in ("opus", "vorbis", "mp3", "gsm", "mu-law"):
        found = coded(speech, codec=codec)[: len(speech)]
        assert rms(found - speech) > 0.02 * rms(speech)


def test_a_band_keeps_what_is_inside_and_nothing_else():
    before = white(4)
    after = band_limited(before, low_hz=300, high_hz=3400)
    assert after.dtype == np.float32
    assert len(after) == len(before)

    def kept(low_hz, high_hz):
        return power_between(after, low_hz, high_hz) / power_between(before, low_hz, high_hz)

    assert kept(400, 3000) == pytest.approx(1, abs=0.02)
    assert kept(0, 150) < 1e-3  # 36 dB an octave
    assert kept(6800, 8000) < 1e-3


def test_a_room_starts_with_the_direct_sound_and_echoes_it():
    click = np.zeros(RATE, np.float32)
    click[0] = 1
    for seed in range(8):
        heard = in_room(click, random(seed))
        assert heard.shape == click.shape
        assert np.abs(heard).argmax() == 0
        assert np.square(heard[160:]).sum() > 0.01  # later than 10 ms
        assert np.abs(heard[RATE // 2 :]).max() < 0.01


def test_a_room_is_as_loud_as_before_and_not_silent_where_the_voice_stops(hum):
    stopped = np.concatenate([hum, np.zeros(RATE, np.float32)])
    heard = in_room(stopped, random())
    assert heard.dtype == np.float32
    assert rms(heard) == pytest.approx(rms(stopped), rel=1e-5)
    assert rms(heard[len(hum) : len(hum) + 800]) > 0.01 * rms(hum)


def test_rooms_differ():
    first, again, other = (in_room(white(), random(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_anything_is_the_same_each_time_and_differs_between_times(speech):
    voices = [white(seed=seed) for seed in (1, 2)]

    def heard(seed):
        return Anything(1)(speech, random(seed), lambda: voices)

    made = [heard(seed) for seed in range(25)]
    for seed, waveform in enumerate(made):
        assert waveform.dtype == np.float32
        assert np.isfinite(waveform).all()
        assert abs(len(waveform) / len(speech) - 1) < 0.1
        if seed < 5:
            np.testing.assert_array_equal(waveform, heard(seed))
    left = [one for one in made if len(one) == len(speech) and np.array_equal(one, speech)]
    assert len(left) <= 5  # nothing happens to one in nine
    assert len({one.tobytes() for one in made}) >= 25 - len(left)


def test_anything_asks_for_voices_where_there_is_babble_only():
    """Seven times in ten there is noise, of which one time in three babble."""
    asked = []

    def voices():
        asked[-1] += 1
        return [white(0.2)]

    for seed in range(100):
        asked.append(0)
        Anything(1)(white(0.2), random(seed), voices)
    assert set(asked) == {0, 1}
    assert 11 <= sum(asked) <= 36  # 23 expected, standard deviation 4.2
