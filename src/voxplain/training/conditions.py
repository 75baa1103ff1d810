"""What a recording may have gone through: noise, a gain, another speed, a codec, a band, a room.

A condition is a frozen value that worsens a waveform (samples,) at 16 kHz, the same way each time
for the same generator. Babble is made of ``voices()``, other recordings that the caller chooses.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.training.sounds import babble, colour

__all__ = [
    "Anything",
    "Condition",
    "Loudness",
    "Noise",
    "band_limited",
    "coded",
    "in_room",
]

Waveform = NDArray[np.float32]
Voices = Callable[[], Sequence[Waveform]]
Condition = Callable[[Waveform, np.random.Generator, Voices], Waveform]


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise of a colour, or babble, so many decibels below the recording's mean power."""

    kind: str
    """white, pink or babble"""
    snr_db: float

    def __call__(
        self, waveform: Waveform, generator: np.random.Generator, voices: Voices
    ) -> Waveform:
        """The recording with the noise."""
        if self.kind == "babble":
            noise = babble(voices(), len(waveform), generator)
        else:
            noise = colour(len(waveform), generator, tilt={"white": 0, "pink": 1}[self.kind])
        level = _rms(waveform) * 10 ** (-self.snr_db / 20)
        return (waveform + level * noise).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Loudness:
    """Every recording at the same level."""

    level: float
    """Root mean square; full scale is 1."""

    def __call__(
        self, waveform: Waveform, generator: np.random.Generator, voices: Voices
    ) -> Waveform:
        """The recording at that level."""
        return waveform * np.float32(self.level / max(_rms(waveform), 1e-9))


@dataclass(frozen=True, slots=True)
class Anything:
    """Whatever may happen, drawn anew for each recording: what training is augmented with."""

    copy: int
    """Which of the augmented copies of a recording."""

    def __call__(
        self, waveform: Waveform, generator: np.random.Generator, voices: Voices
    ) -> Waveform:
        """The recording after a speed, a room, noise, a gain, a band and a codec, each at times."""

        def at_times(share: float) -> bool:
            return bool(generator.random() < share)

        if at_times(0.5):
            factor = generator.uniform(0.93, 1.07)
            waveform = soxr.resample(waveform, SAMPLING_RATE, SAMPLING_RATE / factor)
        if at_times(0.3):
            waveform = in_room(waveform, generator)
        if at_times(0.7):
            kind = str(generator.choice(["white", "pink", "babble"]))
            waveform = Noise(kind, generator.uniform(0, 25))(waveform, generator, voices)
        if at_times(0.5):
            waveform = waveform * np.float32(10 ** (generator.uniform(-10, 10) / 20))
        if at_times(0.2):
            low, high = generator.uniform(50, 350), generator.uniform(3000, 7000)
            waveform = band_limited(waveform, low_hz=low, high_hz=high)
        if at_times(0.2):
            waveform = coded(waveform, codec=str(generator.choice(list(_CODECS))))
        return waveform


def _rms(waveform: Waveform) -> float:
    return float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64))))


def band_limited(waveform: Waveform, *, low_hz: float, high_hz: float) -> Waveform:
    """Only what lies between two frequencies (Butterworth of the sixth order)."""
    from scipy.signal import butter, sosfilt

    band = butter(6, (low_hz, high_hz), "bandpass", fs=SAMPLING_RATE, output="sos")
    found: Waveform = sosfilt(band, waveform).astype(np.float32)
    return found


_CODECS = {
    "opus": ("OGG", "OPUS", 16_000),
    "vorbis": ("OGG", "VORBIS", 16_000),
    "mp3": ("MP3", "MPEG_LAYER_III", 16_000),
    "gsm": ("WAV", "GSM610", 8_000),
    "mu-law": ("WAV", "ULAW", 8_000),
}


def coded(waveform: Waveform, *, codec: str) -> Waveform:
    """Through a codec and back: opus, vorbis or mp3, or at the telephone's 8 kHz gsm or mu-law.

    What comes back may be longer by a part of the codec's last frame (gsm: 40 ms at most).
    """
    container, subtype, rate = _CODECS[codec]
    peak = max(1.0, float(np.abs(waveform).max()))  # what would clip is made softer meanwhile
    file = io.BytesIO()
    sent = soxr.resample(waveform / peak, SAMPLING_RATE, rate)
    # The strongest compression that libsndfile offers; the telephone's codecs have no choice.
    strength = {} if rate == 8_000 else {"compression_level": 0.99}
    soundfile.write(file, sent, rate, format=container, subtype=subtype, **strength)
    file.seek(0)
    received, rate = soundfile.read(file, dtype="float32")
    return peak * soxr.resample(received, rate, SAMPLING_RATE).astype(np.float32)


def in_room(waveform: Waveform, generator: np.random.Generator) -> Waveform:
    """Heard in a shoebox room by image sources (Allen & Berkley 1979), as loud as before.

    Sides of 3-8, 3-6 and 2.4-3.5 m, walls that absorb 15-60 % of the energy.
    """
    import pyroomacoustics

    size = generator.uniform((3, 3, 2.4), (8, 6, 3.5))
    walls = pyroomacoustics.Material(generator.uniform(0.15, 0.6))
    room = pyroomacoustics.ShoeBox(size, fs=SAMPLING_RATE, materials=walls, max_order=10)
    room.add_source(generator.uniform(0.5, size - 0.5))
    room.add_microphone(generator.uniform(0.5, size - 0.5))
    room.compute_rir()
    response = room.rir[0][0]
    direct = int(np.abs(response).argmax())  # without the way to the microphone
    spread = np.convolve(waveform, response)[direct : direct + len(waveform)]
    return (spread * _rms(waveform) / max(_rms(spread), 1e-9)).astype(np.float32)
