"""Uploaded sound: taken only as what the page records, and kept without anything around it."""

from __future__ import annotations

import io
import wave

import numpy as np

from voxplain.audio.activity import SAMPLING_RATE
from voxplain.collection.protocol import Seconds
from voxplain.errors import AudioError

__all__ = ["HEADER_BYTES", "SAMPLE_BYTES", "checked"]

SAMPLE_BYTES = 2
HEADER_BYTES = 4096
"""More than what stands before and after the samples of any WAV that we make."""
_FORM = (1, SAMPLE_BYTES, SAMPLING_RATE)


def checked(content: bytes, limits: Seconds) -> tuple[bytes, float]:
    """A WAV of mono 16-bit samples at 16 kHz, written anew, and how many seconds it lasts.

    Raises AudioError for another form, another length, or silence.
    """
    try:
        with wave.open(io.BytesIO(content)) as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            samples = file.readframes(len(content))  # the header may promise more
    except (wave.Error, EOFError) as error:
        raise AudioError(f"the recording is no WAV: {error or 'it ends too soon'}") from error
    if form != _FORM:
        raise AudioError(
            f"the recording has {form[0]} channels of {8 * form[1]} bits at {form[2]} Hz; send "
            f"mono, 16 bits, {SAMPLING_RATE} Hz"
        )
    samples = samples[: len(samples) // SAMPLE_BYTES * SAMPLE_BYTES]
    seconds = len(samples) / SAMPLE_BYTES / SAMPLING_RATE
    if not limits.least <= seconds <= limits.most:
        raise AudioError(
            f"the recording lasts {seconds:.1f} s; record {limits.least:g} to {limits.most:g} s"
        )
    if not np.frombuffer(samples, "<i2").any():
        raise AudioError("the recording is silent throughout; switch the microphone on")
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(SAMPLING_RATE)
        file.writeframes(samples)
    return target.getvalue(), seconds
