"""Copies: the same recording is known again after a gain, a codec, a trim; other takes are not."""

import numpy as np
import pytest
import soxr

from voxplain.training.audit import copies
from voxplain.training.conditions import coded

RATE = 16_000
WORSE = {
    "softer": lambda x: 0.1 * x,
    "upside down": lambda x: -x,
    "trimmed at both ends": lambda x: x[830:-1290],
    "with silence around": lambda x: np.pad(x, (4000, 2000)),
    "opus": lambda x: coded(x, codec="opus"),
    "mp3": lambda x: coded(x, codec="mp3"),
    "by telephone": lambda x: coded(x, codec="gsm"),
    "there and back at 44.1 kHz": lambda x: soxr.resample(
        soxr.resample(x, RATE, 44_100), 44_100, RATE
    ),
}


@pytest.mark.parametrize("worse", WORSE)
def test_a_copy_is_known_again(spoken, worse):
    for waveform in spoken.values():
        copy = np.asarray(WORSE[worse](waveform), np.float32)
        cosine = copies.fingerprint(waveform) @ copies.fingerprint(copy)
        assert cosine >= copies.ALIKE
        assert copies.agreement(waveform, copy) >= copies.SAME


def test_other_recordings_are_told_apart_even_of_one_speaker_and_sentence(spoken):
    names = sorted(spoken)
    for place, one in enumerate(names):
        for other in names[:place]:
            assert copies.agreement(spoken[one], spoken[other]) < copies.SAME / 2, (one, other)


def test_a_fingerprint_has_unit_length_and_no_mean(spoken):
    found = copies.fingerprint(next(iter(spoken.values())))
    assert found.shape == copies.NOTHING.shape
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    assert found.mean() == pytest.approx(0, abs=1e-6)


def test_the_agreement_of_noise_with_itself_shifted_is_one_and_with_other_noise_little():
    random = np.random.default_rng(0)
    noise, other = random.standard_normal((2, RATE)).astype(np.float32)
    assert copies.agreement(noise, np.pad(noise, (777, 0))) == pytest.approx(1, abs=1e-3)
    assert copies.agreement(noise, other) < 0.1
    assert copies.agreement(noise, np.zeros(RATE, np.float32)) == 0


def test_pairs_are_found_across_blocks_once_and_never_with_nothing():
    random = np.random.default_rng(0)
    rows = random.standard_normal((3000, 520)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[2500], rows[11] = rows[3], rows[10]
    rows[[100, 2000]] = copies.NOTHING
    assert sorted(copies.alike(rows)) == [(3, 2500), (10, 11)]
