"""What is taken as a recording."""

import io
import wave

import numpy as np
import pytest

from voxplain.collection.protocol import Seconds
from voxplain.collection.recording import checked
from voxplain.errors import AudioError

LIMITS = Seconds(1, 4)
SECOND = (np.sin(np.arange(16_000) / 20) * 9000).astype("<i2").tobytes()


def test_a_voice_stays_as_it_is_and_loses_what_is_said_about_it(spoken):
    tagged = spoken + b"LIST\x0c\x00\x00\x00INFOINAMname"
    content, seconds = checked(tagged, LIMITS)
    assert content == spoken
    assert seconds == pytest.approx(3.0, abs=0.1)


def test_a_header_may_promise_more_than_comes(wav_of):
    lying = bytearray(wav_of(3 * SECOND)[: 44 + 2 * 32_000 + 1])
    content, seconds = checked(bytes(lying), LIMITS)
    with wave.open(io.BytesIO(content)) as file:
        assert file.getnframes() == 32_000
    assert seconds == 2.0


@pytest.mark.parametrize(
    ("options", "samples", "message"),
    [
        ({}, SECOND[:16_000], r"lasts 0\.5 s; record 1 to 4 s"),
        ({}, 5 * SECOND, r"lasts 5\.0 s; record 1 to 4 s"),
        ({}, bytes(64_000), "silent throughout; switch the microphone on"),
        ({"rate": 8000}, 2 * SECOND, r"1 channels of 16 bits at 8000 Hz; send mono, 16 bits"),
        ({"channels": 2}, 4 * SECOND, "2 channels of 16 bits"),
        ({"width": 1}, SECOND, "1 channels of 8 bits"),
    ],
)
def test_other_recordings_are_refused(wav_of, options, samples, message):
    with pytest.raises(AudioError, match=message):
        checked(wav_of(samples, **options), LIMITS)


@pytest.mark.parametrize("content", [b"", b"OggS" + bytes(100), b"RIFF\x10\x00\x00\x00WAVEfmt "])
def test_what_is_no_wav_is_refused(content):
    with pytest.raises(AudioError, match="the recording is no WAV: "):
        checked(content, LIMITS)
