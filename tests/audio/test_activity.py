"""Speech activity: every sample is judged once, speech is found, other sounds are not."""

from pathlib import Path

import numpy as np
import pytest

from voxplain.audio.activity import CHUNK, SAMPLING_RATE, speech_probabilities
from voxplain.audio.read import read
from voxplain.audio.windows import SPEECH_THRESHOLD

SPEECH = Path(__file__).parents[1] / "data"
SECONDS = 3


def judged(*blocks):
    chunks, probabilities = zip(*speech_probabilities(blocks), strict=True)
    return chunks, np.array(probabilities)


def noise(samples=SECONDS * SAMPLING_RATE, level=0.1):
    return np.random.default_rng(0).normal(0, level, samples).astype(np.float32)


def tone(frequency):
    times = np.arange(SECONDS * SAMPLING_RATE) / SAMPLING_RATE
    return (0.3 * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 511, 512, 513, 16_000])
def test_every_sample_is_in_one_chunk(samples):
    waveform = noise(samples)
    chunks, probabilities = judged(waveform)
    np.testing.assert_array_equal(np.concatenate(chunks), waveform)
    assert [len(chunk) for chunk in chunks[:-1]] == [CHUNK] * (len(chunks) - 1)
    assert len(chunks) == -(-samples // CHUNK)
    assert np.all((probabilities >= 0) & (probabilities <= 1))


def test_an_empty_stream_has_no_chunk():
    assert list(speech_probabilities([])) == []
    assert list(speech_probabilities([np.zeros(0, np.float32)])) == []


@pytest.mark.parametrize("size", [100, 512, 700, 16_000])
def test_how_the_stream_is_cut_into_blocks_does_not_matter(size):
    waveform = noise(16_100)
    blocks = [waveform[start : start + size] for start in range(0, len(waveform), size)]
    chunks, probabilities = judged(*blocks)
    whole_chunks, whole = judged(waveform)
    np.testing.assert_array_equal(probabilities, whole)
    for chunk, other in zip(chunks, whole_chunks, strict=True):
        np.testing.assert_array_equal(chunk, other)


def test_the_last_chunk_is_judged_as_if_silence_followed():
    waveform = noise(CHUNK + 100)
    _, cut = judged(waveform)
    _, padded = judged(np.pad(waveform, (0, CHUNK - 100)))
    np.testing.assert_array_equal(cut, padded)


def test_a_stream_knows_nothing_of_another():
    _, alone = judged(noise())
    both = [speech_probabilities([noise()]), speech_probabilities([tone(200)])]
    interleaved = [first[1] for first, _ in zip(*both, strict=True)]
    np.testing.assert_array_equal(interleaved, alone)


@pytest.mark.parametrize(
    "waveform",
    [
        np.zeros(SECONDS * SAMPLING_RATE, np.float32),
        noise(level=0.001),
        noise(level=0.3),
        tone(50),
        tone(440),
        tone(3000),
    ],
    ids=["silence", "soft noise", "loud noise", "50 Hz", "440 Hz", "3 kHz"],
)
def test_what_is_not_speech_is_not_taken_for_it(waveform):
    assert judged(waveform)[1].max() < SPEECH_THRESHOLD


@pytest.mark.parametrize(
    "clip",
    ["cremad_1089_tie_ang.opus", "cremad_1089_mti_sad.opus", "emodb_03a01Wa.flac"],
)
def test_speech_is_found(clip):
    _, probabilities = judged(read(SPEECH / clip).waveform)
    assert np.count_nonzero(probabilities >= SPEECH_THRESHOLD) * CHUNK / SAMPLING_RATE > 0.8


def test_speech_is_found_where_it_is():
    speech = read(SPEECH / "emodb_03a01Wa.flac").waveform
    silence = np.zeros(2 * SAMPLING_RATE, np.float32)
    _, probabilities = judged(silence, speech, silence)
    times = np.flatnonzero(probabilities >= SPEECH_THRESHOLD) * CHUNK / SAMPLING_RATE
    assert times[0] == pytest.approx(2, abs=0.3)
    assert times[-1] == pytest.approx(2 + len(speech) / SAMPLING_RATE, abs=0.3)
